/* SPDX-License-Identifier: MIT
 *
 * The tables of ops.def and errors.def as data: names, documents, look-ups.
 */
#include "wire_impl.h"

#define WIRE_NEED_REQUIRED true
#define WIRE_NEED_OPTIONAL false
#define WIRE_UNKNOWN_REFUSE true
#define WIRE_UNKNOWN_IGNORE false

#define WIRE_RECORD(name, unknown, doc) static const struct wire_field_row fields_##name[] = {
#define WIRE_FIELD(record, number, name, type, need, doc) {number, #name, #type, NULL, WIRE_NEED_##need, doc},
#define WIRE_LIST(record, number, name, of, need, doc) {number, #name, "list", #of, WIRE_NEED_##need, doc},
#define WIRE_END(record) \
    } \
    ;
#include "ops.def"

static const struct wire_record_row records[] = {
#define WIRE_RECORD(name, unknown, doc) \
    {#name, WIRE_UNKNOWN_##unknown, fields_##name, sizeof fields_##name / sizeof fields_##name[0], doc},
#include "ops.def"
    {NULL, false, NULL, 0, NULL}};

static const struct wire_row ops[] = {
#define WIRE_OP(name, code, since, doc) {#name, code, since, doc},
#include "ops.def"
    {NULL, 0, 0, NULL}};

static const struct wire_row events[] = {
#define WIRE_EVENT(name, code, since, doc) {#name, code, since, doc},
#include "ops.def"
    {NULL, 0, 0, NULL}};

static const struct wire_row errors[] = {
#define WIRE_ERROR(name, code, word, text) {word, code, 0, text},
#include "errors.def"
    {NULL, 0, 0, NULL}};

const struct wire_record_row *wire_records(void)
{
    return records;
}

const struct wire_row *wire_ops(void)
{
    return ops;
}

const struct wire_row *wire_events(void)
{
    return events;
}

const struct wire_row *wire_errors(void)
{
    return errors;
}

const struct wire_record_row *wire_record_find(const char *name)
{
    for (const struct wire_record_row *row = records; row->name != NULL; row++) {
        size_t len = strlen(row->name) + 1;
        if (memcmp(row->name, name, strlen(name) + 1 < len ? strlen(name) + 1 : len) == 0)
            return row;
    }
    return NULL;
}

static const struct wire_row *row_find(const struct wire_row *row, uint32_t code)
{
    while (row->name != NULL && row->code != code)
        row++;
    return row->name != NULL ? row : NULL;
}

const struct wire_row *wire_op_find(uint32_t code)
{
    return row_find(ops, code);
}

const char *wire_status_text(enum wire_status status)
{
    static const char *const texts[] = {
#define WIRE_STATUS(name, text) text,
#include "errors.def"
    };
    return (size_t)status < sizeof texts / sizeof texts[0] ? texts[status] : "unknown status";
}

const char *wire_error_name(uint32_t code)
{
    const struct wire_row *row = row_find(errors, code);
    return row != NULL ? row->name : "unknown";
}

const char *wire_error_text(uint32_t code)
{
    const struct wire_row *row = row_find(errors, code);
    return row != NULL ? row->doc : "an error that this version does not know";
}
