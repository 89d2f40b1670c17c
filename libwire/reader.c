/* SPDX-License-Identifier: MIT
 *
 * msgpack in: sticky status with the offset of the fault, every length checked
 * against the bytes that remain.  Knows nothing of messages except the envelope.
 */
#include "wire_impl.h"

void wire_fail_get(struct wire_reader *r, enum wire_status status, const uint8_t *p)
{
    if (r->status == WIRE_OK) {
        r->status = status;
        r->at = (size_t)(p - r->start);
    }
    r->p = r->end; /* whatever is asked for next finds nothing */
}

void wire_reader_init(struct wire_reader *r, const void *ptr, size_t len)
{
    r->start = r->p = ptr;
    r->end = len > 0 ? r->start + len : r->start; /* NULL may be the start of nothing */
    r->status = WIRE_OK;
    r->at = 0;
    r->depth = 0;
}

enum wire_status wire_reader_end(struct wire_reader *r)
{
    if (r->status == WIRE_OK && r->p != r->end)
        wire_fail_get(r, WIRE_E_TRAILING, r->p);
    return r->status;
}

/* ---- heads: the first byte and the length, count or number behind it ---- */

/* Take 1 + len bytes, len being 1, 2, 4 or 8; returns the number in the last len of them. */
WIRE_HOT uint64_t take_tagged(struct wire_reader *r, unsigned len)
{
    const uint8_t *p = r->p + 1;
    size_t room = (size_t)(r->end - r->p);
    uint64_t value = 0;
    if (room < len + 1u) {
        wire_fail_get(r, WIRE_E_SHORT, r->p);
        return 0;
    }
    r->p += len + 1;
    if (room > 8)
        return wire_load64(p) >> (64 - 8 * len);
    while (len-- > 0)
        value = value << 8 | *p++;
    return value;
}

/* The first byte of the next value; 0xc1, which is none, when there is no byte. */
WIRE_HOT uint8_t peek(struct wire_reader *r)
{
    if (r->p < r->end)
        return *r->p;
    wire_fail_get(r, WIRE_E_SHORT, r->p);
    return 0xc1;
}

/* Not of the type that is asked for. */
static void mismatch(struct wire_reader *r, uint8_t first)
{
    wire_fail_get(r, first == 0xc1 ? WIRE_E_RESERVED : WIRE_E_TYPE, r->p);
}

bool wire_get_head(struct wire_reader *r, struct wire_head *head)
{
    static const uint8_t ext_len[] = {2, 3, 5, 9, 17};
    uint8_t first = peek(r);
    *head = (struct wire_head){0, 0};
    if (first <= 0x7f || first >= 0xe0 || first == 0xc0 || first == 0xc2 || first == 0xc3)
        r->p++;
    else if (first <= 0x8f)
        head->values = 2u * (*r->p++ & 15u);
    else if (first <= 0x9f)
        head->values = *r->p++ & 15u;
    else if (first <= 0xbf)
        head->bytes = *r->p++ & 31u;
    else if (first >= 0xc4 && first <= 0xc6)
        head->bytes = take_tagged(r, 1u << (first - 0xc4));
    else if (first >= 0xc7 && first <= 0xc9)
        head->bytes = take_tagged(r, 1u << (first - 0xc7)) + 1;
    else if (first == 0xca || first == 0xcb)
        take_tagged(r, 4u << (first - 0xca));
    else if (first >= 0xcc && first <= 0xd3)
        take_tagged(r, 1u << ((first - 0xcc) & 3));
    else if (first >= 0xd4 && first <= 0xd8)
        head->bytes = ext_len[first - 0xd4], r->p++;
    else if (first >= 0xd9 && first <= 0xdb)
        head->bytes = take_tagged(r, 1u << (first - 0xd9));
    else if (first == 0xdc || first == 0xdd)
        head->values = take_tagged(r, 2u << (first - 0xdc));
    else if (first == 0xde || first == 0xdf)
        head->values = 2 * take_tagged(r, 2u << (first - 0xde));
    else
        mismatch(r, first);
    return r->status == WIRE_OK;
}

/* An explicit stack of what is still open: 16 levels, however hostile the bytes. */
void wire_skip(struct wire_reader *r)
{
    uint64_t left[WIRE_DEPTH_MAX + 1];
    unsigned depth = 0;
    struct wire_head head;
    left[0] = 1;
    for (;;) {
        while (left[depth] == 0) {
            if (depth-- == 0)
                return;
        }
        left[depth]--;
        const uint8_t *at = r->p;
        if (!wire_get_head(r, &head))
            return;
        uint64_t room = (uint64_t)(r->end - r->p);
        if (head.bytes > room || head.values > room) {
            wire_fail_get(r, WIRE_E_SHORT, at);
            return;
        }
        r->p += head.bytes;
        bool container = (*at >= 0x80 && *at <= 0x9f) || (*at >= 0xdc && *at <= 0xdf);
        if (!container)
            continue;
        if (r->depth + depth >= WIRE_DEPTH_MAX) {
            wire_fail_get(r, WIRE_E_DEPTH, at);
            return;
        }
        left[++depth] = head.values;
    }
}

/* ---- integers ---- */

uint64_t wire_get_integer(struct wire_reader *r, bool *negative)
{
    uint8_t first = peek(r);
    *negative = false;
    if (first <= 0x7f)
        return *r->p++;
    if (first >= 0xe0) {
        *negative = true;
        return (uint64_t)(int64_t)(int8_t)*r->p++;
    }
    if (first < 0xcc || first > 0xd3) {
        mismatch(r, first);
        return 0;
    }
    unsigned len = 1u << ((first - 0xcc) & 3);
    uint64_t value = take_tagged(r, len);
    if (first >= 0xd0 && value >> (8 * len - 1) != 0) {
        *negative = true;
        if (len < 8)
            value |= UINT64_MAX << (8 * len);
    }
    return value;
}

uint64_t wire_get_uint(struct wire_reader *r, uint64_t max)
{
    const uint8_t *at = r->p;
    bool negative;
    uint64_t value = wire_get_integer(r, &negative);
    if (r->status == WIRE_OK && !negative && value <= max)
        return value;
    wire_fail_get(r, WIRE_E_RANGE, at);
    return 0;
}

void wire_get_u8(struct wire_reader *r, uint8_t *value)
{
    *value = (uint8_t)wire_get_uint(r, UINT8_MAX);
}

void wire_get_u32(struct wire_reader *r, uint32_t *value)
{
    *value = (uint32_t)wire_get_uint(r, UINT32_MAX);
}

void wire_get_i64(struct wire_reader *r, int64_t *value)
{
    const uint8_t *at = r->p;
    bool negative;
    uint64_t bits = wire_get_integer(r, &negative);
    if (!negative && bits > INT64_MAX) {
        wire_fail_get(r, WIRE_E_RANGE, at);
        bits = 0;
    }
    *value = (int64_t)bits;
}

void wire_get_word(struct wire_reader *r, int64_t *value)
{
    bool negative;
    *value = (int64_t)wire_get_integer(r, &negative);
}

/* ---- containers ---- */

/* The values that follow a head which must be one of two kinds of container. */
static uint32_t get_container(struct wire_reader *r, uint8_t fix, uint8_t long_form)
{
    const uint8_t *at = r->p;
    uint8_t first = peek(r);
    uint64_t count;
    if ((first & 0xf0) == fix)
        count = *r->p++ & 15u;
    else if (first == long_form || first == long_form + 1)
        count = take_tagged(r, 2u << (first - long_form));
    else
        return mismatch(r, first), 0;
    if (count * (fix == 0x80 ? 2 : 1) <= (uint64_t)(r->end - r->p))
        return (uint32_t)count;
    wire_fail_get(r, WIRE_E_SHORT, at);
    return 0;
}

uint32_t wire_get_map(struct wire_reader *r)
{
    return get_container(r, 0x80, 0xde);
}

uint32_t wire_get_array(struct wire_reader *r)
{
    return get_container(r, 0x90, 0xdc);
}

uint32_t wire_get_count(struct wire_reader *r, uint32_t cap)
{
    const uint8_t *at = r->p;
    uint32_t count = wire_get_array(r);
    if (count <= cap)
        return count;
    wire_fail_get(r, WIRE_E_COUNT, at);
    return 0;
}

/* ---- bytes ---- */

/* `len` bytes behind a head that began at `at`. */
WIRE_HOT struct wire_bytes take_bytes(struct wire_reader *r, uint64_t len, const uint8_t *at)
{
    struct wire_bytes value = {r->p, (size_t)len};
    if (r->status == WIRE_OK && len <= (uint64_t)(r->end - r->p)) {
        r->p += len;
        return value;
    }
    wire_fail_get(r, WIRE_E_SHORT, at);
    return (struct wire_bytes){NULL, 0};
}

void wire_get_bin(struct wire_reader *r, struct wire_bytes *value)
{
    const uint8_t *at = r->p;
    uint8_t first = peek(r);
    if (first >= 0xc4 && first <= 0xc6) {
        *value = take_bytes(r, take_tagged(r, 1u << (first - 0xc4)), at);
        return;
    }
    *value = (struct wire_bytes){NULL, 0};
    mismatch(r, first);
}

/* Bytes behind the first one of a UTF-8 sequence, or -1; *low is the smallest code point
 * that may be written with that many (RFC 3629). */
static int utf8_tail(uint8_t first, uint32_t *low)
{
    static const uint32_t lows[] = {0, 0x80, 0x800, 0x10000};
    int tail = first < 0x80             ? 0
               : (first & 0xe0) == 0xc0 ? 1
               : (first & 0xf0) == 0xe0 ? 2
               : (first & 0xf8) == 0xf0 ? 3
                                        : -1;
    *low = tail < 0 ? 0 : lows[tail];
    return tail;
}

static bool utf8_valid(const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        uint32_t low;
        int tail = utf8_tail(*p, &low);
        if (tail < 0 || end - p <= tail)
            return false;
        uint32_t code = tail == 0 ? *p : *p & (0x3fu >> tail);
        for (p++; tail > 0; tail--, p++) {
            if ((*p & 0xc0) != 0x80)
                return false;
            code = code << 6 | (*p & 0x3fu);
        }
        if (code < low || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return false;
    }
    return true;
}

void wire_get_str(struct wire_reader *r, struct wire_bytes *value)
{
    const uint8_t *at = r->p;
    uint8_t first = peek(r);
    *value = (struct wire_bytes){NULL, 0};
    if ((first & 0xe0) == 0xa0)
        r->p++, *value = take_bytes(r, first & 31u, at);
    else if (first >= 0xd9 && first <= 0xdb)
        *value = take_bytes(r, take_tagged(r, 1u << (first - 0xd9)), at);
    else
        mismatch(r, first);
    if (value->len > 0 && !utf8_valid(value->ptr, value->ptr + value->len))
        wire_fail_get(r, WIRE_E_UTF8, at);
}

void wire_get_words(struct wire_reader *r, struct wire_words *value)
{
    const uint8_t *at = r->p;
    value->count = wire_get_array(r);
    if (value->count > WIRE_ARGS_MAX) {
        value->count = 0;
        wire_fail_get(r, WIRE_E_RANGE, at);
    }
    for (uint32_t i = 0; i < value->count; i++)
        wire_get_word(r, &value->at[i]);
}

void wire_get_bins(struct wire_reader *r, struct wire_list *value)
{
    value->count = wire_get_count(r, value->cap);
    for (uint32_t i = 0; i < value->count; i++)
        wire_get_bin(r, &value->items[i]);
}

void wire_get_strs(struct wire_reader *r, struct wire_list *value)
{
    value->count = wire_get_count(r, value->cap);
    for (uint32_t i = 0; i < value->count; i++)
        wire_get_str(r, &value->items[i]);
}

/* ---- the envelope ---- */

enum wire_status wire_get_envelope(const void *ptr, size_t len, struct wire_envelope *e, size_t *at)
{
    struct wire_reader r;
    wire_reader_init(&r, ptr, len);
    struct wire_in in = wire_in_open(&r);
    uint32_t count = wire_in_count(&in, UINT32_MAX), kind;
    const uint8_t *kind_at = in.p;
    wire_in_u32(&in, &kind);
    e->id = 0;
    if (count >= 2)
        wire_in_u32(&in, &e->id);
    if (r.status == WIRE_OK && (count != 6 || kind > WIRE_GOODBYE)) {
        wire_fail_get(&r, count != 6 ? WIRE_E_COUNT : WIRE_E_RANGE, count != 6 ? r.start : kind_at);
        wire_in_return(&in);
    }
    e->kind = (enum wire_kind)kind;
    wire_in_u32(&in, &e->code);
    wire_in_u32(&in, &e->worker);
    wire_in_u32(&in, &e->generation);
    e->body = (struct wire_bytes){in.p, wire_in_room(&in)};
    wire_in_map(&in);
    *at = r.at;
    return r.status;
}
