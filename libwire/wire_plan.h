/* SPDX-License-Identifier: MIT
 *
 * put and get of every record of a table by interpretation: slower than wire_codec.h and
 * a fifth of its size, for messages that seldom come; and for what comes in another order
 * than that in which it is sent, of which wire_codec.h makes no code either.  Included by
 * wire_ops.h alone, once a table.
 */
#include "wire_cursor.h"

#ifndef WIRE_PLAN_H
#define WIRE_PLAN_H

enum wire_member_type {
    WIRE_M_bool,
    WIRE_M_u8,
    WIRE_M_u32,
    WIRE_M_u64,
    WIRE_M_i64,
    WIRE_M_word,
    WIRE_M_f64,
    WIRE_M_bin,
    WIRE_M_str,
    WIRE_M_words,
    WIRE_M_i64s,
    WIRE_M_bins,
    WIRE_M_strs,
    WIRE_M_names,
    WIRE_M_list
};

struct wire_plan;

/* A field: where it is in its struct, and the plan of a list's elements. */
struct wire_member {
    uint8_t number, type;
    uint16_t offset;
    const struct wire_plan *of;
};

struct wire_plan {
    const struct wire_member *members;
    uint32_t count;    /* of members */
    uint32_t size;     /* of the struct, bytes */
    uint32_t required; /* the set of fields that must be there */
    bool refuse_unknown;
};

#define WIRE_PLAN_REQUIRED(number) | (UINT32_C(1) << (number))
#define WIRE_PLAN_OPTIONAL(number)
#define WIRE_PLAN_REFUSE true
#define WIRE_PLAN_IGNORE false

/* What the functions of wire_ops.h do, for the struct at m. */
WIRE_API void wire_plan_put(struct wire_writer *w, const struct wire_plan *plan, const void *m);
WIRE_API size_t wire_plan_size(const struct wire_plan *plan, const void *m);
WIRE_API void wire_plan_get(struct wire_reader *r, const struct wire_plan *plan, void *m);
/* The `left` fields of a record that are still to come, in any order, after those in `has`; returns
 * the set of all that came. */
WIRE_API WIRE_COLD uint32_t wire_plan_rest(struct wire_reader *r, const struct wire_plan *plan, void *m, struct wire_fields f);
WIRE_API enum wire_status wire_plan_decode(struct wire_bytes body, const struct wire_plan *plan, void *m, size_t *at);

#endif

#if defined(WIRE_OPS_CODE) || defined(WIRE_OPS_PLAN)

#define WIRE_RECORD(name, unknown, doc) \
    static const struct wire_plan WIRE_OPS_NAME(plan_##name); \
    static const struct wire_member WIRE_OPS_NAME(members_##name)[] = {
#define WIRE_FIELD(record, number, name, type, need, doc) \
    {number, WIRE_M_##type, (uint16_t)offsetof(struct WIRE_OPS_NAME(record), name), NULL},
#define WIRE_LIST(record, number, name, of, need, doc) \
    {number, WIRE_M_list, (uint16_t)offsetof(struct WIRE_OPS_NAME(record), name), &WIRE_OPS_NAME(plan_##of)},
#define WIRE_END(record) \
    } \
    ;
#include "wire_pass.h"

#define WIRE_RECORD(name, unknown, doc) \
    static const struct wire_plan WIRE_OPS_NAME(plan_##name) = { \
        WIRE_OPS_NAME(members_##name), \
        sizeof WIRE_OPS_NAME(members_##name) / sizeof(struct wire_member), \
        sizeof(struct WIRE_OPS_NAME(name)), \
        .refuse_unknown = WIRE_PLAN_##unknown, \
        .required = 0
#define WIRE_FIELD(record, number, name, type, need, doc) WIRE_PLAN_##need(number)
#define WIRE_LIST(record, number, name, of, need, doc) WIRE_PLAN_##need(number)
#define WIRE_END(record) \
    } \
    ;
#include "wire_pass.h"

#endif

#ifdef WIRE_OPS_PLAN

#define WIRE_RECORD(name, unknown, doc) \
    void WIRE_OPS_NAME(put_##name)(struct wire_writer *w, const struct WIRE_OPS_NAME(name) *m) \
    { \
        wire_plan_put(w, &WIRE_OPS_NAME(plan_##name), m); \
    } \
    size_t WIRE_OPS_NAME(size_##name)(const struct WIRE_OPS_NAME(name) *m) \
    { \
        return wire_plan_size(&WIRE_OPS_NAME(plan_##name), m); \
    } \
    void WIRE_OPS_NAME(get_##name)(struct wire_reader *r, struct WIRE_OPS_NAME(name) *m) \
    { \
        wire_plan_get(r, &WIRE_OPS_NAME(plan_##name), m); \
    } \
    enum wire_status WIRE_OPS_NAME(decode_##name)(struct wire_bytes body, struct WIRE_OPS_NAME(name) *m, size_t *at) \
    { \
        return wire_plan_decode(body, &WIRE_OPS_NAME(plan_##name), m, at); \
    }
#include "wire_pass.h"

#endif
