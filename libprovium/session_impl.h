/* SPDX-License-Identifier: MIT
 *
 * The inside of a session, for channel.c, rpc.c, session.c, graph.c, call.c, region.c, local.c.
 */
#ifndef PROVIUM_SESSION_IMPL_H
#define PROVIUM_SESSION_IMPL_H

#include <sys/types.h>

#include "provium_impl.h"

enum {
    SESSION_FRAME_LIMIT = 32 << 20, /* bytes; what we offer in hello */
    SESSION_MEMORY_LIMIT = 64 << 20,
    SESSION_LIST_LIMIT = 8192, /* buffers, specs */
    SESSION_FLIGHT_LIMIT = 1,  /* unanswered requests */
    SESSION_CHANNEL_CAP = SESSION_FRAME_LIMIT + 65536,
    SESSION_KEEP = 1 << 20,    /* bytes of a channel buffer that stay resident */
    SESSION_RESYNC_MS = 3000,  /* SPEC [STREAM-7] */
    SESSION_SILENCE_MS = 2000, /* within a frame */
    SESSION_WATCH_MS = 250,    /* between two looks at the machine */
    SESSION_NAME_MAX = 128
};

enum session_state { SESSION_NEW, SESSION_OPEN, SESSION_BROKEN };

/* What one call needs; kept and grown, so that calls do not allocate in the steady state. */
struct scratch {
    struct wire_buffer *buffers;
    struct wire_spec *specs;
    struct wire_bytes *wire_outs;
    struct provium_bytes *outs;
    struct wire_slice *slices;
    uint32_t *owners;                                   /* of each buffer: OWNER_* and whose it is */
    struct wire_range wire_ranges[2 * WIRE_RANGES_MAX]; /* changed, then damage */
    struct provium_range ranges[2 * WIRE_RANGES_MAX];
    uint32_t *subs; /* of each pointer spec: the buffer that it points at */
    size_t buffer_cap, spec_cap;
};

/* A buffer's owner: an argument, or OWNER_PTR and the place of a pointer; OWNER_SHOWN if results have a place for it.
 */
enum { OWNER_PTR = 1 << 30, OWNER_SHOWN = 1 << 29, OWNER_INDEX = (1 << 29) - 1 };

/* How an executor ended outside a call, until the next call reports it. */
struct noted_end {
    bool is;
    struct wire_worker_ended event;
};

struct provium_session {
    enum session_state state;
    int rfd, wfd;
    bool own_fds, is_socket;
    pid_t child; /* 0: none */
    unsigned timeout_ms;
    uint32_t last_id, generation;
    uint32_t owed;           /* answers to requests that timed out */
    uint8_t nonce[8];        /* of our sync */
    uint8_t *rx, *tx;        /* SESSION_CHANNEL_CAP bytes each, reserved, resident as used */
    size_t rx_used, tx_used; /* how far they were written since the last trim */
    struct wire_stream stream;
    struct scratch scratch;
    struct program_room *program; /* what programs need; NULL before the first */
    uint32_t step_limit, move_limit; /* as agreed */
    struct noted_end ended;
    struct provium_info info;
    char agent[SESSION_NAME_MAX], arch[SESSION_NAME_MAX], kernel[SESSION_NAME_MAX];
    struct provium_error error;
    enum provium_status reason_code; /* why the session is BROKEN */
    char reason[512];
    struct provium_owner owner; /* zero: there is none */
};

/* ---- channel.c: the only file that reads or writes the channel ---- */

/* Both return E_OK, E_TIMEOUT when deadline_ms (of provium_now_ms) passed, or E_CLOSED;
 * the error text is the caller's business. */
enum provium_status provium_channel_read(struct provium_session *s, int64_t deadline_ms);
enum provium_status provium_channel_write(struct provium_session *s, const struct wire_slice *slices, uint32_t count,
                                          int64_t deadline_ms);

/* ---- session.c ---- */

/* Sync and hello over rfd and wfd, which are set; `caller` begins the error's text. */
enum provium_status provium_session_start(struct provium_session *s, const char *caller, int64_t deadline_ms);

/* Close what the session opened itself, end its child. */
void provium_session_close(struct provium_session *s);

/* The session is over: note why, let whoever owns the machine explain it better.  The first
 * reason stays; returns its code. */
enum provium_status provium_session_lost(struct provium_session *s, enum provium_status code, const char *caller,
                                         const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The agent's text, cut to cap and made printable: it may be hostile.  Returns out. */
const char *provium_session_plain(struct wire_bytes text, char *out, size_t cap);

/* ---- rpc.c ---- */

/* One request and its answer. */
struct rpc {
    const char *caller; /* begins error texts */
    uint32_t op;
    int64_t deadline_ms;        /* of provium_now_ms */
    struct wire_envelope reply; /* borrows the session until the next request */
    uint32_t refused;           /* the code of an error, else 0 */
};

/* Begin the request in the writer, under a new id. */
void provium_rpc_begin(struct provium_session *s, struct wire_writer *w, const struct rpc *rpc);

/* Send it and wait for its answer: OK is a reply to this op. An error answer is E_REFUSED
 * with the agent's text, its code in rpc->refused. */
enum provium_status provium_rpc_call(struct provium_session *s, struct wire_writer *w, struct rpc *rpc);

/* ---- call.c: what others have in common with calls ---- */

/* Is there an agent to ask? */
enum provium_status provium_check_open(struct provium_session *s, const char *caller);

enum provium_ended provium_ended_of(uint8_t ended);

/* A request was refused because its executor is gone: from here on its successor is known.  How it ended, to be
 * reported once; NULL when that was done. */
const struct wire_worker_ended *provium_take_end(struct provium_session *s, const struct rpc *rpc);

/* ---- program.c ---- */

void provium_program_room_free(struct program_room *room);

/* ---- graph.c ---- */

/* Turn a call into flat buffers and pointer specs in the session's scratch; everything that
 * can be known to be wrong is found here. */
enum provium_status provium_graph_build(struct provium_session *s, const struct provium_call *call,
                                        struct wire_call_request *m);

#endif
