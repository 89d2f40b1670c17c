/* SPDX-License-Identifier: MIT
 *
 * The agent's half of a session: docs/state-machines.md, "Session".  Frames in,
 * exactly one answer each out; what an operation does is in op_*.c.
 */
#include "agent.h"

#include <string.h>

#include "sys.h"

enum { PATH_CAP = 64 };
static const uint32_t UNREAD = UINT32_MAX; /* the worker of a request that could not be read */

static const struct agent_limits before_hello = {WIRE_MIN_FRAME, WIRE_MIN_DEPTH,  WIRE_MIN_BUFFERS,
                                                 WIRE_MIN_SPECS, WIRE_MIN_FLIGHT, WIRE_MIN_MEMORY, 0,
                                                 WIRE_MIN_STEPS, WIRE_MIN_MOVES};

/* ---- memory ---- */

/* `len` bytes of a channel buffer were used.  What a large frame made resident goes back when the next
 * one is small: a row of large ones keeps its pages. */
static void trim(uint8_t *buf, size_t *resident, size_t len)
{
    if (len <= AGENT_KEEP && *resident > AGENT_KEEP)
        sys3(__NR_madvise, sys_ptr(buf), AGENT_CHANNEL_CAP, SYS_MADV_REMOVE);
    *resident = len;
}

/* ---- answers ---- */

void session_begin(struct agent *a, struct wire_writer *w, const struct wire_envelope *e, enum wire_kind kind,
                   uint32_t code)
{
    wire_writer_init(w, a->tx, AGENT_CHANNEL_CAP);
    wire_writer_borrow(w, a->slices, sizeof a->slices / sizeof a->slices[0]);
    bool known = e->worker == 0; /* the only one; otherwise both are 0 (SPEC [ENV-5]) */
    struct wire_envelope answer = {kind, e->id, code, 0, known ? a->shared->generation : 0, {NULL, 0}};
    wire_begin(w, &answer);
}

void session_send(struct agent *a, struct wire_writer *w, bool result)
{
    struct shared *shared = a->shared;
    bool fits = wire_end(w) == WIRE_OK;
    uint32_t count = wire_writer_slices(w);
    shared->reply_len = fits && count == 1 ? (uint32_t)w->len : 0;
    if (result)
        shared->state = AGENT_DONE;
    shared->state = AGENT_SENDING;
    bool sent = fits && channel_write(a, a->slices, count);
    if (sent)
        shared->state = AGENT_READING;
    else /* a script may have closed our descriptor: the supervisor, which has its own, sends a result */
        shared->state = fits && result ? AGENT_DONE : AGENT_CLOSED;
    if (shared->state == AGENT_READING)
        trim(a->tx, &a->tx_resident, w->len);
}

void session_refuse(struct agent *a, const struct wire_envelope *e, enum wire_error_code code, const char *path,
                    const char *text)
{
    struct wire_writer w;
    struct wire_error body = {.text = agent_bytes(text), .executed = WIRE_EXECUTED_no};
    if (path != NULL && path[0] != '\0') {
        body.path = agent_bytes(path);
        body.has = WIRE_HAS(error, path);
    }
    session_begin(a, &w, e, WIRE_ERROR, code);
    wire_put_error(&w, &body);
    session_send(a, &w, false);
}

static enum wire_error_code code_of(enum wire_status status)
{
    switch (status) {
    case WIRE_E_SHORT:
    case WIRE_E_RESERVED:
    case WIRE_E_DEPTH:
    case WIRE_E_TRAILING:
        return WIRE_ERR_MALFORMED;
    case WIRE_E_UNKNOWN:
        return WIRE_ERR_UNKNOWN_FIELD;
    case WIRE_E_COUNT:
        return WIRE_ERR_LIMIT;
    default:
        return WIRE_ERR_BAD_FIELD;
    }
}

void session_refuse_body(struct agent *a, const struct wire_envelope *e, const char *record, enum wire_status status,
                         size_t at)
{
    char path[PATH_CAP];
    wire_path(wire_record_find(record), e->body, at, path, sizeof path);
    session_refuse(a, e, code_of(status), path, wire_status_text(status));
}

void session_goodbye(struct agent *a, enum wire_error_code code, const char *text)
{
    struct wire_writer w;
    struct wire_envelope e = {.kind = WIRE_GOODBYE};
    struct wire_goodbye body = {.text = agent_bytes(text)};
    a->shared->open = false;
    session_begin(a, &w, &e, WIRE_GOODBYE, code);
    wire_put_goodbye(&w, &body);
    session_send(a, &w, false);
}

/* ---- what comes in ---- */

/* A new session: whatever the old one agreed is forgotten. */
static void start_session(struct agent *a)
{
    struct shared *shared = a->shared;
    struct wire_slice echo = {a->tx, WIRE_SYNC_LEN};
    shared->open = false;
    shared->limits = before_hello;
    shared->stream.limit = WIRE_MIN_FRAME;
    memcpy(a->tx, WIRE_SYNC_AGENT, 8);
    memcpy(a->tx + 8, shared->stream.nonce, sizeof shared->stream.nonce);
    if (!channel_write(a, &echo, 1))
        shared->state = AGENT_CLOSED;
}

/* May this request be looked at?  Answers it if not. */
static bool admit(struct agent *a, const struct wire_envelope *e)
{
    if (e->code == WIRE_OP_hello && a->shared->open)
        session_refuse(a, e, WIRE_ERR_MALFORMED, NULL, "hello was said already; a sync word begins a new session");
    else if (e->code != WIRE_OP_hello && !a->shared->open)
        session_refuse(a, e, WIRE_ERR_NO_HELLO, NULL, wire_error_text(WIRE_ERR_NO_HELLO));
    else if (e->worker != 0)
        session_refuse(a, e, WIRE_ERR_NO_WORKER, NULL, wire_error_text(WIRE_ERR_NO_WORKER));
    else if (e->generation != 0 && e->generation != a->shared->generation)
        session_refuse(a, e, WIRE_ERR_WORKER_REPLACED, NULL, wire_error_text(WIRE_ERR_WORKER_REPLACED));
    else
        return true;
    return false;
}

static void dispatch(struct agent *a, const struct wire_envelope *e)
{
    a->shared->code = e->code;
    switch (e->code) {
#define WIRE_OP(name, code, since, doc) \
    case code: \
        op_##name(a, e); \
        break;
#include "../libwire/ops.def"
    default:
        session_refuse(a, e, WIRE_ERR_UNKNOWN_OP, NULL, wire_error_text(WIRE_ERR_UNKNOWN_OP));
    }
}

/* Hunt, through whatever is there already: the next sync may have come along. */
static void close_session(struct agent *a)
{
    a->shared->open = false;
    a->shared->stream.synced = false;
}

static void serve_frame(struct agent *a, struct wire_bytes frame)
{
    struct wire_envelope e;
    size_t at;
    enum wire_status status = wire_get_envelope(frame.ptr, frame.len, &e, &at);
    uint32_t id = e.id;
    bool ours = e.kind == WIRE_REQUEST || e.kind == WIRE_CANCEL || e.kind == WIRE_GOODBYE;
    if (status == WIRE_OK && ours && (e.kind != WIRE_REQUEST || id != 0)) {
        if (e.kind == WIRE_GOODBYE)
            close_session(a);
        else if (e.kind == WIRE_REQUEST && admit(a, &e))
            dispatch(a, &e);
        return;
    }
    e = (struct wire_envelope){.id = id, .worker = UNREAD};
    session_refuse(a, &e, WIRE_ERR_MALFORMED, NULL,
                   status != WIRE_OK ? wire_status_text(status) : "not an envelope that a host sends");
}

void session_serve(struct agent *a)
{
    struct wire_envelope none = {.id = 0, .worker = UNREAD};
    struct wire_bytes frame;
    while (a->shared->state == AGENT_READING) {
        switch (wire_stream_next(&a->shared->stream, &frame)) {
        case WIRE_FOUND_nothing:
            return;
        case WIRE_FOUND_sync:
            start_session(a);
            break;
        case WIRE_FOUND_oversize:
            session_refuse(a, &none, WIRE_ERR_TOO_LARGE, NULL, wire_error_text(WIRE_ERR_TOO_LARGE));
            break;
        case WIRE_FOUND_broken:
            session_goodbye(a, WIRE_ERR_MALFORMED, "not the length of a frame");
            break;
        case WIRE_FOUND_frame:
            serve_frame(a, frame);
            if (!wire_stream_midway(&a->shared->stream))
                trim(a->rx, &a->rx_resident, frame.len);
        }
    }
}
