/* SPDX-License-Identifier: MIT
 *
 * Programs: the calls of all steps, built one by one as graph.c does it, are joined to flat lists;
 * moves name their memory by its place in those.  Everything that can be wrong is found here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_impl.h"

/* What a program needs; kept and grown with its session. */
struct program_room {
    struct wire_buffer *buffers;
    uint32_t *owners; /* of each buffer, as graph.c notes them */
    struct wire_spec *specs;
    struct wire_step *steps;
    uint32_t *first; /* of each step: its first buffer; one more for the end */
    size_t *first_out;
    struct wire_move *moves;
    struct wire_bytes *wire_outs;
    struct provium_bytes *outs;
    struct wire_slice *slices;
    int64_t *rets;
    size_t buffer_cap, spec_cap, step_cap, move_cap, ret_cap;
};

/* A program while it is built. */
struct build {
    struct provium_session *s;
    const struct provium_program *program;
    struct program_room *room;
    struct wire_program_request m;
    const char *caller;
    uint64_t placed, reply; /* bytes */
    bool placement;         /* some buffer has wishes of its own */
    uint32_t kept;
    uint64_t results; /* in the reply, after all rounds */
};

#define FAIL(b, code, ...) provium_fail(&(b)->s->error, PROVIUM_E_##code, 0, __VA_ARGS__)

/* "program: moves[2].step: " and why. */
#define FAIL_MOVE(b, index, field, why, ...) \
    FAIL(b, ARGUMENT, "%s: moves[%zu]%s: " why, (b)->caller, (index) + (b)->program->first, field, __VA_ARGS__)

/* ---- room ---- */

void provium_program_room_free(struct program_room *room)
{
    if (room == NULL)
        return;
    free(room->buffers);
    free(room->owners);
    free(room->specs);
    free(room->steps);
    free(room->first);
    free(room->first_out);
    free(room->moves);
    free(room->wire_outs);
    free(room->outs);
    free(room->slices);
    free(room->rets);
    free(room);
}

/* Room for `count` items in *items; the old ones stay when there is none. */
static bool grow(void *items, size_t count, size_t size)
{
    void *old, *more;
    memcpy(&old, items, sizeof old);
    more = realloc(old, count * size);
    if (more != NULL)
        memcpy(items, &more, sizeof more);
    return more != NULL;
}

/* Twice as much as is wanted, so that growing one by one stays cheap. */
static bool room_for_buffers(struct program_room *r, size_t count)
{
    size_t cap = 2 * count;
    if (count <= r->buffer_cap)
        return true;
    if (!grow(&r->buffers, cap, sizeof *r->buffers) || !grow(&r->owners, cap, sizeof *r->owners) ||
        !grow(&r->wire_outs, cap, sizeof *r->wire_outs) || !grow(&r->outs, cap, sizeof *r->outs) ||
        !grow(&r->slices, 2 * cap + 4, sizeof *r->slices))
        return false;
    r->buffer_cap = cap;
    return true;
}

static bool room_for_specs(struct program_room *r, size_t count)
{
    if (count <= r->spec_cap)
        return true;
    if (!grow(&r->specs, 2 * count, sizeof *r->specs))
        return false;
    r->spec_cap = 2 * count;
    return true;
}

static bool room_for_steps(struct program_room *r, size_t steps, size_t moves)
{
    if (steps > r->step_cap) {
        if (!grow(&r->steps, steps, sizeof *r->steps) || !grow(&r->first, steps + 1, sizeof *r->first) ||
            !grow(&r->first_out, steps + 1, sizeof *r->first_out))
            return false;
        r->step_cap = steps;
    }
    if (moves > r->move_cap) {
        if (!grow(&r->moves, moves, sizeof *r->moves))
            return false;
        r->move_cap = moves;
    }
    return true;
}

static bool room_for_rets(struct program_room *r, size_t count)
{
    if (count <= r->ret_cap)
        return true;
    if (!grow(&r->rets, count, sizeof *r->rets))
        return false;
    r->ret_cap = count;
    return true;
}

static enum provium_status out_of_memory(const struct build *b)
{
    return provium_fail(&b->s->error, PROVIUM_E_SYSTEM, ENOMEM, "%s: out of memory", b->caller);
}

/* ---- steps ---- */

/* Build one call in the session's scratch; if that fails, once more, for the sake of its name in the text. */
static enum provium_status build_call(const struct build *b, const struct provium_call *from, const char *where,
                                      struct wire_call_request *m)
{
    struct provium_call call = *from;
    char caller[128];
    call.want_elapsed = call.want_changed = false;
    enum provium_status status = provium_graph_build(b->s, &call, m);
    if (status == PROVIUM_OK)
        return status;
    snprintf(caller, sizeof caller, "%s: %s", b->caller, where);
    call.caller = caller;
    return provium_graph_build(b->s, &call, m);
}

/* Append the buffers and specs that were built; `returned`: those that would come back do. */
static bool join(struct build *b, const struct wire_call_request *m, uint32_t step, bool returned)
{
    struct program_room *r = b->room;
    const uint32_t base = b->m.buffers.count;
    if (!room_for_buffers(r, base + m->buffers.count) || !room_for_specs(r, b->m.specs.count + m->specs.count))
        return false;
    for (uint32_t i = 0; i < m->buffers.count; i++) {
        struct wire_buffer *to = &r->buffers[base + i];
        *to = m->buffers.items[i];
        if (!returned)
            to->dir &= (uint8_t)~WIRE_DIR_out;
        r->owners[base + i] = b->s->scratch.owners[i];
        b->placed += to->len;
        b->reply += to->dir & WIRE_DIR_out ? (uint64_t)to->len + 16 : 0;
        b->placement |= (to->has & ~WIRE_HAS(buffer, data) & ~WIRE_HAS(buffer, len) & ~WIRE_HAS(buffer, dir)) != 0;
    }
    for (uint32_t i = 0; i < m->specs.count; i++) {
        struct wire_spec *to = &r->specs[b->m.specs.count + i];
        *to = m->specs.items[i];
        if ((to->has & WIRE_HAS(spec, bad)) == 0)
            to->target += base;
        to->buffer += to->has & WIRE_HAS(spec, buffer) ? base : 0;
        if ((to->has & WIRE_HAS(spec, arg)) && step > 0) {
            to->has |= WIRE_HAS(spec, step);
            to->step = step;
        }
    }
    b->m.buffers.count += m->buffers.count;
    b->m.specs.count += m->specs.count;
    return true;
}

/* The wire's number for what follows a failure. */
static bool find_fail(const struct build *b, size_t step, uint32_t *fail)
{
    size_t count = b->program->step_count, wanted = b->program->steps[step].fail;
    if (wanted == PROVIUM_END_ROUND || wanted == PROVIUM_STOP)
        wanted = wanted == PROVIUM_STOP ? count + 1 : count;
    else if (wanted >= count)
        return false;
    *fail = (uint32_t)wanted;
    return wanted > step;
}

static enum provium_status add_step(struct build *b, uint32_t i)
{
    const struct provium_step *from = &b->program->steps[i];
    struct wire_step *to = &b->room->steps[i];
    struct wire_call_request m;
    char where[48];
    snprintf(where, sizeof where, "steps[%zu]", (size_t)i + b->program->first);
    enum provium_status status = build_call(b, &from->call, where, &m);
    if (status != PROVIUM_OK)
        return status;
    *to = (struct wire_step){.nr = from->call.nr, .args = m.args, .keep = from->keep};
    to->has = (m.args.count > 0 ? WIRE_HAS(step, args) : 0) | (from->keep ? WIRE_HAS(step, keep) : 0);
    if (from->fail != PROVIUM_GO_ON) {
        if (!find_fail(b, i, &to->fail))
            return FAIL(b, ARGUMENT, "%s: %s.fail: %zu is no later step", b->caller, where,
                        from->fail + b->program->first);
        to->has |= WIRE_HAS(step, fail);
    }
    b->room->first[i] = b->m.buffers.count;
    b->kept += from->keep || !b->program->only_kept;
    return join(b, &m, i, from->keep || !b->program->only_kept) ? PROVIUM_OK : out_of_memory(b);
}

/* The program's own memory, as buffers of calls that nobody makes: an argument for each. */
static enum provium_status add_memory(struct build *b)
{
    for (size_t i = 0; i < b->program->buf_count; i++) {
        struct provium_buffer buffer = b->program->bufs[i];
        const struct provium_call call = {.bufs = &buffer, .buf_count = 1};
        struct wire_call_request m;
        char where[48];
        buffer.arg = 0;
        snprintf(where, sizeof where, "memory[%zu]", i + b->program->first);
        enum provium_status status = build_call(b, &call, where, &m);
        if (status != PROVIUM_OK)
            return status;
        m.specs.count = 0;
        if (!join(b, &m, 0, true))
            return out_of_memory(b);
    }
    return PROVIUM_OK;
}

static enum provium_status add_steps(struct build *b)
{
    for (uint32_t i = 0; i < b->program->step_count; i++) {
        enum provium_status status = add_step(b, i);
        if (status != PROVIUM_OK)
            return status;
        if (b->m.buffers.count > b->s->info.buffer_limit || b->m.specs.count > b->s->info.spec_limit)
            return FAIL(b, LIMIT, "%s: steps[%zu]: more than %" PRIu32 " buffers or %" PRIu32 " pointers in all",
                        b->caller, (size_t)i + b->program->first, b->s->info.buffer_limit, b->s->info.spec_limit);
    }
    b->room->first[b->program->step_count] = b->m.buffers.count;
    return PROVIUM_OK;
}

/* ---- moves ---- */

/* The buffer at that place, or UINT32_MAX. */
static uint32_t find_buffer(const struct build *b, const struct provium_where *w)
{
    const struct program_room *r = b->room;
    if (w->of == PROVIUM_OF_PROGRAM)
        return w->index < b->program->buf_count ? (uint32_t)w->index : UINT32_MAX;
    if (w->step >= b->program->step_count || w->of > PROVIUM_OF_PTR || w->index > OWNER_INDEX)
        return UINT32_MAX;
    const uint32_t owner = (uint32_t)w->index | (w->of == PROVIUM_OF_PTR ? (uint32_t)OWNER_PTR : 0);
    for (uint32_t i = r->first[w->step]; i < r->first[w->step + 1]; i++)
        if ((r->owners[i] & ~(uint32_t)OWNER_SHOWN) == owner)
            return i;
    return UINT32_MAX;
}

/* Where `width` bytes are: the buffer, and that they lie in it. */
static enum provium_status find_bytes(const struct build *b, size_t i, const struct provium_where *w, uint32_t *buffer)
{
    const uint32_t width = b->program->moves[i].width;
    *buffer = find_buffer(b, w);
    if (*buffer == UINT32_MAX)
        return FAIL_MOVE(b, i, "", "%s", "no such buffer");
    uint32_t len = b->room->buffers[*buffer].len;
    if (width != 1 && width != 2 && width != 4 && width != 8)
        return FAIL_MOVE(b, i, ".width", "%" PRIu32 " is not 1, 2, 4 or 8", width);
    if (len < width || w->offset > len - width)
        return FAIL_MOVE(b, i, ".offset", "%" PRIu64 " + %" PRIu32 " exceeds the buffer (%" PRIu32 " bytes)", w->offset,
                         width, len);
    return PROVIUM_OK;
}

static enum provium_status set_place(const struct build *b, size_t i, struct wire_move *to)
{
    const struct provium_move *v = &b->program->moves[i];
    if (v->into_memory) {
        to->has |= WIRE_HAS(move, buffer) | WIRE_HAS(move, offset) | WIRE_HAS(move, width);
        to->offset = (uint32_t)v->to.offset;
        return find_bytes(b, i, &v->to, &to->buffer);
    }
    if (v->arg >= WIRE_ARGS_MAX)
        return FAIL_MOVE(b, i, ".arg", "%u is not an argument index (0 to 5)", v->arg);
    to->has |= WIRE_HAS(move, arg);
    to->arg = (uint8_t)v->arg;
    return PROVIUM_OK;
}

static enum provium_status set_value(const struct build *b, size_t i, struct wire_move *to)
{
    const struct provium_move *v = &b->program->moves[i];
    switch (v->value) {
    case PROVIUM_VALUE_NUMBER:
        return PROVIUM_OK;
    case PROVIUM_VALUE_RET:
        to->has |= WIRE_HAS(move, ret);
        to->ret = (uint32_t)v->ret;
        return v->ret < v->step ? PROVIUM_OK
                                : FAIL_MOVE(b, i, ".ret", "%zu is no earlier step", v->ret + b->program->first);
    case PROVIUM_VALUE_BYTES:
        to->has |= WIRE_HAS(move, from) | WIRE_HAS(move, at) | WIRE_HAS(move, width) |
                   (v->is_signed ? WIRE_HAS(move, sign) : 0);
        to->at = (uint32_t)v->from.offset;
        return find_bytes(b, i, &v->from, &to->from);
    case PROVIUM_VALUE_ADDRESS:
        to->has |= WIRE_HAS(move, target);
        to->target = find_buffer(b, &v->from);
        to->plus = (int64_t)((uint64_t)to->plus + v->from.offset);
        return to->target != UINT32_MAX ? PROVIUM_OK : FAIL_MOVE(b, i, "", "%s", "no such buffer");
    }
    return FAIL_MOVE(b, i, ".value", "%d is no kind of value", (int)v->value);
}

static enum provium_status add_moves(struct build *b)
{
    size_t step = 0;
    for (size_t i = 0; i < b->program->move_count; i++) {
        const struct provium_move *v = &b->program->moves[i];
        struct wire_move *to = &b->room->moves[i];
        if (v->step >= b->program->step_count || v->step < step)
            return FAIL_MOVE(b, i, ".step", "%zu is %s", v->step + b->program->first,
                             v->step < step ? "less than that of the move before" : "no step");
        step = v->step;
        *to = (struct wire_move){.step = (uint32_t)v->step, .plus = v->plus, .sign = v->is_signed};
        enum provium_status status = set_place(b, i, to);
        if (status == PROVIUM_OK)
            status = set_value(b, i, to);
        if (status != PROVIUM_OK)
            return status;
        to->has |= to->plus != 0 ? WIRE_HAS(move, plus) : 0;
        to->width = to->has & WIRE_HAS(move, width) ? (uint8_t)v->width : 0;
    }
    return PROVIUM_OK;
}

/* ---- all of it ---- */

static enum provium_status check_counts(const struct build *b)
{
    const struct provium_program *p = b->program;
    const struct provium_session *s = b->s;
    if ((s->info.caps & WIRE_CAP_program) == 0)
        return FAIL(b, ARGUMENT, "%s: this agent cannot: it lacks the capability program", b->caller);
    if (p->step_count == 0)
        return FAIL(b, ARGUMENT, "%s: a program has at least one step", b->caller);
    if (p->step_count > s->step_limit || p->move_count > s->move_limit)
        return FAIL(b, LIMIT, "%s: %zu steps and %zu moves exceed the agreed %" PRIu32 " and %" PRIu32, b->caller,
                    p->step_count, p->move_count, s->step_limit, s->move_limit);
    if (p->buf_count > s->info.buffer_limit)
        return FAIL(b, LIMIT, "%s: %zu buffers exceed the agreed %" PRIu32, b->caller, p->buf_count,
                    s->info.buffer_limit);
    return room_for_steps(b->room, p->step_count, p->move_count) ? PROVIUM_OK : out_of_memory(b);
}

/* SPEC [CALL-9], [PROG-13]. */
static enum provium_status check_sums(struct build *b)
{
    const struct provium_info *info = &b->s->info;
    const uint32_t rounds = b->program->repeat > 0 ? b->program->repeat : 1;
    b->results = (uint64_t)b->kept * (b->program->every_round ? rounds : 1);
    if (b->placed > info->memory_limit)
        return FAIL(b, LIMIT, "%s: %" PRIu64 " bytes of buffers exceed the agreed %" PRIu32, b->caller, b->placed,
                    info->memory_limit);
    if (64 + b->reply + 10 * b->results + (b->placement ? WIRE_RANGES_ROOM : 0) > info->frame_limit)
        return FAIL(b, LIMIT,
                    "%s: %" PRIu64 " bytes of returned buffers and %" PRIu64
                    " results exceed the agreed frame of %" PRIu32,
                    b->caller, b->reply, b->results, info->frame_limit);
    return room_for_rets(b->room, (size_t)b->results) ? PROVIUM_OK : out_of_memory(b);
}

static enum provium_status build(struct build *b)
{
    static enum provium_status (*const parts[])(struct build *) = {add_memory, add_steps, add_moves, check_sums};
    const struct provium_program *p = b->program;
    enum provium_status status = check_counts(b);
    for (size_t i = 0; status == PROVIUM_OK && i < sizeof parts / sizeof parts[0]; i++)
        status = parts[i](b);
    b->m.buffers.items = b->room->buffers;
    b->m.specs.items = b->room->specs;
    b->m.steps.items = b->room->steps;
    b->m.steps.count = (uint32_t)p->step_count;
    b->m.moves.items = b->room->moves;
    b->m.moves.count = (uint32_t)p->move_count;
    b->m.repeat = p->repeat;
    b->m.results = (uint8_t)((p->only_kept ? WIRE_RESULTS_kept : 0) | (p->every_round ? WIRE_RESULTS_every_round : 0));
    b->m.has = (b->m.buffers.count > 0 ? WIRE_HAS(program_request, buffers) : 0) |
               (b->m.specs.count > 0 ? WIRE_HAS(program_request, specs) : 0) |
               (p->move_count > 0 ? WIRE_HAS(program_request, moves) : 0) |
               (p->repeat > 0 ? WIRE_HAS(program_request, repeat) : 0) |
               (b->m.results > 0 ? WIRE_HAS(program_request, results) : 0);
    return status;
}

/* ---- results ---- */

static bool outs_match(const struct build *b, const struct wire_list *outs)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->m.buffers.count; i++) {
        const struct wire_buffer *buffer = &b->room->buffers[i];
        if ((buffer->dir & WIRE_DIR_out) == 0)
            continue;
        if (n == outs->count || outs->items[n++].len != buffer->len)
            return false;
    }
    return n == outs->count;
}

static bool sane_reply(const struct build *b, const struct wire_program_reply *r)
{
    const bool ended = (r->has & WIRE_HAS(program_reply, ended)) != 0;
    const uint64_t results = (uint64_t)b->kept * (b->program->every_round ? r->rounds : 1);
    const uint32_t rounds = b->program->repeat > 0 ? b->program->repeat : 1;
    if (r->rounds > rounds || (r->rounds == 0 && !ended))
        return false;
    if (r->rets.count != results && !(ended && r->rets.count == 0))
        return false;
    if ((r->has & WIRE_HAS(program_reply, skipped)) && r->skipped.len != (r->rets.count + 7) / 8)
        return false;
    if (!ended)
        return outs_match(b, &r->outs);
    return r->outs.count == 0 && r->ended >= WIRE_ENDED_exited && r->ended <= WIRE_ENDED_stopped &&
           r->status <= INT32_MAX && r->signal <= INT32_MAX && r->step < b->program->step_count;
}

/* The program's own buffers, then those of each step that have a place; ptr is NULL where none came back. */
static size_t place_outs(const struct build *b, const struct wire_list *outs)
{
    struct program_room *r = b->room;
    size_t n = 0;
    uint32_t taken = 0, step = 0;
    for (uint32_t i = 0; i < b->m.buffers.count; i++) {
        bool came = outs != NULL && (r->buffers[i].dir & WIRE_DIR_out) != 0;
        for (; step < b->program->step_count && i >= r->first[step]; step++)
            r->first_out[step] = n;
        if (came)
            r->outs[n++] = (struct provium_bytes){outs->items[taken].ptr, outs->items[taken].len};
        else if (r->owners[i] & OWNER_SHOWN)
            r->outs[n++] = (struct provium_bytes){NULL, 0};
        taken += came;
    }
    for (; step <= b->program->step_count; step++)
        r->first_out[step] = n;
    return n;
}

static enum provium_status take_reply(struct build *b, const struct rpc *rpc, struct provium_program_result *result)
{
    struct program_room *r = b->room;
    struct wire_program_reply reply = {.rets = {r->rets, 0, (uint32_t)b->results},
                                       .outs = {r->wire_outs, 0, (uint32_t)r->buffer_cap}};
    size_t at;
    enum wire_status status = wire_decode_program_reply(rpc->reply.body, &reply, &at);
    if (status != WIRE_OK)
        return provium_session_lost(b->s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent's reply is damaged: %s",
                                    wire_status_text(status));
    if (!sane_reply(b, &reply))
        return provium_session_lost(b->s, PROVIUM_E_PROTOCOL, rpc->caller,
                                    "the agent's reply does not fit the request");
    const bool ended = (reply.has & WIRE_HAS(program_reply, ended)) != 0;
    *result = (struct provium_program_result){.rets = r->rets,
                                              .ret_count = reply.rets.count,
                                              .skipped = reply.skipped.len > 0 ? reply.skipped.ptr : NULL,
                                              .outs = r->outs,
                                              .out_count = place_outs(b, ended ? NULL : &reply.outs),
                                              .first_out = r->first_out,
                                              .rounds = reply.rounds,
                                              .ended = provium_ended_of(reply.ended),
                                              .status = (int)reply.status,
                                              .signal = (int)reply.signal,
                                              .step = reply.step,
                                              .executed = true};
    if (ended && (reply.has & WIRE_HAS(program_reply, fresh)))
        b->s->generation = reply.fresh;
    return PROVIUM_OK;
}

/* The executor ended before this program reached it. */
static enum provium_status take_end(struct build *b, const struct rpc *rpc, struct provium_program_result *result)
{
    const struct wire_worker_ended *event = provium_take_end(b->s, rpc);
    if (event == NULL)
        return PROVIUM_E_REFUSED;
    *result = (struct provium_program_result){.outs = b->room->outs,
                                              .out_count = place_outs(b, NULL),
                                              .first_out = b->room->first_out,
                                              .ended = provium_ended_of(event->ended),
                                              .status = (int)event->status,
                                              .signal = (int)event->signal};
    return PROVIUM_OK;
}

/* ---- the verb ---- */

static enum provium_status execute(struct build *b, struct provium_program_result *result)
{
    struct provium_session *s = b->s;
    const unsigned timeout_ms = b->program->timeout_ms != 0 ? b->program->timeout_ms : s->timeout_ms;
    struct rpc rpc = {.caller = b->caller, .op = WIRE_OP_program};
    struct wire_writer w;
    enum provium_status status = build(b);
    if (status != PROVIUM_OK)
        return status;
    provium_rpc_begin(s, &w, &rpc);
    if (b->m.buffers.count > 0)
        wire_writer_borrow(&w, b->room->slices, 2 * (uint32_t)b->room->buffer_cap + 4);
    wire_put_program_request(&w, &b->m);
    if (wire_end(&w) != WIRE_OK || wire_writer_total(&w) - WIRE_FRAME_HEADER > s->info.frame_limit)
        return FAIL(b, LIMIT, "%s: the program exceeds the agreed frame of %" PRIu32 " bytes", b->caller,
                    s->info.frame_limit);
    rpc.deadline_ms = provium_now_ms() + timeout_ms;
    status = provium_rpc_call(s, &w, &rpc);
    if (status == PROVIUM_OK)
        return take_reply(b, &rpc, result);
    if (status == PROVIUM_E_REFUSED && rpc.refused == WIRE_ERR_WORKER_REPLACED)
        return take_end(b, &rpc, result);
    return status;
}

enum provium_status provium_program(struct provium_session *s, const struct provium_program *program,
                                    struct provium_program_result *result)
{
    struct build b = {
        .s = s, .program = program, .caller = program->caller != NULL ? program->caller : "provium_program"};
    enum provium_status status = provium_check_open(s, b.caller);
    if (status != PROVIUM_OK)
        return status;
    if (s->program == NULL)
        s->program = calloc(1, sizeof *s->program);
    b.room = s->program;
    return b.room != NULL ? execute(&b, result) : out_of_memory(&b);
}
