/* SPDX-License-Identifier: MIT
 *
 * wire_path: every kind of fault names its field as SPEC [CALL-12] writes it.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../support/any.h"
#include "../support/hex.h"
#include "../support/random.h"

static struct any_room room;

struct row {
    enum any_record record;
    const char *hex;
    enum wire_status status;
    const char *path;
};

static void expect_path(const struct row *row)
{
    uint8_t bytes[512];
    char path[64];
    union any_body body;
    size_t at = 0, len = hex_parse(row->hex, bytes, sizeof bytes);
    cr_assert_neq(len, SIZE_MAX, "not hex: %s", row->hex);
    struct wire_bytes b = {bytes, len};
    enum wire_status status = any_decode_body(row->record, b, &body, &room, &at);
    cr_expect_eq(status, row->status, "%s: %s", row->hex, wire_status_text(status));
    wire_path(wire_record_find(any_name(row->record)), b, at, path, sizeof path);
    cr_expect_str_eq(path, row->path, "%s: \"%s\" instead of \"%s\"", row->hex, path, row->path);
}

static void expect_paths(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_path(&rows[i]);
}

#define EXPECT(rows) expect_paths(rows, sizeof(rows) / sizeof(rows)[0])

Test(path, a_bad_value_is_named_by_its_field)
{
    static const struct row rows[] = {
        {ANY_ping_request, "81 00 05", WIRE_E_TYPE, "data"},
        {ANY_ping_request, "81 00 c1", WIRE_E_RESERVED, "data"},
        {ANY_ping_request, "81 00 c4 05 00", WIRE_E_SHORT, "data"},
        {ANY_ping_request, "82 18 91 00 00 05", WIRE_E_TYPE, "data"}, /* behind a field that nobody knows */
        {ANY_call_request, "81 00 c0", WIRE_E_TYPE, "nr"},
        {ANY_call_request, "82 00 27 01 05", WIRE_E_TYPE, "args"},
        {ANY_call_request, "82 00 27 01 97 00 00 00 00 00 00 00", WIRE_E_RANGE, "args"},
        {ANY_call_request, "82 00 27 01 92 00 c0", WIRE_E_TYPE, "args"},
        {ANY_call_request, "82 00 27 02 05", WIRE_E_TYPE, "buffers"},
        {ANY_call_reply, "81 00 cf ff ff ff ff ff ff ff ff", WIRE_E_RANGE, "ret"},
        {ANY_call_reply, "81 01 92 c4 00 00", WIRE_E_TYPE, "outs"},
        {ANY_hello_request, "81 02 92 a0 a1 ff", WIRE_E_UTF8, "caps"},
        {ANY_hello_request, "81 08 ff", WIRE_E_RANGE, "memory_limit"},
        {ANY_goodbye, "81 00 a2 c0 80", WIRE_E_UTF8, "text"},
    };
    EXPECT(rows);
}

Test(path, elements_of_lists_are_numbered_from_zero)
{
    static const struct row rows[] = {
        {ANY_call_request, "82 00 27 02 91 05", WIRE_E_TYPE, "buffers[0]"},
        {ANY_call_request, "82 00 27 02 91 82 00 c0 02 00", WIRE_E_TYPE, "buffers[0].len"},
        {ANY_call_request, "82 00 27 02 92 82 00 00 02 00 82 00 00 02 cd 01 00", WIRE_E_RANGE, "buffers[1].dir"},
        {ANY_call_request, "82 00 27 02 92 82 00 00 02 00 83 00 00 01 a0 02 00", WIRE_E_TYPE, "buffers[1].data"},
        {ANY_call_request, "82 00 27 03 93 81 00 00 81 00 00 83 00 00 02 00 03 ff", WIRE_E_RANGE, "specs[2].offset"},
        {ANY_call_request, "83 02 90 00 27 03 91 82 00 00 01 cd 01 00", WIRE_E_RANGE, "specs[0].arg"},
        {ANY_call_request,
         "82 00 27 03 9c 81 00 00 81 00 00 81 00 00 81 00 00 81 00 00 81 00 00 81 00 00 81 00 00"
         "81 00 00 81 00 00 81 00 00 81 00 c0",
         WIRE_E_TYPE, "specs[11].target"},
    };
    EXPECT(rows);
}

Test(path, a_missing_field_is_named_and_of_several_the_first)
{
    static const struct row rows[] = {
        {ANY_call_request, "80", WIRE_E_MISSING, "nr"},
        {ANY_call_request, "81 02 90", WIRE_E_MISSING, "nr"},
        {ANY_call_request, "82 00 27 02 92 82 00 00 02 00 81 00 00", WIRE_E_MISSING, "buffers[1].dir"},
        {ANY_call_request, "82 00 27 02 91 81 02 00", WIRE_E_MISSING, "buffers[0].len"},
        {ANY_call_request, "82 00 27 02 91 80", WIRE_E_MISSING, "buffers[0].len"},
        {ANY_call_request, "82 00 27 03 91 81 01 00", WIRE_E_MISSING, "specs[0].target"},
        {ANY_error, "80", WIRE_E_MISSING, "text"},
        {ANY_error, "82 a1 78 00 00 a0", WIRE_E_MISSING, "executed"},
        {ANY_hello_request, "82 00 00 02 90", WIRE_E_MISSING, "version_max"},
    };
    EXPECT(rows);
}

Test(path, an_unknown_field_is_named_by_its_record)
{
    static const struct row rows[] = {
        {ANY_call_request, "82 00 27 09 00", WIRE_E_UNKNOWN, ""},
        {ANY_call_request, "82 00 27 02 91 83 00 00 02 00 09 00", WIRE_E_UNKNOWN, "buffers[0]"},
        {ANY_call_request, "82 00 27 03 92 81 00 00 82 00 00 a1 78 00", WIRE_E_UNKNOWN, "specs[1]"},
    };
    EXPECT(rows);
}

Test(path, a_field_given_twice_is_named)
{
    static const struct row rows[] = {
        {ANY_ping_request, "82 00 c4 00 00 c4 00", WIRE_E_DUPLICATE, "data"},
        {ANY_call_request, "83 00 01 02 90 02 90", WIRE_E_DUPLICATE, "buffers"},
        {ANY_call_request, "82 00 27 02 92 82 00 00 02 00 83 00 00 02 00 02 00", WIRE_E_DUPLICATE, "buffers[1].dir"},
    };
    EXPECT(rows);
}

Test(path, a_list_that_is_too_long_is_named_by_itself)
{
    struct wire_call_request m = {.buffers = {NULL, 0, 0}, .specs = {NULL, 0, 0}};
    static const uint8_t bytes[] = {0x82, 0x00, 0x27, 0x03, 0x91, 0x81, 0x00, 0x00};
    struct wire_bytes body = {bytes, sizeof bytes};
    char path[32];
    size_t at;
    cr_assert_eq(wire_decode_call_request(body, &m, &at), WIRE_E_COUNT);
    wire_path(wire_record_find("call_request"), body, at, path, sizeof path);
    cr_expect_str_eq(path, "specs");
}

Test(path, what_is_wrong_with_the_body_itself_has_no_path)
{
    static const struct row rows[] = {
        {ANY_ping_request, "90", WIRE_E_TYPE, ""},
        {ANY_ping_request, "", WIRE_E_SHORT, ""},
        {ANY_ping_request, "80 00", WIRE_E_TRAILING, ""},
        {ANY_ping_request, "81 00 c4 00 00", WIRE_E_TRAILING, ""},
        {ANY_ping_request, "81 09 91 91 91 91 91 91 91 91 91 91 91 91 91 91 90", WIRE_E_DEPTH, ""},
        {ANY_ping_request, "82 00 c4 00 09 c1", WIRE_E_RESERVED, ""},
    };
    EXPECT(rows);
}

Test(path, a_key_that_is_no_number_is_not_taken_for_a_field)
{
    static const struct row rows[] = {
        {ANY_hello_request, "82 a1 78 05 03 c0", WIRE_E_TYPE, "frame_limit"},
        {ANY_hello_request, "82 ff c0 02 c0", WIRE_E_TYPE, "caps"},
        {ANY_hello_request, "82 a1 78 c1 02 90", WIRE_E_RESERVED, ""},
        {ANY_ping_request, "82 91 00 00 00 c0", WIRE_E_TYPE, "data"},
    };
    EXPECT(rows);
}

Test(path, little_room_cuts_the_path)
{
    static const uint8_t bytes[] = {0x82, 0x00, 0x27, 0x02, 0x91, 0x82, 0x00, 0xc0, 0x02, 0x00};
    const char *whole = "buffers[0].len";
    for (size_t cap = 0; cap <= strlen(whole) + 1; cap++) {
        char *path = malloc(cap + 1);
        cr_assert_not_null(path);
        path[cap] = 'Z';
        wire_path(wire_record_find("call_request"), (struct wire_bytes){bytes, sizeof bytes}, 7, path, cap);
        cr_expect_eq(path[cap], 'Z');
        cr_expect(cap == 0 || (strlen(path) == cap - 1 && strncmp(path, whole, cap - 1) == 0), "cap %zu", cap);
        free(path);
    }
}

/* An offset that no decoder would report still makes some path, and no crash. */
Test(path, any_offset_in_any_bytes_is_survived)
{
    uint64_t state = 3;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[40];
        char path[64];
        size_t len = random_next(&state) % sizeof bytes, at = random_next(&state) % 50;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(random_next(&state) & (i % 3 == 0 ? 0xff : 0x93));
        const struct wire_record_row *record = wire_record_at((uint32_t)round % ANY_nothing);
        wire_path(record, (struct wire_bytes){bytes, len}, at, path, sizeof path);
        cr_assert_lt(strlen(path), sizeof path);
    }
}
