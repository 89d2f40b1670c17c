/* SPDX-License-Identifier: MIT
 *
 * The agent under test: a process with the protocol on its stdin and stdout.
 * The only file that reads, writes or waits for it. */
#ifndef CONFORMANCE_PEER_H
#define CONFORMANCE_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "text.h"

enum peer_state { PEER_OK, PEER_SILENT, PEER_ENDED };

struct peer {
    pid_t pid;
    int to, from, errors; /* -1 once closed */
    struct bytes inbox;   /* received and not yet taken */
    struct bytes log;     /* the end of its stderr */
};

/* Run a shell command in a process group of its own; the case's id is in its
 * environment as PROVIUM_CONFORMANCE_CASE. */
bool peer_start(struct peer *peer, const char *command, const char *id);
/* Write all of it, reading meanwhile. */
enum peer_state peer_write(struct peer *peer, const uint8_t *ptr, size_t len, int timeout_ms);
/* Wait until the inbox holds len bytes. */
enum peer_state peer_need(struct peer *peer, size_t len, int timeout_ms);
void peer_close_input(struct peer *peer);
/* One sentence about how it ended (it is known to have ended or is ended now),
 * with what it wrote to stderr. */
void peer_autopsy(struct peer *peer, struct bytes *out);
/* Hang up, give it half a second to leave, then kill its group.  Returns the
 * signal that killed it by itself, SIGPIPE apart, or 0. */
int peer_stop(struct peer *peer);

int64_t now_ms(void);

#endif
