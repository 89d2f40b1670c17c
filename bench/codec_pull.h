/* SPDX-License-Identifier: MIT
 *
 * The request put and got through a library's own calls.  A peer defines, before it
 * includes this: struct push with push_map, push_array, push_uint, push_int, push_bin; struct
 * pull with pull_map, pull_array, pull_uint, pull_int, pull_bin, which return false on a fault.
 */
#include "codec.h"

static inline uint32_t has(uint32_t set, uint32_t number)
{
    return set >> number & 1;
}

/* ---- encode ---- */

static inline void push_key_uint(struct push *o, uint32_t key, uint64_t value)
{
    push_uint(o, key);
    push_uint(o, value);
}

static inline void push_buffer(struct push *o, const struct wire_buffer *b)
{
    push_map(o, 2 + has(b->has, 1));
    push_key_uint(o, 0, b->len);
    if (has(b->has, 1)) {
        push_uint(o, 1);
        push_bin(o, b->data);
    }
    push_key_uint(o, 2, b->dir);
}

static inline void push_spec(struct push *o, const struct wire_spec *s)
{
    push_map(o, 1 + has(s->has, 1) + has(s->has, 2) + has(s->has, 3));
    push_key_uint(o, 0, s->target);
    if (has(s->has, 1))
        push_key_uint(o, 1, s->arg);
    if (has(s->has, 2))
        push_key_uint(o, 2, s->buffer);
    if (has(s->has, 3))
        push_key_uint(o, 3, s->offset);
}

static inline void push_lists(struct push *o, const struct wire_call_request *c)
{
    if (has(c->has, 2)) {
        push_uint(o, 2);
        push_array(o, c->buffers.count);
        for (uint32_t i = 0; i < c->buffers.count; i++)
            push_buffer(o, &c->buffers.items[i]);
    }
    if (has(c->has, 3)) {
        push_uint(o, 3);
        push_array(o, c->specs.count);
        for (uint32_t i = 0; i < c->specs.count; i++)
            push_spec(o, &c->specs.items[i]);
    }
}

static inline void push_message(struct push *o, const struct codec_message *m)
{
    const struct wire_envelope *e = &m->envelope;
    const struct wire_call_request *c = &m->call;
    push_array(o, 6);
    push_uint(o, (uint64_t)e->kind);
    push_uint(o, e->id);
    push_uint(o, e->code);
    push_uint(o, e->worker);
    push_uint(o, e->generation);
    push_map(o, 1 + has(c->has, 1) + has(c->has, 2) + has(c->has, 3));
    push_uint(o, 0);
    push_int(o, c->nr);
    if (has(c->has, 1)) {
        push_uint(o, 1);
        push_array(o, c->args.count);
        for (uint32_t i = 0; i < c->args.count; i++)
            push_int(o, c->args.at[i]);
    }
    push_lists(o, c);
}

/* The frame's length in front of what was encoded. */
static inline struct wire_bytes finish_frame(uint8_t *buf, size_t len)
{
    for (unsigned i = 0; i < WIRE_FRAME_HEADER; i++)
        buf[i] = (uint8_t)((len - WIRE_FRAME_HEADER) >> (24 - 8 * i));
    return (struct wire_bytes){buf, len};
}

/* ---- decode ---- */

static inline bool pull_u32(struct pull *in, uint64_t max, uint32_t *value)
{
    uint64_t wide;
    if (!pull_uint(in, max, &wide))
        return false;
    *value = (uint32_t)wide;
    return true;
}

static inline bool pull_u8(struct pull *in, uint8_t *value)
{
    uint64_t wide;
    if (!pull_uint(in, UINT8_MAX, &wide))
        return false;
    *value = (uint8_t)wide;
    return true;
}

/* A key that is in the table and comes for the first time. */
static inline bool pull_key(struct pull *in, uint32_t *set, uint32_t *key)
{
    if (!pull_u32(in, 3, key) || has(*set, *key))
        return false;
    *set |= UINT32_C(1) << *key;
    return true;
}

static inline bool pull_buffer_field(struct pull *in, uint32_t key, struct wire_buffer *b)
{
    switch (key) {
    case 0:
        return pull_u32(in, UINT32_MAX, &b->len);
    case 1:
        return pull_bin(in, &b->data);
    case 2:
        return pull_u8(in, &b->dir);
    default:
        return false;
    }
}

static inline bool pull_buffer(struct pull *in, struct wire_buffer *b)
{
    uint32_t left, key;
    if (!pull_map(in, &left))
        return false;
    *b = (struct wire_buffer){0};
    while (left-- > 0) {
        if (!pull_key(in, &b->has, &key) || !pull_buffer_field(in, key, b))
            return false;
    }
    return has(b->has, 0) && has(b->has, 2);
}

static inline bool pull_spec_field(struct pull *in, uint32_t key, struct wire_spec *s)
{
    switch (key) {
    case 0:
        return pull_u32(in, UINT32_MAX, &s->target);
    case 1:
        return pull_u8(in, &s->arg);
    case 2:
        return pull_u32(in, UINT32_MAX, &s->buffer);
    default:
        return pull_u32(in, UINT32_MAX, &s->offset);
    }
}

static inline bool pull_spec(struct pull *in, struct wire_spec *s)
{
    uint32_t left, key;
    if (!pull_map(in, &left))
        return false;
    *s = (struct wire_spec){0};
    while (left-- > 0) {
        if (!pull_key(in, &s->has, &key) || !pull_spec_field(in, key, s))
            return false;
    }
    return has(s->has, 0);
}

static inline bool pull_args(struct pull *in, struct wire_words *args)
{
    if (!pull_array(in, &args->count) || args->count > WIRE_ARGS_MAX)
        return false;
    for (uint32_t i = 0; i < args->count; i++) {
        if (!pull_int(in, &args->at[i]))
            return false;
    }
    return true;
}

static inline bool pull_buffers(struct pull *in, struct wire_call_request *c)
{
    if (!pull_array(in, &c->buffers.count) || c->buffers.count > c->buffers.cap)
        return false;
    for (uint32_t i = 0; i < c->buffers.count; i++) {
        if (!pull_buffer(in, &c->buffers.items[i]))
            return false;
    }
    return true;
}

static inline bool pull_specs(struct pull *in, struct wire_call_request *c)
{
    if (!pull_array(in, &c->specs.count) || c->specs.count > c->specs.cap)
        return false;
    for (uint32_t i = 0; i < c->specs.count; i++) {
        if (!pull_spec(in, &c->specs.items[i]))
            return false;
    }
    return true;
}

static inline bool pull_call_field(struct pull *in, uint32_t key, struct wire_call_request *c)
{
    switch (key) {
    case 0:
        return pull_int(in, &c->nr);
    case 1:
        return pull_args(in, &c->args);
    case 2:
        return pull_buffers(in, c);
    default:
        return pull_specs(in, c);
    }
}

static inline bool pull_call(struct pull *in, struct wire_call_request *c)
{
    uint32_t left, key;
    if (!pull_map(in, &left))
        return false;
    c->has = c->args.count = c->buffers.count = c->specs.count = 0;
    while (left-- > 0) {
        if (!pull_key(in, &c->has, &key) || !pull_call_field(in, key, c))
            return false;
    }
    return has(c->has, 0);
}

static inline bool pull_message(struct pull *in, struct codec_message *m)
{
    struct wire_envelope *e = &m->envelope;
    uint32_t count, kind;
    codec_prepare(m);
    if (!pull_array(in, &count) || count != 6 || !pull_u32(in, WIRE_GOODBYE, &kind))
        return false;
    e->kind = (enum wire_kind)kind;
    return pull_u32(in, UINT32_MAX, &e->id) && pull_u32(in, UINT32_MAX, &e->code) &&
           pull_u32(in, UINT32_MAX, &e->worker) && pull_u32(in, UINT32_MAX, &e->generation) && pull_call(in, &m->call);
}
