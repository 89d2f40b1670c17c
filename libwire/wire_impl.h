/* SPDX-License-Identifier: MIT
 *
 * What libwire's files share: the pieces of the codec that message.c expands the
 * table with.  Small ones are inline so that a message becomes straight-line code.
 */
#ifndef WIRE_IMPL_H
#define WIRE_IMPL_H

#include <string.h>

#include "wire.h"

/* ---- writer.c ---- */

enum { WIRE_HEAD_MAX = 9 }; /* bytes of the longest integer or length */

void wire_fail_put(struct wire_writer *w);
void wire_put_uint_long(struct wire_writer *w, uint64_t value);
void wire_put_int_negative(struct wire_writer *w, int64_t value);
void wire_put_head(struct wire_writer *w, uint8_t fix, uint8_t long_form, uint32_t count);
void wire_put_bin(struct wire_writer *w, struct wire_bytes value);
void wire_put_str(struct wire_writer *w, struct wire_bytes value);
void wire_put_words(struct wire_writer *w, const struct wire_words *value);
void wire_put_bins(struct wire_writer *w, const struct wire_list *value);
void wire_put_strs(struct wire_writer *w, const struct wire_list *value);

static inline bool wire_room(struct wire_writer *w, size_t len)
{
    if (w->status == WIRE_OK && w->cap - w->len >= len)
        return true;
    wire_fail_put(w);
    return false;
}

static inline void wire_put_uint(struct wire_writer *w, uint64_t value)
{
    if (value > 127)
        wire_put_uint_long(w, value);
    else if (wire_room(w, 1))
        w->buf[w->len++] = (uint8_t)value;
}

static inline void wire_put_int(struct wire_writer *w, int64_t value)
{
    if (value < 0)
        wire_put_int_negative(w, value);
    else
        wire_put_uint(w, (uint64_t)value);
}

static inline void wire_put_map(struct wire_writer *w, uint32_t count)
{
    wire_put_head(w, 0x80, 0xde, count);
}

static inline void wire_put_array(struct wire_writer *w, uint32_t count)
{
    wire_put_head(w, 0x90, 0xdc, count);
}

/* ---- reader.c ---- */

/* Note the first error, at the byte p. */
void wire_fail_get(struct wire_reader *r, enum wire_status status, const uint8_t *p);

/* An integer as its bits; *negative says whether they are those of a number below 0. */
uint64_t wire_get_integer(struct wire_reader *r, bool *negative);
uint64_t wire_get_uint_long(struct wire_reader *r, uint64_t max);
uint32_t wire_get_map(struct wire_reader *r);
uint32_t wire_get_array(struct wire_reader *r);
void wire_get_u8(struct wire_reader *r, uint8_t *value);
void wire_get_i64(struct wire_reader *r, int64_t *value);
void wire_get_word(struct wire_reader *r, int64_t *value);
void wire_get_bin(struct wire_reader *r, struct wire_bytes *value);
void wire_get_str(struct wire_reader *r, struct wire_bytes *value);
void wire_get_words(struct wire_reader *r, struct wire_words *value);
void wire_get_bins(struct wire_reader *r, struct wire_list *value);
void wire_get_strs(struct wire_reader *r, struct wire_list *value);

/* The count of an array of at most cap elements. */
uint32_t wire_get_count(struct wire_reader *r, uint32_t cap);

/* The head of one value: how many bytes and how many values follow it inside it. */
struct wire_head {
    uint64_t bytes, values;
};
bool wire_get_head(struct wire_reader *r, struct wire_head *head);

static inline uint64_t wire_get_uint(struct wire_reader *r, uint64_t max)
{
    if (r->p < r->end && *r->p <= 127 && *r->p <= max)
        return *r->p++;
    return wire_get_uint_long(r, max);
}

static inline void wire_get_u32(struct wire_reader *r, uint32_t *value)
{
    *value = (uint32_t)wire_get_uint(r, UINT32_MAX);
}

static inline uint32_t wire_load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#endif
