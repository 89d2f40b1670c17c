/* SPDX-License-Identifier: MIT
 *
 * Everything that can be wrong about a program, before anything of it is executed: SPEC [PROG-2]
 * to [PROG-13].  What can be known of its steps beforehand is worked out here, too.
 */
#include <string.h>

#include "call.h"
#include "sys.h"

/* A program while it is checked. */
struct check {
    struct agent *a;
    const struct wire_program_request *m;
    struct fault *f;
};

static bool bad(const struct check *c, const char *list, uint32_t index, const char *field, const char *text)
{
    const char *place[2] = {list, field};
    return call_element_fault(c->f, place, index, text);
}

/* ---- pointer specs: into arguments of any step ---- */

static bool check_specs(const struct check *c)
{
    for (uint32_t i = 0; i < c->m->specs.count; i++) {
        const struct wire_spec *s = &c->m->specs.items[i];
        if ((s->has & WIRE_HAS(spec, step)) == 0)
            continue;
        if ((s->has & WIRE_HAS(spec, arg)) == 0)
            return bad(c, "specs", i, ".step", "only arguments belong to a step");
        if (s->step >= c->m->steps.count)
            return bad(c, "specs", i, ".step", "no such step");
    }
    return true;
}

/* ---- steps ---- */

/* Outside a guest: a process id that is not known yet might be -1. */
static bool moved_argument(const struct check *c, uint32_t step)
{
    for (uint32_t i = 0; i < c->m->moves.count; i++) {
        const struct wire_move *v = &c->m->moves.items[i];
        if (v->step == step && (v->has & WIRE_HAS(move, arg)) && v->arg == 0)
            return true;
    }
    return false;
}

static bool check_policy(const struct check *c, uint32_t i)
{
    const struct wire_step *s = &c->m->steps.items[i];
    const struct wire_call_request call = {.nr = s->nr, .args = s->args};
    if (call_check_policy(c->a, &call, c->f) && (c->a->guest || s->nr != __NR_kill || !moved_argument(c, i)))
        return true;
    bad(c, "steps", i, ".nr", "refused outside a guest");
    c->f->code = WIRE_ERR_DENIED;
    return false;
}

static bool check_step(const struct check *c, uint32_t i)
{
    const struct wire_step *s = &c->m->steps.items[i];
    if ((s->has & WIRE_HAS(step, fail)) && (s->fail <= i || s->fail > c->m->steps.count + 1))
        return bad(c, "steps", i, ".fail", "neither a later step nor an end");
    if (s->keep > 1)
        return bad(c, "steps", i, ".keep", "0 or 1");
    return check_policy(c, i);
}

static void plan_step(const struct check *c, uint32_t i, struct program *p)
{
    const struct wire_step *s = &c->m->steps.items[i];
    bool kept = s->keep == 1 || (c->m->results & WIRE_RESULTS_kept) == 0;
    int64_t *args = &c->a->args[WIRE_ARGS_MAX * i];
    c->a->plan[i] = (struct program_step){.nr = s->nr,
                                          .fail = s->fail,
                                          .slot = kept ? p->kept++ : PROGRAM_NO_SLOT,
                                          .twice = call_returns_twice(s->nr),
                                          .execs = s->nr == __NR_execve || s->nr == __NR_execveat};
    memset(args, 0, WIRE_ARGS_MAX * sizeof *args);
    memcpy(args, s->args.at, s->args.count * sizeof *args);
}

static bool check_steps(const struct check *c, struct program *p)
{
    if (c->m->steps.count == 0)
        return call_fault(c->f, WIRE_ERR_BAD_FIELD, "steps", "a program has at least one step");
    for (uint32_t i = 0; i < c->m->steps.count; i++) {
        if (!check_step(c, i))
            return false;
        plan_step(c, i, p);
    }
    return true;
}

/* ---- moves ---- */

/* `width` bytes at `offset` of that buffer. */
static bool check_bytes(const struct check *c, uint32_t i, const char *fields[2], const uint32_t place[2])
{
    uint32_t width = c->m->moves.items[i].width;
    if (place[0] >= c->m->buffers.count)
        return bad(c, "moves", i, fields[0], "no such buffer");
    uint32_t len = c->m->buffers.items[place[0]].len;
    return (len >= width && place[1] <= len - width) || bad(c, "moves", i, fields[1], "beyond the end of the buffer");
}

static bool check_width(const struct check *c, uint32_t i)
{
    const struct wire_move *v = &c->m->moves.items[i];
    bool wanted = (v->has & (WIRE_HAS(move, buffer) | WIRE_HAS(move, from))) != 0;
    if (wanted != ((v->has & WIRE_HAS(move, width)) != 0))
        return bad(c, "moves", i, ".width", "bytes in a buffer have a width, and nothing else has");
    if (wanted && v->width != 1 && v->width != 2 && v->width != 4 && v->width != 8)
        return bad(c, "moves", i, ".width", "a width is 1, 2, 4 or 8");
    if ((v->has & WIRE_HAS(move, sign)) && (v->sign > 1 || (v->has & WIRE_HAS(move, from)) == 0))
        return bad(c, "moves", i, ".sign", "0 or 1, for bytes of a buffer");
    return true;
}

static bool check_place(const struct check *c, uint32_t i)
{
    static const char *fields[2] = {".buffer", ".offset"};
    const struct wire_move *v = &c->m->moves.items[i];
    const uint32_t place = v->has & (WIRE_HAS(move, arg) | WIRE_HAS(move, buffer) | WIRE_HAS(move, offset));
    if (place == WIRE_HAS(move, arg))
        return v->arg < WIRE_ARGS_MAX || bad(c, "moves", i, ".arg", "an argument is 0 to 5");
    if (place != (WIRE_HAS(move, buffer) | WIRE_HAS(move, offset)))
        return bad(c, "moves", i, "", "a place is either arg, or buffer and offset");
    return check_bytes(c, i, fields, (const uint32_t[2]){v->buffer, v->offset});
}

static bool check_value(const struct check *c, uint32_t i)
{
    static const char *fields[2] = {".from", ".at"};
    const struct wire_move *v = &c->m->moves.items[i];
    const uint32_t bytes = WIRE_HAS(move, from) | WIRE_HAS(move, at);
    switch (v->has & (WIRE_HAS(move, ret) | WIRE_HAS(move, target) | bytes)) {
    case 0:
        return true;
    case WIRE_HAS(move, ret):
        return v->ret < v->step || bad(c, "moves", i, ".ret", "not an earlier step");
    case WIRE_HAS(move, target):
        return v->target < c->m->buffers.count || bad(c, "moves", i, ".target", "no such buffer");
    case WIRE_HAS(move, from) | WIRE_HAS(move, at):
        return check_bytes(c, i, fields, (const uint32_t[2]){v->from, v->at});
    default:
        return bad(c, "moves", i, "", "a value is one of ret, target, or from and at");
    }
}

static bool check_moves(const struct check *c)
{
    uint32_t step = 0;
    for (uint32_t i = 0; i < c->m->moves.count; i++) {
        const struct wire_move *v = &c->m->moves.items[i];
        if (v->step >= c->m->steps.count || v->step < step)
            return bad(c, "moves", i, ".step", v->step < step ? "moves stand by ascending step" : "no such step");
        step = v->step;
        if (!check_width(c, i) || !check_place(c, i) || !check_value(c, i))
            return false;
    }
    return true;
}

/* ---- all of it ---- */

static bool check_results(const struct check *c, struct program *p)
{
    uint64_t results = (uint64_t)p->kept * (p->every ? p->rounds : 1), reply = 64;
    for (uint32_t i = 0; i < c->m->buffers.count; i++) {
        const struct wire_buffer *b = &c->m->buffers.items[i];
        reply += b->dir & WIRE_DIR_out ? (uint64_t)b->len + 16 : 0;
    }
    if (reply + 10 * results > c->a->shared->limits.frame || results > AGENT_RESULT_LIMIT)
        return call_fault(c->f, WIRE_ERR_LIMIT, "results", "the reply would not fit into a frame");
    p->results = (uint32_t)results;
    return true;
}

bool program_check(struct agent *a, const struct wire_program_request *m, struct program *p, struct fault *f)
{
    const struct check c = {a, m, f};
    *p = (struct program){.steps = m->steps.count,
                          .moves = m->moves.count,
                          .rounds = m->has & WIRE_HAS(program_request, repeat) ? m->repeat : 1,
                          .every = (m->results & WIRE_RESULTS_every_round) != 0};
    p->memory.buffers.items = m->buffers.items;
    p->memory.buffers.count = m->buffers.count;
    p->memory.specs.items = m->specs.items;
    p->memory.specs.count = m->specs.count;
    if (p->rounds == 0)
        return call_fault(f, WIRE_ERR_BAD_FIELD, "repeat", "at least one round");
    if (m->results > (WIRE_RESULTS_kept | WIRE_RESULTS_every_round))
        return call_fault(f, WIRE_ERR_BAD_FIELD, "results", "a sum of 1 and 2");
    return call_check_memory(&p->memory, &a->shared->limits, f) && check_specs(&c) && check_steps(&c, p) &&
           check_moves(&c) && check_results(&c, p);
}
