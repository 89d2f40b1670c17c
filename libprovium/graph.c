/* SPDX-License-Identifier: MIT
 *
 * The seed's two tables, buffers by argument and pointers inside them, become flat
 * buffers and pointer specs.  Every fault is found here, with its path.  Pointers name
 * each other by their places in the list, in any order; nothing recurses.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_impl.h"

/* ---- errors ---- */

static const char *caller_of(const struct provium_call *call)
{
    return call->caller != NULL ? call->caller : "provium_call";
}

static const char *list_of(const struct provium_call *call)
{
    return call->list != NULL ? call->list : "ptrs";
}

static const char *length_of(const struct provium_call *call)
{
    return call->length != NULL ? call->length : "data_len";
}

enum { NAME_MAX_LEN = 32 };

/* "bufs[2]", or what the caller calls its only buffer. */
static const char *buffer_name(const struct provium_call *call, unsigned arg, char out[NAME_MAX_LEN])
{
    snprintf(out, NAME_MAX_LEN, "bufs[%u]", arg);
    return call->buffer != NULL ? call->buffer : out;
}

/* "buffer 2", or "the struct". */
static const char *holder_name(const struct provium_call *call, unsigned arg, char out[NAME_MAX_LEN])
{
    if (call->buffer != NULL)
        snprintf(out, NAME_MAX_LEN, "the %s", call->buffer);
    else
        snprintf(out, NAME_MAX_LEN, "buffer %u", arg);
    return out;
}
/* A call while it is built. */
struct graph {
    struct provium_session *s;
    const struct provium_call *call;
    struct wire_call_request *m;
    const struct provium_buffer *by_arg[WIRE_ARGS_MAX]; /* NULL: that argument is no buffer */
    uint32_t *subs;                                     /* of each pointer: the buffer that it points at */
};

/* "syscall_ptr: ptrs[2].ptr_offset: " and why. */
#define FAIL_PTR(g, index, field, why, ...) \
    provium_fail(&(g)->s->error, PROVIUM_E_ARGUMENT, 0, "%s: %s[%zu].%s: " why, caller_of((g)->call), \
                 list_of((g)->call), (index) + (g)->call->first, field, __VA_ARGS__)

/* What `subs` holds while it is not known, and where there is no buffer. */
static const uint32_t UNKNOWN = UINT32_MAX, PASSED = UINT32_MAX - 1, NOWHERE = UINT32_MAX - 2;

/* ---- room ---- */

/* realloc that keeps the old ones, and says so, when there is no memory. */
static void *grow(void *items, size_t count, size_t size, bool *ok)
{
    void *more = realloc(items, count * size);
    *ok = *ok && more != NULL;
    return more != NULL ? more : items;
}

static bool make_room(struct scratch *c, size_t buffers, size_t specs)
{
    bool ok = true;
    if (buffers > c->buffer_cap) {
        c->buffers = grow(c->buffers, buffers, sizeof *c->buffers, &ok);
        c->owners = grow(c->owners, buffers, sizeof *c->owners, &ok);
        c->wire_outs = grow(c->wire_outs, buffers, sizeof *c->wire_outs, &ok);
        c->outs = grow(c->outs, buffers, sizeof *c->outs, &ok);
        c->slices = grow(c->slices, 2 * buffers + 4, sizeof *c->slices, &ok);
        c->buffer_cap = ok ? buffers : c->buffer_cap;
    }
    if (specs > c->spec_cap) {
        c->specs = grow(c->specs, specs, sizeof *c->specs, &ok);
        c->subs = grow(c->subs, specs, sizeof *c->subs, &ok);
        c->spec_cap = ok ? specs : c->spec_cap;
    }
    return ok;
}

/* ---- buffers of arguments ---- */

static void put_spec(struct wire_call_request *m, struct wire_spec spec)
{
    m->specs.items[m->specs.count++] = spec;
}

/* What a buffer of either table says of itself. */
struct wish {
    uint64_t len;
    struct wire_bytes data;
    const struct provium_place *place;
    bool returned; /* unless `dir` says otherwise */
    uint32_t owner;
};

/* Without a direction of its own a buffer goes in if there is something to send. */
static uint8_t dir_of(const struct wish *w)
{
    static const uint8_t dirs[] = {0, WIRE_DIR_in, WIRE_DIR_out, WIRE_DIR_both, WIRE_DIR_none};
    if (w->place->dir != PROVIUM_DIR_DEFAULT)
        return dirs[w->place->dir];
    return (uint8_t)((w->returned ? WIRE_DIR_out : WIRE_DIR_in) | (w->data.len > 0 ? WIRE_DIR_in : 0));
}

static void put_buffer(struct graph *g, const struct wish *w)
{
    const struct provium_place *p = w->place;
    struct wire_buffer b = {.len = (uint32_t)w->len, .dir = dir_of(w), .data = w->data};
    bool shown = w->returned || (b.dir & WIRE_DIR_out);
    b.has = (w->data.len > 0 ? WIRE_HAS(buffer, data) : 0) | (p->guard != 0 ? WIRE_HAS(buffer, guard) : 0) |
            (p->align != 0 ? WIRE_HAS(buffer, align) : 0) | (p->low ? WIRE_HAS(buffer, low) : 0);
    b.guard = (uint8_t)p->guard;
    b.align = p->align;
    b.low = p->low;
    g->s->scratch.owners[g->m->buffers.count] = w->owner | (shown ? OWNER_SHOWN : 0);
    g->m->buffers.items[g->m->buffers.count++] = b;
}

/* What is wrong with a placement: its field, and why in *why; NULL when nothing is. */
static const char *check_place(const struct graph *g, const struct wish *w, const char **why)
{
    const struct provium_place *p = w->place;
    *why = "this agent cannot: it lacks the capability placement";
    if (p->dir == 0 && p->guard == 0 && p->align == 0 && !p->low)
        return NULL;
    if ((g->s->info.caps & WIRE_CAP_placement) == 0 && (p->guard != 0 || p->align != 0 || p->low))
        return p->guard != 0 ? "guard" : p->align != 0 ? "align" : "low";
    *why = "not a value that this library knows";
    if (p->dir > PROVIUM_DIR_NONE || p->guard > PROVIUM_GUARD_NONE)
        return p->dir > PROVIUM_DIR_NONE ? "dir" : "guard";
    *why = "data does not go out, or nowhere";
    if (w->data.len > 0 && (p->dir == PROVIUM_DIR_OUT || p->dir == PROVIUM_DIR_NONE))
        return "dir";
    *why = "not a power of two up to 1048576";
    return p->align > WIRE_ALIGN_MAX || (p->align & (p->align - 1)) != 0 ? "align" : NULL;
}

/* The buffer of each argument, or NULL: also the check for doubles. */
static enum provium_status index_buffers(struct graph *g)
{
    for (size_t i = 0; i < g->call->buf_count; i++) {
        const struct provium_buffer *b = &g->call->bufs[i];
        if (b->arg >= WIRE_ARGS_MAX)
            return provium_fail(&g->s->error, PROVIUM_E_ARGUMENT, 0, "%s: bufs[%u]: an argument index is 0 to 5",
                                caller_of(g->call), b->arg);
        if (g->by_arg[b->arg] != NULL)
            return provium_fail(&g->s->error, PROVIUM_E_ARGUMENT, 0, "%s: bufs[%u]: given twice", caller_of(g->call),
                                b->arg);
        g->by_arg[b->arg] = b;
    }
    return PROVIUM_OK;
}

/* "syscall_bufs: bufs[1].align: " and why. */
#define FAIL_BUF(g, name, field, why, ...) \
    provium_fail(&(g)->s->error, PROVIUM_E_ARGUMENT, 0, "%s: %s.%s: " why, caller_of((g)->call), name, field, \
                 __VA_ARGS__)

static enum provium_status put_arg_buffer(struct graph *g, uint8_t arg)
{
    const struct provium_buffer *b = g->by_arg[arg];
    char room[NAME_MAX_LEN];
    size_t data_size = b->data == NULL ? 0 : b->data_size != 0 ? b->data_size : b->len;
    const struct wish wish = {
        .len = b->len, .data = {b->data, data_size}, .place = &b->place, .returned = true, .owner = arg};
    const char *why, *field = check_place(g, &wish, &why);
    if (field != NULL)
        return FAIL_BUF(g, buffer_name(g->call, arg, room), field, "%s", why);
    if (data_size > b->len)
        return FAIL_BUF(g, buffer_name(g->call, arg, room), "data", "%zu bytes exceed its length of %zu", data_size,
                        b->len);
    if (b->len > g->s->info.memory_limit)
        return provium_fail(&g->s->error, PROVIUM_E_LIMIT, 0, "%s: %s: %zu bytes exceed the agreed %" PRIu32,
                            caller_of(g->call), buffer_name(g->call, arg, room), b->len, g->s->info.memory_limit);
    put_spec(g->m, (struct wire_spec){.has = WIRE_HAS(spec, arg), .target = g->m->buffers.count, .arg = arg});
    put_buffer(g, &wish);
    return PROVIUM_OK;
}

static enum provium_status put_arg_buffers(struct graph *g)
{
    enum provium_status status = PROVIUM_OK;
    for (uint8_t arg = 0; arg < WIRE_ARGS_MAX && status == PROVIUM_OK; arg++)
        if (g->by_arg[arg] != NULL)
            status = put_arg_buffer(g, arg);
    return status;
}

/* Ordinal of an argument's buffer: how many stand before it. */
static uint32_t ordinal(const struct graph *g, unsigned arg)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < arg; i++)
        n += g->by_arg[i] != NULL;
    return n;
}

/* ---- sub-buffers ---- */

static enum provium_status put_sub(struct graph *g, size_t i)
{
    const struct provium_ptr *p = &g->call->ptrs[i];
    if (p->data == NULL && p->data_size > 0)
        return FAIL_PTR(g, i, "data", "NULL, but data_size is %zu", p->data_size);
    const struct wish wish = {.len = p->data_len,
                              .data = {p->data, p->data != NULL ? p->data_size : 0},
                              .place = &p->place,
                              .returned = p->output,
                              .owner = OWNER_PTR | (uint32_t)i};
    const char *why, *field = check_place(g, &wish, &why);
    if (field != NULL)
        return FAIL_PTR(g, i, field, "%s", why);
    if (p->data_size > p->data_len)
        return FAIL_PTR(g, i, "data", "%zu bytes exceed its length of %" PRIu64, p->data_size, p->data_len);
    if (p->data_len > g->s->info.memory_limit) {
        FAIL_PTR(g, i, p->data_size == p->data_len ? "data" : length_of(g->call),
                 "%" PRIu64 " bytes exceed the agreed %" PRIu32, p->data_len, g->s->info.memory_limit);
        return g->s->error.code = PROVIUM_E_LIMIT;
    }
    g->subs[i] = g->m->buffers.count;
    put_buffer(g, &wish);
    return PROVIUM_OK;
}

/* A spec names another that is not there, or that has no sub-buffer. */
static enum provium_status fail_place(const struct graph *g, size_t i, const char *field, size_t place)
{
    if (place < g->call->ptr_count)
        return FAIL_PTR(g, i, field, "%s[%zu] points at no sub-buffer", list_of(g->call), place + g->call->first);
    return FAIL_PTR(g, i, field, "%zu is no place in %s (%zu specs)", place + g->call->first, list_of(g->call),
                    g->call->ptr_count);
}

/* What points elsewhere has no sub-buffer to describe. */
static enum provium_status check_elsewhere(const struct graph *g, size_t i)
{
    static const char *const fields[] = {"", "same", "null", "bad"};
    const struct provium_ptr *p = &g->call->ptrs[i];
    if (p->to > PROVIUM_TO_BAD)
        return FAIL_PTR(g, i, "to", "%d is not what a pointer can point at", (int)p->to);
    if (p->data != NULL || p->data_size > 0 || p->data_len > 0 || p->output)
        return FAIL_PTR(g, i, fields[p->to], "excludes %s",
                        p->data != NULL || p->data_size > 0 ? "data"
                        : p->data_len > 0                   ? "data_len"
                                                            : "output");
    if (p->place.dir != 0 || p->place.guard != 0 || p->place.align != 0 || p->place.low)
        return FAIL_PTR(g, i, fields[p->to], "excludes %s",
                        p->place.dir != 0     ? "dir"
                        : p->place.guard != 0 ? "guard"
                        : p->place.align != 0 ? "align"
                                              : "low");
    if (p->to == PROVIUM_TO_SAME && p->same >= g->call->ptr_count)
        return fail_place(g, i, "same", p->same);
    if (p->to == PROVIUM_TO_BAD && p->bad > PROVIUM_READONLY)
        return FAIL_PTR(g, i, "bad", "%d is no kind of address", (int)p->bad);
    return PROVIUM_OK;
}

/* The sub-buffers of those that have one, in their order; those that have another's are not known yet. */
static enum provium_status put_subs(struct graph *g)
{
    for (size_t i = 0; i < g->call->ptr_count; i++) {
        const struct provium_ptr *p = &g->call->ptrs[i];
        g->subs[i] = p->to == PROVIUM_TO_SAME ? UNKNOWN : NOWHERE;
        enum provium_status status = p->to == PROVIUM_TO_FRESH ? put_sub(g, i) : check_elsewhere(g, i);
        if (status != PROVIUM_OK)
            return status;
    }
    return PROVIUM_OK;
}

/* Follow `same` from each pointer to a buffer.  Every pointer is passed once and then known,
 * so this is linear however long the chains are. */
static enum provium_status resolve(struct graph *g)
{
    for (size_t i = 0; i < g->call->ptr_count; i++) {
        size_t at = i;
        for (; g->subs[at] == UNKNOWN; at = g->call->ptrs[at].same)
            g->subs[at] = PASSED;
        uint32_t found = g->subs[at];
        if (found == PASSED)
            return FAIL_PTR(g, i, "same", "leads in a circle, not to a sub-buffer%s", "");
        if (found == NOWHERE && at != i)
            return fail_place(g, i, "same", at);
        for (at = i; g->subs[at] == PASSED; at = g->call->ptrs[at].same)
            g->subs[at] = found;
    }
    return PROVIUM_OK;
}

/* ---- pointers ---- */

/* Bytes that pointer i takes. */
static unsigned width_of(const struct graph *g, size_t i)
{
    const struct provium_ptr *p = &g->call->ptrs[i];
    return p->width != 0 ? p->width : g->s->info.pointer_width;
}

/* The pointer ends beyond the buffer that holds it. */
static enum provium_status fail_offset(const struct graph *g, size_t i, uint32_t len)
{
    const struct provium_ptr *p = &g->call->ptrs[i];
    char name[NAME_MAX_LEN];
    if (p->has_parent)
        return FAIL_PTR(g, i, "ptr_offset", "%" PRIu64 " + %u exceeds the sub-buffer of %s[%zu] (%" PRIu32 " bytes)",
                        p->ptr_offset, width_of(g, i), list_of(g->call), p->parent + g->call->first, len);
    return FAIL_PTR(g, i, "ptr_offset", "%" PRIu64 " + %u exceeds %s (%" PRIu32 " bytes)", p->ptr_offset,
                    width_of(g, i), holder_name(g->call, p->buf_idx, name), len);
}

/* The buffer that holds pointer i, in *holder. */
static enum provium_status find_holder(const struct graph *g, size_t i, uint32_t *holder)
{
    const struct provium_ptr *p = &g->call->ptrs[i];
    if (p->has_parent && p->buf_idx != 0)
        return FAIL_PTR(g, i, "parent", "excludes %s", "buf_idx");
    if (p->has_parent && (p->parent >= g->call->ptr_count || g->subs[p->parent] == NOWHERE))
        return fail_place(g, i, "parent", p->parent);
    if (!p->has_parent && (p->buf_idx >= WIRE_ARGS_MAX || g->by_arg[p->buf_idx] == NULL))
        return FAIL_PTR(g, i, "buf_idx", "no buffer is argument %u", p->buf_idx);
    *holder = p->has_parent ? g->subs[p->parent] : ordinal(g, p->buf_idx);
    return PROVIUM_OK;
}

/* Four bytes name only what lies below 4 GiB. */
static bool make_low(const struct graph *g, uint32_t buffer)
{
    struct wire_buffer *b = &g->m->buffers.items[buffer];
    b->has |= WIRE_HAS(buffer, low);
    b->low = 1;
    return (g->s->info.caps & WIRE_CAP_placement) != 0;
}

/* What a spec says beyond the core; the agent must know of it. */
static enum provium_status add_extras(const struct graph *g, size_t i, struct wire_spec *spec)
{
    const struct provium_ptr *p = &g->call->ptrs[i];
    bool nowhere = g->subs[i] == NOWHERE;
    if (p->width != 0 && p->width != 4 && p->width != 8)
        return FAIL_PTR(g, i, "width", "%u is not 4 or 8", p->width);
    if (p->width < g->s->info.pointer_width && p->width != 0 && p->to == PROVIUM_TO_BAD &&
        (p->bad == PROVIUM_KERNEL || p->bad == PROVIUM_NONCANONICAL))
        return FAIL_PTR(g, i, "width", "this bad address takes more than %u bytes", p->width);
    if ((g->s->info.caps & WIRE_CAP_pointers) == 0)
        return FAIL_PTR(g, i,
                        p->width != 0              ? "width"
                        : p->plus != 0             ? "plus"
                        : p->to == PROVIUM_TO_NULL ? "null"
                                                   : "bad",
                        "this agent cannot: it lacks the capability %s", "pointers");
    if (nowhere)
        spec->target = 0;
    else if (p->width == 4 && g->s->info.pointer_width > 4 && !make_low(g, g->subs[i]))
        return FAIL_PTR(g, i, "width", "this agent cannot: it lacks the capability %s", "placement");
    spec->has |= (p->plus != 0 ? WIRE_HAS(spec, plus) : 0) | (p->width != 0 ? WIRE_HAS(spec, width) : 0) |
                 (nowhere ? WIRE_HAS(spec, bad) : 0);
    spec->plus = p->plus;
    spec->width = (uint8_t)p->width;
    spec->bad = (uint8_t)(p->to == PROVIUM_TO_BAD ? (unsigned)p->bad + WIRE_BAD_unmapped : (unsigned)WIRE_BAD_null);
    return PROVIUM_OK;
}

static enum provium_status put_ptrs(struct graph *g)
{
    for (size_t i = 0; i < g->call->ptr_count; i++) {
        const struct provium_ptr *p = &g->call->ptrs[i];
        struct wire_spec spec = {.has = WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset), .target = g->subs[i]};
        enum provium_status status = find_holder(g, i, &spec.buffer);
        if (status == PROVIUM_OK && (p->plus != 0 || p->width != 0 || g->subs[i] == NOWHERE))
            status = add_extras(g, i, &spec);
        if (status != PROVIUM_OK)
            return status;
        uint32_t len = g->m->buffers.items[spec.buffer].len, width = width_of(g, i);
        if (len < width || p->ptr_offset > len - width)
            return fail_offset(g, i, len);
        spec.offset = (uint32_t)p->ptr_offset;
        put_spec(g->m, spec);
    }
    return PROVIUM_OK;
}

/* ---- all of it ---- */

/* Bytes placed and bytes that will come back, against what was agreed (SPEC [CALL-9]). */
static enum provium_status check_sums(const struct graph *g)
{
    struct provium_session *s = g->s;
    uint64_t placed = 0, reply = 64;
    uint32_t has = 0;
    for (uint32_t i = 0; i < g->m->buffers.count; i++) {
        const struct wire_buffer *b = &g->m->buffers.items[i];
        has |= b->has;
        placed += b->len;
        reply += b->dir & WIRE_DIR_out ? (uint64_t)b->len + 16 : 0;
    }
    if (g->call->want_changed ||
        (has & (WIRE_HAS(buffer, guard) | WIRE_HAS(buffer, align) | WIRE_HAS(buffer, low))) != 0)
        reply += WIRE_RANGES_ROOM;
    if (placed > s->info.memory_limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0,
                            "%s: %" PRIu64 " bytes of buffers exceed the agreed %" PRIu32, caller_of(g->call), placed,
                            s->info.memory_limit);
    if (reply > s->info.frame_limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0,
                            "%s: %" PRIu64 " bytes of returned buffers exceed the agreed frame of %" PRIu32,
                            caller_of(g->call), reply, s->info.frame_limit);
    return PROVIUM_OK;
}

static size_t add(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

/* Room for everything, if it is no more than was agreed.  Each buffer of an argument is a pointer spec as well. */
static enum provium_status check_counts(const struct graph *g)
{
    struct provium_session *s = g->s;
    const struct provium_call *call = g->call;
    size_t specs = add(call->buf_count, call->ptr_count), buffers = call->buf_count;
    if (call->arg_count > WIRE_ARGS_MAX)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: %zu arguments; a system call takes at most six",
                            caller_of(call), call->arg_count);
    if (specs > s->info.spec_limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0, "%s: %zu buffers and pointers exceed the agreed %" PRIu32,
                            caller_of(call), specs, s->info.spec_limit);
    const char *absent = call->args == NULL && call->arg_count > 0   ? "args: NULL, but arg_count"
                         : call->bufs == NULL && call->buf_count > 0 ? "bufs: NULL, but buf_count"
                         : call->ptrs == NULL && call->ptr_count > 0 ? "ptrs: NULL, but ptr_count"
                                                                     : NULL;
    if (absent != NULL)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: %s is not 0", caller_of(call), absent);
    for (size_t i = 0; i < call->ptr_count; i++)
        buffers += call->ptrs[i].to == PROVIUM_TO_FRESH;
    if (buffers > s->info.buffer_limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0, "%s: %zu buffers exceed the agreed %" PRIu32,
                            caller_of(call), buffers, s->info.buffer_limit);
    if ((call->want_elapsed || call->want_changed) && (s->info.caps & WIRE_CAP_measure) == 0)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0,
                            "%s: %s: this agent cannot: it lacks the capability measure", caller_of(call),
                            call->want_changed ? "changed" : "elapsed");
    if (!make_room(&s->scratch, buffers, specs))
        return provium_fail(&s->error, PROVIUM_E_SYSTEM, ENOMEM, "%s: out of memory", caller_of(call));
    return PROVIUM_OK;
}

enum provium_status provium_graph_build(struct provium_session *s, const struct provium_call *call,
                                        struct wire_call_request *m)
{
    static enum provium_status (*const steps[])(struct graph *) = {index_buffers, put_arg_buffers, put_subs, resolve,
                                                                   put_ptrs};
    struct graph g = {.s = s, .call = call, .m = m};
    enum provium_status status = check_counts(&g);
    if (status != PROVIUM_OK)
        return status;
    *m = (struct wire_call_request){.nr = call->nr,
                                    .args = {.count = (uint32_t)call->arg_count},
                                    .buffers = {s->scratch.buffers, 0, 0},
                                    .specs = {s->scratch.specs, 0, 0}};
    if (call->arg_count > 0)
        memcpy(m->args.at, call->args, call->arg_count * sizeof m->args.at[0]);
    g.subs = s->scratch.subs;
    size_t count = call->buf_count > 0 || call->ptr_count > 0 ? sizeof steps / sizeof steps[0] : 0;
    for (size_t i = 0; status == PROVIUM_OK && i < count; i++)
        status = steps[i](&g);
    m->has = (m->args.count > 0 ? WIRE_HAS(call_request, args) : 0) |
             (m->buffers.count > 0 ? WIRE_HAS(call_request, buffers) : 0) |
             (m->specs.count > 0 ? WIRE_HAS(call_request, specs) : 0) |
             (call->want_elapsed || call->want_changed ? WIRE_HAS(call_request, want) : 0);
    m->want = (uint8_t)((call->want_elapsed ? WIRE_WANT_elapsed : 0) | (call->want_changed ? WIRE_WANT_changed : 0));
    return status == PROVIUM_OK ? check_sums(&g) : status;
}
