/* SPDX-License-Identifier: MIT
 *
 * tests/vectors/msgpack.json: every value is written in its shortest form, and read in
 * each form that msgpack allows.  msgpack-c reads the same bytes.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../libwire/wire.h"
#include "../support/generic.h"
#include "../support/hex.h"

enum { ROOM = 70000 };

/* ---- the file ---- */

static const json_t *rows(const char *list)
{
    static json_t *root;
    if (root == NULL)
        root = json_load_file("tests/vectors/msgpack.json", JSON_REJECT_DUPLICATES, NULL);
    const json_t *found = json_object_get(root, list);
    cr_assert_gt(json_array_size(found), 0, "tests/vectors/msgpack.json is missing or broken");
    return found;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    cr_assert_not_null(text, "no %s", key);
    return text;
}

/* "c0 61*70000": hex, and bytes that repeat. */
static size_t parse(const char *text, uint8_t *out)
{
    size_t len = 0;
    char word[2048];
    for (int used; sscanf(text, " %2047s%n", word, &used) == 1; text += used) {
        char *star = strchr(word, '*');
        size_t times = star != NULL ? strtoul(star + 1, NULL, 10) : 1;
        if (star != NULL)
            *star = '\0';
        size_t n = hex_parse(word, out + len, ROOM - len);
        cr_assert(n != SIZE_MAX && n * times <= ROOM - len, "%s", text);
        for (size_t i = 1; star != NULL && i < times; i++)
            out[len + i] = out[len];
        len += n * times;
    }
    return len;
}

/* One form of a value, in memory of just its length. */
static struct wire_bytes form(const json_t *text)
{
    static uint8_t room[ROOM], *exact;
    struct wire_bytes bytes = {NULL, parse(json_string_value(text), room)};
    free(exact);
    bytes.ptr = exact = malloc(bytes.len > 0 ? bytes.len : 1);
    cr_assert_not_null(exact);
    memcpy(exact, room, bytes.len);
    return bytes;
}

static int64_t number(const json_t *value, const char *key)
{
    const char *text = text_of(value, key);
    return *text == '-' ? (int64_t)strtoll(text, NULL, 10) : (int64_t)strtoull(text, NULL, 10);
}

static uint64_t bits_of(const json_t *value)
{
    return strtoull(text_of(value, "bits"), NULL, 16);
}

static bool is(const json_t *value, const char *type)
{
    return strcmp(text_of(value, "type"), type) == 0;
}

/* The bytes of a str, bin or ext. */
static struct wire_bytes bytes_of(const json_t *value)
{
    static uint8_t room[ROOM];
    return (struct wire_bytes){room, parse(text_of(value, "bytes"), room)};
}

/* ---- put ---- */

static void put(struct wire_writer *w, const json_t *value);

static void put_float(struct wire_writer *w, const json_t *value)
{
    uint64_t bits = bits_of(value);
    uint32_t low = (uint32_t)bits;
    double f64;
    float f32;
    memcpy(&f64, &bits, sizeof f64);
    memcpy(&f32, &low, sizeof f32);
    if (is(value, "f32"))
        wire_put_f32(w, f32);
    else
        wire_put_f64(w, f64);
}

static void put_array(struct wire_writer *w, const json_t *value)
{
    json_int_t count = json_integer_value(json_object_get(value, "count"));
    wire_put_array(w, (uint32_t)count);
    for (json_int_t i = 0; i < count; i++)
        put(w, json_object_get(value, "each"));
}

static void put_map(struct wire_writer *w, const json_t *value)
{
    const json_t *entries = json_object_get(value, "entries");
    wire_put_map(w, (uint32_t)json_array_size(entries));
    for (size_t i = 0; i < json_array_size(entries); i++) {
        put(w, json_array_get(json_array_get(entries, i), 0));
        put(w, json_array_get(json_array_get(entries, i), 1));
    }
}

static void put_int(struct wire_writer *w, const json_t *value)
{
    if (*text_of(value, "value") == '-')
        wire_put_int(w, number(value, "value"));
    else
        wire_put_uint(w, (uint64_t)number(value, "value"));
}

static void put(struct wire_writer *w, const json_t *value)
{
    if (is(value, "nil"))
        wire_put_nil(w);
    else if (is(value, "bool"))
        wire_put_bool(w, json_is_true(json_object_get(value, "value")));
    else if (is(value, "int"))
        put_int(w, value);
    else if (is(value, "f32") || is(value, "f64"))
        put_float(w, value);
    else if (is(value, "str"))
        wire_put_str(w, bytes_of(value));
    else if (is(value, "bin"))
        wire_put_bin(w, bytes_of(value));
    else if (is(value, "ext"))
        wire_put_ext(w, (int8_t)json_integer_value(json_object_get(value, "kind")), bytes_of(value));
    else if (is(value, "time"))
        wire_put_time(w, number(value, "seconds"), (uint32_t)json_integer_value(json_object_get(value, "nanoseconds")));
    else
        (is(value, "map") ? put_map : put_array)(w, value);
}

/* ---- get ---- */

static bool same_value(struct wire_reader *r, const json_t *value);

static bool same_int(struct wire_reader *r, const json_t *value)
{
    bool negative, wanted = *text_of(value, "value") == '-';
    return wire_get_integer(r, &negative) == (uint64_t)number(value, "value") && negative == wanted;
}

static bool same_float(struct wire_reader *r, const json_t *value)
{
    double f64 = 0;
    float f32 = 0;
    uint64_t bits = 0;
    uint32_t low = 0;
    if (is(value, "f32"))
        f32 = wire_get_f32(r);
    else
        f64 = wire_get_f64(r);
    memcpy(&bits, &f64, sizeof bits);
    memcpy(&low, &f32, sizeof low);
    return (is(value, "f32") ? low : bits) == bits_of(value);
}

static bool same_bytes(struct wire_reader *r, const json_t *value)
{
    struct wire_bytes wanted = bytes_of(value);
    struct wire_ext read = {0, {NULL, 0}};
    int kind = (int)json_integer_value(json_object_get(value, "kind")); /* 0 where there is none */
    if (is(value, "ext"))
        wire_get_ext(r, &read);
    else
        (is(value, "str") ? wire_get_str : wire_get_bin)(r, &read.data);
    return read.type == kind && read.data.len == wanted.len && r->status == WIRE_OK &&
           memcmp(read.data.ptr, wanted.ptr, wanted.len) == 0;
}

static bool same_time(struct wire_reader *r, const json_t *value)
{
    struct wire_time time;
    wire_get_time(r, &time);
    return time.seconds == number(value, "seconds") &&
           time.nanoseconds == json_integer_value(json_object_get(value, "nanoseconds"));
}

static bool same_array(struct wire_reader *r, const json_t *value)
{
    json_int_t count = json_integer_value(json_object_get(value, "count"));
    bool same = wire_get_array(r) == count;
    for (json_int_t i = 0; same && i < count; i++)
        same = same_value(r, json_object_get(value, "each"));
    return same;
}

static bool same_map(struct wire_reader *r, const json_t *value)
{
    const json_t *entries = json_object_get(value, "entries");
    bool same = wire_get_map(r) == json_array_size(entries);
    for (size_t i = 0; same && i < json_array_size(entries); i++)
        same = same_value(r, json_array_get(json_array_get(entries, i), 0)) &&
               same_value(r, json_array_get(json_array_get(entries, i), 1));
    return same;
}

/* What wire_peek says of it. */
static enum wire_type type_of(const json_t *value)
{
    static const char *const names[] = {"none", "nil", "bool",  "int", "f32", "f64",
                                        "str",  "bin", "array", "map", "ext"};
    for (int i = 0; i <= WIRE_TYPE_ext; i++) {
        if (is(value, names[i]))
            return (enum wire_type)i;
    }
    return is(value, "time") ? WIRE_TYPE_ext : WIRE_TYPE_none;
}

static bool same_value(struct wire_reader *r, const json_t *value)
{
    if (wire_peek(r) != type_of(value))
        return false;
    switch (wire_peek(r)) {
    case WIRE_TYPE_nil:
        wire_get_nil(r);
        return r->status == WIRE_OK;
    case WIRE_TYPE_bool:
        return wire_get_bool(r) == json_is_true(json_object_get(value, "value"));
    case WIRE_TYPE_int:
        return same_int(r, value);
    case WIRE_TYPE_f32:
    case WIRE_TYPE_f64:
        return same_float(r, value);
    case WIRE_TYPE_array:
        return same_array(r, value);
    case WIRE_TYPE_map:
        return same_map(r, value);
    default:
        return (is(value, "time") ? same_time : same_bytes)(r, value);
    }
}

/* ---- the guarantees ---- */

static void expect_read(const char *name, struct wire_bytes bytes, const json_t *value)
{
    struct wire_reader r;
    wire_reader_init(&r, bytes.ptr, bytes.len);
    cr_expect(same_value(&r, value), "%s: read differently", name);
    cr_expect_eq(wire_reader_end(&r), WIRE_OK, "%s: %s at %zu", name, wire_status_text(r.status), r.at);
    cr_expect_eq(generic_their_len(bytes.ptr, bytes.len), bytes.len, "%s: msgpack-c disagrees", name);
}

Test(msgpack, every_value_is_written_in_its_shortest_form)
{
    static uint8_t out[ROOM];
    size_t i;
    json_t *row;
    json_array_foreach(rows("values"), i, row)
    {
        struct wire_bytes wanted = form(json_object_get(row, "canonical"));
        struct wire_writer w;
        wire_writer_init(&w, out, wanted.len); /* it needs no more */
        put(&w, json_object_get(row, "value"));
        cr_expect_eq(wire_writer_end(&w), WIRE_OK, "%s", text_of(row, "name"));
        cr_expect(w.len == wanted.len && memcmp(out, wanted.ptr, w.len) == 0, "%s: other bytes", text_of(row, "name"));
    }
}

Test(msgpack, every_value_is_read_in_every_form)
{
    size_t i, k;
    json_t *row, *other;
    json_array_foreach(rows("values"), i, row)
    {
        const json_t *value = json_object_get(row, "value");
        expect_read(text_of(row, "name"), form(json_object_get(row, "canonical")), value);
        json_array_foreach(json_object_get(row, "others"), k, other)
            expect_read(text_of(row, "name"), form(other), value);
    }
}

Test(msgpack, the_shortest_form_alone_is_canonical)
{
    size_t i, k, at;
    json_t *row, *other;
    json_array_foreach(rows("values"), i, row)
    {
        struct wire_bytes shortest = form(json_object_get(row, "canonical"));
        cr_expect_eq(wire_check(shortest, WIRE_SCAN_CANONICAL | WIRE_SCAN_UTF8, &at), WIRE_OK, "%s",
                     text_of(row, "name"));
        cr_expect_eq(at, shortest.len);
        json_array_foreach(json_object_get(row, "others"), k, other)
        {
            struct wire_bytes bytes = form(other);
            cr_expect_eq(wire_check(bytes, WIRE_SCAN_UTF8, &at), WIRE_OK, "%s", text_of(row, "name"));
            cr_expect_eq(wire_check(bytes, WIRE_SCAN_CANONICAL, &at), WIRE_E_CANONICAL, "%s: form %zu",
                         text_of(row, "name"), k);
            cr_expect_eq(at, 0, "%s: form %zu, at %zu", text_of(row, "name"), k, at);
        }
    }
}

Test(msgpack, what_is_not_a_value_is_refused_where_it_fails)
{
    static const char *const names[] = {
#define WIRE_STATUS(name, text) #name,
#include "../../libwire/errors.def"
    };
    size_t i, at;
    json_t *row;
    json_array_foreach(rows("refused"), i, row)
    {
        struct wire_bytes bytes = form(json_object_get(row, "bytes"));
        cr_expect_str_eq(names[wire_check(bytes, 0, &at)], text_of(row, "status"), "%s", text_of(row, "bytes"));
        cr_expect_eq(at, json_integer_value(json_object_get(row, "at")), "%s: at %zu", text_of(row, "bytes"), at);
    }
}

/* ---- damage ---- */

/* Is the answer the one of msgpack-c?  It goes deeper, and is not asked where it would allocate by a bad count. */
static void expect_agreement(const char *name, struct wire_bytes bytes)
{
    size_t at, theirs = generic_their_len(bytes.ptr, bytes.len);
    enum wire_status status = wire_check(bytes, 0, &at);
    cr_assert_leq(at, bytes.len);
    if (theirs == SIZE_MAX)
        cr_assert(status == WIRE_OK || status == WIRE_E_SHORT || status == WIRE_E_TRAILING ||
                  status == WIRE_E_RESERVED);
    else if (status == WIRE_OK || status == WIRE_E_TRAILING)
        cr_assert_eq(at, theirs, "%s: ends at %zu, theirs at %zu", name, at, theirs);
    else
        cr_assert(theirs == 0 || status == WIRE_E_DEPTH, "%s: %s", name, wire_status_text(status));
}

/* Long values by their first and last bytes. */
static void damage(const char *name, struct wire_bytes form)
{
    static uint8_t copy[ROOM];
    memcpy(copy, form.ptr, form.len);
    for (size_t i = 0; i < form.len; i++) {
        struct wire_bytes whole = {copy, form.len}, cut = {copy, i};
        size_t at;
        if (i == 40 && form.len > 80)
            i = form.len - 20;
        cr_assert_eq(wire_check(cut, WIRE_SCAN_UTF8 | WIRE_SCAN_CANONICAL, &at), WIRE_E_SHORT, "%s cut to %zu", name,
                     i);
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1u << bit);
            expect_agreement(name, whole);
            copy[i] = form.ptr[i];
        }
    }
}

Test(msgpack, a_shortest_form_cut_anywhere_is_short_and_with_a_bit_flipped_what_msgpack_c_says)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows("values"), i, row) damage(text_of(row, "name"), form(json_object_get(row, "canonical")));
}

Test(msgpack, any_form_with_a_bit_flipped_is_what_msgpack_c_says)
{
    size_t i, k;
    json_t *row, *other;
    json_array_foreach(rows("values"), i, row)
    {
        json_array_foreach(json_object_get(row, "others"), k, other)
        {
            struct wire_bytes bytes = form(other);
            for (size_t at = 0; at < bytes.len && at < 24; at++) {
                for (unsigned bit = 0; bit < 8; bit++) {
                    ((uint8_t *)bytes.ptr)[at] ^= (uint8_t)(1u << bit);
                    expect_agreement(text_of(row, "name"), bytes);
                    ((uint8_t *)bytes.ptr)[at] ^= (uint8_t)(1u << bit);
                }
            }
        }
    }
}
