/* SPDX-License-Identifier: MIT
 *
 * A random value of each type of a table, for properties that hold for every message.
 */
#ifndef SUPPORT_FIELD_H
#define SUPPORT_FIELD_H

#include "../../libwire/wire.h"
#include "random.h"

/* Where lists keep their elements; `used` starts at 0 for every message. */
enum { FIELD_ITEMS = 256, FIELD_LIST_MAX = 20 };
struct field_pool {
    uint64_t state;
    uint32_t used;
    struct wire_bytes items[FIELD_ITEMS];
    int64_t integers[FIELD_LIST_MAX]; /* of the one list of integers that a message has */
};

/* Any number of bits, so that every width comes up. */
static inline uint64_t field_bits(struct field_pool *p)
{
    uint64_t bits = (uint64_t)random_next(&p->state) << 33 ^ (uint64_t)random_next(&p->state) << 11;
    return (bits ^ random_next(&p->state)) >> random_next(&p->state) % 64;
}

static inline void field_random_bool(struct field_pool *p, bool *value)
{
    *value = random_next(&p->state) % 2 == 0;
}

static inline void field_random_u8(struct field_pool *p, uint8_t *value)
{
    *value = (uint8_t)field_bits(p);
}

static inline void field_random_u32(struct field_pool *p, uint32_t *value)
{
    *value = (uint32_t)field_bits(p);
}

static inline void field_random_u64(struct field_pool *p, uint64_t *value)
{
    *value = field_bits(p);
}

static inline void field_random_i64(struct field_pool *p, int64_t *value)
{
    uint64_t bits = field_bits(p);
    *value = (int64_t)(random_next(&p->state) % 2 == 0 ? bits : 0 - bits);
}

static inline void field_random_word(struct field_pool *p, int64_t *value)
{
    field_random_i64(p, value);
}

/* Quarters: never NaN, so that == compares them. */
static inline void field_random_f64(struct field_pool *p, double *value)
{
    int64_t number;
    field_random_i64(p, &number);
    *value = (double)number / 4;
}

static inline void field_random_bin(struct field_pool *p, struct wire_bytes *value)
{
    static const char text[] = "the quick brown fox jumps over the lazy dog and is gone again; "
                               "the quick brown fox jumps over the lazy dog and is gone again; "
                               "the quick brown fox jumps over the lazy dog and is gone again; "
                               "the quick brown fox jumps over the lazy dog and is gone again; "
                               "the quick brown fox jumps over the lazy dog and is gone again; ";
    size_t max = random_next(&p->state) % 8 == 0 ? sizeof text : 40;
    *value = (struct wire_bytes){(const uint8_t *)text, random_next(&p->state) % max};
}

static inline void field_random_str(struct field_pool *p, struct wire_bytes *value)
{
    field_random_bin(p, value);
}

static inline void field_random_words(struct field_pool *p, struct wire_words *value)
{
    value->count = random_next(&p->state) % (WIRE_ARGS_MAX + 1);
    for (uint32_t i = 0; i < value->count; i++)
        field_random_word(p, &value->at[i]);
}

/* How many elements a list gets: fewer than are left of `room`. */
static inline uint32_t field_random_count(struct field_pool *p, uint32_t room)
{
    uint32_t max = room < FIELD_LIST_MAX ? room : FIELD_LIST_MAX;
    return random_next(&p->state) % (random_next(&p->state) % 4 == 0 ? max + 1 : max / 4 + 1);
}

static inline void field_random_i64s(struct field_pool *p, struct wire_integers *value)
{
    *value = (struct wire_integers){p->integers, random_next(&p->state) % (FIELD_LIST_MAX + 1), FIELD_LIST_MAX};
    for (uint32_t i = 0; i < value->count; i++)
        field_random_i64(p, &p->integers[i]);
}

static inline void field_random_bins(struct field_pool *p, struct wire_list *value)
{
    value->items = p->items + p->used;
    value->count = value->cap = field_random_count(p, FIELD_ITEMS - p->used);
    p->used += value->count;
    for (uint32_t i = 0; i < value->count; i++)
        field_random_bin(p, &value->items[i]);
}

static inline void field_random_strs(struct field_pool *p, struct wire_list *value)
{
    field_random_bins(p, value);
}

static inline void field_random_names(struct field_pool *p, struct wire_list *value)
{
    field_random_bins(p, value);
}

#endif
