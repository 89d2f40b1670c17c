/* SPDX-License-Identifier: MIT
 *
 * The pieces that wire_codec.h expands a table with; included by it alone.  A message
 * becomes straight-line code over a cursor whose members stay in registers: what usually
 * comes is inline, and everything else is a call into writer.c or reader.c.
 */
#ifndef WIRE_CURSOR_H
#define WIRE_CURSOR_H

#include "wire.h"

#if __STDC_HOSTED__
#include <string.h>
#else /* string.h need not be there; these four must (gcc's manual, "Standards") */
void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *p, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
#endif

/* The usual way, always inline unless size matters more; and the ways that are seldom taken. */
#ifdef __OPTIMIZE_SIZE__
#define WIRE_HOT static inline __attribute__((unused))
#else
#define WIRE_HOT static inline __attribute__((always_inline, unused))
#endif
#define WIRE_COLD __attribute__((noinline, cold))

/* What the compiler may expect. */
#define WIRE_OFTEN(condition) __builtin_expect((condition), 1)
#define WIRE_SELDOM(condition) __builtin_expect((condition), 0)

/* ---- numbers, most significant byte first: at any alignment, in any byte order ----
 *
 * By builtins, so that they stay inline where the agent's own memcpy is in force. */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WIRE_BIG16(value) __builtin_bswap16(value)
#define WIRE_BIG32(value) __builtin_bswap32(value)
#define WIRE_BIG64(value) __builtin_bswap64(value)
#else
#define WIRE_BIG16(value) (value)
#define WIRE_BIG32(value) (value)
#define WIRE_BIG64(value) (value)
#endif

WIRE_HOT uint32_t wire_load32(const uint8_t *p)
{
    uint32_t big;
    __builtin_memcpy(&big, p, sizeof big);
    return WIRE_BIG32(big);
}

WIRE_HOT uint64_t wire_load64(const uint8_t *p)
{
    uint64_t big;
    __builtin_memcpy(&big, p, sizeof big);
    return WIRE_BIG64(big);
}

WIRE_HOT void wire_store16(uint8_t *p, uint16_t value)
{
    uint16_t big = WIRE_BIG16(value);
    __builtin_memcpy(p, &big, sizeof big);
}

WIRE_HOT void wire_store32(uint8_t *p, uint32_t value)
{
    uint32_t big = WIRE_BIG32(value);
    __builtin_memcpy(p, &big, sizeof big);
}

WIRE_HOT void wire_store64(uint8_t *p, uint64_t value)
{
    uint64_t big = WIRE_BIG64(value);
    __builtin_memcpy(p, &big, sizeof big);
}

/* ---- raw: write at p, where there is room, and return where it ended ---- */

/* Bytes at most, for each type of ops.def; of bytes and lists, without what is in them. */
enum {
    WIRE_MAX_bool = 1,
    WIRE_MAX_u8 = 2,
    WIRE_MAX_u32 = 5,
    WIRE_MAX_u64 = 9,
    WIRE_MAX_i64 = 9,
    WIRE_MAX_f64 = 9,
    WIRE_MAX_word = 9,
    WIRE_MAX_bin = 5,
    WIRE_MAX_str = 5,
    WIRE_MAX_words = 1 + 9 * WIRE_ARGS_MAX,
    WIRE_MAX_i64s = 5,
    WIRE_MAX_bins = 5,
    WIRE_MAX_strs = 5,
    WIRE_MAX_names = 5,
    WIRE_MAX_list = 5,
    WIRE_MAX_map = 5,
    WIRE_MAX_key = 1
};

/* The levels of nesting that a type has of its own, as bits: bit n stands for n + 1. */
enum {
    WIRE_DEEP_bool = 0,
    WIRE_DEEP_u8 = 0,
    WIRE_DEEP_u32 = 0,
    WIRE_DEEP_u64 = 0,
    WIRE_DEEP_i64 = 0,
    WIRE_DEEP_f64 = 0,
    WIRE_DEEP_word = 0,
    WIRE_DEEP_bin = 0,
    WIRE_DEEP_str = 0,
    WIRE_DEEP_words = 1,
    WIRE_DEEP_i64s = 1,
    WIRE_DEEP_bins = 1,
    WIRE_DEEP_strs = 1,
    WIRE_DEEP_names = 1
};

/* The deepest of such bits. */
#define WIRE_LEVELS(bits) (32u - (uint32_t)__builtin_clz((unsigned)(bits)))

/* `first`, then the value in 1, 2, 4 or 8 bytes. */
WIRE_HOT uint8_t *wire_raw8(uint8_t *p, uint8_t first, uint8_t value)
{
    p[0] = first;
    p[1] = value;
    return p + 2;
}

WIRE_HOT uint8_t *wire_raw16(uint8_t *p, uint8_t first, uint16_t value)
{
    p[0] = first;
    wire_store16(p + 1, value);
    return p + 3;
}

WIRE_HOT uint8_t *wire_raw32(uint8_t *p, uint8_t first, uint32_t value)
{
    p[0] = first;
    wire_store32(p + 1, value);
    return p + 5;
}

WIRE_HOT uint8_t *wire_raw64(uint8_t *p, uint8_t first, uint64_t value)
{
    p[0] = first;
    wire_store64(p + 1, value);
    return p + 9;
}

WIRE_HOT uint8_t *wire_raw_u8(uint8_t *p, uint8_t value)
{
    if (WIRE_SELDOM(value > 127))
        *p++ = 0xcc;
    *p++ = value;
    return p;
}

/* One above 127; and the same as a call, for the many places where it is seldom. */
WIRE_HOT uint8_t *wire_raw_tagged(uint8_t *p, uint64_t value)
{
    if (value <= UINT8_MAX)
        return wire_raw8(p, 0xcc, (uint8_t)value);
    if (value <= UINT16_MAX)
        return wire_raw16(p, 0xcd, (uint16_t)value);
    if (value <= UINT32_MAX)
        return wire_raw32(p, 0xce, (uint32_t)value);
    return wire_raw64(p, 0xcf, value);
}

WIRE_API uint8_t *wire_raw_long_uint(uint8_t *p, uint64_t value);

WIRE_HOT uint8_t *wire_raw_uint(uint8_t *p, uint64_t value)
{
    if (WIRE_SELDOM(value > 127))
        return wire_raw_long_uint(p, value);
    *p++ = (uint8_t)value;
    return p;
}

/* Below 0, in all its forms. */
WIRE_HOT uint8_t *wire_raw_negative(uint8_t *p, int64_t value)
{
    if (value >= -32) {
        *p++ = (uint8_t)value;
        return p;
    }
    if (value >= INT8_MIN)
        return wire_raw8(p, 0xd0, (uint8_t)value);
    if (value >= INT16_MIN)
        return wire_raw16(p, 0xd1, (uint16_t)value);
    if (value >= INT32_MIN)
        return wire_raw32(p, 0xd2, (uint32_t)value);
    return wire_raw64(p, 0xd3, (uint64_t)value);
}

WIRE_HOT uint8_t *wire_raw_word(uint8_t *p, int64_t value)
{
    if (value < 0)
        return wire_raw_negative(p, value);
    if (value > 127)
        return wire_raw_tagged(p, (uint64_t)value);
    *p++ = (uint8_t)value;
    return p;
}

/* The head of an array or a map: fix is 0x90 or 0x80. */
WIRE_HOT uint8_t *wire_raw_head(uint8_t *p, uint8_t fix, uint32_t count)
{
    uint8_t long_form = fix == 0x80 ? 0xde : 0xdc;
    if (WIRE_SELDOM(count > 15))
        return count > UINT16_MAX ? wire_raw32(p, long_form + 1, count) : wire_raw16(p, long_form, (uint16_t)count);
    *p++ = (uint8_t)(fix | count);
    return p;
}

/* ---- the writer's cursor ----
 *
 * A record reserves room for all that it writes apart from the insides of bytes and
 * lists, its run, and writes without checks; after bytes or a list the rest of the run
 * is reserved anew.  Where the buffer has less room than a run, or the writer has
 * failed, it writes to scratch, and what it wrote is then put with a check. */
struct wire_out {
    uint8_t *p, *end;
    struct wire_writer *w;
    uint8_t *scratch; /* room for the longest run */
    bool spilled;     /* p is in scratch */
};

/* What was written so far is put; go on in scratch. */
WIRE_API WIRE_COLD struct wire_out wire_out_spill(struct wire_out o);

/* The same, for good. */
WIRE_API WIRE_COLD void wire_out_settle(struct wire_out o);

/* Put bytes of any length, and reserve `run`. */
WIRE_API WIRE_COLD struct wire_out wire_out_long_bin(struct wire_out o, struct wire_bytes value, size_t run);
WIRE_API WIRE_COLD struct wire_out wire_out_long_str(struct wire_out o, struct wire_bytes value, size_t run);

/* Nothing that follows is written. */
WIRE_API WIRE_COLD struct wire_out wire_out_fail(struct wire_out o);

/* A record of at most `levels` begins in a container that is open (wire_put_array and its kind). */
WIRE_API WIRE_COLD void wire_put_in(struct wire_writer *w, uint32_t levels);

WIRE_HOT struct wire_out wire_out_open(struct wire_writer *w, uint8_t *scratch)
{
    if (WIRE_SELDOM(w->status != WIRE_OK || w->len == w->cap))
        return (struct wire_out){scratch, scratch, w, scratch, true};
    return (struct wire_out){w->buf + w->len, w->buf + w->cap, w, scratch, false};
}

WIRE_HOT void wire_out_close(struct wire_out *o)
{
    if (o->spilled)
        wire_out_settle(*o);
    else
        o->w->len = (size_t)(o->p - o->w->buf);
}

WIRE_HOT bool wire_out_fits(const struct wire_out *o, size_t len)
{
    return o->end - o->p >= (ptrdiff_t)len;
}

WIRE_HOT void wire_out_reserve(struct wire_out *o, size_t run)
{
    if (WIRE_SELDOM(!wire_out_fits(o, run)))
        *o = wire_out_spill(*o);
}

WIRE_HOT void wire_out_key(struct wire_out *o, uint8_t number)
{
    *o->p++ = number;
}

/* One function a type of ops.def.  run: what is to be reserved again when the type has insides. */
WIRE_HOT void wire_out_u8(struct wire_out *o, const uint8_t *value, size_t run)
{
    (void)run;
    o->p = wire_raw_u8(o->p, *value);
}

WIRE_HOT void wire_out_u32(struct wire_out *o, const uint32_t *value, size_t run)
{
    (void)run;
    o->p = wire_raw_uint(o->p, *value);
}

WIRE_HOT void wire_out_word(struct wire_out *o, const int64_t *value, size_t run)
{
    (void)run;
    o->p = wire_raw_word(o->p, *value);
}

WIRE_HOT void wire_out_i64(struct wire_out *o, const int64_t *value, size_t run)
{
    wire_out_word(o, value, run);
}

WIRE_HOT void wire_out_u64(struct wire_out *o, const uint64_t *value, size_t run)
{
    (void)run;
    o->p = wire_raw_uint(o->p, *value);
}

WIRE_HOT void wire_out_bool(struct wire_out *o, const bool *value, size_t run)
{
    (void)run;
    *o->p++ = *value ? 0xc3 : 0xc2;
}

WIRE_HOT void wire_out_f64(struct wire_out *o, const double *value, size_t run)
{
    uint64_t bits;
    (void)run;
    __builtin_memcpy(&bits, value, sizeof bits);
    o->p = wire_raw64(o->p, 0xcb, bits);
}

WIRE_HOT void wire_out_words(struct wire_out *o, const struct wire_words *value, size_t run)
{
    const uint32_t count = value->count; /* bytes that are written may alias it */
    if (WIRE_SELDOM(count > WIRE_ARGS_MAX)) {
        *o = wire_out_fail(*o);
        return;
    }
    *o->p++ = (uint8_t)(0x90 | count);
    for (uint32_t i = 0; i < count; i++)
        wire_out_word(o, &value->at[i], run);
}

WIRE_HOT void wire_out_bin(struct wire_out *o, const struct wire_bytes *value, size_t run)
{
    size_t len = value->len;
    if (WIRE_SELDOM(len > UINT8_MAX || !wire_out_fits(o, 2 + len + run))) {
        *o = wire_out_long_bin(*o, *value, run);
        return;
    }
    *o->p++ = 0xc4;
    *o->p++ = (uint8_t)len;
    if (len > 0)
        memcpy(o->p, value->ptr, len);
    o->p += len;
}

WIRE_HOT void wire_out_str(struct wire_out *o, const struct wire_bytes *value, size_t run)
{
    *o = wire_out_long_str(*o, *value, run);
}

WIRE_HOT void wire_out_array(struct wire_out *o, uint32_t count)
{
    o->p = wire_raw_head(o->p, 0x90, count);
}

/* A run has room for one of them. */
WIRE_HOT void wire_out_i64s(struct wire_out *o, const struct wire_integers *value, size_t run)
{
    const int64_t *items = value->items;
    const uint32_t count = value->count;
    wire_out_array(o, count);
    for (uint32_t i = 0; i < count; i++) {
        wire_out_reserve(o, run);
        o->p = wire_raw_word(o->p, items[i]);
    }
    wire_out_reserve(o, run);
}

WIRE_HOT void wire_out_bins(struct wire_out *o, const struct wire_list *value, size_t run)
{
    wire_out_array(o, value->count);
    for (uint32_t i = 0; i < value->count; i++)
        wire_out_bin(o, &value->items[i], run);
}

WIRE_HOT void wire_out_strs(struct wire_out *o, const struct wire_list *value, size_t run)
{
    wire_out_array(o, value->count);
    for (uint32_t i = 0; i < value->count; i++)
        wire_out_str(o, &value->items[i], run);
}

WIRE_HOT void wire_out_names(struct wire_out *o, const struct wire_list *value, size_t run)
{
    wire_out_strs(o, value, run);
}

/* ---- reader.c: everything that may come ---- */

/* Note the first error, at the byte p. */
WIRE_API WIRE_COLD void wire_fail_get(struct wire_reader *r, enum wire_status status, const uint8_t *p);

/* The number of entries of a map. */
WIRE_API uint32_t wire_take_map(struct wire_reader *r);

/* The count of an array of at most cap elements. */
WIRE_API uint32_t wire_take_count(struct wire_reader *r, uint32_t cap);

/* One function a type of a table; a value that does not come is zero. */
WIRE_API void wire_take_bool(struct wire_reader *r, bool *value);
WIRE_API void wire_take_u8(struct wire_reader *r, uint8_t *value);
WIRE_API void wire_take_u32(struct wire_reader *r, uint32_t *value);
WIRE_API void wire_take_u64(struct wire_reader *r, uint64_t *value);
WIRE_API void wire_take_i64(struct wire_reader *r, int64_t *value);
WIRE_API void wire_take_word(struct wire_reader *r, int64_t *value);
WIRE_API void wire_take_f64(struct wire_reader *r, double *value);
WIRE_API void wire_take_bin(struct wire_reader *r, struct wire_bytes *value);
WIRE_API void wire_take_str(struct wire_reader *r, struct wire_bytes *value);
WIRE_API void wire_take_words(struct wire_reader *r, struct wire_words *value);
WIRE_API void wire_take_i64s(struct wire_reader *r, struct wire_integers *value);
WIRE_API void wire_take_bins(struct wire_reader *r, struct wire_list *value);
WIRE_API void wire_take_strs(struct wire_reader *r, struct wire_list *value);
WIRE_API void wire_take_names(struct wire_reader *r, struct wire_list *value);

/* A key: its number, or 255 for one that is larger than any in a table or of another type. */
WIRE_API uint32_t wire_take_key(struct wire_reader *r);

/* Pass over one value of any type. */
WIRE_API void wire_take_any(struct wire_reader *r);

/* A record of at most `levels` begins in a container that is open (wire_get_array and its kind). */
WIRE_API WIRE_COLD void wire_get_in(struct wire_reader *r, uint32_t levels);

/* ---- the reader's cursor ----
 *
 * Takes what a writer sends; leaves anything else, faults among them, to the reader. */
struct wire_in {
    const uint8_t *p, *end;
    struct wire_reader *r;
    uint32_t depth;
};

WIRE_HOT struct wire_in wire_in_open(struct wire_reader *r)
{
    return (struct wire_in){r->p, r->end, r, r->depth};
}

/* The reader goes on where the cursor is, and the cursor where the reader was left. */
WIRE_HOT struct wire_reader *wire_in_leave(const struct wire_in *in)
{
    in->r->p = in->p;
    in->r->depth = in->depth;
    return in->r;
}

WIRE_HOT void wire_in_return(struct wire_in *in)
{
    in->p = in->r->p;
}

WIRE_HOT size_t wire_in_room(const struct wire_in *in)
{
    return (size_t)(in->end - in->p);
}

WIRE_HOT uint32_t wire_in_map(struct wire_in *in)
{
    uint32_t count = in->p == in->end ? 0 : *in->p ^ 0x80u;
    if (WIRE_OFTEN(in->p != in->end && count <= 15 && 2 * count < wire_in_room(in))) {
        in->p++;
        return count;
    }
    count = wire_take_map(wire_in_leave(in));
    wire_in_return(in);
    return count;
}

/* The fields of a record that is being read: how many are to come, which ones came. */
struct wire_fields {
    uint32_t left, has;
};

WIRE_HOT struct wire_fields wire_in_fields(struct wire_in *in)
{
    struct wire_fields f = {wire_in_map(in), 0};
    in->depth++;
    return f;
}

/* Is this the key of the next one?  Then it is taken. */
WIRE_HOT bool wire_in_key(struct wire_in *in, struct wire_fields *f, uint8_t number)
{
    if (f->left == 0 || in->p == in->end || *in->p != number)
        return false;
    in->p++;
    f->left--;
    f->has |= UINT32_C(1) << number;
    return true;
}

/* A record that began at `start` ends here: does it lack fields? */
WIRE_HOT void wire_in_end(struct wire_in *in, const uint8_t *start, uint32_t missing)
{
    in->depth--;
    if (WIRE_SELDOM(missing != 0)) {
        wire_fail_get(wire_in_leave(in), WIRE_E_MISSING, start);
        wire_in_return(in);
    }
}

/* The count of an array of at most cap elements. */
WIRE_HOT uint32_t wire_in_count(struct wire_in *in, uint32_t cap)
{
    uint32_t count = in->p == in->end ? 0 : *in->p ^ 0x90u;
    if (WIRE_OFTEN(in->p != in->end && count <= 15 && count <= cap && count < wire_in_room(in))) {
        in->p++;
        return count;
    }
    count = wire_take_count(wire_in_leave(in), cap);
    wire_in_return(in);
    return count;
}

WIRE_HOT void wire_in_u8(struct wire_in *in, uint8_t *value)
{
    if (WIRE_OFTEN(in->p != in->end && *in->p <= 127)) {
        *value = *in->p++;
        return;
    }
    wire_take_u8(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_u32(struct wire_in *in, uint32_t *value)
{
    if (WIRE_OFTEN(in->p != in->end && *in->p <= 127)) {
        *value = *in->p++;
        return;
    }
    wire_take_u32(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_word(struct wire_in *in, int64_t *value)
{
    if (in->p != in->end && (int8_t)*in->p >= -32) {
        *value = (int8_t)*in->p++;
        return;
    }
    if (WIRE_OFTEN(wire_in_room(in) >= 9 && *in->p >= 0xcc && *in->p <= 0xd3)) {
        unsigned len = 1u << (*in->p & 3), unused = 64 - 8 * len;
        uint64_t bits = wire_load64(in->p + 1);
        *value = *in->p >= 0xd0 ? (int64_t)bits >> unused : (int64_t)(bits >> unused);
        in->p += 1 + len;
        return;
    }
    wire_take_word(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_i64(struct wire_in *in, int64_t *value)
{
    if (in->p != in->end && *in->p != 0xcf) {
        wire_in_word(in, value);
        return;
    }
    wire_take_i64(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_bin(struct wire_in *in, struct wire_bytes *value)
{
    size_t room = wire_in_room(in);
    if (WIRE_OFTEN(room >= 2 && *in->p == 0xc4 && in->p[1] <= room - 2)) {
        *value = (struct wire_bytes){in->p + 2, in->p[1]};
        in->p += 2 + value->len;
        return;
    }
    wire_take_bin(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_str(struct wire_in *in, struct wire_bytes *value)
{
    wire_take_str(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_bool(struct wire_in *in, bool *value)
{
    wire_take_bool(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_u64(struct wire_in *in, uint64_t *value)
{
    wire_take_u64(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_f64(struct wire_in *in, double *value)
{
    wire_take_f64(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_words(struct wire_in *in, struct wire_words *value)
{
    uint32_t count = in->p == in->end ? 0 : *in->p ^ 0x90u;
    if (WIRE_SELDOM(in->p == in->end || count > WIRE_ARGS_MAX || count >= wire_in_room(in))) {
        wire_take_words(wire_in_leave(in), value);
        wire_in_return(in);
        return;
    }
    in->p++;
    value->count = count;
    for (uint32_t i = 0; i < count; i++)
        wire_in_word(in, &value->at[i]);
}

WIRE_HOT void wire_in_i64s(struct wire_in *in, struct wire_integers *value)
{
    value->count = wire_in_count(in, value->cap);
    for (uint32_t i = 0; i < value->count; i++)
        wire_in_i64(in, &value->items[i]);
}

WIRE_HOT void wire_in_bins(struct wire_in *in, struct wire_list *value)
{
    value->count = wire_in_count(in, value->cap);
    for (uint32_t i = 0; i < value->count; i++)
        wire_in_bin(in, &value->items[i]);
}

WIRE_HOT void wire_in_strs(struct wire_in *in, struct wire_list *value)
{
    wire_take_strs(wire_in_leave(in), value);
    wire_in_return(in);
}

WIRE_HOT void wire_in_names(struct wire_in *in, struct wire_list *value)
{
    wire_take_names(wire_in_leave(in), value);
    wire_in_return(in);
}

#endif
