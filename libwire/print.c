/* SPDX-License-Identifier: MIT
 *
 * Any frame as one line, for traces and test failures, and the path of a field.
 * Works from the tables and the raw bytes: what does not decode is shown too.
 */
#include "wire_impl.h"

#ifndef WIRE_WITHOUT_names

/* ---- output that never overflows and counts what it would have taken ---- */

struct text {
    char *out;
    size_t cap, len;
};

static void add_char(struct text *t, char c)
{
    if (t->len + 1 < t->cap)
        t->out[t->len] = c;
    t->len++;
}

static void add(struct text *t, const char *s)
{
    while (*s != '\0')
        add_char(t, *s++);
}

/* Divide by ten and return the rest: in pieces, since 32-bit machines divide 64 bits in a
 * function of the compiler's library, which is not always there. */
static unsigned take_digit(uint64_t *value)
{
    uint32_t rest = 0;
    uint64_t quotient = 0;
    for (unsigned shift = 64; shift > 0; shift -= 16) {
        uint32_t piece = rest << 16 | (uint32_t)(*value >> (shift - 16) & 0xffff);
        quotient = quotient << 16 | piece / 10;
        rest = piece % 10;
    }
    *value = quotient;
    return rest;
}

static void add_uint(struct text *t, uint64_t value)
{
    char digits[20];
    unsigned n = 0;
    do
        digits[n++] = (char)('0' + take_digit(&value));
    while (value != 0);
    while (n > 0)
        add_char(t, digits[--n]);
}

static void add_int(struct text *t, uint64_t bits, bool negative)
{
    if (negative)
        add_char(t, '-');
    add_uint(t, negative ? 0 - bits : bits);
}

static void add_hex(struct text *t, const uint8_t *p, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        add_char(t, digits[p[i] >> 4]);
        add_char(t, digits[p[i] & 15]);
    }
}

static void finish(struct text *t)
{
    if (t->cap > 0)
        t->out[t->len < t->cap ? t->len : t->cap - 1] = '\0';
}

/* ---- values without a table ---- */

enum { SHOWN_BYTES = 32 }; /* of a bin or str; the rest is "..." */

static void add_bin(struct text *t, struct wire_bytes b)
{
    size_t shown = b.len < SHOWN_BYTES ? b.len : SHOWN_BYTES;
    add_char(t, '<');
    add_uint(t, b.len);
    add(t, b.len > 0 ? ": " : "");
    add_hex(t, b.ptr, shown);
    add(t, shown < b.len ? "...>" : ">");
}

/* ASCII whatever comes: the text may be cut inside a character, be no UTF-8 at all, or steer a terminal. */
static void add_str(struct text *t, struct wire_bytes b)
{
    size_t shown = b.len < 4 * SHOWN_BYTES ? b.len : 4 * SHOWN_BYTES;
    add_char(t, '"');
    for (size_t i = 0; i < shown; i++) {
        bool plain = b.ptr[i] >= ' ' && b.ptr[i] < 127 && b.ptr[i] != '"' && b.ptr[i] != '\\';
        if (!plain)
            add(t, "\\x");
        if (plain)
            add_char(t, (char)b.ptr[i]);
        else
            add_hex(t, b.ptr + i, 1);
    }
    add(t, shown < b.len ? "\"..." : "\"");
}

/* Anything that is not shown otherwise: its bytes. */
static void add_raw(struct text *t, struct wire_reader *r)
{
    const uint8_t *at = r->p;
    wire_take_any(r);
    size_t len = (size_t)(r->p - at);
    add(t, "?");
    add_hex(t, at, len < SHOWN_BYTES ? len : SHOWN_BYTES);
}

static void add_scalar(struct text *t, struct wire_reader *r)
{
    struct wire_bytes bytes;
    bool negative;
    uint64_t bits;
    switch (wire_peek(r)) {
    case WIRE_TYPE_int:
        bits = wire_take_integer(r, &negative);
        add_int(t, bits, negative);
        break;
    case WIRE_TYPE_bin:
        wire_take_bin(r, &bytes);
        add_bin(t, bytes);
        break;
    case WIRE_TYPE_str:
        wire_take_str(r, &bytes);
        add_str(t, bytes);
        break;
    case WIRE_TYPE_nil:
    case WIRE_TYPE_bool:
        add(t, *r->p == 0xc0 ? "nil" : *r->p == 0xc2 ? "false" : "true");
        r->p++;
        break;
    default:
        add_raw(t, r);
    }
}

static bool is_array(const struct wire_reader *r)
{
    return wire_peek(r) == WIRE_TYPE_array;
}

/* ---- values with one ---- */

static const struct wire_field_row *field_find(const struct wire_record_row *record, uint64_t number)
{
    for (uint32_t i = 0; record != NULL && i < record->field_count; i++) {
        if (record->fields[i].number == number)
            return &record->fields[i];
    }
    return NULL;
}

static void add_record(struct text *t, struct wire_reader *r, const struct wire_record_row *record);

static void add_value(struct text *t, struct wire_reader *r, const struct wire_field_row *field)
{
    const struct wire_record_row *of = field != NULL && field->of != NULL ? field->of() : NULL;
    if (field == NULL || !is_array(r)) {
        add_scalar(t, r);
        return;
    }
    uint32_t count = wire_take_array(r);
    add_char(t, '[');
    for (uint32_t i = 0; i < count && r->status == WIRE_OK; i++) {
        add(t, i > 0 ? " " : "");
        if (of != NULL)
            add_record(t, r, of);
        else
            add_scalar(t, r);
    }
    add_char(t, ']');
}

/* Records nest as ops.def says: two deep. */
static void add_record(struct text *t, struct wire_reader *r, const struct wire_record_row *record)
{
    uint32_t count = wire_take_map(r);
    add_char(t, '{');
    for (uint32_t i = 0; i < count && r->status == WIRE_OK; i++) {
        uint64_t number = wire_take_uint(r, UINT64_MAX);
        const struct wire_field_row *field = field_find(record, number);
        add(t, i > 0 ? " " : "");
        if (field != NULL)
            add(t, field->name);
        else
            add_uint(t, number);
        add_char(t, '=');
        add_value(t, r, field);
    }
    add_char(t, '}');
}

/* ---- envelopes ---- */

/* The record of a body, by kind and code; *name is the word to print for the code. */
static const struct wire_record_row *body_record(const struct wire_envelope *e, const char **name)
{
    static const char *const suffix[] = {"_request", "_reply"};
    const struct wire_row *row = wire_events();
    *name = "?";
    if (e->kind == WIRE_ERROR || e->kind == WIRE_GOODBYE) {
        *name = e->code == 0 ? "ok" : wire_error_name(e->code);
        return wire_record_find(e->kind == WIRE_ERROR ? "error" : "goodbye");
    }
    if (e->kind == WIRE_EVENT) {
        while (row->name != NULL && row->code != e->code)
            row++;
    } else {
        row = e->kind == WIRE_CANCEL ? NULL : wire_op_find(e->code);
    }
    if (row == NULL || row->name == NULL)
        return NULL;
    *name = row->name;
    char full[64];
    struct text t = {full, sizeof full, 0};
    add(&t, row->name);
    if (e->kind != WIRE_EVENT)
        add(&t, suffix[e->kind]);
    finish(&t);
    return wire_record_find(full);
}

/* A fault: what, where, and the bytes. */
static void add_fault(struct text *t, enum wire_status status, size_t at, struct wire_bytes all)
{
    add(t, " !");
    add(t, wire_status_text(status));
    add(t, " at byte ");
    add_uint(t, at);
    add_char(t, ' ');
    add_bin(t, all);
}

size_t wire_print_record(const struct wire_record_row *record, struct wire_bytes body, char *out, size_t cap)
{
    struct text t = {out, cap, 0};
    struct wire_reader r;
    wire_reader_init(&r, body.ptr, body.len);
    add_record(&t, &r, record);
    if (wire_reader_end(&r) != WIRE_OK)
        add_fault(&t, r.status, r.at, body);
    finish(&t);
    return t.len;
}

size_t wire_print(const void *ptr, size_t len, char *out, size_t cap)
{
    static const char *const kinds[] = {"request", "reply", "error", "event", "cancel", "goodbye"};
    struct text t = {out, cap, 0};
    struct wire_envelope e;
    const char *name;
    size_t at;
    enum wire_status status = wire_get_envelope(ptr, len, &e, &at);
    if (status == WIRE_OK) {
        const struct wire_record_row *record = body_record(&e, &name);
        struct wire_reader r;
        wire_reader_init(&r, e.body.ptr, e.body.len);
        add(&t, kinds[e.kind]);
        add_char(&t, ' ');
        add_uint(&t, e.id);
        add_char(&t, ' ');
        add(&t, name);
        add(&t, " worker=");
        add_uint(&t, e.worker);
        add(&t, " generation=");
        add_uint(&t, e.generation);
        add_char(&t, ' ');
        add_record(&t, &r, record);
        status = wire_reader_end(&r);
        at = r.at + (size_t)(e.body.ptr - (const uint8_t *)ptr);
    }
    if (status != WIRE_OK)
        add_fault(&t, status, at, (struct wire_bytes){ptr, len});
    finish(&t);
    return t.len;
}

/* ---- paths ---- */

/* Pass over one value; false when it does not end before the byte at fault. */
static bool pass(struct wire_reader *r, const uint8_t *at)
{
    struct wire_reader probe = *r;
    wire_take_any(&probe);
    if (probe.status != WIRE_OK || probe.p > at)
        return false;
    *r = probe;
    return true;
}

/* Take a key: its field, or NULL when the table has none or the key is no number. */
static const struct wire_field_row *find_next(struct wire_reader *r, const struct wire_record_row *record)
{
    struct wire_reader probe = *r;
    uint64_t number = wire_take_uint(&probe, UINT64_MAX);
    if (probe.status != WIRE_OK) {
        wire_take_any(r);
        return NULL;
    }
    *r = probe;
    return field_find(record, number);
}

/* The map that stands next: the name of its first required field that is missing, or NULL. */
static const char *find_missing(struct wire_reader r, const struct wire_record_row *record)
{
    uint32_t has = 0;
    for (uint32_t left = wire_take_map(&r); left > 0 && r.status == WIRE_OK; left--) {
        const struct wire_field_row *field = find_next(&r, record);
        has |= field != NULL ? UINT32_C(1) << field->number : 0;
        wire_take_any(&r);
    }
    for (uint32_t i = 0; i < record->field_count && r.status == WIRE_OK; i++) {
        if (record->fields[i].required && (has >> record->fields[i].number & 1) == 0)
            return record->fields[i].name;
    }
    return NULL;
}

/* One more step of a path. */
static void add_step(struct text *t, const char *name)
{
    add(t, t->len > 0 ? "." : "");
    add(t, name);
}

void wire_path(const struct wire_record_row *record, struct wire_bytes body, size_t at, char *out, size_t cap)
{
    struct text t = {out, cap, 0};
    struct wire_reader r;
    const uint8_t *fault = body.ptr + (at < body.len ? at : body.len);
    wire_reader_init(&r, body.ptr, body.len);
    while (record != NULL && r.p < fault) {
        const struct wire_field_row *field = NULL;
        uint32_t left = wire_take_map(&r);
        while (left-- > 0 && r.p < fault) {
            field = find_next(&r, record);
            if (!pass(&r, fault))
                break;
            field = NULL;
        }
        record = NULL;
        if (field == NULL)
            break;
        add_step(&t, field->name);
        if (r.p >= fault || !is_array(&r) || field->of == NULL)
            break;
        uint32_t i = 0, count = wire_take_array(&r);
        while (i < count && pass(&r, fault))
            i++;
        add_char(&t, '[');
        add_uint(&t, i);
        add_char(&t, ']');
        record = field->of();
    }
    const char *missing = record != NULL && r.p == fault ? find_missing(r, record) : NULL;
    if (missing != NULL)
        add_step(&t, missing);
    finish(&t);
}

#endif
