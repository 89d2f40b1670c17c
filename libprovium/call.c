/* SPDX-License-Identifier: MIT
 *
 * Calls: build, send, wait, and what came back as a result.
 */
#include <inttypes.h>

#include "session_impl.h"

enum provium_status provium_check_open(struct provium_session *s, const char *caller)
{
    if (s == NULL)
        return PROVIUM_E_STATE;
    if (s->state == SESSION_OPEN)
        return PROVIUM_OK;
    if (s->state == SESSION_NEW)
        return provium_fail(&s->error, PROVIUM_E_STATE, 0, "%s: the session is not open", caller);
    return provium_fail(&s->error, s->reason_code, 0, "%s: %s is gone: %s", caller,
                        s->owner.name != NULL ? s->owner.name : "the agent", s->reason);
}

/* ---- results ---- */

static size_t count_shown(const struct provium_session *s, const struct wire_call_request *m)
{
    size_t n = 0;
    for (uint32_t i = 0; i < m->buffers.count; i++)
        n += (s->scratch.owners[i] & OWNER_SHOWN) != 0;
    return n;
}

enum provium_ended provium_ended_of(uint8_t ended)
{
    static const enum provium_ended map[] = {PROVIUM_RETURNED, PROVIUM_EXITED, PROVIUM_EXECED, PROVIUM_KILLED,
                                             PROVIUM_STOPPED};
    return map[ended];
}

/* Are the outputs those that were asked for, in number and length? */
static bool outs_match(const struct wire_call_request *m, const struct wire_list *outs)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->buffers.count; i++) {
        const struct wire_buffer *b = &m->buffers.items[i];
        if ((b->dir & WIRE_DIR_out) == 0)
            continue;
        if (n == outs->count || outs->items[n++].len != b->len)
            return false;
    }
    return n == outs->count;
}

/* Do these ranges lie in buffers of the call, or, where they may be beside them, near? */
static bool ranges_match(const struct wire_call_request *m, const struct wire_range *ranges, uint32_t count,
                         bool inside)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct wire_range *r = &ranges[i];
        if (r->buffer >= m->buffers.count || r->offset < -WIRE_ALIGN_MAX || r->offset > UINT32_MAX)
            return false;
        if (inside && (r->offset < 0 || r->offset + r->len > m->buffers.items[r->buffer].len))
            return false;
    }
    return true;
}

static bool has_extras(const struct wire_call_reply *reply)
{
    const uint32_t extras =
        WIRE_HAS(call_reply, elapsed_ns) | WIRE_HAS(call_reply, changed) | WIRE_HAS(call_reply, damage);
    return (reply->has & extras) != 0;
}

static bool sane_extras(const struct wire_call_request *m, const struct wire_call_reply *reply)
{
    return ((reply->has & WIRE_HAS(call_reply, elapsed_ns)) != 0) == ((m->want & WIRE_WANT_elapsed) != 0) &&
           ((reply->has & WIRE_HAS(call_reply, changed)) != 0) == ((m->want & WIRE_WANT_changed) != 0) &&
           ranges_match(m, reply->changed.items, reply->changed.count, true) &&
           ranges_match(m, reply->damage.items, reply->damage.count, false);
}

static bool sane_reply(const struct wire_call_request *m, const struct wire_call_reply *reply)
{
    bool returned = (reply->has & WIRE_HAS(call_reply, ret)) != 0;
    if ((reply->has & WIRE_HAS(call_reply, ended)) == 0)
        return returned && outs_match(m, &reply->outs) &&
               ((!has_extras(reply) && m->want == 0) || sane_extras(m, reply));
    return !returned && reply->outs.count == 0 && reply->ended >= WIRE_ENDED_exited &&
           reply->ended <= WIRE_ENDED_stopped && reply->status <= INT32_MAX && reply->signal <= INT32_MAX;
}

/* The buffers that results have a place for: what came back, or nothing. */
static size_t take_outs(struct provium_session *s, const struct wire_call_request *m, const struct wire_list *outs)
{
    struct scratch *c = &s->scratch;
    size_t n = 0;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < m->buffers.count; i++) {
        bool came = (m->buffers.items[i].dir & WIRE_DIR_out) != 0;
        if (came)
            c->outs[n++] = (struct provium_bytes){outs->items[taken].ptr, outs->items[taken].len};
        else if (c->owners[i] & OWNER_SHOWN)
            c->outs[n++] = (struct provium_bytes){NULL, 0};
        taken += came;
    }
    return n;
}

static const struct provium_range *take_ranges(const struct scratch *c, const struct wire_range *from, uint32_t count,
                                               struct provium_range *to)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t owner = c->owners[from[i].buffer];
        to[i] = (struct provium_range){(owner & OWNER_PTR) != 0, owner & OWNER_INDEX, from[i].offset, from[i].len};
    }
    return to;
}

/* How long it took, what changed, what was damaged. */
static void take_extras(struct provium_session *s, const struct wire_call_reply *reply, struct provium_result *result)
{
    struct scratch *c = &s->scratch;
    result->elapsed_ns = reply->has & WIRE_HAS(call_reply, elapsed_ns) ? reply->elapsed_ns : -1;
    result->changed = take_ranges(c, reply->changed.items, reply->changed.count, c->ranges);
    result->changed_count = reply->changed.count;
    result->damage = take_ranges(c, reply->damage.items, reply->damage.count, c->ranges + WIRE_RANGES_MAX);
    result->damage_count = reply->damage.count;
}

static enum provium_status take_reply(struct provium_session *s, const struct rpc *rpc,
                                      const struct wire_call_request *m, struct provium_result *result)
{
    struct scratch *c = &s->scratch;
    struct wire_call_reply reply = {.outs = {c->wire_outs, 0, (uint32_t)c->buffer_cap},
                                    .changed = {c->wire_ranges, 0, WIRE_RANGES_MAX},
                                    .damage = {c->wire_ranges + WIRE_RANGES_MAX, 0, WIRE_RANGES_MAX}};
    size_t at;
    enum wire_status status = wire_decode_call_reply(rpc->reply.body, &reply, &at);
    if (status != WIRE_OK)
        return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent's reply is damaged: %s",
                                    wire_status_text(status));
    if (!sane_reply(m, &reply))
        return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent's reply does not fit the request");
    bool returned = (reply.has & WIRE_HAS(call_reply, ret)) != 0;
    size_t out_count = returned ? take_outs(s, m, &reply.outs) : count_shown(s, m);
    *result = (struct provium_result){.ret = reply.ret,
                                      .outs = returned && out_count > 0 ? c->outs : NULL,
                                      .out_count = out_count,
                                      .ended = provium_ended_of(reply.ended),
                                      .status = (int)reply.status,
                                      .signal = (int)reply.signal,
                                      .executed = true};
    result->elapsed_ns = -1;
    if (returned && has_extras(&reply))
        take_extras(s, &reply, result);
    if (result->ended != PROVIUM_RETURNED && (reply.has & WIRE_HAS(call_reply, fresh)))
        s->generation = reply.fresh;
    return PROVIUM_OK;
}

const struct wire_worker_ended *provium_take_end(struct provium_session *s, const struct rpc *rpc)
{
    const struct wire_worker_ended *event = &s->ended.event;
    bool is = s->ended.is;
    if (rpc->reply.generation != 0)
        s->generation = rpc->reply.generation;
    else if (is && (event->has & WIRE_HAS(worker_ended, fresh)))
        s->generation = event->fresh;
    s->ended.is = false;
    return is ? event : NULL;
}

/* The executor ended before this call reached it: report that end, once. */
static enum provium_status take_end(struct provium_session *s, const struct rpc *rpc, const struct wire_call_request *m,
                                    struct provium_result *result)
{
    const struct wire_worker_ended *event = provium_take_end(s, rpc);
    if (event == NULL)
        return PROVIUM_E_REFUSED;
    *result = (struct provium_result){.elapsed_ns = -1,
                                      .out_count = count_shown(s, m),
                                      .ended = provium_ended_of(event->ended),
                                      .status = (int)event->status,
                                      .signal = (int)event->signal,
                                      .executed = false};
    return PROVIUM_OK;
}

/* ---- verbs ---- */

enum provium_status provium_call(struct provium_session *s, const struct provium_call *call,
                                 struct provium_result *result)
{
    struct rpc rpc = {.caller = call->caller != NULL ? call->caller : "provium_call", .op = WIRE_OP_call};
    struct wire_call_request m;
    struct wire_writer w;
    enum provium_status status = provium_check_open(s, rpc.caller);
    if (status == PROVIUM_OK)
        status = provium_graph_build(s, call, &m);
    if (status != PROVIUM_OK)
        return status;
    provium_rpc_begin(s, &w, &rpc);
    if (m.buffers.count > 0)
        wire_writer_borrow(&w, s->scratch.slices, 2 * (uint32_t)s->scratch.buffer_cap + 4);
    wire_put_call_request(&w, &m);
    if (wire_end(&w) != WIRE_OK || wire_writer_total(&w) - WIRE_FRAME_HEADER > s->info.frame_limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0,
                            "%s: the buffers exceed the agreed frame of %" PRIu32 " bytes", rpc.caller,
                            s->info.frame_limit);
    rpc.deadline_ms = provium_now_ms() + (call->timeout_ms != 0 ? call->timeout_ms : s->timeout_ms);
    status = provium_rpc_call(s, &w, &rpc);
    if (status == PROVIUM_OK)
        return take_reply(s, &rpc, &m, result);
    if (status == PROVIUM_E_REFUSED && rpc.refused == WIRE_ERR_WORKER_REPLACED)
        return take_end(s, &rpc, &m, result);
    return status;
}

enum provium_status provium_syscall(struct provium_session *s, int64_t nr, const int64_t *args, size_t count,
                                    int64_t *ret)
{
    struct provium_call call = {.caller = "provium_syscall", .nr = nr, .args = args, .arg_count = count};
    struct provium_result result;
    enum provium_status status = provium_call(s, &call, &result);
    if (status != PROVIUM_OK)
        return status;
    *ret = result.ret;
    if (result.ended == PROVIUM_RETURNED)
        return PROVIUM_OK;
    return provium_fail(&s->error, PROVIUM_E_REFUSED, 0, "provium_syscall: the call never %s: its executor ended",
                        result.executed ? "returned" : "began");
}

enum provium_status provium_ping(struct provium_session *s)
{
    struct rpc rpc = {.caller = "provium_ping", .op = WIRE_OP_ping};
    struct wire_ping_request m = {0};
    struct wire_ping_reply reply;
    struct wire_writer w;
    size_t at;
    enum provium_status status = provium_check_open(s, rpc.caller);
    if (status != PROVIUM_OK)
        return status;
    provium_rpc_begin(s, &w, &rpc);
    wire_put_ping_request(&w, &m);
    wire_end(&w);
    rpc.deadline_ms = provium_now_ms() + s->timeout_ms;
    status = provium_rpc_call(s, &w, &rpc);
    if (status == PROVIUM_OK && wire_decode_ping_reply(rpc.reply.body, &reply, &at) != WIRE_OK)
        return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc.caller, "the agent's reply is damaged");
    return status;
}
