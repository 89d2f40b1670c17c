/* SPDX-License-Identifier: MIT
 *
 * call: check everything, place, patch, execute, collect.  SPEC [CALL-1] to [CALL-12],
 * [PTR-1] to [PTR-4].
 */
#include <string.h>

#include "call.h"
#include "sys.h"

/* ---- check ---- */

static bool set_fault(struct fault *f, enum wire_error_code code, const char *path, const char *text)
{
    f->code = code;
    f->text = text;
    f->path[0] = '\0';
    agent_append(f->path, sizeof f->path, path);
    return false;
}

/* A fault of one element of a list: "buffers[3]", ".data". */
static bool set_element_fault(struct fault *f, const char *list, uint32_t index, const char *field)
{
    set_fault(f, WIRE_ERR_BAD_FIELD, list, "");
    agent_append(f->path, sizeof f->path, "[");
    agent_append_uint(f->path, sizeof f->path, index);
    agent_append(f->path, sizeof f->path, "]");
    agent_append(f->path, sizeof f->path, field);
    return false;
}

static bool bad_buffer(struct fault *f, uint32_t index, const char *field, const char *text)
{
    set_element_fault(f, "buffers", index, field);
    f->text = text;
    return false;
}

static bool bad_spec(struct fault *f, uint32_t index, const char *field, const char *text)
{
    set_element_fault(f, "specs", index, field);
    f->text = text;
    return false;
}

static bool returned(const struct wire_buffer *b)
{
    return (b->dir & WIRE_DIR_out) != 0;
}

/* Fields of the capability `placement`. */
enum { PLACEMENT = WIRE_HAS(buffer, guard) | WIRE_HAS(buffer, align) | WIRE_HAS(buffer, low) };

static bool check_placement(const struct wire_buffer *b, uint32_t i, uint32_t caps, struct fault *f)
{
    if ((caps & WIRE_CAP_placement) == 0) {
        bad_buffer(f, i, "", "fields of a capability that is not in use: placement");
        f->code = WIRE_ERR_UNKNOWN_FIELD;
        return false;
    }
    if (b->guard > WIRE_GUARD_none)
        return bad_buffer(f, i, ".guard", "a guard is 0 to 3");
    if ((b->has & WIRE_HAS(buffer, align)) && (b->align == 0 || b->align > WIRE_ALIGN_MAX || b->align & (b->align - 1)))
        return bad_buffer(f, i, ".align", "an alignment is a power of two up to 1,048,576");
    if (b->low > 1)
        return bad_buffer(f, i, ".low", "0 or 1");
    return true;
}

/* What is asked for beside the result; ranges have their share of the reply. */
static bool check_want(const struct wire_call_request *m, uint32_t caps, struct fault *f)
{
    if ((m->has & WIRE_HAS(call_request, want)) == 0)
        return true;
    if ((caps & WIRE_CAP_measure) == 0)
        return set_fault(f, WIRE_ERR_UNKNOWN_FIELD, "", "a field of a capability that is not in use: measure");
    return m->want <= WIRE_WANT_all || set_fault(f, WIRE_ERR_BAD_FIELD, "want", "a sum of 1 and 2");
}

static bool check_buffers(const struct wire_call_request *m, const struct agent_limits *limits, struct fault *f)
{
    uint64_t placed = 0, reply = 64;
    uint32_t all = 0;
    for (uint32_t i = 0; i < m->buffers.count; i++) {
        const struct wire_buffer *b = &m->buffers.items[i];
        all |= b->has;
        if ((b->has & PLACEMENT) && !check_placement(b, i, limits->caps, f))
            return false;
        if (b->dir > WIRE_DIR_both)
            return bad_buffer(f, i, ".dir", "a direction is 0 to 3");
        if ((b->has & WIRE_HAS(buffer, data)) && (b->dir & WIRE_DIR_in) == 0)
            return bad_buffer(f, i, ".data", "data needs the direction in or both");
        if (b->data.len > b->len)
            return bad_buffer(f, i, ".data", "longer than the buffer");
        placed += b->len;
        reply += returned(b) ? (uint64_t)b->len + 16 : 0;
    }
    if ((all & PLACEMENT) || (m->want & WIRE_WANT_changed))
        reply += WIRE_RANGES_ROOM;
    if (placed > limits->memory)
        return set_fault(f, WIRE_ERR_LIMIT, "buffers", "more memory than was agreed");
    if (reply > limits->frame)
        return set_fault(f, WIRE_ERR_LIMIT, "buffers", "the reply would not fit into a frame");
    return true;
}

/* Fields of the capability `pointers`. */
enum { POINTERS = WIRE_HAS(spec, plus) | WIRE_HAS(spec, width) | WIRE_HAS(spec, bad) };

static bool check_pointers(const struct wire_spec *s, uint32_t i, uint32_t caps, struct fault *f)
{
    if ((caps & WIRE_CAP_pointers) == 0) {
        bad_spec(f, i, "", "fields of a capability that is not in use: pointers");
        f->code = WIRE_ERR_UNKNOWN_FIELD;
        return false;
    }
    if ((s->has & WIRE_HAS(spec, width)) && s->width != 4 && s->width != 8)
        return bad_spec(f, i, ".width", "a width is 4 or 8");
    if ((s->has & WIRE_HAS(spec, width)) && (s->has & WIRE_HAS(spec, arg)))
        return bad_spec(f, i, ".width", "an argument has no width");
    if ((s->has & WIRE_HAS(spec, bad)) && !address_has(s->bad))
        return bad_spec(f, i, ".bad", "no such address on this architecture");
    if ((s->has & WIRE_HAS(spec, bad)) && s->target != 0)
        return bad_spec(f, i, ".target", "0 where the address is no buffer's");
    return true;
}

/* Bytes that a spec writes into a buffer. */
static uint32_t width_of(const struct wire_spec *s)
{
    return s->has & WIRE_HAS(spec, width) ? s->width : (uint32_t)sizeof(void *);
}

static bool check_place(const struct wire_call_request *m, uint32_t i, struct fault *f)
{
    const struct wire_spec *s = &m->specs.items[i];
    const uint32_t place = s->has & (WIRE_HAS(spec, arg) | WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset));
    if (place == WIRE_HAS(spec, arg))
        return s->arg < WIRE_ARGS_MAX || bad_spec(f, i, ".arg", "an argument is 0 to 5");
    if (place != (WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset)))
        return bad_spec(f, i, "", "a place is either arg, or buffer and offset");
    if (s->buffer >= m->buffers.count)
        return bad_spec(f, i, ".buffer", "no such buffer");
    uint32_t len = m->buffers.items[s->buffer].len, width = width_of(s);
    if (len < width || s->offset > len - width)
        return bad_spec(f, i, ".offset", "the pointer would end beyond the buffer");
    return true;
}

static bool check_specs(const struct wire_call_request *m, const struct agent_limits *limits, struct fault *f)
{
    for (uint32_t i = 0; i < m->specs.count; i++) {
        const struct wire_spec *s = &m->specs.items[i];
        if ((s->has & POINTERS) && !check_pointers(s, i, limits->caps, f))
            return false;
        if ((s->has & WIRE_HAS(spec, bad)) == 0 && s->target >= m->buffers.count)
            return bad_spec(f, i, ".target", "no such buffer");
        if (!check_place(m, i, f))
            return false;
    }
    return true;
}

/* Steps are a program's. */
static bool check_steps(const struct wire_call_request *m, struct fault *f)
{
    for (uint32_t i = 0; i < m->specs.count; i++) {
        if (m->specs.items[i].has & WIRE_HAS(spec, step)) {
            bad_spec(f, i, "", "a call has no steps");
            f->code = WIRE_ERR_UNKNOWN_FIELD;
            return false;
        }
    }
    return true;
}

/* On somebody's machine: calls that would end or damage it are not ours to make. */
static bool check_policy(const struct agent *a, const struct wire_call_request *m, struct fault *f)
{
    static const int64_t refused[] = {__NR_reboot,        __NR_kexec_load,     __NR_init_module, __NR_finit_module,
                                      __NR_delete_module, __NR_swapoff,        __NR_swapon,      __NR_settimeofday,
                                      __NR_clock_settime, __NR_kexec_file_load};
    bool denied = m->nr == __NR_kill && m->args.count > 0 && m->args.at[0] == -1;
    if (a->guest)
        return true;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        denied |= m->nr == refused[i];
    return !denied || set_fault(f, WIRE_ERR_DENIED, "nr", "refused outside a guest");
}

/* ---- place, patch, execute ---- */

static uint8_t *place_as(struct agent *a, const struct wire_buffer *b, uint32_t index)
{
    uint32_t asked = b->has & WIRE_HAS(buffer, align) ? b->align : 1;
    uint32_t natural = b->len & (0 - b->len); /* as SPEC [CALL-3] has it, where no guard brings it about */
    if (natural > a->page)
        natural = a->page;
    const struct arena_wish wish = {.len = b->len,
                                    .align = b->guard == WIRE_GUARD_none && natural > asked ? natural : asked,
                                    .guard = (enum wire_guard)b->guard,
                                    .low = b->low == 1};
    return arena_place_as(&a->arena, index, &wish);
}

/* Addresses of all buffers into a->placed, filled; false without memory. */
static bool place(struct agent *a, const struct wire_call_request *m)
{
    for (uint32_t i = 0; i < m->buffers.count; i++) {
        const struct wire_buffer *b = &m->buffers.items[i];
        uint8_t *p = b->has & PLACEMENT ? place_as(a, b, i) : arena_place(&a->arena, b->len);
        if (p == NULL)
            return false;
        if (b->data.len > 0)
            memcpy(p, b->data.ptr, b->data.len);
        memset(p + b->data.len, 0, b->len - b->data.len);
        a->placed[i] = p;
    }
    return true;
}

/* The address that a spec writes; false without memory. */
static bool address_of(struct agent *a, const struct wire_spec *s, uint64_t *address)
{
    if ((s->has & WIRE_HAS(spec, bad)) == 0)
        *address = (uintptr_t)a->placed[s->target];
    else if (!address_find(a, s->bad, address))
        return false;
    *address += (uint64_t)s->plus;
    return true;
}

static bool patch(struct agent *a, const struct wire_call_request *m, int64_t args[])
{
    for (uint32_t i = 0; i < m->specs.count; i++) {
        const struct wire_spec *s = &m->specs.items[i];
        uint64_t address;
        if (!address_of(a, s, &address))
            return false;
        uint32_t low = (uint32_t)address;
        if (s->has & WIRE_HAS(spec, arg))
            args[WIRE_ARGS_MAX * s->step + s->arg] = (int64_t)address;
        else if (width_of(s) == sizeof low)
            memcpy(a->placed[s->buffer] + s->offset, &low, sizeof low);
        else
            memcpy(a->placed[s->buffer] + s->offset, &address, sizeof address);
    }
    return true;
}

/* Numbers that return a second time in a child (SPEC [EXEC-7]). */
static int returns_twice(int64_t nr)
{
#ifdef __NR_fork
    if (nr == __NR_fork || nr == __NR_vfork)
        return 1;
#endif
    return nr == __NR_clone || nr == __NR_clone3;
}

/* The script's signal mask holds for its system call alone.  A signal that waited for it ends us before
 * `execs` is set, and so is not taken for the end of another program. */
static int64_t execute(struct agent *a, int64_t nr, const int64_t args[WIRE_ARGS_MAX])
{
    const uint64_t all = UINT64_MAX;
    sys4(__NR_rt_sigprocmask, SYS_SIG_SETMASK, sys_ptr(&a->script_mask), 0, 8);
    a->shared->execs = nr == __NR_execve || nr == __NR_execveat;
    int64_t ret = a->invoke(nr, args, returns_twice(nr));
    a->shared->execs = false;
    sys4(__NR_rt_sigprocmask, SYS_SIG_SETMASK, sys_ptr(&all), sys_ptr(&a->script_mask), 8);
    return ret;
}

/* ---- collect ---- */

uint32_t call_collect(struct agent *a, const struct wire_call_request *m)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->buffers.count; i++) {
        const struct wire_buffer *b = &m->buffers.items[i];
        if (returned(b))
            a->outs[count++] = (struct wire_bytes){a->placed[i], b->len};
    }
    return count;
}

/* Damage first: what is left of the ranges is for changes. */
static void add_ranges(struct agent *a, const struct wire_call_request *m, struct wire_call_reply *reply)
{
    uint32_t count = arena_damage(&a->arena, a->ranges, WIRE_RANGES_MAX);
    reply->damage.items = a->ranges;
    reply->damage.count = count;
    reply->has |= count > 0 ? WIRE_HAS(call_reply, damage) : 0;
    if ((m->want & WIRE_WANT_changed) == 0)
        return;
    reply->changed.items = a->ranges + count;
    reply->changed.count = measure_changed(a, m, a->ranges + count, WIRE_RANGES_MAX - count);
    reply->has |= WIRE_HAS(call_reply, changed);
}

/* What came of a system call. */
struct outcome {
    int64_t ret, elapsed_ns;
};

static void reply_call(struct agent *a, const struct wire_envelope *e, const struct wire_call_request *m,
                       const struct outcome *o)
{
    struct wire_writer w;
    struct wire_call_reply reply = {.has = WIRE_HAS(call_reply, ret), .ret = o->ret, .outs = {a->outs, 0, 0}};
    if (m->want & WIRE_WANT_elapsed) {
        reply.has |= WIRE_HAS(call_reply, elapsed_ns);
        reply.elapsed_ns = o->elapsed_ns;
    }
    if ((m->want & WIRE_WANT_changed) || a->arena.odd_count > 0)
        add_ranges(a, m, &reply);
    reply.outs.count = call_collect(a, m);
    if (reply.outs.count > 0)
        reply.has |= WIRE_HAS(call_reply, outs);
    session_begin(a, &w, e, WIRE_REPLY, WIRE_OP_call);
    wire_put_call_reply(&w, &reply);
    session_send(a, &w, true);
}

static struct outcome execute_measured(struct agent *a, const struct wire_call_request *m,
                                       const int64_t args[WIRE_ARGS_MAX])
{
    struct outcome o = {0, 0};
    int64_t start = m->want & WIRE_WANT_elapsed ? measure_now() : 0;
    o.ret = execute(a, m->nr, args);
    o.elapsed_ns = m->want & WIRE_WANT_elapsed ? measure_now() - start : 0;
    return o;
}

/* From here on the supervisor answers for us if we end. */
static void run(struct agent *a, const struct wire_envelope *e, const struct wire_call_request *m)
{
    int64_t args[WIRE_ARGS_MAX] = {0};
    a->shared->id = e->id;
    a->shared->execs = false;
    a->shared->state = AGENT_RUNNING;
    __asm__ volatile("" ::: "memory");
    memcpy(args, m->args.at, m->args.count * sizeof args[0]);
    if (place(a, m) && patch(a, m, args) && ((m->want & WIRE_WANT_changed) == 0 || measure_keep(a, m))) {
        struct outcome o = execute_measured(a, m, args);
        reply_call(a, e, m, &o);
    } else {
        a->shared->state = AGENT_READING;
        session_refuse(a, e, WIRE_ERR_NO_MEMORY, "buffers", wire_error_text(WIRE_ERR_NO_MEMORY));
    }
    arena_reset(&a->arena);
}

void op_call(struct agent *a, const struct wire_envelope *e)
{
    const struct agent_limits *limits = &a->shared->limits;
    struct wire_call_request m = {.buffers = {a->buffers, 0, limits->buffers}, .specs = {a->specs, 0, limits->specs}};
    struct fault fault;
    size_t at;
    enum wire_status status = wire_decode_call_request(e->body, &m, &at);
    if (status != WIRE_OK)
        session_refuse_body(a, e, "call_request", status, at);
    else if (check_want(&m, limits->caps, &fault) && check_buffers(&m, limits, &fault) &&
             check_specs(&m, limits, &fault) && check_steps(&m, &fault) && check_policy(a, &m, &fault))
        run(a, e, &m);
    else
        session_refuse(a, e, fault.code, fault.path, fault.text);
}

/* ---- for programs: call.h ---- */

bool call_fault(struct fault *f, enum wire_error_code code, const char *path, const char *text)
{
    return set_fault(f, code, path, text);
}

bool call_element_fault(struct fault *f, const char *place[2], uint32_t index, const char *text)
{
    set_element_fault(f, place[0], index, place[1]);
    f->text = text;
    return false;
}

bool call_check_memory(const struct wire_call_request *m, const struct agent_limits *limits, struct fault *f)
{
    return check_buffers(m, limits, f) && check_specs(m, limits, f);
}

bool call_check_policy(const struct agent *a, const struct wire_call_request *m, struct fault *f)
{
    return check_policy(a, m, f);
}

bool call_place(struct agent *a, const struct wire_call_request *m, int64_t args[])
{
    return place(a, m) && patch(a, m, args);
}

int call_returns_twice(int64_t nr)
{
    return returns_twice(nr);
}
