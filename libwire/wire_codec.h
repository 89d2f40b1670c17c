/* SPDX-License-Identifier: MIT
 *
 * put and get of every record of a table, expanded into straight-line code: the passes
 * below each make one function a record.  Included by wire_ops.h alone, once a table.
 */
#include "wire_cursor.h"

#ifndef WIRE_CODEC_H
#define WIRE_CODEC_H

/* Is this field there?  Required ones always are; the others have their bit. */
#define WIRE_PRESENT_REQUIRED(has, number) 1u
#define WIRE_PRESENT_OPTIONAL(has, number) ((has) >> (number)&1u)

#define WIRE_BIT_REQUIRED(number) (UINT32_C(1) << (number))
#define WIRE_BIT_OPTIONAL(number) UINT32_C(0)

/* One function a type: the field of this number if it is the next one, or else `clear`. */
#define WIRE_TAKE(type, clear) \
    WIRE_HOT void wire_next_##type(struct wire_in *in, struct wire_fields *f, uint8_t number, WIRE_C_##type *value) \
    { \
        if (wire_in_key(in, f, number)) \
            wire_in_##type(in, value); \
        else \
            clear; \
    }
WIRE_TAKE(bool, *value = false)
WIRE_TAKE(u8, *value = 0)
WIRE_TAKE(u32, *value = 0)
WIRE_TAKE(u64, *value = 0)
WIRE_TAKE(i64, *value = 0)
WIRE_TAKE(word, *value = 0)
WIRE_TAKE(f64, *value = 0)
WIRE_TAKE(bin, *value = ((struct wire_bytes){NULL, 0}))
WIRE_TAKE(str, *value = ((struct wire_bytes){NULL, 0}))
WIRE_TAKE(words, value->count = 0)
WIRE_TAKE(i64s, value->count = 0)
WIRE_TAKE(bins, value->count = 0)
WIRE_TAKE(strs, value->count = 0)
WIRE_TAKE(names, value->count = 0)

#endif

/* ---- pass: how many fields will be written ---- */

#define WIRE_RECORD(name, unknown, doc) \
    WIRE_HOT uint32_t WIRE_OPS_NAME(count_##name)(uint32_t has) \
    { \
        return (has & 0)
#define WIRE_FIELD(record, number, name, type, need, doc) +WIRE_PRESENT_##need(has, number)
#define WIRE_LIST(record, number, name, of, need, doc) +WIRE_PRESENT_##need(has, number)
#define WIRE_END(record) \
    ; \
    }
#include "wire_pass.h"

/* ---- pass: the longest run of each record, and of any ---- */

#define WIRE_RECORD(name, unknown, doc) enum { WIRE_OPS_NAME(run_##name) = WIRE_MAX_map
#define WIRE_FIELD(record, number, name, type, need, doc) +WIRE_MAX_key + WIRE_MAX_##type
#define WIRE_LIST(record, number, name, of, need, doc) +WIRE_MAX_key + WIRE_MAX_list
#define WIRE_END(record) \
    } \
    ;
#include "wire_pass.h"

union WIRE_OPS_NAME(scratch) {
    uint8_t nothing; /* a table may be empty */
#define WIRE_RECORD(name, unknown, doc) uint8_t name[WIRE_OPS_NAME(run_##name)];
#include "wire_pass.h"
};

/* ---- pass: how deep each record can be ---- */

#define WIRE_RECORD(name, unknown, doc) enum { WIRE_OPS_NAME(deep_##name) = 1
#define WIRE_FIELD(record, number, name, type, need, doc) | WIRE_DEEP_##type << 1
#define WIRE_LIST(record, number, name, of, need, doc) | 2 | WIRE_OPS_NAME(deep_##of) << 2
#define WIRE_END(record) \
    } \
    ;
#include "wire_pass.h"

#define WIRE_RECORD(name, unknown, doc) \
    _Static_assert(WIRE_LEVELS(WIRE_OPS_NAME(deep_##name)) < WIRE_DEPTH_MAX, #name " nests too deeply");
#include "wire_pass.h"

/* ---- pass: put ---- */

#define WIRE_RECORD(name, unknown, doc) \
    WIRE_HOT void WIRE_OPS_NAME(out_##name)(struct wire_out *o, const struct WIRE_OPS_NAME(name) *m) \
    { \
        const size_t run = WIRE_OPS_NAME(run_##name); \
        const uint32_t has = m->has; \
        wire_out_reserve(o, run); \
        o->p = wire_raw_head(o->p, 0x80, WIRE_OPS_NAME(count_##name)(has));
#define WIRE_FIELD(record, number, name, type, need, doc) \
    if (WIRE_PRESENT_##need(has, number)) { \
        wire_out_key(o, number); \
        wire_out_##type(o, &m->name, run); \
    }
#define WIRE_LIST(record, number, name, of, need, doc) \
    if (WIRE_PRESENT_##need(has, number)) { \
        wire_out_key(o, number); \
        const struct WIRE_OPS_NAME(of) *items = m->name.items; \
        const uint32_t count = m->name.count; \
        wire_out_array(o, count); \
        for (uint32_t i = 0; i < count; i++) \
            WIRE_OPS_NAME(out_##of)(o, &items[i]); \
        wire_out_reserve(o, run); \
    }
#define WIRE_END(record) }
#include "wire_pass.h"

#define WIRE_RECORD(name, unknown, doc) \
    void WIRE_OPS_NAME(put_##name)(struct wire_writer *w, const struct WIRE_OPS_NAME(name) *m) \
    { \
        union WIRE_OPS_NAME(scratch) scratch; \
        if (WIRE_SELDOM(w->nest.depth > 0)) \
            wire_put_in(w, WIRE_LEVELS(WIRE_OPS_NAME(deep_##name))); \
        struct wire_out o = wire_out_open(w, scratch.name); \
        WIRE_OPS_NAME(out_##name)(&o, m); \
        wire_out_close(&o); \
    } \
    size_t WIRE_OPS_NAME(size_##name)(const struct WIRE_OPS_NAME(name) *m) \
    { \
        struct wire_writer w; \
        wire_writer_measure(&w); \
        WIRE_OPS_NAME(put_##name)(&w, m); \
        return w.status == WIRE_OK ? wire_writer_total(&w) : 0; \
    }
#include "wire_pass.h"

/* ---- pass: the fields that must be there ---- */

#define WIRE_RECORD(name, unknown, doc) enum { WIRE_OPS_NAME(required_##name) = 0
#define WIRE_FIELD(record, number, name, type, need, doc) | WIRE_BIT_##need(number)
#define WIRE_LIST(record, number, name, of, need, doc) | WIRE_BIT_##need(number)
#define WIRE_END(record) \
    } \
    ;
#include "wire_pass.h"

/* ---- pass: get ---- */

#define WIRE_RECORD(name, unknown, doc) \
    WIRE_HOT void WIRE_OPS_NAME(in_##name)(struct wire_in *in, struct WIRE_OPS_NAME(name) *m) \
    { \
        const struct wire_plan *const plan = &WIRE_OPS_NAME(plan_##name); \
        const uint32_t required = WIRE_OPS_NAME(required_##name); \
        const uint8_t *start = in->p; \
        struct wire_fields f = wire_in_fields(in);
#define WIRE_FIELD(record, number, name, type, need, doc) wire_next_##type(in, &f, number, &m->name);
#define WIRE_LIST(record, number, name, of, need, doc) \
    m->name.count = 0; \
    if (wire_in_key(in, &f, number)) { \
        in->depth++; \
        m->name.count = wire_in_count(in, m->name.cap); \
        for (uint32_t i = 0; i < m->name.count && in->r->status == WIRE_OK; i++) \
            WIRE_OPS_NAME(in_##of)(in, &m->name.items[i]); \
        in->depth--; \
    }
#define WIRE_END(record) \
        if (WIRE_SELDOM(f.left > 0)) { /* what does not come in ascending order */ \
            f.has = wire_plan_rest(wire_in_leave(in), plan, m, f); \
            wire_in_return(in); \
        } \
        m->has = f.has; \
        wire_in_end(in, start, required & ~f.has); \
    }
#include "wire_pass.h"

#define WIRE_RECORD(name, unknown, doc) \
    static void WIRE_OPS_NAME(each_##name)(struct wire_reader *r, struct WIRE_OPS_NAME(name) *m) \
    { \
        struct wire_in in = wire_in_open(r); \
        WIRE_OPS_NAME(in_##name)(&in, m); \
        wire_in_leave(&in); \
    } \
    void WIRE_OPS_NAME(get_##name)(struct wire_reader *r, struct WIRE_OPS_NAME(name) *m) \
    { \
        if (WIRE_SELDOM(r->nest.depth > 0)) \
            wire_get_in(r, WIRE_LEVELS(WIRE_OPS_NAME(deep_##name))); \
        WIRE_OPS_NAME(each_##name)(r, m); \
    }
#include "wire_pass.h"

/* ---- pass: a whole body ---- */

#define WIRE_RECORD(name, unknown, doc) \
    enum wire_status WIRE_OPS_NAME(decode_##name)(struct wire_bytes body, struct WIRE_OPS_NAME(name) *m, size_t *at) \
    { \
        struct wire_reader r; \
        wire_reader_init(&r, body.ptr, body.len); \
        r.depth = 1; \
        WIRE_OPS_NAME(each_##name)(&r, m); \
        enum wire_status status = wire_reader_end(&r); \
        *at = r.at; \
        return status; \
    }
#include "wire_pass.h"
