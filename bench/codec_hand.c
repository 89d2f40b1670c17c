/* SPDX-License-Identifier: MIT
 *
 * The floor: the request's bytes as libwire has them, written by hand for this one message.
 * It accepts what libwire accepts, and checks what libwire checks; only the encoder asks for
 * some bytes more room than it needs, and borrows nothing.
 */
#include "codec_hand.h"

enum { HEAD_MAX = 128, BUFFER_MAX = 26, SPEC_MAX = 42 }; /* bytes, at most, without any data */

HOT unsigned has(uint32_t set, unsigned number)
{
    return set >> number & 1;
}

/* ---- encode ---- */

HOT uint8_t *put_envelope(uint8_t *p, const struct wire_envelope *e)
{
    p[0] = 0x96;
    p[1] = (uint8_t)e->kind;
    p = put_u32(p + 2, e->id);
    p = put_u32(p, e->code);
    p = put_u32(p, e->worker);
    return put_u32(p, e->generation);
}

/* What no sample has: one question in front of all of it. */
#define BUFFER_RARE (WIRE_HAS(buffer, guard) | WIRE_HAS(buffer, align) | WIRE_HAS(buffer, low))
#define SPEC_RARE (WIRE_HAS(spec, plus) | WIRE_HAS(spec, width) | WIRE_HAS(spec, bad) | WIRE_HAS(spec, step))

COLD uint8_t *put_buffer_rare(uint8_t *p, const struct wire_buffer *b)
{
    if (has(b->has, WIRE_N_buffer_guard)) {
        *p++ = WIRE_N_buffer_guard;
        p = put_u8(p, b->guard);
    }
    if (has(b->has, WIRE_N_buffer_align)) {
        *p++ = WIRE_N_buffer_align;
        p = put_u32(p, b->align);
    }
    if (has(b->has, WIRE_N_buffer_low)) {
        *p++ = WIRE_N_buffer_low;
        p = put_u8(p, b->low);
    }
    return p;
}

HOT uint8_t *put_buffer(uint8_t *p, const struct wire_buffer *b)
{
    *p++ = (uint8_t)(0x82 + has(b->has, WIRE_N_buffer_data) + (unsigned)__builtin_popcount(b->has & BUFFER_RARE));
    *p++ = WIRE_N_buffer_len;
    p = put_u32(p, b->len);
    if (has(b->has, WIRE_N_buffer_data)) {
        *p++ = WIRE_N_buffer_data;
        p = put_bin(p, b->data);
    }
    *p++ = WIRE_N_buffer_dir;
    p = put_u8(p, b->dir);
    return b->has & BUFFER_RARE ? put_buffer_rare(p, b) : p;
}

COLD uint8_t *put_spec_rare(uint8_t *p, const struct wire_spec *s)
{
    if (has(s->has, WIRE_N_spec_plus)) {
        *p++ = WIRE_N_spec_plus;
        p = put_i64(p, s->plus);
    }
    if (has(s->has, WIRE_N_spec_width)) {
        *p++ = WIRE_N_spec_width;
        p = put_u8(p, s->width);
    }
    if (has(s->has, WIRE_N_spec_bad)) {
        *p++ = WIRE_N_spec_bad;
        p = put_u8(p, s->bad);
    }
    if (has(s->has, WIRE_N_spec_step)) {
        *p++ = WIRE_N_spec_step;
        p = put_u32(p, s->step);
    }
    return p;
}

HOT uint8_t *put_spec(uint8_t *p, const struct wire_spec *s)
{
    uint8_t *head = p++;
    unsigned count = 1;
    *p++ = WIRE_N_spec_target;
    p = put_u32(p, s->target);
    if (has(s->has, WIRE_N_spec_arg)) {
        *p++ = WIRE_N_spec_arg;
        p = put_u8(p, s->arg);
        count++;
    }
    if (has(s->has, WIRE_N_spec_buffer)) {
        *p++ = WIRE_N_spec_buffer;
        p = put_u32(p, s->buffer);
        count++;
    }
    if (has(s->has, WIRE_N_spec_offset)) {
        *p++ = WIRE_N_spec_offset;
        p = put_u32(p, s->offset);
        count++;
    }
    *head = (uint8_t)(0x80 | (count + (unsigned)__builtin_popcount(s->has & SPEC_RARE)));
    return s->has & SPEC_RARE ? put_spec_rare(p, s) : p;
}

HOT uint8_t *put_words(uint8_t *p, const struct wire_words *words)
{
    p = put_array(p, words->count);
    for (uint32_t i = 0; i < words->count; i++)
        p = put_i64(p, words->at[i]);
    return p;
}

/* These return NULL when there is no room. */
HOT uint8_t *put_buffers(uint8_t *p, const uint8_t *end, const struct wire_call_request *c)
{
    *p++ = WIRE_N_call_request_buffers;
    p = put_array(p, c->buffers.count);
    for (uint32_t i = 0; i < c->buffers.count; i++) {
        const struct wire_buffer *b = &c->buffers.items[i];
        size_t room = (size_t)(end - p);
        if (room < BUFFER_MAX || room - BUFFER_MAX < b->data.len || b->data.len > UINT32_MAX)
            return NULL;
        p = put_buffer(p, b);
    }
    return p;
}

HOT uint8_t *put_specs(uint8_t *p, const uint8_t *end, const struct wire_call_request *c)
{
    if ((size_t)(end - p) < 6 + (size_t)c->specs.count * SPEC_MAX)
        return NULL;
    *p++ = WIRE_N_call_request_specs;
    p = put_array(p, c->specs.count);
    for (uint32_t i = 0; i < c->specs.count; i++)
        p = put_spec(p, &c->specs.items[i]);
    return p;
}

static struct wire_bytes encode(const struct codec_message *m, uint8_t *buf, size_t cap)
{
    const struct wire_call_request *c = &m->call;
    const uint8_t *end = buf + cap;
    if (cap < HEAD_MAX || c->args.count > WIRE_ARGS_MAX)
        return (struct wire_bytes){buf, 0};
    uint8_t *p = put_envelope(buf + WIRE_FRAME_HEADER, &m->envelope);
    *p++ = (uint8_t)(0x81 + has(c->has, 1) + has(c->has, 2) + has(c->has, 3) + has(c->has, 4));
    *p++ = WIRE_N_call_request_nr;
    p = put_i64(p, c->nr);
    if (has(c->has, WIRE_N_call_request_args)) {
        *p++ = WIRE_N_call_request_args;
        p = put_words(p, &c->args);
    }
    if (has(c->has, WIRE_N_call_request_buffers))
        p = put_buffers(p, end, c);
    if (p != NULL && has(c->has, WIRE_N_call_request_specs))
        p = put_specs(p, end, c);
    if (p != NULL && has(c->has, WIRE_N_call_request_want) && end - p >= 3) {
        *p++ = WIRE_N_call_request_want;
        p = put_u8(p, c->want);
    } else if (has(c->has, WIRE_N_call_request_want)) {
        p = NULL;
    }
    if (p == NULL || p - buf > INT32_MAX)
        return (struct wire_bytes){buf, 0};
    uint32_t big = __builtin_bswap32((uint32_t)(p - buf) - WIRE_FRAME_HEADER);
    memcpy(buf, &big, sizeof big);
    return (struct wire_bytes){buf, (size_t)(p - buf)};
}

/* ---- decode: keys in ascending order, and what is not in that order by the slow way ---- */

/* Is this key the next?  Then it is taken. */
HOT bool next_is(const struct in *in, const uint8_t **p, uint32_t *left, uint8_t key)
{
    if (*left == 0 || *p == in->end || **p != key)
        return false;
    (*left)--;
    (*p)++;
    return true;
}

/* A key in whatever form: its number is in the set of those that there are. */
COLD const uint8_t *get_key(struct in *in, const uint8_t *p, uint32_t known, uint32_t *key)
{
    struct in probe = *in;
    const uint8_t *next = get_u32(&probe, p, key);
    if (next != NULL && *key < 32 && has(known, *key))
        return next;
    if (next != NULL || p == in->end)
        return next != NULL ? fault(in, p, WIRE_E_UNKNOWN) : fault(in, p, WIRE_E_SHORT);
    struct wire_reader r; /* a key of another type: passed over first, refused then */
    wire_reader_init(&r, p, (size_t)(in->end - p));
    r.depth = 4;
    wire_skip(&r);
    return r.status == WIRE_OK ? fault(in, p, WIRE_E_UNKNOWN) : fault(in, p + r.at, r.status);
}

HOT const uint8_t *buffer_field(struct in *in, const uint8_t *p, uint32_t key, struct wire_buffer *b)
{
    switch (key) {
    case WIRE_N_buffer_len:
        return get_u32(in, p, &b->len);
    case WIRE_N_buffer_data:
        return get_bin(in, p, &b->data);
    case WIRE_N_buffer_guard:
        return get_u8(in, p, &b->guard);
    case WIRE_N_buffer_align:
        return get_u32(in, p, &b->align);
    case WIRE_N_buffer_low:
        return get_u8(in, p, &b->low);
    default:
        return get_u8(in, p, &b->dir);
    }
}

COLD const uint8_t *buffer_slow(struct in *in, const uint8_t *p, struct wire_buffer *b, uint32_t left)
{
    for (uint32_t key; p != NULL && left > 0; left--) {
        if ((p = get_key(in, p, 0x3f, &key)) == NULL)
            return NULL;
        if (has(b->has, key))
            return fault(in, p, WIRE_E_DUPLICATE);
        b->has |= UINT32_C(1) << key;
        p = buffer_field(in, p, key, b);
    }
    return p;
}

HOT const uint8_t *get_buffer(struct in *in, const uint8_t *p, struct wire_buffer *b)
{
    const uint8_t *at = p;
    uint32_t left, set = 0;
    p = get_map(in, p, &left);
    if (p == NULL)
        return NULL;
    b->len = b->align = 0;
    b->dir = b->guard = b->low = 0;
    b->data = (struct wire_bytes){NULL, 0};
    if (next_is(in, &p, &left, WIRE_N_buffer_len)) {
        set |= WIRE_HAS(buffer, len);
        if ((p = get_u32(in, p, &b->len)) == NULL)
            return NULL;
    }
    if (next_is(in, &p, &left, WIRE_N_buffer_data)) {
        set |= WIRE_HAS(buffer, data);
        if ((p = get_bin(in, p, &b->data)) == NULL)
            return NULL;
    }
    if (next_is(in, &p, &left, WIRE_N_buffer_dir)) {
        set |= WIRE_HAS(buffer, dir);
        if ((p = get_u8(in, p, &b->dir)) == NULL)
            return NULL;
    }
    b->has = set;
    if (left > 0 && (p = buffer_slow(in, p, b, left)) == NULL)
        return NULL;
    return has(b->has, 0) && has(b->has, 2) ? p : fault(in, at, WIRE_E_MISSING);
}

HOT const uint8_t *spec_field(struct in *in, const uint8_t *p, uint32_t key, struct wire_spec *s)
{
    switch (key) {
    case WIRE_N_spec_target:
        return get_u32(in, p, &s->target);
    case WIRE_N_spec_arg:
        return get_u8(in, p, &s->arg);
    case WIRE_N_spec_buffer:
        return get_u32(in, p, &s->buffer);
    case WIRE_N_spec_offset:
        return get_u32(in, p, &s->offset);
    case WIRE_N_spec_plus:
        return get_word(in, p, &s->plus);
    case WIRE_N_spec_width:
        return get_u8(in, p, &s->width);
    case WIRE_N_spec_bad:
        return get_u8(in, p, &s->bad);
    default:
        return get_u32(in, p, &s->step);
    }
}

COLD const uint8_t *spec_slow(struct in *in, const uint8_t *p, struct wire_spec *s, uint32_t left)
{
    for (uint32_t key; p != NULL && left > 0; left--) {
        if ((p = get_key(in, p, 0x107f, &key)) == NULL)
            return NULL;
        if (has(s->has, key))
            return fault(in, p, WIRE_E_DUPLICATE);
        s->has |= UINT32_C(1) << key;
        p = spec_field(in, p, key, s);
    }
    return p;
}

HOT const uint8_t *get_spec(struct in *in, const uint8_t *p, struct wire_spec *s)
{
    const uint8_t *at = p;
    uint32_t left, set = 0;
    p = get_map(in, p, &left);
    if (p == NULL)
        return NULL;
    s->target = s->buffer = s->offset = s->step = 0;
    s->arg = s->width = s->bad = 0;
    s->plus = 0;
    if (next_is(in, &p, &left, WIRE_N_spec_target)) {
        set |= WIRE_HAS(spec, target);
        if ((p = get_u32(in, p, &s->target)) == NULL)
            return NULL;
    }
    if (next_is(in, &p, &left, WIRE_N_spec_arg)) {
        set |= WIRE_HAS(spec, arg);
        if ((p = get_u8(in, p, &s->arg)) == NULL)
            return NULL;
    }
    if (next_is(in, &p, &left, WIRE_N_spec_buffer)) {
        set |= WIRE_HAS(spec, buffer);
        if ((p = get_u32(in, p, &s->buffer)) == NULL)
            return NULL;
    }
    if (next_is(in, &p, &left, WIRE_N_spec_offset)) {
        set |= WIRE_HAS(spec, offset);
        if ((p = get_u32(in, p, &s->offset)) == NULL)
            return NULL;
    }
    s->has = set;
    if (left > 0 && (p = spec_slow(in, p, s, left)) == NULL)
        return NULL;
    return has(s->has, 0) ? p : fault(in, at, WIRE_E_MISSING);
}

HOT const uint8_t *get_words(struct in *in, const uint8_t *p, struct wire_words *words)
{
    const uint8_t *at = p;
    p = get_array(in, p, UINT32_MAX, &words->count);
    if (p != NULL && words->count > WIRE_ARGS_MAX)
        return fault(in, at, WIRE_E_RANGE);
    for (uint32_t i = 0; p != NULL && i < words->count; i++)
        p = get_word(in, p, &words->at[i]);
    return p;
}

HOT const uint8_t *get_buffers(struct in *in, const uint8_t *p, struct wire_call_request *c)
{
    p = get_array(in, p, c->buffers.cap, &c->buffers.count);
    for (uint32_t i = 0; p != NULL && i < c->buffers.count; i++)
        p = get_buffer(in, p, &c->buffers.items[i]);
    return p;
}

HOT const uint8_t *get_specs(struct in *in, const uint8_t *p, struct wire_call_request *c)
{
    p = get_array(in, p, c->specs.cap, &c->specs.count);
    for (uint32_t i = 0; p != NULL && i < c->specs.count; i++)
        p = get_spec(in, p, &c->specs.items[i]);
    return p;
}

COLD const uint8_t *call_field(struct in *in, const uint8_t *p, uint32_t key, struct wire_call_request *c)
{
    switch (key) {
    case WIRE_N_call_request_nr:
        return get_word(in, p, &c->nr);
    case WIRE_N_call_request_args:
        return get_words(in, p, &c->args);
    case WIRE_N_call_request_buffers:
        return get_buffers(in, p, c);
    case WIRE_N_call_request_specs:
        return get_specs(in, p, c);
    default:
        return get_u8(in, p, &c->want);
    }
}

COLD const uint8_t *call_slow(struct in *in, const uint8_t *p, struct wire_call_request *c, uint32_t left)
{
    for (uint32_t key; p != NULL && left > 0; left--) {
        if ((p = get_key(in, p, 0x1f, &key)) == NULL)
            return NULL;
        if (has(c->has, key))
            return fault(in, p, WIRE_E_DUPLICATE);
        c->has |= UINT32_C(1) << key;
        p = call_field(in, p, key, c);
    }
    return p;
}

/* The fields in order: what of them came is in *set. */
HOT const uint8_t *call_in_order(struct in *in, const uint8_t *p, struct wire_call_request *c, uint32_t *left)
{
    c->has = 0;
    c->nr = 0;
    c->want = 0;
    c->args.count = c->buffers.count = c->specs.count = 0;
    if (next_is(in, &p, left, WIRE_N_call_request_nr)) {
        c->has |= WIRE_HAS(call_request, nr);
        if ((p = get_word(in, p, &c->nr)) == NULL)
            return NULL;
    }
    if (next_is(in, &p, left, WIRE_N_call_request_args)) {
        c->has |= WIRE_HAS(call_request, args);
        if ((p = get_words(in, p, &c->args)) == NULL)
            return NULL;
    }
    if (next_is(in, &p, left, WIRE_N_call_request_buffers)) {
        c->has |= WIRE_HAS(call_request, buffers);
        if ((p = get_buffers(in, p, c)) == NULL)
            return NULL;
    }
    if (next_is(in, &p, left, WIRE_N_call_request_specs)) {
        c->has |= WIRE_HAS(call_request, specs);
        if ((p = get_specs(in, p, c)) == NULL)
            return NULL;
    }
    return p;
}

HOT const uint8_t *get_call(struct in *in, const uint8_t *p, struct wire_call_request *c)
{
    const uint8_t *at = p;
    uint32_t left;
    p = get_map(in, p, &left);
    if (p != NULL)
        p = call_in_order(in, p, c, &left);
    if (p != NULL && left > 0)
        p = call_slow(in, p, c, left);
    if (p != NULL && !has(c->has, WIRE_N_call_request_nr))
        return fault(in, at, WIRE_E_MISSING);
    return p != NULL && p != in->end ? fault(in, p, WIRE_E_TRAILING) : p;
}

HOT const uint8_t *get_envelope(struct in *in, const uint8_t *p, struct wire_envelope *e)
{
    uint32_t count, kind;
    const uint8_t *at;
    if ((p = get_array(in, p, UINT32_MAX, &count)) == NULL)
        return NULL;
    at = p;
    if (count != 6)
        return fault(in, in->start, WIRE_E_COUNT);
    if ((p = get_u32(in, p, &kind)) == NULL || (p = get_u32(in, p, &e->id)) == NULL)
        return NULL;
    if (kind > WIRE_GOODBYE)
        return fault(in, at, WIRE_E_RANGE);
    e->kind = (enum wire_kind)kind;
    if ((p = get_u32(in, p, &e->code)) == NULL || (p = get_u32(in, p, &e->worker)) == NULL)
        return NULL;
    return get_u32(in, p, &e->generation);
}

static bool decode(const uint8_t *ptr, size_t len, struct codec_message *m)
{
    struct in in = {ptr, ptr + len, WIRE_OK, 0};
    codec_prepare(m);
    const uint8_t *p = get_envelope(&in, ptr, &m->envelope);
    if (p == NULL)
        return false;
    m->envelope.body = (struct wire_bytes){p, (size_t)(in.end - p)};
    return get_call(&in, p, &m->call) != NULL;
}

const struct codec codec_hand = {"by hand", NULL, encode, decode};
