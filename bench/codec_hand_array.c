/* SPDX-License-Identifier: MIT
 *
 * The request as arrays, without keys, written by hand: what the same content costs when it is
 * laid out for speed alone.  [kind, id, code, worker, generation, nr, args, buffers, specs]
 */
#include "codec_hand.h"

enum { HEAD_MAX = 128, BUFFER_MAX = 16, SPEC_MAX = 18 };

/* ---- encode ---- */

/* A field that may be absent: nil then. */
HOT uint8_t *put_optional(uint8_t *p, bool there, uint32_t value)
{
    if (there)
        return put_u32(p, value);
    *p++ = 0xc0;
    return p;
}

HOT uint8_t *put_buffer(uint8_t *p, const struct wire_buffer *b)
{
    *p++ = 0x93;
    p = put_u32(p, b->len);
    if (b->has & WIRE_HAS(buffer, data))
        p = put_bin(p, b->data);
    else
        *p++ = 0xc0;
    return put_u8(p, b->dir);
}

HOT uint8_t *put_spec(uint8_t *p, const struct wire_spec *s)
{
    *p++ = 0x94;
    p = put_u32(p, s->target);
    p = put_optional(p, s->has & WIRE_HAS(spec, arg), s->arg);
    p = put_optional(p, s->has & WIRE_HAS(spec, buffer), s->buffer);
    return put_optional(p, s->has & WIRE_HAS(spec, offset), s->offset);
}

HOT uint8_t *put_head(uint8_t *p, const struct codec_message *m)
{
    p[0] = 0x99;
    p[1] = (uint8_t)m->envelope.kind;
    p = put_u32(p + 2, m->envelope.id);
    p = put_u32(p, m->envelope.code);
    p = put_u32(p, m->envelope.worker);
    p = put_u32(p, m->envelope.generation);
    p = put_i64(p, m->call.nr);
    p = put_array(p, m->call.args.count);
    for (uint32_t i = 0; i < m->call.args.count; i++)
        p = put_i64(p, m->call.args.at[i]);
    return p;
}

static struct wire_bytes encode(const struct codec_message *m, uint8_t *buf, size_t cap)
{
    const struct wire_call_request *c = &m->call;
    const uint8_t *end = buf + cap;
    const struct wire_bytes none = {buf, 0};
    if (cap < HEAD_MAX || c->args.count > WIRE_ARGS_MAX)
        return none;
    uint8_t *p = put_array(put_head(buf + WIRE_FRAME_HEADER, m), c->buffers.count);
    for (uint32_t i = 0; i < c->buffers.count; i++) {
        size_t room = (size_t)(end - p), len = c->buffers.items[i].data.len;
        if (room < BUFFER_MAX || room - BUFFER_MAX < len || len > UINT32_MAX)
            return none;
        p = put_buffer(p, &c->buffers.items[i]);
    }
    if ((size_t)(end - p) < 5 + (size_t)c->specs.count * SPEC_MAX)
        return none;
    p = put_array(p, c->specs.count);
    for (uint32_t i = 0; i < c->specs.count; i++)
        p = put_spec(p, &c->specs.items[i]);
    uint32_t big = __builtin_bswap32((uint32_t)(p - buf) - WIRE_FRAME_HEADER);
    memcpy(buf, &big, sizeof big);
    return (struct wire_bytes){buf, (size_t)(p - buf)};
}

/* ---- decode ---- */

HOT bool take_nil(const struct in *in, const uint8_t **p)
{
    if (*p == in->end || **p != 0xc0)
        return false;
    (*p)++;
    return true;
}

HOT const uint8_t *get_arity(struct in *in, const uint8_t *p, uint8_t first)
{
    return p < in->end && *p == first ? p + 1 : not_this(in, p);
}

HOT const uint8_t *get_buffer(struct in *in, const uint8_t *p, struct wire_buffer *b)
{
    b->has = WIRE_HAS(buffer, len) | WIRE_HAS(buffer, dir);
    b->data = (struct wire_bytes){NULL, 0};
    if ((p = get_arity(in, p, 0x93)) == NULL || (p = get_u32(in, p, &b->len)) == NULL)
        return NULL;
    if (!take_nil(in, &p)) {
        b->has |= WIRE_HAS(buffer, data);
        if ((p = get_bin(in, p, &b->data)) == NULL)
            return NULL;
    }
    return get_u8(in, p, &b->dir);
}

HOT const uint8_t *get_spec(struct in *in, const uint8_t *p, struct wire_spec *s)
{
    *s = (struct wire_spec){.has = WIRE_HAS(spec, target)};
    if ((p = get_arity(in, p, 0x94)) == NULL || (p = get_u32(in, p, &s->target)) == NULL)
        return NULL;
    if (!take_nil(in, &p)) {
        s->has |= WIRE_HAS(spec, arg);
        if ((p = get_u8(in, p, &s->arg)) == NULL)
            return NULL;
    }
    if (!take_nil(in, &p)) {
        s->has |= WIRE_HAS(spec, buffer);
        if ((p = get_u32(in, p, &s->buffer)) == NULL)
            return NULL;
    }
    if (!take_nil(in, &p)) {
        s->has |= WIRE_HAS(spec, offset);
        p = get_u32(in, p, &s->offset);
    }
    return p;
}

HOT const uint8_t *get_head(struct in *in, const uint8_t *p, struct wire_envelope *e)
{
    uint32_t kind;
    const uint8_t *at = p + 1;
    if ((p = get_arity(in, p, 0x99)) == NULL || (p = get_u32(in, p, &kind)) == NULL)
        return NULL;
    if (kind > WIRE_GOODBYE)
        return fault(in, at, WIRE_E_RANGE);
    e->kind = (enum wire_kind)kind;
    if ((p = get_u32(in, p, &e->id)) == NULL || (p = get_u32(in, p, &e->code)) == NULL ||
        (p = get_u32(in, p, &e->worker)) == NULL)
        return NULL;
    return get_u32(in, p, &e->generation);
}

HOT const uint8_t *get_numbers(struct in *in, const uint8_t *p, struct wire_call_request *c)
{
    if ((p = get_word(in, p, &c->nr)) == NULL || (p = get_array(in, p, WIRE_ARGS_MAX, &c->args.count)) == NULL)
        return NULL;
    for (uint32_t i = 0; p != NULL && i < c->args.count; i++)
        p = get_word(in, p, &c->args.at[i]);
    return p;
}

static bool decode(const uint8_t *ptr, size_t len, struct codec_message *m)
{
    struct in in = {ptr, ptr + len, WIRE_OK, 0};
    struct wire_call_request *c = &m->call;
    codec_prepare(m);
    c->has = 15;
    const uint8_t *p = get_head(&in, ptr, &m->envelope);
    if (p == NULL || (p = get_numbers(&in, p, c)) == NULL)
        return false;
    p = get_array(&in, p, c->buffers.cap, &c->buffers.count);
    for (uint32_t i = 0; p != NULL && i < c->buffers.count; i++)
        p = get_buffer(&in, p, &c->buffers.items[i]);
    if (p == NULL || (p = get_array(&in, p, c->specs.cap, &c->specs.count)) == NULL)
        return false;
    for (uint32_t i = 0; p != NULL && i < c->specs.count; i++)
        p = get_spec(&in, p, &c->specs.items[i]);
    return p != NULL && p == in.end;
}

const struct codec codec_hand_array = {"arrays by hand", NULL, encode, decode};
