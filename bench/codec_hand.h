/* SPDX-License-Identifier: MIT
 *
 * What the codecs written by hand share: cursors, integers in their shortest form out,
 * in any form in, and bytes.
 */
#ifndef CODEC_HAND_H
#define CODEC_HAND_H

#include <string.h>

#include "codec.h"

#define HOT static inline __attribute__((always_inline))
#define COLD static __attribute__((noinline, cold, unused))
#define OFTEN(condition) __builtin_expect((condition), 1)

/* ---- out: whoever calls has made sure that there is room ---- */

HOT uint8_t *put16(uint8_t *p, uint8_t first, uint16_t value)
{
    uint16_t big = __builtin_bswap16(value);
    p[0] = first;
    memcpy(p + 1, &big, sizeof big);
    return p + 3;
}

HOT uint8_t *put32(uint8_t *p, uint8_t first, uint32_t value)
{
    uint32_t big = __builtin_bswap32(value);
    p[0] = first;
    memcpy(p + 1, &big, sizeof big);
    return p + 5;
}

HOT uint8_t *put64(uint8_t *p, uint8_t first, uint64_t value)
{
    uint64_t big = __builtin_bswap64(value);
    p[0] = first;
    memcpy(p + 1, &big, sizeof big);
    return p + 9;
}

HOT uint8_t *put_u8(uint8_t *p, uint8_t value)
{
    if (!OFTEN(value <= 127))
        *p++ = 0xcc;
    *p++ = value;
    return p;
}

HOT uint8_t *put_u32(uint8_t *p, uint32_t value)
{
    if (OFTEN(value <= UINT8_MAX))
        return put_u8(p, (uint8_t)value);
    if (value <= UINT16_MAX)
        return put16(p, 0xcd, (uint16_t)value);
    return put32(p, 0xce, value);
}

HOT uint8_t *put_negative(uint8_t *p, int64_t value)
{
    if (value >= -32) {
        *p++ = (uint8_t)value;
        return p;
    }
    if (value >= INT8_MIN) {
        *p++ = 0xd0;
        *p++ = (uint8_t)value;
        return p;
    }
    if (value >= INT16_MIN)
        return put16(p, 0xd1, (uint16_t)value);
    if (value >= INT32_MIN)
        return put32(p, 0xd2, (uint32_t)value);
    return put64(p, 0xd3, (uint64_t)value);
}

HOT uint8_t *put_i64(uint8_t *p, int64_t value)
{
    if (value < 0)
        return put_negative(p, value);
    if (value <= UINT32_MAX)
        return put_u32(p, (uint32_t)value);
    return put64(p, 0xcf, (uint64_t)value);
}

HOT uint8_t *put_array(uint8_t *p, uint32_t count)
{
    if (count > 15)
        return count > UINT16_MAX ? put32(p, 0xdd, count) : put16(p, 0xdc, (uint16_t)count);
    *p++ = (uint8_t)(0x90 | count);
    return p;
}

HOT uint8_t *put_bin(uint8_t *p, struct wire_bytes value)
{
    if (value.len <= UINT8_MAX) {
        *p++ = 0xc4;
        *p++ = (uint8_t)value.len;
    } else {
        p = value.len <= UINT16_MAX ? put16(p, 0xc5, (uint16_t)value.len) : put32(p, 0xc6, (uint32_t)value.len);
    }
    if (value.len > 0)
        memcpy(p, value.ptr, value.len);
    return p + value.len;
}

/* ---- in: a function returns where it stopped, or NULL after it has noted the fault ---- */

struct in {
    const uint8_t *start, *end;
    enum wire_status status;
    size_t at;
};

COLD const uint8_t *fault(struct in *in, const uint8_t *at, enum wire_status status)
{
    in->status = status;
    in->at = (size_t)(at - in->start);
    return NULL;
}

/* What is wrong at p where a value of another type should stand. */
COLD const uint8_t *not_this(struct in *in, const uint8_t *p)
{
    return fault(in, p, p == in->end ? WIRE_E_SHORT : *p == 0xc1 ? WIRE_E_RESERVED : WIRE_E_TYPE);
}

HOT uint64_t get16(const uint8_t *p)
{
    uint16_t big;
    memcpy(&big, p, sizeof big);
    return __builtin_bswap16(big);
}

HOT uint64_t get32(const uint8_t *p)
{
    uint32_t big;
    memcpy(&big, p, sizeof big);
    return __builtin_bswap32(big);
}

HOT uint64_t get64(const uint8_t *p)
{
    uint64_t big;
    memcpy(&big, p, sizeof big);
    return __builtin_bswap64(big);
}

/* The `len` bytes behind p, most significant first. */
COLD uint64_t get_tail(const uint8_t *p, unsigned len)
{
    switch (len) {
    case 1:
        return p[1];
    case 2:
        return get16(p + 1);
    case 4:
        return get32(p + 1);
    default:
        return get64(p + 1);
    }
}

/* An integer that is more than one byte or none at all; its bits, and whether they are below 0. */
HOT const uint8_t *get_long(struct in *in, const uint8_t *p, uint64_t *bits, bool *below)
{
    if (p == in->end || *p < 0xcc || *p > 0xd3)
        return not_this(in, p);
    unsigned len = 1u << (*p & 3), unused = 64 - 8 * len;
    size_t room = (size_t)(in->end - p);
    if (room <= len)
        return fault(in, p, WIRE_E_SHORT);
    uint64_t high = OFTEN(room >= 9) ? get64(p + 1) : get_tail(p, len) << unused; /* the number, in the upper bytes */
    *bits = *p >= 0xd0 ? (uint64_t)((int64_t)high >> unused) : high >> unused;
    *below = *p >= 0xd0 && *bits >> 63 != 0;
    return p + len + 1;
}

HOT const uint8_t *get_word(struct in *in, const uint8_t *p, int64_t *value)
{
    uint64_t bits = 0;
    bool below;
    if (p < in->end && (int8_t)*p >= -32) {
        *value = (int8_t)*p;
        return p + 1;
    }
    p = get_long(in, p, &bits, &below);
    *value = (int64_t)bits;
    return p;
}

/* In one call, so that the many places where a small number stands stay small. */
static __attribute__((noinline, unused)) const uint8_t *get_long_uint(struct in *in, const uint8_t *p, uint64_t max,
                                                                      uint32_t *value)
{
    uint64_t bits = 0;
    bool below = false;
    const uint8_t *at = p;
    if (p < in->end && *p >= 0xe0)
        return fault(in, at, WIRE_E_RANGE);
    p = get_long(in, p, &bits, &below);
    if (p != NULL && (below || bits > max))
        return fault(in, at, WIRE_E_RANGE);
    *value = (uint32_t)bits;
    return p;
}

HOT const uint8_t *get_u32(struct in *in, const uint8_t *p, uint32_t *value)
{
    if (OFTEN(p < in->end && *p <= 127)) {
        *value = *p;
        return p + 1;
    }
    uint32_t wide = 0;
    p = get_long_uint(in, p, UINT32_MAX, &wide);
    *value = wide;
    return p;
}

HOT const uint8_t *get_u8(struct in *in, const uint8_t *p, uint8_t *value)
{
    if (OFTEN(p < in->end && *p <= 127)) {
        *value = *p;
        return p + 1;
    }
    uint32_t wide = 0;
    p = get_long_uint(in, p, UINT8_MAX, &wide);
    *value = (uint8_t)wide;
    return p;
}

/* An array's or a map's count, in its long forms. */
COLD const uint8_t *get_long_count(struct in *in, const uint8_t *p, uint8_t long_form, uint32_t *count)
{
    if (p == in->end || (*p != long_form && *p != long_form + 1))
        return not_this(in, p);
    unsigned len = *p == long_form ? 2 : 4;
    if ((size_t)(in->end - p) <= len)
        return fault(in, p, WIRE_E_SHORT);
    *count = (uint32_t)get_tail(p, len);
    return p + len + 1;
}

HOT const uint8_t *get_array(struct in *in, const uint8_t *p, uint32_t max, uint32_t *count)
{
    const uint8_t *at = p;
    if (OFTEN(p < in->end && (*p & 0xf0) == 0x90))
        *count = *p++ & 15;
    else if ((p = get_long_count(in, p, 0xdc, count)) == NULL)
        return NULL;
    if (*count > (size_t)(in->end - p))
        return fault(in, at, WIRE_E_SHORT);
    return *count > max ? fault(in, at, WIRE_E_COUNT) : p;
}

HOT const uint8_t *get_map(struct in *in, const uint8_t *p, uint32_t *count)
{
    const uint8_t *at = p;
    if (OFTEN(p < in->end && (*p & 0xf0) == 0x80))
        *count = *p++ & 15;
    else if ((p = get_long_count(in, p, 0xde, count)) == NULL)
        return NULL;
    return 2 * (uint64_t)*count > (size_t)(in->end - p) ? fault(in, at, WIRE_E_SHORT) : p;
}

HOT const uint8_t *get_bin(struct in *in, const uint8_t *p, struct wire_bytes *value)
{
    size_t room = (size_t)(in->end - p), len, head;
    if (OFTEN(room >= 2 && *p == 0xc4))
        head = 2, len = p[1];
    else if (room >= 3 && *p == 0xc5)
        head = 3, len = get16(p + 1);
    else if (room >= 5 && *p == 0xc6)
        head = 5, len = get32(p + 1);
    else
        return room == 0 || *p < 0xc4 || *p > 0xc6 ? not_this(in, p) : fault(in, p, WIRE_E_SHORT);
    if (len > room - head)
        return fault(in, p, WIRE_E_SHORT);
    *value = (struct wire_bytes){p + head, len};
    return p + head + len;
}

#endif
