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
    static uint32_t count_##name(const struct wire_##name *m) \
    { \
        return (m->has & 0)
#define WIRE_FIELD(record, number, name, type, need, doc) +WIRE_PRESENT_##need(m->has, number)
#define WIRE_LIST(record, number, name, of, need, doc) +WIRE_PRESENT_##need(m->has, number)
#define WIRE_END(record) \
    ; \
    }
#include "ops.def"

/* ---- pass: put ---- */

/* Types as ops.def names them, by pointer. */
#define WIRE_PUT_u8(w, m) wire_put_uint(w, *(m))
#define WIRE_PUT_u32(w, m) wire_put_uint(w, *(m))
#define WIRE_PUT_i64(w, m) wire_put_int(w, *(m))
#define WIRE_PUT_word(w, m) wire_put_int(w, *(m))
#define WIRE_PUT_bin(w, m) wire_put_bin(w, *(m))
#define WIRE_PUT_str(w, m) wire_put_str(w, *(m))
#define WIRE_PUT_words(w, m) wire_put_words(w, m)
#define WIRE_PUT_bins(w, m) wire_put_bins(w, m)
#define WIRE_PUT_strs(w, m) wire_put_strs(w, m)

#define WIRE_RECORD(name, unknown, doc) \
    void wire_put_##name(struct wire_writer *w, const struct wire_##name *m) \
    { \
        wire_put_map(w, count_##name(m));
#define WIRE_FIELD(record, number, name, type, need, doc) \
    if (WIRE_PRESENT_##need(m->has, number)) { \
        wire_put_uint(w, number); \
        WIRE_PUT_##type(w, &m->name); \
    }
#define WIRE_LIST(record, number, name, of, need, doc) \
    if (WIRE_PRESENT_##need(m->has, number)) { \
        wire_put_uint(w, number); \
        wire_put_array(w, m->name.count); \
        for (uint32_t i = 0; i < m->name.count; i++) \
            wire_put_##of(w, &m->name.items[i]); \
    }
#define WIRE_END(record) }
#include "ops.def"

/* ---- pass: the fields that must be there ---- */

#define WIRE_RECORD(name, unknown, doc) enum { required_##name = 0
#define WIRE_FIELD(record, number, name, type, need, doc) | WIRE_BIT_##need(number)
#define WIRE_LIST(record, number, name, of, need, doc) | WIRE_BIT_##need(number)
#define WIRE_END(record) \
    } \
    ;
#include "ops.def"

/* ---- pass: clear ---- */

static inline void clear_bytes(struct wire_bytes *m)
{
    *m = (struct wire_bytes){NULL, 0};
}

#define WIRE_CLEAR_u8(m) (*(m) = 0)
#define WIRE_CLEAR_u32(m) (*(m) = 0)
#define WIRE_CLEAR_i64(m) (*(m) = 0)
#define WIRE_CLEAR_word(m) (*(m) = 0)
#define WIRE_CLEAR_bin(m) clear_bytes(m)
#define WIRE_CLEAR_str(m) clear_bytes(m)
#define WIRE_CLEAR_words(m) ((m)->count = 0)
#define WIRE_CLEAR_bins(m) ((m)->count = 0)
#define WIRE_CLEAR_strs(m) ((m)->count = 0)

#define WIRE_RECORD(name, unknown, doc) \
    static inline void clear_##name(struct wire_##name *m) \
    { \
        m->has = 0;
#define WIRE_FIELD(record, number, name, type, need, doc) WIRE_CLEAR_##type(&m->name);
#define WIRE_LIST(record, number, name, of, need, doc) m->name.count = 0;
#define WIRE_END(record) }
#include "ops.def"

/* ---- pass: get ---- */

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

/* What every record begins and ends with. */
static inline uint32_t open_record(struct wire_reader *r)
{
    r->depth++;
    return wire_get_map(r);
}

static inline void close_record(struct wire_reader *r, const uint8_t *start, uint32_t missing)
{
    r->depth--;
    if (missing != 0)
        wire_fail_get(r, WIRE_E_MISSING, start);
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

#define WIRE_RECORD(name, unknown, doc) \
    void wire_get_##name(struct wire_reader *r, struct wire_##name *m) \
    { \
        void (*const skip)(struct wire_reader *, const uint8_t *) = unknown_##unknown; \
        const uint32_t required = required_##name; \
        const uint8_t *start = r->p; \
        uint32_t left = open_record(r); \
        clear_##name(m); \
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
        close_record(r, start, required & ~m->has); \
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
