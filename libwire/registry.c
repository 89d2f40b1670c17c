/* SPDX-License-Identifier: MIT
 *
 * The tables of ops.def and errors.def as data: names, look-ups.
 */
#include "wire_impl.h"

#ifndef WIRE_WITHOUT_names

#define WIRE_OPS_FILE "ops.def"
#define WIRE_OPS_PREFIX wire_
#define WIRE_OPS_UPPER WIRE_
#define WIRE_OPS_NAMES
#include "wire_ops.h"

/* The number of records, and one function each. */
enum {
#define WIRE_RECORD(name, unknown, doc) RECORD_##name,
#include "ops.def"
    RECORD_COUNT
};

static const struct wire_row ops[] = {
#define WIRE_OP(name, code, since, doc) {#name, code, since},
#include "ops.def"
    {NULL, 0, 0}};

static const struct wire_row events[] = {
#define WIRE_EVENT(name, code, since, doc) {#name, code, since},
#include "ops.def"
    {NULL, 0, 0}};

static const struct wire_row caps[] = {
#define WIRE_CAP(name, bit, doc) {#name, UINT32_C(1) << (bit), 0},
#include "ops.def"
    {NULL, 0, 0}};

static const struct wire_row errors[] = {
#define WIRE_ERROR(name, code, word, text) {word, code, 0},
#include "errors.def"
    {NULL, 0, 0}};

const struct wire_record_row *wire_record_at(uint32_t index)
{
    static const struct wire_record_row *(*const rows[])(void) = {
#define WIRE_RECORD(name, unknown, doc) wire_row_##name,
#include "ops.def"
    };
    return index < RECORD_COUNT ? rows[index]() : NULL;
}

const struct wire_row *wire_ops(void)
{
    return ops;
}

const struct wire_row *wire_events(void)
{
    return events;
}

const struct wire_row *wire_caps(void)
{
    return caps;
}

const struct wire_row *wire_errors(void)
{
    return errors;
}

static bool same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

const struct wire_record_row *wire_record_find(const char *name)
{
    const struct wire_record_row *row;
    for (uint32_t i = 0; (row = wire_record_at(i)) != NULL; i++) {
        if (same(row->name, name))
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

static bool is_named(struct wire_bytes text, const char *name)
{
    size_t i = 0;
    while (i < text.len && name[i] != '\0' && text.ptr[i] == (uint8_t)name[i])
        i++;
    return i == text.len && name[i] == '\0';
}

uint32_t wire_caps_of(const struct wire_list *names)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < names->count; i++) {
        for (const struct wire_row *row = caps; row->name != NULL; row++)
            bits |= is_named(names->items[i], row->name) ? row->code : 0;
    }
    return bits;
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
    switch (code) {
#define WIRE_ERROR(name, code, word, text) \
    case code: \
        return text;
#include "errors.def"
    default:
        return "an error that this version does not know";
    }
}

#endif
