/* SPDX-License-Identifier: MIT
 *
 * Messages from a table: the structs, the codec and the names of every record that a
 * .def file lists.  libwire's own messages are made by it from ops.def, which says what a
 * row means; yours are made by it from your own file.  In a header:
 *
 *     #include <provium/wire.h>
 *     #define WIRE_OPS_FILE "shapes.def"
 *     #define WIRE_OPS_PREFIX shape_       struct shape_NAME, shape_put_NAME, shape_get_NAME, ...
 *     #define WIRE_OPS_UPPER SHAPE_        SHAPE_N_circle_radius is a field's number
 *     #include <provium/wire_ops.h>
 *
 * and in one .c file (C, where the header may be C++ too), behind that header, the three macros
 * and the include once more, with WIRE_OPS_CODE defined for the codec, or WIRE_OPS_PLAN for
 * one that is slower and much smaller, and with WIRE_OPS_NAMES for row_NAME.  WIRE_OPS_API
 * stands before the prototypes; WIRE_API if you do not define it.
 *
 * The file is found through -I, and its name must not be that of a file beside this one.
 * It may be included more than once and undefines those macros at its end.  Field numbers
 * are 0 to 31 and ascend in a record; a record stands before the lists of it.
 */
#ifndef WIRE_H
#error "wire_ops.h: include wire.h first"
#endif

#if !defined(WIRE_OPS_FILE) || !defined(WIRE_OPS_PREFIX) || !defined(WIRE_OPS_UPPER)
#error "wire_ops.h: define WIRE_OPS_FILE, WIRE_OPS_PREFIX and WIRE_OPS_UPPER first"
#endif

#ifndef WIRE_OPS_API
#define WIRE_OPS_API WIRE_API
#endif

#ifndef WIRE_OPS_H
#define WIRE_OPS_H

#define WIRE_JOIN2(a, b) a##b
#define WIRE_JOIN(a, b) WIRE_JOIN2(a, b)

/* A name of this table, for users and for the passes over the table. */
#define WIRE_OPS_NAME(name) WIRE_JOIN(WIRE_OPS_PREFIX, name)
#define WIRE_OPS_NUMBER(name) WIRE_JOIN(WIRE_OPS_UPPER, N_##name)

/* The member of each type of a table. */
#define WIRE_C_bool bool
#define WIRE_C_u8 uint8_t
#define WIRE_C_u32 uint32_t
#define WIRE_C_u64 uint64_t
#define WIRE_C_i64 int64_t
#define WIRE_C_word int64_t
#define WIRE_C_f64 double
#define WIRE_C_bin struct wire_bytes
#define WIRE_C_str struct wire_bytes
#define WIRE_C_words struct wire_words
#define WIRE_C_i64s struct wire_integers
#define WIRE_C_bins struct wire_list
#define WIRE_C_strs struct wire_list
#define WIRE_C_names struct wire_list

#endif

#if !defined(WIRE_OPS_CODE) && !defined(WIRE_OPS_PLAN) && !defined(WIRE_OPS_NAMES)

#ifdef __cplusplus
extern "C" {
#endif

/* ---- structs ----
 *
 * One struct a record, one member a field.  `has` tells which fields are there: bit n is
 * field number n.  Members of optional fields that are absent are zero.  A list of records
 * is {items, count, cap}: before decoding, the caller sets items and cap, and more elements
 * are WIRE_E_COUNT. */
#define WIRE_RECORD(name, unknown, doc) \
    struct WIRE_OPS_NAME(name) \
    { \
        uint32_t has;
#define WIRE_FIELD(record, number, name, type, need, doc) WIRE_C_##type name;
#define WIRE_LIST(record, number, name, of, need, doc) \
    struct { \
        struct WIRE_OPS_NAME(of) * items; \
        uint32_t count, cap; \
    } name;
#define WIRE_END(record) \
    } \
    ;
#include "wire_pass.h"

/* Field numbers: WIRE_N_spec_offset is 3. */
enum WIRE_OPS_NAME(number) {
#define WIRE_FIELD(record, number, name, type, need, doc) WIRE_OPS_NUMBER(record##_##name) = number,
#define WIRE_LIST(record, number, name, of, need, doc) WIRE_OPS_NUMBER(record##_##name) = number,
#include "wire_pass.h"
    WIRE_OPS_NUMBER(end)
};

/* ---- functions ----
 *
 * put_NAME(w, m) writes a record.  Optional fields are written when their bit stands in
 * m->has; a writer that overflows says so in w->status.  A record may stand as one value in
 * an array or map of wire_put_array() and its kind, where it counts as as many levels as its
 * table lets it have.
 *
 * size_NAME(m) is the number of bytes that put_NAME writes, 0 if m cannot be written.
 *
 * get_NAME(r, m) reads one and checks everything that its table says: types, ranges,
 * required fields, duplicates, unknown keys, counts against the bytes that remain.  Sets
 * m->has.  bin and str borrow the reader's bytes.
 *
 * decode_NAME(bytes, m, at) is get_NAME on a whole message body: nothing may follow, and it
 * counts as one level deep.  Returns the status, and the offset of a fault in *at.
 *
 * row_NAME() is the record as data, for wire_path and wire_print_record. */
#define WIRE_RECORD(name, unknown, doc) \
    WIRE_OPS_API void WIRE_OPS_NAME(put_##name)(struct wire_writer * w, const struct WIRE_OPS_NAME(name) * m); \
    WIRE_OPS_API size_t WIRE_OPS_NAME(size_##name)(const struct WIRE_OPS_NAME(name) * m); \
    WIRE_OPS_API void WIRE_OPS_NAME(get_##name)(struct wire_reader * r, struct WIRE_OPS_NAME(name) * m); \
    WIRE_OPS_API enum wire_status WIRE_OPS_NAME(decode_##name)(struct wire_bytes body, struct WIRE_OPS_NAME(name) * m, size_t * at);
#include "wire_pass.h"

#ifndef WIRE_WITHOUT_names
#define WIRE_RECORD(name, unknown, doc) WIRE_OPS_API const struct wire_record_row *WIRE_OPS_NAME(row_##name)(void);
#include "wire_pass.h"
#endif

#ifdef __cplusplus
}
#endif

#endif

#if defined(WIRE_OPS_CODE) || defined(WIRE_OPS_PLAN)
#include "wire_plan.h"
#endif

#ifdef WIRE_OPS_CODE
#include "wire_codec.h"
#endif

/* ---- names ---- */

#ifdef WIRE_OPS_NAMES
#define WIRE_NEED_REQUIRED true
#define WIRE_NEED_OPTIONAL false
#define WIRE_UNKNOWN_REFUSE true
#define WIRE_UNKNOWN_IGNORE false

#define WIRE_RECORD(name, unknown, doc) static const struct wire_field_row WIRE_OPS_NAME(fields_##name)[] = {
#define WIRE_FIELD(record, number, name, type, need, doc) {number, WIRE_NEED_##need, #name, NULL},
#define WIRE_LIST(record, number, name, of, need, doc) {number, WIRE_NEED_##need, #name, WIRE_OPS_NAME(row_##of)},
#define WIRE_END(record) \
    } \
    ;
#include "wire_pass.h"

#define WIRE_RECORD(name, unknown, doc) \
    const struct wire_record_row *WIRE_OPS_NAME(row_##name)(void) \
    { \
        static const struct wire_record_row row = {#name, WIRE_OPS_NAME(fields_##name), \
                                                   sizeof WIRE_OPS_NAME(fields_##name) / sizeof(struct wire_field_row), \
                                                   WIRE_UNKNOWN_##unknown}; \
        return &row; \
    }
#include "wire_pass.h"

#undef WIRE_NEED_REQUIRED
#undef WIRE_NEED_OPTIONAL
#undef WIRE_UNKNOWN_REFUSE
#undef WIRE_UNKNOWN_IGNORE
#endif

#undef WIRE_OPS_FILE
#undef WIRE_OPS_PREFIX
#undef WIRE_OPS_UPPER
#undef WIRE_OPS_API
#undef WIRE_OPS_CODE
#undef WIRE_OPS_PLAN
#undef WIRE_OPS_NAMES
