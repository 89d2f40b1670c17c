/* SPDX-License-Identifier: MIT
 *
 * One request, one answer: ids, deadlines, what else may arrive in between.
 */
#include <stdio.h>
#include <string.h>

#include "session_impl.h"

/* ---- send ---- */

void rpc_begin(struct provium_session *s, struct wire_writer *w, uint32_t op)
{
    struct wire_envelope e = {.kind = WIRE_REQUEST, .code = op, .generation = s->generation};
    if (++s->last_id == 0)
        s->last_id = 1;
    e.id = s->last_id;
    wire_writer_init(w, s->tx, SESSION_CHANNEL_CAP);
    wire_begin(w, &e);
}

/* ---- what arrives ---- */

/* The agent's text, cut and made printable: it may be hostile. */
static const char *plain(struct wire_bytes text, char *out, size_t cap)
{
    size_t len = text.len < cap - 1 ? text.len : cap - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = text.ptr[i] >= ' ' && text.ptr[i] < 127 ? (char)text.ptr[i] : '?';
    out[len] = '\0';
    return out;
}

static enum provium_status take_error(struct provium_session *s, const struct wire_envelope *e, const char *caller,
                                      uint32_t *refused)
{
    struct wire_error m;
    char text[512], path[128];
    size_t at;
    if (wire_decode_error(e->body, &m, &at) != WIRE_OK)
        return session_lost(s, PROVIUM_E_PROTOCOL, caller, "the agent sent a damaged error");
    *refused = e->code;
    if (e->generation != 0)
        s->generation = e->generation;
    return provium_fail(&s->error, e->code == WIRE_ERR_VERSION ? PROVIUM_E_VERSION : PROVIUM_E_REFUSED, 0,
                        "%s: the agent refused: %s%s%s (%s)", caller, plain(m.path, path, sizeof path),
                        m.path.len > 0 ? ": " : "", plain(m.text, text, sizeof text), wire_error_name(e->code));
}

static enum provium_status take_goodbye(struct provium_session *s, const struct wire_envelope *e, const char *caller)
{
    struct wire_goodbye m;
    char text[512], reason[600];
    size_t at;
    bool readable = wire_decode_goodbye(e->body, &m, &at) == WIRE_OK;
    snprintf(reason, sizeof reason, "the agent said goodbye: %s", readable ? plain(m.text, text, sizeof text) : "?");
    return session_lost(s, PROVIUM_E_CLOSED, caller, reason);
}

/* Unknown events are ignored (SPEC [EXT-4]); a damaged one is a fault. */
static bool take_event(struct provium_session *s, const struct wire_envelope *e)
{
    struct wire_worker_ended m;
    size_t at;
    if (e->code != WIRE_EVENT_worker_ended)
        return true;
    if (wire_decode_worker_ended(e->body, &m, &at) != WIRE_OK || m.ended == 0 || m.ended > WIRE_ENDED_stopped)
        return false;
    s->ended = (struct noted_end){true, m};
    return true;
}

enum taken { TAKEN_DONE, TAKEN_OTHER };

/* One frame: is it the answer?  *status holds what the answer, or the end of the session, means. */
static enum taken take_frame(struct provium_session *s, struct wire_bytes frame, const char *caller,
                             struct wire_envelope *e, uint32_t *refused, enum provium_status *status)
{
    size_t at;
    enum wire_status wire = wire_get_envelope(frame.ptr, frame.len, e, &at);
    *status = PROVIUM_OK;
    s->rx_used = frame.len > s->rx_used ? frame.len : s->rx_used;
    if (wire == WIRE_OK && e->kind == WIRE_EVENT && take_event(s, e))
        return TAKEN_OTHER;
    if (wire == WIRE_OK && (e->kind == WIRE_REPLY || e->kind == WIRE_ERROR) && e->id != 0 && e->id != s->last_id)
        return TAKEN_OTHER; /* late, of a request that timed out */
    if (wire == WIRE_OK && e->kind == WIRE_ERROR)
        *status = take_error(s, e, caller, refused);
    else if (wire == WIRE_OK && e->kind == WIRE_GOODBYE)
        *status = take_goodbye(s, e, caller);
    else if (wire != WIRE_OK || e->kind != WIRE_REPLY || e->id == 0)
        *status = session_lost(s, PROVIUM_E_PROTOCOL, caller,
                               wire != WIRE_OK ? wire_status_text(wire) : "not an envelope that an agent sends");
    return TAKEN_DONE;
}

static enum provium_status wait_more(struct provium_session *s, int64_t deadline_ms, const char *caller)
{
    bool midway = wire_stream_midway(&s->stream);
    int64_t silence = provium_now_ms() + SESSION_SILENCE_MS;
    bool stalls = midway && silence < deadline_ms;
    enum provium_status status = channel_read(s, stalls ? silence : deadline_ms);
    if (status == PROVIUM_E_CLOSED)
        return session_lost(s, status, caller, "the agent hung up");
    if (status == PROVIUM_E_TIMEOUT && stalls)
        return session_lost(s, PROVIUM_E_PROTOCOL, caller, "the agent fell silent in the middle of a frame");
    if (status == PROVIUM_E_TIMEOUT)
        return provium_fail(&s->error, status, 0, "%s: no answer within %u ms; the call may still be running", caller,
                            s->timeout_ms);
    return status;
}

enum provium_status rpc_wait(struct provium_session *s, int64_t deadline_ms, const char *caller,
                             struct wire_envelope *reply, uint32_t *refused)
{
    struct wire_bytes frame;
    enum provium_status status;
    for (;;) {
        switch (wire_stream_next(&s->stream, &frame)) {
        case WIRE_FOUND_nothing:
            status = wait_more(s, deadline_ms, caller);
            if (status != PROVIUM_OK)
                return status;
            break;
        case WIRE_FOUND_sync: /* the echo of a sync that we sent twice */
            break;
        case WIRE_FOUND_frame:
            if (take_frame(s, frame, caller, reply, refused, &status) == TAKEN_DONE)
                return status;
            break;
        case WIRE_FOUND_oversize:
            return session_lost(s, PROVIUM_E_PROTOCOL, caller, "the agent sent a frame over the agreed limit");
        case WIRE_FOUND_broken:
            return session_lost(s, PROVIUM_E_PROTOCOL, caller, "the agent sent what is no frame");
        }
    }
}

enum provium_status rpc_call(struct provium_session *s, struct wire_writer *w, const char *caller,
                             struct wire_envelope *reply, uint32_t *refused)
{
    int64_t deadline_ms = provium_now_ms() + s->timeout_ms;
    struct wire_slice whole = {w->buf, w->len};
    uint32_t count = w->slices != NULL ? wire_writer_slices(w) : 1;
    *refused = 0;
    enum provium_status status = channel_write(s, w->slices != NULL ? w->slices : &whole, count, deadline_ms);
    if (status == PROVIUM_OK)
        return rpc_wait(s, deadline_ms, caller, reply, refused);
    return session_lost(s, status, caller,
                        status == PROVIUM_E_TIMEOUT ? "the agent does not take the request" : "the agent hung up");
}
