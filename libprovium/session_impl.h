/* SPDX-License-Identifier: MIT
 *
 * The inside of a session, for channel.c, rpc.c, session.c, graph.c, call.c, local.c.
 */
#ifndef PROVIUM_SESSION_IMPL_H
#define PROVIUM_SESSION_IMPL_H

#include <sys/types.h>

#include "provium_impl.h"

enum {
    SESSION_FRAME_LIMIT = 32 << 20, /* bytes; what we offer in hello */
    SESSION_MEMORY_LIMIT = 64 << 20,
    SESSION_LIST_LIMIT = 8192,    /* buffers, specs */
    SESSION_CHANNEL_CAP = SESSION_FRAME_LIMIT + 65536,
    SESSION_KEEP = 1 << 20,       /* bytes of a channel buffer that stay resident */
    SESSION_RESYNC_MS = 3000,     /* SPEC [STREAM-7] */
    SESSION_SILENCE_MS = 2000,    /* within a frame */
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
    size_t buffer_cap, spec_cap;
};

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
    uint8_t *rx, *tx; /* SESSION_CHANNEL_CAP bytes each, reserved, resident as used */
    size_t rx_used;   /* bytes of the largest frame since the last trim */
    struct wire_stream stream;
    struct scratch scratch;
    struct noted_end ended;
    struct provium_info info;
    char agent[SESSION_NAME_MAX], arch[SESSION_NAME_MAX], kernel[SESSION_NAME_MAX];
    struct provium_error error;
    provium_explain_fn *explain;
    void *explain_context;
};

/* ---- channel.c: the only file that reads or writes the channel ---- */

/* Both return E_OK, E_TIMEOUT when deadline_ms (of provium_now_ms) passed, or E_CLOSED;
 * the error text is the caller's business. */
enum provium_status channel_read(struct provium_session *s, int64_t deadline_ms);
enum provium_status channel_write(struct provium_session *s, const struct wire_slice *slices, uint32_t count,
                                  int64_t deadline_ms);

/* ---- session.c ---- */

/* The session is over: note why, let whoever owns the machine explain it better. */
enum provium_status session_lost(struct provium_session *s, enum provium_status code, const char *caller,
                                 const char *reason);

/* ---- rpc.c ---- */

/* Begin request `op` in the writer: a new id, the generation last heard. */
void rpc_begin(struct provium_session *s, struct wire_writer *w, uint32_t op);

/* Send it and wait for its answer until the deadline; its envelope borrows the session. An
 * error answer is E_REFUSED with the agent's text, its code in *refused. */
enum provium_status rpc_call(struct provium_session *s, struct wire_writer *w, const char *caller,
                             struct wire_envelope *reply, uint32_t *refused);

/* Take frames until one answers last_id. */
enum provium_status rpc_wait(struct provium_session *s, int64_t deadline_ms, const char *caller,
                             struct wire_envelope *reply, uint32_t *refused);

/* ---- graph.c ---- */

/* Turn a call into flat buffers and pointer specs in the session's scratch; everything that
 * can be known to be wrong is found here. */
enum provium_status graph_build(struct provium_session *s, const struct provium_call *call,
                                struct wire_call_request *m);

#endif
