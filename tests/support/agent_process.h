/* SPDX-License-Identifier: MIT
 *
 * The real agent as a child process, spoken to byte by byte.
 */
#ifndef SUPPORT_AGENT_PROCESS_H
#define SUPPORT_AGENT_PROCESS_H

#include <sys/types.h>

#include "any.h"

enum { AGENT_PROCESS_MS = 5000 }; /* how long an answer may take, at most */

struct agent_process {
    pid_t pid;
    int rfd, wfd, err; /* its output, its input, its messages; -1 when closed */
    struct wire_stream stream;
    uint32_t next_id, generation; /* of the last answer */
};

/* The binary that the build made. */
const char *child_binary(void);

/* Start it with these arguments (NULL at the end) behind its name, on pipes. */
bool child_spawn(struct agent_process *p, const char *const args[]);

/* Start it with --execute-here on pipes, and say hello with the agent's own limits. */
bool child_start(struct agent_process *p);

/* Write bytes as they are. */
bool child_write(struct agent_process *p, const void *bytes, size_t len);

/* The next bytes of its output as they are, at most cap, within ms; 0: none, -1: it ended. */
ssize_t child_read(struct agent_process *p, void *out, size_t cap, int ms);

/* A sync and its echo; what comes before the echo is dropped. */
bool child_sync(struct agent_process *p);

/* hello and its reply. */
bool child_hello(struct agent_process *p, struct any_message *reply);

/* The next frame within ms; it borrows memory until the next one.  False when none came. */
bool child_next(struct agent_process *p, struct any_message *m, int ms);

/* Encode and send a message. */
bool child_send(struct agent_process *p, const struct any_message *m);

/* One system call without buffers, in the generation that answered last; its reply. */
bool child_call(struct agent_process *p, int64_t nr, struct wire_words args, struct any_message *reply);

/* Close its input and output and wait until it has ended: its exit status, or -1 when a signal
 * ended it or it did not end in time (then it is killed). */
int child_finish(struct agent_process *p);

#endif
