/* SPDX-License-Identifier: MIT
 *
 * An agent that plays a script, for tests of the host's half: a thread at the other
 * end of a socket pair, which answers well, badly, late or never.
 *
 *     static void refuses(struct fake *f)
 *     {
 *         fake_open(f);
 *         fake_request(f);
 *         fake_send(f, fake_error(f->request.id, WIRE_ERR_LIMIT, 0, "too much"));
 *     }
 *     struct fake f;
 *     struct provium_session *s = fake_session(&f, refuses);
 *     ...
 *     fake_end(&f, s);
 *
 * Steps after the host hung up, or after a fault, do nothing.
 */
#ifndef FAKE_AGENT_H
#define FAKE_AGENT_H

#include <pthread.h>

#include "../../libprovium/provium_impl.h"

enum { FAKE_LIST_CAP = 256, FAKE_CAP = (32 << 20) + 4096, FAKE_FRAME_MAX = 1024 };

/* A small frame, length included, or any bytes. */
struct fake_bytes {
    uint8_t at[FAKE_FRAME_MAX];
    size_t len;
};

struct fake;
typedef void fake_script(struct fake *f);

struct fake {
    int host, fd;                  /* the two ends */
    const void *context;           /* for the script */
    struct wire_hello_reply hello; /* what fake_hello answers: the smallest limits */
    uint8_t nonce[8];
    struct wire_envelope request;  /* the last one; borrows rx */
    struct wire_call_request call; /* its body */
    size_t drained;                /* bytes that fake_drain saw */
    size_t received, sent;         /* bytes so far */
    bool over;                     /* the host hung up */
    char fault[256];               /* the first expectation that did not hold */

    fake_script *script;
    pthread_t thread;
    bool joined;
    uint8_t *rx, *tx, *blank; /* FAKE_CAP bytes each */
    struct wire_buffer buffers[FAKE_LIST_CAP];
    struct wire_spec specs[FAKE_LIST_CAP];
    struct wire_bytes outs[FAKE_LIST_CAP];
};

/* ---- for the test ---- */

/* Start the script; the host's end is f->host. */
void fake_start(struct fake *f, fake_script *script, const void *context);

/* Wait until the script has ended. */
void fake_join(struct fake *f);

/* Hang up, wait for the script, fail the test if the script found a fault. */
void fake_stop(struct fake *f);

/* The same with a new session that was opened, or fails the test. */
struct provium_session *fake_session(struct fake *f, fake_script *script);
void fake_end(struct fake *f, struct provium_session *s);

/* ---- steps ---- */

/* Note a fault of the host. */
#define fake_expect(f, condition) fake_expect_at(f, condition, #condition, __LINE__)
void fake_expect_at(struct fake *f, bool condition, const char *text, int line);

void fake_read_sync(struct fake *f);
void fake_echo(struct fake *f);
void fake_sync(struct fake *f);  /* both */
void fake_hello(struct fake *f); /* read hello, answer with f->hello */
void fake_open(struct fake *f);  /* all of that */

bool fake_request(struct fake *f); /* read a request; its body stays undecoded */
bool fake_call(struct fake *f);    /* read a call and decode it */
void fake_answer(struct fake *f);  /* answer f->call: 7, and what was in the buffers */
void fake_serve(struct fake *f);   /* open, then answer calls until the host hangs up */
void fake_drain(struct fake *f);   /* read and count until the host hangs up */

void fake_send(struct fake *f, struct fake_bytes bytes);
void fake_dribble(struct fake *f, struct fake_bytes bytes); /* byte by byte */
void fake_write(struct fake *f, const void *ptr, size_t len);
void fake_flood(struct fake *f, struct fake_bytes bytes); /* over and over, until the host hangs up */
void fake_hang_up(struct fake *f);
void fake_sleep(unsigned ms);

/* ---- frames ---- */

struct fake_bytes fake_raw(const char *hex); /* spaces are allowed; no length is added */
struct fake_bytes fake_joined(struct fake_bytes a, struct fake_bytes b);
struct fake_bytes fake_hello_reply(uint32_t id, const struct wire_hello_reply *m);
struct fake_bytes fake_call_reply(uint32_t id, const struct wire_call_reply *m);
struct fake_bytes fake_returned(uint32_t id, int64_t ret); /* a call reply without outs */
struct fake_bytes fake_ping_reply(uint32_t id);
struct fake_bytes fake_error(uint32_t id, uint32_t code, uint32_t generation, const char *text);
struct fake_bytes fake_worker_ended(const struct wire_worker_ended *m);
struct fake_bytes fake_goodbye(const char *text);
struct fake_bytes fake_empty(enum wire_kind kind, uint32_t id, uint32_t code); /* with an empty body */

#endif
