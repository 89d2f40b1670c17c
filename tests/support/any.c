/* SPDX-License-Identifier: MIT
 *
 * Expanded from ops.def, as message.c is, but through the public header alone.
 */
#include "any.h"

#include <string.h>

const char *any_name(enum any_record record)
{
    static const char *const names[] = {
#define WIRE_RECORD(name, unknown, doc) #name,
#include "../../libwire/ops.def"
        ""};
    return names[record];
}

/* ---- which record ---- */

static bool find_op(uint32_t code, bool reply, enum any_record *record)
{
    switch (code) {
#define WIRE_OP(name, code, since, doc) \
    case code: \
        *record = reply ? ANY_##name##_reply : ANY_##name##_request; \
        return true;
#include "../../libwire/ops.def"
    default:
        return false;
    }
}

static bool find_event(uint32_t code, enum any_record *record)
{
    switch (code) {
#define WIRE_EVENT(name, code, since, doc) \
    case code: \
        *record = ANY_##name; \
        return true;
#include "../../libwire/ops.def"
    default:
        return false;
    }
}

bool any_record_of(const struct wire_envelope *e, enum any_record *record)
{
    switch (e->kind) {
    case WIRE_REQUEST:
    case WIRE_REPLY:
        return find_op(e->code, e->kind == WIRE_REPLY, record);
    case WIRE_EVENT:
        return find_event(e->code, record);
    case WIRE_ERROR:
        *record = ANY_error;
        return true;
    case WIRE_GOODBYE:
        *record = ANY_goodbye;
        return true;
    default:
        *record = ANY_nothing;
        return true;
    }
}

/* ---- decode ---- */

#define PREPARE_u8(m, room)
#define PREPARE_u32(m, room)
#define PREPARE_i64(m, room)
#define PREPARE_word(m, room)
#define PREPARE_bin(m, room)
#define PREPARE_str(m, room)
#define PREPARE_words(m, room)
#define PREPARE_i64s(m, room) (m).items = (room)->integers, (m).cap = ANY_INTEGERS;
#define PREPARE_bins(m, room) (m).items = (room)->bytes, (m).cap = ANY_ITEMS;
#define PREPARE_strs(m, room) PREPARE_bins(m, room)
#define PREPARE_names(m, room) PREPARE_bins(m, room)

#define WIRE_RECORD(name, unknown, doc) \
    static void prepare_##name(struct wire_##name *m, struct any_room *room) \
    { \
        m->has = 0; \
        (void)room;
#define WIRE_FIELD(record, number, name, type, need, doc) PREPARE_##type(m->name, room)
/* Two lists of one record have neighbouring numbers: each takes its half. */
#define WIRE_LIST(record, number, name, of, need, doc) \
    m->name.items = room->of + number % 2 * ANY_ITEMS, m->name.cap = ANY_ITEMS;
#define WIRE_END(record) }
#include "../../libwire/ops.def"

/* The public header has no reader of an empty body; a skip and its first byte will do. */
static enum wire_status decode_nothing(struct wire_bytes bytes, size_t *at)
{
    struct wire_reader r;
    wire_reader_init(&r, bytes.ptr, bytes.len);
    r.depth = 1;
    wire_skip(&r);
    wire_reader_end(&r);
    *at = r.at;
    return r.status;
}

enum wire_status any_decode_body(enum any_record record, struct wire_bytes bytes, union any_body *body,
                                 struct any_room *room, size_t *at)
{
    memset(body, 0, sizeof *body);
    switch (record) {
#define WIRE_RECORD(name, unknown, doc) \
    case ANY_##name: \
        prepare_##name(&body->name, room); \
        return wire_decode_##name(bytes, &body->name, at);
#include "../../libwire/ops.def"
    default:
        return decode_nothing(bytes, at);
    }
}

enum wire_status any_decode(struct wire_bytes frame, struct any_message *m, struct any_room *room, size_t *at)
{
    enum wire_status status = wire_get_envelope(frame.ptr, frame.len, &m->envelope, at);
    m->record = ANY_nothing;
    if (status != WIRE_OK)
        return status;
    if (!any_record_of(&m->envelope, &m->record))
        return WIRE_E_UNKNOWN;
    status = any_decode_body(m->record, m->envelope.body, &m->body, room, at);
    *at += (size_t)(m->envelope.body.ptr - frame.ptr);
    return status;
}

void any_get_body(enum any_record record, struct wire_reader *r, union any_body *body, struct any_room *room)
{
    memset(body, 0, sizeof *body);
    switch (record) {
#define WIRE_RECORD(name, unknown, doc) \
    case ANY_##name: \
        prepare_##name(&body->name, room); \
        wire_get_##name(r, &body->name); \
        break;
#include "../../libwire/ops.def"
    default:
        wire_skip(r);
    }
}

/* ---- at random ---- */

/* The elements of lists that are in use, of each record. */
struct used {
#define WIRE_RECORD(name, unknown, doc) uint32_t name;
#include "../../libwire/ops.def"
};

#define WHETHER_REQUIRED(pool) 1u
#define WHETHER_OPTIONAL(pool) (random_next(&(pool)->state) % 2)

#define WIRE_RECORD(name, unknown, doc) \
    static void random_##name(struct wire_##name *m, struct any_room *room, struct used *used, \
                              struct field_pool *pool) \
    { \
        memset(m, 0, sizeof *m); \
        (void)room, (void)used;
#define WIRE_FIELD(record, number, name, type, need, doc) \
    if (WHETHER_##need(pool)) { \
        m->has |= UINT32_C(1) << number; \
        field_random_##type(pool, &m->name); \
    }
#define WIRE_LIST(record, number, name, of, need, doc) \
    if (WHETHER_##need(pool)) { \
        m->has |= UINT32_C(1) << number; \
        m->name.items = room->of + used->of; \
        m->name.count = m->name.cap = field_random_count(pool, ANY_ITEMS - used->of); \
        used->of += m->name.count; \
        for (uint32_t i = 0; i < m->name.count; i++) \
            random_##of(&m->name.items[i], room, used, pool); \
    }
#define WIRE_END(record) }
#include "../../libwire/ops.def"

void any_random_body(enum any_record record, union any_body *body, struct any_room *room, struct field_pool *pool)
{
    struct used used = {0};
    pool->used = 0;
    switch (record) {
#define WIRE_RECORD(name, unknown, doc) \
    case ANY_##name: \
        random_##name(&body->name, room, &used, pool); \
        break;
#include "../../libwire/ops.def"
    default:
        break;
    }
}

/* ---- encode ---- */

size_t any_size_body(enum any_record record, const union any_body *body)
{
    switch (record) {
#define WIRE_RECORD(name, unknown, doc) \
    case ANY_##name: \
        return wire_size_##name(&body->name);
#include "../../libwire/ops.def"
    default:
        return 1;
    }
}

void any_put_body(struct wire_writer *w, enum any_record record, const union any_body *body)
{
    switch (record) {
#define WIRE_RECORD(name, unknown, doc) \
    case ANY_##name: \
        wire_put_##name(w, &body->name); \
        break;
#include "../../libwire/ops.def"
    default:
        wire_put_nothing(w);
    }
}

enum wire_status any_put(struct wire_writer *w, const struct any_message *m)
{
    wire_begin(w, &m->envelope);
    any_put_body(w, m->record, &m->body);
    return wire_end(w);
}

/* ---- compare ---- */

static bool same_bytes(struct wire_bytes a, struct wire_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static bool same_words(const struct wire_words *a, const struct wire_words *b)
{
    return a->count == b->count && memcmp(a->at, b->at, a->count * sizeof a->at[0]) == 0;
}

static bool same_integers(const struct wire_integers *a, const struct wire_integers *b)
{
    return a->count == b->count && (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof a->items[0]) == 0);
}

static bool same_list(const struct wire_list *a, const struct wire_list *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!same_bytes(a->items[i], b->items[i]))
            return false;
    }
    return true;
}

#define SAME_u8(a, b) (a) == (b)
#define SAME_u32(a, b) (a) == (b)
#define SAME_i64(a, b) (a) == (b)
#define SAME_word(a, b) (a) == (b)
#define SAME_bin(a, b) same_bytes(a, b)
#define SAME_str(a, b) same_bytes(a, b)
#define SAME_words(a, b) same_words(&(a), &(b))
#define SAME_i64s(a, b) same_integers(&(a), &(b))
#define SAME_bins(a, b) same_list(&(a), &(b))
#define SAME_strs(a, b) same_list(&(a), &(b))
#define SAME_names(a, b) same_list(&(a), &(b))

/* Required fields are there whether their bit is or not. */
#define NEED_REQUIRED(number) (UINT32_C(1) << (number))
#define NEED_OPTIONAL(number) UINT32_C(0)

#define WIRE_RECORD(name, unknown, doc) \
    static bool same_##name(const struct wire_##name *a, const struct wire_##name *b) \
    { \
        bool same = true; \
        uint32_t need = 0;
#define WIRE_FIELD(record, number, name, type, need_, doc) \
    need |= NEED_##need_(number); \
    same = same && (SAME_##type(a->name, b->name));
#define WIRE_LIST(record, number, name, of, need_, doc) \
    need |= NEED_##need_(number); \
    same = same && a->name.count == b->name.count; \
    for (uint32_t i = 0; same && i < a->name.count; i++) \
        same = same_##of(&a->name.items[i], &b->name.items[i]);
#define WIRE_END(record) \
    return same && (a->has | need) == (b->has | need); \
    }
#include "../../libwire/ops.def"

bool any_equal_body(enum any_record record, const union any_body *a, const union any_body *b)
{
    switch (record) {
#define WIRE_RECORD(name, unknown, doc) \
    case ANY_##name: \
        return same_##name(&a->name, &b->name);
#include "../../libwire/ops.def"
    default:
        return true;
    }
}

bool any_equal(const struct any_message *a, const struct any_message *b)
{
    const struct wire_envelope *x = &a->envelope, *y = &b->envelope;
    return x->kind == y->kind && x->id == y->id && x->code == y->code && x->worker == y->worker &&
           x->generation == y->generation && a->record == b->record && any_equal_body(a->record, &a->body, &b->body);
}
