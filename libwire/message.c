/* SPDX-License-Identifier: MIT
 *
 * put and get of every record, expanded from ops.def into straight-line code: the
 * passes below each make one function a record.  Knows no record by name.
 */
#include "wire_impl.h"

/* Is this field there?  Required ones always are; the others have their bit. */
#define WIRE_PRESENT_REQUIRED(has, number) 1u
#define WIRE_PRESENT_OPTIONAL(has, number) ((has) >> (number)&1u)

#define WIRE_BIT_REQUIRED(number) (UINT32_C(1) << (number))
#define WIRE_BIT_OPTIONAL(number) UINT32_C(0)

/* ---- pass: how many fields will be written ---- */

#define WIRE_RECORD(name, unknown, doc) \
    WIRE_HOT uint32_t count_##name(uint32_t has) \
    { \
        return (has & 0)
#define WIRE_FIELD(record, number, name, type, need, doc) +WIRE_PRESENT_##need(has, number)
#define WIRE_LIST(record, number, name, of, need, doc) +WIRE_PRESENT_##need(has, number)
#define WIRE_END(record) \
    ; \
    }
#include "ops.def"

/* ---- pass: the longest run of each record, and of any ---- */

#define WIRE_RECORD(name, unknown, doc) enum { run_##name = WIRE_MAX_map
#define WIRE_FIELD(record, number, name, type, need, doc) +WIRE_MAX_key + WIRE_MAX_##type
#define WIRE_LIST(record, number, name, of, need, doc) +WIRE_MAX_key + WIRE_MAX_list
#define WIRE_END(record) \
    } \
    ;
#include "ops.def"

union scratch {
#define WIRE_RECORD(name, unknown, doc) uint8_t name[run_##name];
#include "ops.def"
};

/* ---- pass: put ---- */

#define WIRE_RECORD(name, unknown, doc) \
    WIRE_HOT void out_##name(struct wire_out *o, const struct wire_##name *m) \
    { \
        const size_t run = run_##name; \
        const uint32_t has = m->has; \
        wire_out_reserve(o, run); \
        o->p = wire_raw_head(o->p, 0x80, count_##name(has));
#define WIRE_FIELD(record, number, name, type, need, doc) \
    if (WIRE_PRESENT_##need(has, number)) { \
        wire_out_key(o, number); \
        wire_out_##type(o, &m->name, run); \
    }
#define WIRE_LIST(record, number, name, of, need, doc) \
    if (WIRE_PRESENT_##need(has, number)) { \
        wire_out_key(o, number); \
        const struct wire_##of *items = m->name.items; \
        const uint32_t count = m->name.count; \
        wire_out_array(o, count); \
        for (uint32_t i = 0; i < count; i++) \
            out_##of(o, &items[i]); \
        wire_out_reserve(o, run); \
    }
#define WIRE_END(record) }
#include "ops.def"

#define WIRE_RECORD(name, unknown, doc) \
    void wire_put_##name(struct wire_writer *w, const struct wire_##name *m) \
    { \
        union scratch scratch; \
        struct wire_out o = wire_out_open(w, scratch.name); \
        out_##name(&o, m); \
        wire_out_close(&o); \
    }
#include "ops.def"

/* ---- pass: the fields that must be there ---- */

#define WIRE_RECORD(name, unknown, doc) enum { required_##name = 0
#define WIRE_FIELD(record, number, name, type, need, doc) | WIRE_BIT_##need(number)
#define WIRE_LIST(record, number, name, of, need, doc) | WIRE_BIT_##need(number)
#define WIRE_END(record) \
    } \
    ;
#include "ops.def"

/* ---- pass: get what does not come in ascending order ---- */

/* Note that a field came; twice is a fault, at its second value. */
static inline void mark(struct wire_reader *r, uint32_t *has, uint32_t number)
{
    uint32_t bit = UINT32_C(1) << number;
    if (*has & bit)
        wire_fail_get(r, WIRE_E_DUPLICATE, r->p);
    *has |= bit;
}

/* Pass over the value of a key that the table does not have, or refuse the key. */
static void unknown_IGNORE(struct wire_reader *r, const uint8_t *key)
{
    (void)key;
    wire_skip(r);
}

static void unknown_REFUSE(struct wire_reader *r, const uint8_t *key)
{
    wire_fail_get(r, WIRE_E_UNKNOWN, key);
}

/* No field has this number. */
enum { NO_NUMBER = 255 };

/* A key: its number, or NO_NUMBER for one that is larger than any in the table or of another type. */
static inline uint32_t get_key(struct wire_reader *r)
{
    if (r->p < r->end && *r->p < 32)
        return *r->p++;
    struct wire_reader probe = *r;
    uint64_t number = wire_get_uint(&probe, UINT64_MAX);
    if (probe.status != WIRE_OK) {
        wire_skip(r);
        return NO_NUMBER;
    }
    *r = probe;
    return number < 32 ? (uint32_t)number : NO_NUMBER;
}

/* The `left` fields that are still to come, in any order; returns the set of all that came. */
#define WIRE_RECORD(name, unknown, doc) \
    WIRE_COLD static uint32_t rest_##name(struct wire_reader *r, struct wire_##name *m, uint32_t left) \
    { \
        void (*const skip)(struct wire_reader *, const uint8_t *) = unknown_##unknown; \
        while (left-- > 0 && r->status == WIRE_OK) { \
            const uint8_t *key = r->p; \
            switch (get_key(r)) {
#define WIRE_FIELD(record, number, name, type, need, doc) \
    case number: \
        mark(r, &m->has, number); \
        wire_get_##type(r, &m->name); \
        break;
#define WIRE_LIST(record, number, name, of, need, doc) \
    case number: \
        mark(r, &m->has, number); \
        r->depth++; \
        m->name.count = wire_get_count(r, m->name.cap); \
        for (uint32_t i = 0; i < m->name.count && r->status == WIRE_OK; i++) \
            wire_get_##of(r, &m->name.items[i]); \
        r->depth--; \
        break;
#define WIRE_END(record) \
    default: \
        skip(r, key); \
        } \
        } \
        return m->has; \
        }
#include "ops.def"

/* ---- pass: get ---- */

/* One function a type: the field of this number if it is the next one, or else `clear`. */
#define TAKE(type, clear) \
    WIRE_HOT void take_##type(struct wire_in *in, struct wire_fields *f, uint8_t number, WIRE_C_##type *value) \
    { \
        if (wire_in_key(in, f, number)) \
            wire_in_##type(in, value); \
        else \
            clear; \
    }
TAKE(u8, *value = 0)
TAKE(u32, *value = 0)
TAKE(i64, *value = 0)
TAKE(word, *value = 0)
TAKE(bin, *value = ((struct wire_bytes){NULL, 0}))
TAKE(str, *value = ((struct wire_bytes){NULL, 0}))
TAKE(words, value->count = 0)
TAKE(bins, value->count = 0)
TAKE(strs, value->count = 0)

#define WIRE_RECORD(name, unknown, doc) \
    WIRE_HOT void in_##name(struct wire_in *in, struct wire_##name *m) \
    { \
        uint32_t (*const rest)(struct wire_reader *, struct wire_##name *, uint32_t) = rest_##name; \
        const uint32_t required = required_##name; \
        const uint8_t *start = in->p; \
        struct wire_fields f = wire_in_fields(in);
#define WIRE_FIELD(record, number, name, type, need, doc) take_##type(in, &f, number, &m->name);
#define WIRE_LIST(record, number, name, of, need, doc) \
    m->name.count = 0; \
    if (wire_in_key(in, &f, number)) { \
        in->depth++; \
        m->name.count = wire_in_count(in, m->name.cap); \
        for (uint32_t i = 0; i < m->name.count && in->r->status == WIRE_OK; i++) \
            in_##of(in, &m->name.items[i]); \
        in->depth--; \
    }
#define WIRE_END(record) \
        m->has = f.has; \
        if (WIRE_SELDOM(f.left > 0)) { \
            f.has = rest(wire_in_leave(in), m, f.left); \
            wire_in_return(in); \
        } \
        wire_in_end(in, start, required & ~f.has); \
    }
#include "ops.def"

#define WIRE_RECORD(name, unknown, doc) \
    void wire_get_##name(struct wire_reader *r, struct wire_##name *m) \
    { \
        struct wire_in in = wire_in_open(r); \
        in_##name(&in, m); \
        wire_in_leave(&in); \
    }
#include "ops.def"

/* ---- pass: a whole body ---- */

#define WIRE_RECORD(name, unknown, doc) \
    enum wire_status wire_decode_##name(struct wire_bytes body, struct wire_##name *m, size_t *at) \
    { \
        struct wire_reader r; \
        wire_reader_init(&r, body.ptr, body.len); \
        r.depth = 1; \
        wire_get_##name(&r, m); \
        enum wire_status status = wire_reader_end(&r); \
        *at = r.at; \
        return status; \
    }
#include "ops.def"
