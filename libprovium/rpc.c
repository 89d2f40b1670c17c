/* SPDX-License-Identifier: MIT
 *
 * One request, one answer: ids, deadlines, what else may arrive in between.
 */
#include <string.h>
#include <sys/mman.h>

#include "session_impl.h"

/* ---- send ---- */

void provium_rpc_begin(struct provium_session *s, struct wire_writer *w, const struct rpc *rpc)
{
    /* all others depend on the executor that their author knows */
    const bool executes = rpc->op != WIRE_OP_hello && rpc->op != WIRE_OP_ping;
    struct wire_envelope e = {
        .kind = WIRE_REQUEST, .code = rpc->op, .generation = executes ? s->generation : 0};
    if (++s->last_id == 0)
        s->last_id = 1;
    e.id = s->last_id;
    wire_writer_init(w, s->tx, SESSION_CHANNEL_CAP);
    wire_begin(w, &e);
}

/* Give back what large frames made resident.  Not before the request is sent: its data may be
 * what the last call returned. */
static void trim(struct provium_session *s)
{
    size_t rest = SESSION_CHANNEL_CAP - SESSION_KEEP;
    if (s->tx_used > SESSION_KEEP)
        madvise(s->tx + SESSION_KEEP, rest, MADV_DONTNEED);
    s->tx_used = 0;
    if (s->rx_used <= SESSION_KEEP || wire_stream_midway(&s->stream))
        return;
    madvise(s->rx + SESSION_KEEP, rest, MADV_DONTNEED);
    s->rx_used = 0;
}

/* ---- what arrives ---- */

static enum provium_status take_error(struct provium_session *s, struct rpc *rpc)
{
    static const char *const executed[] = {"", "; it may have been executed", "; it was executed"};
    const struct wire_envelope *e = &rpc->reply;
    struct wire_error m;
    char text[512], path[128];
    size_t at;
    if (wire_decode_error(e->body, &m, &at) != WIRE_OK || m.executed > WIRE_EXECUTED_yes)
        return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent sent a damaged error");
    rpc->refused = e->code;
    provium_session_plain(m.path, path, sizeof path);
    provium_session_plain(m.text, text, sizeof text);
    if (rpc->op == WIRE_OP_hello && e->code == WIRE_ERR_VERSION)
        return provium_fail(&s->error, PROVIUM_E_VERSION, 0,
                            "%s: the agent does not speak version %d of the protocol: %s", rpc->caller, WIRE_VERSION,
                            text);
    return provium_fail(&s->error, PROVIUM_E_REFUSED, 0, "%s: the agent refused: %s%s%s (%s%s)", rpc->caller, path,
                        m.path.len > 0 ? ": " : "", text, wire_error_name(e->code), executed[m.executed]);
}

static enum provium_status take_goodbye(struct provium_session *s, const struct rpc *rpc)
{
    struct wire_goodbye m;
    char text[512] = "?";
    size_t at;
    if (wire_decode_goodbye(rpc->reply.body, &m, &at) == WIRE_OK)
        provium_session_plain(m.text, text, sizeof text);
    return provium_session_lost(s, PROVIUM_E_CLOSED, rpc->caller, "the agent said goodbye: %s", text);
}

static bool sane_end(const struct wire_worker_ended *m)
{
    return m->ended >= WIRE_ENDED_exited && m->ended <= WIRE_ENDED_stopped && m->status <= INT32_MAX &&
           m->signal <= INT32_MAX;
}

/* Unknown events are ignored (SPEC [EXT-4]); a damaged one is a fault. */
static bool take_event(struct provium_session *s, const struct wire_envelope *e)
{
    struct wire_worker_ended m;
    size_t at;
    if (e->code != WIRE_EVENT_worker_ended)
        return true;
    if (wire_decode_worker_ended(e->body, &m, &at) != WIRE_OK || !sane_end(&m))
        return false;
    s->ended = (struct noted_end){true, m};
    return true;
}

/* An answer to a request before this one, which timed out. */
static bool is_late(const struct provium_session *s, const struct wire_envelope *e)
{
    return (e->kind == WIRE_REPLY || e->kind == WIRE_ERROR) && e->id != 0 && e->id != s->last_id &&
           s->last_id - e->id < UINT32_C(1) << 31;
}

/* All that matters of it is that its executor ended: the next call will be refused for that. */
static void take_late(struct provium_session *s, const struct wire_envelope *e)
{
    struct wire_call_reply m = {.outs = {NULL, 0, 0}};
    size_t at;
    if (e->kind != WIRE_REPLY || e->code != WIRE_OP_call || wire_decode_call_reply(e->body, &m, &at) != WIRE_OK)
        return;
    struct wire_worker_ended end = {.ended = m.ended, .status = m.status, .signal = m.signal, .fresh = m.fresh};
    if (m.has & WIRE_HAS(call_reply, fresh))
        end.has = WIRE_HAS(worker_ended, fresh);
    if (sane_end(&end))
        s->ended = (struct noted_end){true, end};
}

enum taken { TAKEN_DONE, TAKEN_OTHER };

/* One frame: is it the answer?  *status holds what the answer, or the end of the session, means. */
static enum taken take_frame(struct provium_session *s, struct wire_bytes frame, struct rpc *rpc,
                             enum provium_status *status)
{
    struct wire_envelope *e = &rpc->reply;
    size_t at;
    enum wire_status wire = wire_get_envelope(frame.ptr, frame.len, e, &at);
    *status = PROVIUM_OK;
    if (wire == WIRE_OK && e->kind == WIRE_EVENT && take_event(s, e))
        return TAKEN_OTHER;
    if (wire == WIRE_OK && is_late(s, e)) {
        s->owed -= s->owed > 0;
        take_late(s, e);
        return TAKEN_OTHER;
    }
    if (wire != WIRE_OK)
        *status = provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent sent a damaged envelope: %s",
                                       wire_status_text(wire));
    else if (e->kind == WIRE_ERROR && (e->id == 0 || e->id == s->last_id))
        *status = take_error(s, rpc);
    else if (e->kind == WIRE_GOODBYE)
        *status = take_goodbye(s, rpc);
    else if (e->kind == WIRE_EVENT)
        *status = provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent sent a damaged event");
    else if (e->kind != WIRE_REPLY && e->kind != WIRE_ERROR)
        *status = provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent sent what only a host sends");
    else if (e->id != s->last_id || e->code != rpc->op)
        *status = provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent answered what was not asked");
    return TAKEN_DONE;
}

/* ---- wait ---- */

static enum provium_status timed_out(struct provium_session *s, const struct rpc *rpc)
{
    const char *why = s->owed > 0 ? "it waits behind an earlier call that timed out and is still running"
                                  : "the call may still be running";
    s->owed++;
    return provium_fail(&s->error, PROVIUM_E_TIMEOUT, 0, "%s: no answer within %u ms; %s", rpc->caller, s->timeout_ms,
                        why);
}

static enum provium_status oversize(struct provium_session *s, const struct rpc *rpc)
{
    return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent sent a frame over the agreed limit");
}

static enum provium_status wait_more(struct provium_session *s, const struct rpc *rpc)
{
    if (s->stream.skip > 0) /* up to 2 GiB of it: nothing to wait for */
        return oversize(s, rpc);
    int64_t silence = provium_now_ms() + SESSION_SILENCE_MS;
    bool stalls = wire_stream_midway(&s->stream) && silence < rpc->deadline_ms;
    enum provium_status status = provium_channel_read(s, stalls ? silence : rpc->deadline_ms);
    if (status == PROVIUM_E_CLOSED)
        return provium_session_lost(s, status, rpc->caller, "the agent hung up");
    if (status == PROVIUM_E_TIMEOUT && stalls)
        return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller,
                                    "the agent fell silent in the middle of a frame");
    return status == PROVIUM_E_TIMEOUT ? timed_out(s, rpc) : status;
}

/* Take frames until one answers.  Those that do not must not keep the wait alive for ever. */
static enum provium_status wait_answer(struct provium_session *s, struct rpc *rpc)
{
    struct wire_bytes frame;
    enum provium_status status;
    for (;;) {
        switch (wire_stream_next(&s->stream, &frame)) {
        case WIRE_FOUND_nothing:
            status = wait_more(s, rpc);
            if (status != PROVIUM_OK)
                return status;
            continue;
        case WIRE_FOUND_sync: /* the echo of a sync that we sent twice */
            if (memcmp(s->stream.nonce, s->nonce, sizeof s->nonce) != 0)
                return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent began a session of its own");
            break;
        case WIRE_FOUND_frame:
            if (take_frame(s, frame, rpc, &status) == TAKEN_DONE)
                return status;
            break;
        case WIRE_FOUND_oversize:
            return oversize(s, rpc);
        case WIRE_FOUND_broken:
            return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent sent what is no frame");
        }
        if (provium_now_ms() >= rpc->deadline_ms)
            return timed_out(s, rpc);
    }
}

/* The request could not be sent.  Where the agent hung up, its goodbye may still be readable. */
static enum provium_status not_sent(struct provium_session *s, struct rpc *rpc, enum provium_status status)
{
    if (status == PROVIUM_E_TIMEOUT)
        return provium_session_lost(s, status, rpc->caller, "the agent does not take the request");
    rpc->deadline_ms = provium_now_ms();
    status = wait_answer(s, rpc);
    return status == PROVIUM_E_TIMEOUT ? provium_session_lost(s, PROVIUM_E_CLOSED, rpc->caller, "the agent hung up")
                                       : status;
}

enum provium_status provium_rpc_call(struct provium_session *s, struct wire_writer *w, struct rpc *rpc)
{
    struct wire_slice whole = {w->buf, w->len};
    uint32_t count = w->slices != NULL ? wire_writer_slices(w) : 1;
    rpc->refused = 0;
    enum provium_status status =
        provium_channel_write(s, w->slices != NULL ? w->slices : &whole, count, rpc->deadline_ms);
    s->tx_used = w->len;
    trim(s);
    return status == PROVIUM_OK ? wait_answer(s, rpc) : not_sent(s, rpc, status);
}
