/* SPDX-License-Identifier: MIT
 *
 * msgpack in: sticky status with the offset of the fault, every length checked
 * against the bytes that remain; what the table's cursor leaves to it; the envelope.
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
    r->nest.depth = 0;
}

enum wire_status wire_reader_end(struct wire_reader *r)
{
    if (r->status == WIRE_OK && r->p != r->end)
        wire_fail_get(r, WIRE_E_TRAILING, r->p);
    wire_nest_settle(&r->nest);
    if (r->nest.depth > 0)
        wire_fail_get(r, WIRE_E_OPEN, r->p);
    return r->status;
}

/* ---- heads: the first byte and the length, count or number behind it ---- */

uint64_t wire_take_tagged(struct wire_reader *r, unsigned len)
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

uint8_t wire_first(struct wire_reader *r)
{
    if (r->p < r->end)
        return *r->p;
    wire_fail_get(r, WIRE_E_SHORT, r->p);
    return 0xc1;
}

void wire_mismatch(struct wire_reader *r, uint8_t first)
{
    wire_fail_get(r, first == 0xc1 ? WIRE_E_RESERVED : WIRE_E_TYPE, r->p);
}

/* ---- integers ---- */

/* A key: its number, or 255. */
uint32_t wire_take_key(struct wire_reader *r)
{
    if (r->p < r->end && *r->p < 32)
        return *r->p++;
    bool negative, integer = wire_peek(r) == WIRE_TYPE_int;
    if (!integer) {
        wire_take_any(r);
        return 255;
    }
    uint64_t number = wire_take_integer(r, &negative);
    return !negative && number < 32 ? (uint32_t)number : 255;
}

uint64_t wire_take_integer(struct wire_reader *r, bool *negative)
{
    uint8_t first = wire_first(r);
    *negative = false;
    if (first <= 0x7f)
        return *r->p++;
    if (first >= 0xe0) {
        *negative = true;
        return (uint64_t)(int64_t)(int8_t)*r->p++;
    }
    if (first < 0xcc || first > 0xd3) {
        wire_mismatch(r, first);
        return 0;
    }
    unsigned len = 1u << ((first - 0xcc) & 3);
    uint64_t value = wire_take_tagged(r, len);
    if (first >= 0xd0 && value >> (8 * len - 1) != 0) {
        *negative = true;
        if (len < 8)
            value |= UINT64_MAX << (8 * len);
    }
    return value;
}

uint64_t wire_take_uint(struct wire_reader *r, uint64_t max)
{
    const uint8_t *at = r->p;
    bool negative;
    uint64_t value = wire_take_integer(r, &negative);
    if (r->status == WIRE_OK && !negative && value <= max)
        return value;
    wire_fail_get(r, WIRE_E_RANGE, at);
    return 0;
}

void wire_take_u8(struct wire_reader *r, uint8_t *value)
{
    *value = (uint8_t)wire_take_uint(r, UINT8_MAX);
}

void wire_take_u32(struct wire_reader *r, uint32_t *value)
{
    *value = (uint32_t)wire_take_uint(r, UINT32_MAX);
}

void wire_take_i64(struct wire_reader *r, int64_t *value)
{
    const uint8_t *at = r->p;
    bool negative;
    uint64_t bits = wire_take_integer(r, &negative);
    if (!negative && bits > INT64_MAX) {
        wire_fail_get(r, WIRE_E_RANGE, at);
        bits = 0;
    }
    *value = (int64_t)bits;
}

void wire_take_u64(struct wire_reader *r, uint64_t *value)
{
    *value = wire_take_uint(r, UINT64_MAX);
}

void wire_take_bool(struct wire_reader *r, bool *value)
{
    uint8_t first = wire_first(r);
    *value = first == 0xc3;
    if (first == 0xc2 || first == 0xc3)
        r->p++;
    else
        wire_mismatch(r, first);
}

void wire_take_f64(struct wire_reader *r, double *value)
{
    uint8_t first = wire_first(r);
    float narrow;
    *value = 0;
    if (first != 0xca && first != 0xcb) {
        wire_mismatch(r, first);
        return;
    }
    uint64_t bits = wire_take_tagged(r, first == 0xcb ? 8 : 4);
    uint32_t low = (uint32_t)bits;
    memcpy(&narrow, &low, sizeof narrow);
    memcpy(value, &bits, sizeof *value);
    *value = first == 0xcb ? *value : (double)narrow;
}

void wire_take_word(struct wire_reader *r, int64_t *value)
{
    bool negative;
    *value = (int64_t)wire_take_integer(r, &negative);
}

/* ---- containers ---- */

/* The values that follow a head which must be one of two kinds of container. */
static uint32_t get_container(struct wire_reader *r, uint8_t fix, uint8_t long_form)
{
    const uint8_t *at = r->p;
    uint8_t first = wire_first(r);
    uint64_t count;
    if ((first & 0xf0) == fix)
        count = *r->p++ & 15u;
    else if (first == long_form || first == long_form + 1)
        count = wire_take_tagged(r, 2u << (first - long_form));
    else
        return wire_mismatch(r, first), 0;
    if (count * (fix == 0x80 ? 2 : 1) <= (uint64_t)(r->end - r->p))
        return (uint32_t)count;
    wire_fail_get(r, WIRE_E_SHORT, at);
    return 0;
}

uint32_t wire_take_map(struct wire_reader *r)
{
    return get_container(r, 0x80, 0xde);
}

uint32_t wire_take_array(struct wire_reader *r)
{
    return get_container(r, 0x90, 0xdc);
}

uint32_t wire_take_count(struct wire_reader *r, uint32_t cap)
{
    const uint8_t *at = r->p;
    uint32_t count = wire_take_array(r);
    if (count <= cap)
        return count;
    wire_fail_get(r, WIRE_E_COUNT, at);
    return 0;
}

/* ---- bytes ---- */

struct wire_bytes wire_take_bytes(struct wire_reader *r, uint64_t len, const uint8_t *at)
{
    struct wire_bytes value = {r->p, (size_t)len};
    if (r->status == WIRE_OK && len <= (uint64_t)(r->end - r->p)) {
        r->p += len;
        return value;
    }
    wire_fail_get(r, WIRE_E_SHORT, at);
    return (struct wire_bytes){NULL, 0};
}

void wire_take_bin(struct wire_reader *r, struct wire_bytes *value)
{
    const uint8_t *at = r->p;
    uint8_t first = wire_first(r);
    if (first >= 0xc4 && first <= 0xc6) {
        *value = wire_take_bytes(r, wire_take_tagged(r, 1u << (first - 0xc4)), at);
        return;
    }
    *value = (struct wire_bytes){NULL, 0};
    wire_mismatch(r, first);
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

bool wire_utf8_valid(const uint8_t *p, const uint8_t *end)
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

bool wire_is_utf8(struct wire_bytes text)
{
    return text.len == 0 || wire_utf8_valid(text.ptr, text.ptr + text.len);
}

void wire_take_str(struct wire_reader *r, struct wire_bytes *value)
{
    const uint8_t *at = r->p;
    uint8_t first = wire_first(r);
    *value = (struct wire_bytes){NULL, 0};
    if ((first & 0xe0) == 0xa0)
        r->p++, *value = wire_take_bytes(r, first & 31u, at);
    else if (first >= 0xd9 && first <= 0xdb)
        *value = wire_take_bytes(r, wire_take_tagged(r, 1u << (first - 0xd9)), at);
    else
        wire_mismatch(r, first);
    if (!wire_is_utf8(*value))
        wire_fail_get(r, WIRE_E_UTF8, at);
}

void wire_take_words(struct wire_reader *r, struct wire_words *value)
{
    const uint8_t *at = r->p;
    value->count = wire_take_array(r);
    if (value->count > WIRE_ARGS_MAX) {
        value->count = 0;
        wire_fail_get(r, WIRE_E_RANGE, at);
    }
    for (uint32_t i = 0; i < value->count; i++)
        wire_take_word(r, &value->at[i]);
}

void wire_take_i64s(struct wire_reader *r, struct wire_integers *value)
{
    value->count = wire_take_count(r, value->cap);
    for (uint32_t i = 0; i < value->count; i++)
        wire_take_i64(r, &value->items[i]);
}

void wire_take_bins(struct wire_reader *r, struct wire_list *value)
{
    value->count = wire_take_count(r, value->cap);
    for (uint32_t i = 0; i < value->count; i++)
        wire_take_bin(r, &value->items[i]);
}

void wire_take_strs(struct wire_reader *r, struct wire_list *value)
{
    value->count = wire_take_count(r, value->cap);
    for (uint32_t i = 0; i < value->count; i++)
        wire_take_str(r, &value->items[i]);
}

/* Those beyond the room for them are checked and left out (SPEC [HELLO-9]). */
void wire_take_names(struct wire_reader *r, struct wire_list *value)
{
    struct wire_bytes rest;
    uint32_t count = wire_take_array(r);
    value->count = count < value->cap ? count : value->cap;
    for (uint32_t i = 0; i < count && r->status == WIRE_OK; i++)
        wire_take_str(r, i < value->count ? &value->items[i] : &rest);
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
