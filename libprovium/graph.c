/* SPDX-License-Identifier: MIT
 *
 * The seed's two tables, buffers by argument and pointers inside them, become flat
 * buffers and pointer specs.  Every fault is found here, with its path.
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

/* "syscall_ptr: ptrs[2].ptr_offset: " and why. */
#define FAIL_PTR(s, call, index, field, why, ...) \
    provium_fail(&(s)->error, PROVIUM_E_ARGUMENT, 0, "%s: %s[%zu].%s: " why, caller_of(call), list_of(call), \
                 (index) + (call)->first, field, __VA_ARGS__)

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
        c->wire_outs = grow(c->wire_outs, buffers, sizeof *c->wire_outs, &ok);
        c->outs = grow(c->outs, buffers, sizeof *c->outs, &ok);
        c->slices = grow(c->slices, 2 * buffers + 4, sizeof *c->slices, &ok);
        c->buffer_cap = ok ? buffers : c->buffer_cap;
    }
    if (specs > c->spec_cap) {
        c->specs = grow(c->specs, specs, sizeof *c->specs, &ok);
        c->spec_cap = ok ? specs : c->spec_cap;
    }
    return ok;
}

/* ---- buffers of arguments ---- */

static void put_spec(struct wire_call_request *m, struct wire_spec spec)
{
    m->specs.items[m->specs.count++] = spec;
}

/* A buffer's direction is both, or out when there is nothing to send. */
static void put_buffer(struct wire_call_request *m, uint64_t len, struct wire_bytes data, bool returned)
{
    struct wire_buffer b = {.len = (uint32_t)len, .dir = returned ? WIRE_DIR_out : WIRE_DIR_in, .data = data};
    if (data.len > 0) {
        b.has = WIRE_HAS(buffer, data);
        b.dir |= WIRE_DIR_in;
    }
    m->buffers.items[m->buffers.count++] = b;
}

/* The place of each argument's buffer among the call's, or NULL: also the check for doubles. */
static enum provium_status index_buffers(struct provium_session *s, const struct provium_call *call,
                                         const struct provium_buffer *by_arg[WIRE_ARGS_MAX])
{
    for (size_t i = 0; i < call->buf_count; i++) {
        const struct provium_buffer *b = &call->bufs[i];
        if (b->arg >= WIRE_ARGS_MAX)
            return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: bufs[%u]: an argument index is 0 to 5",
                                caller_of(call), b->arg);
        if (by_arg[b->arg] != NULL)
            return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: bufs[%u]: given twice", caller_of(call), b->arg);
        by_arg[b->arg] = b;
    }
    return PROVIUM_OK;
}

static enum provium_status put_arg_buffers(struct provium_session *s, const struct provium_call *call,
                                           const struct provium_buffer *const by_arg[WIRE_ARGS_MAX],
                                           struct wire_call_request *m)
{
    char name[NAME_MAX_LEN];
    for (uint8_t arg = 0; arg < WIRE_ARGS_MAX; arg++) {
        const struct provium_buffer *b = by_arg[arg];
        if (b == NULL)
            continue;
        if (b->len > s->info.memory_limit)
            return provium_fail(&s->error, PROVIUM_E_LIMIT, 0, "%s: %s: %zu bytes exceed the agreed %" PRIu32,
                                caller_of(call), buffer_name(call, arg, name), b->len, s->info.memory_limit);
        put_spec(m, (struct wire_spec){.has = WIRE_HAS(spec, arg), .target = m->buffers.count, .arg = arg});
        put_buffer(m, b->len, (struct wire_bytes){b->data, b->data != NULL ? b->len : 0}, true);
    }
    return PROVIUM_OK;
}

/* ---- pointers inside them ---- */

static enum provium_status check_ptr(struct provium_session *s, const struct provium_call *call, size_t i,
                                     const struct provium_buffer *holder)
{
    const struct provium_ptr *p = &call->ptrs[i];
    unsigned width = s->info.pointer_width;
    char name[NAME_MAX_LEN];
    if (holder == NULL)
        return FAIL_PTR(s, call, i, "buf_idx", "no buffer is argument %u", p->buf_idx);
    if (holder->len < width || p->ptr_offset > holder->len - width)
        return FAIL_PTR(s, call, i, "ptr_offset", "%" PRIu64 " + %u exceeds %s (%zu bytes)", p->ptr_offset, width,
                        holder_name(call, p->buf_idx, name), holder->len);
    if (p->data == NULL && p->data_size > 0)
        return FAIL_PTR(s, call, i, "data", "NULL, but data_size is %zu", p->data_size);
    if (p->data_size > p->data_len)
        return FAIL_PTR(s, call, i, "data", "%zu bytes exceed its length of %" PRIu64, p->data_size, p->data_len);
    if (p->data_len > s->info.memory_limit) {
        FAIL_PTR(s, call, i, p->data_size == p->data_len ? "data" : length_of(call),
                 "%" PRIu64 " bytes exceed the agreed %" PRIu32, p->data_len, s->info.memory_limit);
        return s->error.code = PROVIUM_E_LIMIT;
    }
    return PROVIUM_OK;
}

/* Ordinal of an argument's buffer: how many stand before it. */
static uint32_t ordinal(const struct provium_buffer *const by_arg[WIRE_ARGS_MAX], unsigned arg)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < arg; i++)
        n += by_arg[i] != NULL;
    return n;
}

static enum provium_status put_ptrs(struct provium_session *s, const struct provium_call *call,
                                    const struct provium_buffer *const by_arg[WIRE_ARGS_MAX],
                                    struct wire_call_request *m)
{
    for (size_t i = 0; i < call->ptr_count; i++) {
        const struct provium_ptr *p = &call->ptrs[i];
        const struct provium_buffer *holder = p->buf_idx < WIRE_ARGS_MAX ? by_arg[p->buf_idx] : NULL;
        enum provium_status status = check_ptr(s, call, i, holder);
        if (status != PROVIUM_OK)
            return status;
        put_spec(m, (struct wire_spec){.has = WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset),
                                       .target = m->buffers.count,
                                       .buffer = ordinal(by_arg, p->buf_idx),
                                       .offset = (uint32_t)p->ptr_offset});
        put_buffer(m, p->data_len, (struct wire_bytes){p->data, p->data != NULL ? p->data_size : 0}, p->output);
    }
    return PROVIUM_OK;
}

/* ---- all of it ---- */

/* Bytes placed and bytes that will come back, against what was agreed (SPEC [CALL-9]). */
static enum provium_status check_sums(struct provium_session *s, const struct provium_call *call,
                                      const struct wire_call_request *m)
{
    uint64_t placed = 0, reply = 64;
    for (uint32_t i = 0; i < m->buffers.count; i++) {
        placed += m->buffers.items[i].len;
        reply += m->buffers.items[i].dir & WIRE_DIR_out ? (uint64_t)m->buffers.items[i].len + 16 : 0;
    }
    if (placed > s->info.memory_limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0,
                            "%s: %" PRIu64 " bytes of buffers exceed the agreed %" PRIu32, caller_of(call), placed,
                            s->info.memory_limit);
    if (reply > s->info.frame_limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0,
                            "%s: %" PRIu64 " bytes of returned buffers exceed the agreed frame of %" PRIu32,
                            caller_of(call), reply, s->info.frame_limit);
    return PROVIUM_OK;
}

static enum provium_status check_counts(struct provium_session *s, const struct provium_call *call)
{
    /* each is one buffer and one spec */
    size_t count = call->ptr_count > SIZE_MAX - call->buf_count ? SIZE_MAX : call->buf_count + call->ptr_count;
    uint32_t limit = s->info.buffer_limit < s->info.spec_limit ? s->info.buffer_limit : s->info.spec_limit;
    if (call->arg_count > WIRE_ARGS_MAX)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: %zu arguments; a system call takes at most six",
                            caller_of(call), call->arg_count);
    if (count > limit)
        return provium_fail(&s->error, PROVIUM_E_LIMIT, 0, "%s: %zu buffers exceed the agreed %" PRIu32,
                            caller_of(call), count, limit);
    const char *absent = call->args == NULL && call->arg_count > 0   ? "args: NULL, but arg_count"
                         : call->bufs == NULL && call->buf_count > 0 ? "bufs: NULL, but buf_count"
                         : call->ptrs == NULL && call->ptr_count > 0 ? "ptrs: NULL, but ptr_count"
                                                                     : NULL;
    if (absent != NULL)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: %s is not 0", caller_of(call), absent);
    if (!make_room(&s->scratch, count, count))
        return provium_fail(&s->error, PROVIUM_E_SYSTEM, ENOMEM, "%s: out of memory", caller_of(call));
    return PROVIUM_OK;
}

enum provium_status provium_graph_build(struct provium_session *s, const struct provium_call *call,
                                        struct wire_call_request *m)
{
    const struct provium_buffer *by_arg[WIRE_ARGS_MAX] = {NULL};
    enum provium_status status = check_counts(s, call);
    if (status != PROVIUM_OK)
        return status;
    *m = (struct wire_call_request){.nr = call->nr,
                                    .args = {.count = (uint32_t)call->arg_count},
                                    .buffers = {s->scratch.buffers, 0, 0},
                                    .specs = {s->scratch.specs, 0, 0}};
    if (call->arg_count > 0)
        memcpy(m->args.at, call->args, call->arg_count * sizeof m->args.at[0]);
    status = index_buffers(s, call, by_arg);
    if (status == PROVIUM_OK)
        status = put_arg_buffers(s, call, by_arg, m);
    if (status == PROVIUM_OK)
        status = put_ptrs(s, call, by_arg, m);
    m->has = (m->args.count > 0 ? WIRE_HAS(call_request, args) : 0) |
             (m->buffers.count > 0 ? WIRE_HAS(call_request, buffers) | WIRE_HAS(call_request, specs) : 0);
    return status == PROVIUM_OK ? check_sums(s, call, m) : status;
}
