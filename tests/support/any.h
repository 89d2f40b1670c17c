/* SPDX-License-Identifier: MIT
 *
 * Any message of ops.def as one value: decode, encode, compare without naming it.
 * Used by the tests of the golden messages and by the fuzz targets.
 */
#ifndef SUPPORT_ANY_H
#define SUPPORT_ANY_H

#include "../../libwire/wire.h"
#include "field.h"

enum any_record {
#define WIRE_RECORD(name, unknown, doc) ANY_##name,
#include "../../libwire/ops.def"
    ANY_nothing /* a cancel's body */
};

union any_body {
#define WIRE_RECORD(name, unknown, doc) struct wire_##name name;
#include "../../libwire/ops.def"
};

struct any_message {
    struct wire_envelope envelope;
    enum any_record record;
    union any_body body;
};

/* Where a decoded message keeps its lists. */
enum { ANY_ITEMS = 256, ANY_INTEGERS = 8192 };
struct any_room {
    struct wire_buffer buffer[2 * ANY_ITEMS];
    struct wire_spec spec[2 * ANY_ITEMS];
    struct wire_range range[2 * ANY_ITEMS];
    struct wire_step step[ANY_ITEMS];
    struct wire_move move[ANY_ITEMS];
    int64_t integers[ANY_INTEGERS];
    struct wire_bytes bytes[ANY_ITEMS];
};

/* "call_request"; "" for ANY_nothing. */
const char *any_name(enum any_record record);

/* The record of an envelope's body; false when this library knows none. */
bool any_record_of(const struct wire_envelope *e, enum any_record *record);

/* One record; nothing may follow it. */
enum wire_status any_decode_body(enum any_record record, struct wire_bytes bytes, union any_body *body,
                                 struct any_room *room, size_t *at);
void any_get_body(enum any_record record, struct wire_reader *r, union any_body *body, struct any_room *room);
void any_put_body(struct wire_writer *w, enum any_record record, const union any_body *body);
bool any_equal_body(enum any_record record, const union any_body *a, const union any_body *b);

/* Bytes of a record as wire_size_NAME tells them; of an empty body 1. */
size_t any_size_body(enum any_record record, const union any_body *body);

/* A record at random; what it points to is in room and pool. */
void any_random_body(enum any_record record, union any_body *body, struct any_room *room, struct field_pool *pool);

/* A whole frame's body; an envelope without a known record is WIRE_E_UNKNOWN. */
enum wire_status any_decode(struct wire_bytes frame, struct any_message *m, struct any_room *room, size_t *at);

/* A whole frame, its length included. */
enum wire_status any_put(struct wire_writer *w, const struct any_message *m);

/* The same envelope and the same body? */
bool any_equal(const struct any_message *a, const struct any_message *b);

#endif
