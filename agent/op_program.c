/* SPDX-License-Identifier: MIT
 *
 * program: place, patch, then call after call, collect.  SPEC [PROG-1] to [PROG-13].
 */
#include <string.h>

#include "call.h"
#include "sys.h"

/* ---- moves ---- */

static uint64_t load(const uint8_t *p, uint32_t width, bool sign)
{
    uint64_t wide;
    uint32_t word;
    uint16_t half;
    switch (width) {
    case 1:
        return sign ? (uint64_t)(int64_t)(int8_t)*p : *p;
    case 2:
        memcpy(&half, p, sizeof half);
        return sign ? (uint64_t)(int64_t)(int16_t)half : half;
    case 4:
        memcpy(&word, p, sizeof word);
        return sign ? (uint64_t)(int64_t)(int32_t)word : word;
    default:
        memcpy(&wide, p, sizeof wide);
        return wide;
    }
}

static void store(uint8_t *p, uint32_t width, uint64_t value)
{
    const uint32_t word = (uint32_t)value;
    const uint16_t half = (uint16_t)value;
    if (width == 1)
        *p = (uint8_t)value;
    else if (width == sizeof half)
        memcpy(p, &half, sizeof half);
    else if (width == sizeof word)
        memcpy(p, &word, sizeof word);
    else
        memcpy(p, &value, sizeof value);
}

static void move(struct agent *a, const struct wire_move *v)
{
    uint64_t value = 0;
    if (v->has & WIRE_HAS(move, ret))
        value = (uint64_t)a->rets[v->ret];
    else if (v->has & WIRE_HAS(move, from))
        value = load(a->placed[v->from] + v->at, v->width, v->sign == 1);
    else if (v->has & WIRE_HAS(move, target))
        value = (uintptr_t)a->placed[v->target];
    value += (uint64_t)v->plus;
    if (v->has & WIRE_HAS(move, arg))
        a->args[WIRE_ARGS_MAX * v->step + v->arg] = (int64_t)value;
    else
        store(a->placed[v->buffer] + v->offset, v->width, value);
}

/* ---- rounds ---- */

/* Where a round puts its results. */
struct round {
    int64_t *results;
    uint8_t *skips;
    uint32_t base; /* results of earlier rounds in front of them */
};

static void skip(struct agent *a, const struct round *r, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        uint32_t slot = a->plan[i].slot;
        a->rets[i] = -1; /* SPEC [PROG-9] */
        if (slot == PROGRAM_NO_SLOT)
            continue;
        r->results[slot] = 0;
        r->skips[slot] = 1;
        a->shared->program.skips = true;
        a->shared->program.settled = r->base + slot + 1;
    }
}

/* The hot loop: false when the program is over before its last round. */
static bool run_round(struct agent *a, const struct program *p, const struct round *r)
{
    volatile struct agent_progress *progress = &a->shared->program;
    uint32_t due = 0, next = 0;
    for (uint32_t i = 0; i < p->steps; i = next) {
        const struct program_step *s = &a->plan[i];
        for (; due < p->moves && a->moves[due].step <= i; due++)
            if (a->moves[due].step == i)
                move(a, &a->moves[due]);
        progress->step = i;
        a->shared->execs = s->execs;
        int64_t ret = a->invoke(s->nr, &a->args[WIRE_ARGS_MAX * i], s->twice);
        a->rets[i] = ret;
        if (s->slot != PROGRAM_NO_SLOT) {
            r->results[s->slot] = ret;
            progress->settled = r->base + s->slot + 1;
        }
        next = s->fail != 0 && sys_failed(ret) ? s->fail : i + 1;
        if (next != i + 1)
            skip(a, r, i + 1, next < p->steps ? next : p->steps);
    }
    return next <= p->steps;
}

static void run_rounds(struct agent *a, const struct program *p)
{
    volatile struct agent_progress *progress = &a->shared->program;
    struct round r = {a->results, a->skips, 0};
    memset(a->skips, 0, p->results);
    for (uint32_t left = p->rounds; left > 0; left--) {
        if (!p->every) {
            progress->settled = 0;
            if (progress->skips)
                memset(a->skips, 0, p->kept);
            progress->skips = false;
        }
        progress->round++;
        if (!run_round(a, p, &r))
            break;
        r.base += p->every ? p->kept : 0;
        r.results = a->results + r.base;
        r.skips = a->skips + r.base;
    }
}

/* The script's signal mask holds from the first step to the last. */
static void execute(struct agent *a, const struct program *p)
{
    const uint64_t all = UINT64_MAX;
    sys4(__NR_rt_sigprocmask, SYS_SIG_SETMASK, sys_ptr(&a->script_mask), 0, 8);
    run_rounds(a, p);
    a->shared->execs = false;
    sys4(__NR_rt_sigprocmask, SYS_SIG_SETMASK, sys_ptr(&all), sys_ptr(&a->script_mask), 8);
}

/* ---- answer ---- */

/* Bytes become bits, in their place. */
static struct wire_bytes pack_skips(struct agent *a, uint32_t count)
{
    uint32_t len = (count + 7) / 8;
    for (uint32_t i = 0; i < len; i++) {
        uint8_t bits = 0;
        for (uint32_t bit = 0; bit < 8 && 8 * i + bit < count; bit++)
            bits |= (uint8_t)((a->skips[8 * i + bit] != 0) << bit);
        a->skips[i] = bits;
    }
    return (struct wire_bytes){a->skips, len};
}

/* The first `count` results, of which `skips` says whether some are missing. */
static void add_results(struct agent *a, struct wire_program_reply *reply, uint32_t count, bool skips)
{
    if (count == 0)
        return;
    reply->has |= WIRE_HAS(program_reply, rets) | (skips ? WIRE_HAS(program_reply, skipped) : 0);
    reply->rets.items = a->results;
    reply->rets.count = count;
    if (skips)
        reply->skipped = pack_skips(a, count);
}

/* What many results made resident goes back. */
static void trim(struct agent *a, uint32_t count)
{
    if (count * sizeof a->results[0] <= AGENT_KEEP)
        return;
    sys3(__NR_madvise, sys_ptr(a->results), (long)(AGENT_RESULT_LIMIT * sizeof a->results[0]), SYS_MADV_REMOVE);
    sys3(__NR_madvise, sys_ptr(a->skips), AGENT_RESULT_LIMIT, SYS_MADV_REMOVE);
}

static void send_reply(struct agent *a, const struct wire_envelope *e, const struct wire_program_reply *reply,
                       bool result)
{
    struct wire_writer w;
    session_begin(a, &w, e, WIRE_REPLY, WIRE_OP_program);
    wire_put_program_reply(&w, reply);
    session_send(a, &w, result);
    trim(a, reply->rets.count);
}

static void answer(struct agent *a, const struct wire_envelope *e, const struct program *p)
{
    const struct agent_progress *progress = &a->shared->program;
    struct wire_program_reply reply = {.rounds = progress->round, .outs = {a->outs, call_collect(a, &p->memory), 0}};
    reply.has = reply.outs.count > 0 ? WIRE_HAS(program_reply, outs) : 0;
    add_results(a, &reply, p->every ? progress->round * p->kept : p->kept, progress->skips);
    send_reply(a, e, &reply, true);
}

/* Results of the rounds that were begun, if what the executor left makes sense, with what is missing as skipped. */
static void add_left_results(struct agent *a, struct wire_program_reply *reply, const struct agent_progress *left)
{
    uint64_t count = (uint64_t)left->kept * (left->every ? left->round : 1);
    uint64_t from = left->settled < count ? left->settled : count;
    if (count > AGENT_RESULT_LIMIT || 64 + 10 * count > a->shared->limits.frame)
        return;
    memset(a->results + from, 0, (count - from) * sizeof a->results[0]);
    memset(a->skips + from, 1, count - from);
    add_results(a, reply, (uint32_t)count, left->skips || from < count);
}

void program_answer_ended(struct agent *a, const struct wire_envelope *e, const struct wire_call_reply *how)
{
    const struct agent_progress left = a->shared->program;
    struct wire_program_reply reply = {.has = WIRE_HAS(program_reply, ended) | WIRE_HAS(program_reply, fresh) |
                                              WIRE_HAS(program_reply, step),
                                       .rounds = left.round,
                                       .ended = how->ended,
                                       .status = how->status,
                                       .signal = how->signal,
                                       .fresh = how->fresh,
                                       .step = left.step};
    reply.has |= how->signal != 0 ? WIRE_HAS(program_reply, signal) : WIRE_HAS(program_reply, status);
    add_left_results(a, &reply, &left);
    send_reply(a, e, &reply, false);
}

/* ---- all of it ---- */

/* From here on the supervisor answers for us if we end. */
static void run(struct agent *a, const struct wire_envelope *e, const struct program *p)
{
    a->shared->id = e->id;
    a->shared->execs = false;
    a->shared->program = (struct agent_progress){.kept = p->kept, .every = p->every};
    a->shared->state = AGENT_RUNNING;
    __asm__ volatile("" ::: "memory");
    if (call_place(a, &p->memory, a->args)) {
        execute(a, p);
        answer(a, e, p);
    } else {
        a->shared->state = AGENT_READING;
        session_refuse(a, e, WIRE_ERR_NO_MEMORY, "buffers", wire_error_text(WIRE_ERR_NO_MEMORY));
    }
    arena_reset(&a->arena);
}

void op_program(struct agent *a, const struct wire_envelope *e)
{
    const struct agent_limits *limits = &a->shared->limits;
    struct wire_program_request m = {.buffers = {a->buffers, 0, limits->buffers},
                                     .specs = {a->specs, 0, limits->specs},
                                     .steps = {a->steps, 0, limits->steps},
                                     .moves = {a->moves, 0, limits->moves}};
    struct program p;
    struct fault fault;
    size_t at;
    if ((limits->caps & WIRE_CAP_program) == 0) {
        session_refuse(a, e, WIRE_ERR_UNKNOWN_OP, NULL, wire_error_text(WIRE_ERR_UNKNOWN_OP));
        return;
    }
    enum wire_status status = wire_decode_program_request(e->body, &m, &at);
    if (status != WIRE_OK)
        session_refuse_body(a, e, "program_request", status, at);
    else if (program_check(a, &m, &p, &fault))
        run(a, e, &p);
    else
        session_refuse(a, e, fault.code, fault.path, fault.text);
}
