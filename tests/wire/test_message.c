/* SPDX-License-Identifier: MIT
 *
 * libwire/message.c: what a record takes and what it refuses, by its table.  The bytes
 * of whole messages are in test_vectors.c.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../support/any.h"
#include "../support/generic.h"
#include "../support/hex.h"

static uint8_t bytes[4096];
static struct any_room room;

static struct wire_bytes body_of(const char *hex)
{
    size_t len = hex_parse(hex, bytes, sizeof bytes);
    cr_assert_neq(len, SIZE_MAX, "not hex: %s", hex);
    return (struct wire_bytes){bytes, len};
}

static enum wire_status decode(enum any_record record, const char *hex, union any_body *body, size_t *at)
{
    return any_decode_body(record, body_of(hex), body, &room, at);
}

struct row {
    enum any_record record;
    const char *hex;
    enum wire_status status;
    size_t at;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        union any_body body;
        size_t at = 0;
        enum wire_status status = decode(rows[i].record, rows[i].hex, &body, &at);
        cr_expect_eq(status, rows[i].status, "%s %s: %s", any_name(rows[i].record), rows[i].hex,
                     wire_status_text(status));
        cr_expect_eq(at, rows[i].at, "%s %s: at %zu", any_name(rows[i].record), rows[i].hex, at);
    }
}

#define EXPECT(rows) expect_rows(rows, sizeof(rows) / sizeof(rows)[0])

/* ---- what is taken ---- */

Test(message, keys_are_taken_in_any_order)
{
    union any_body body;
    size_t at;
    cr_assert_eq(decode(ANY_call_request, "84 03 90  02 91 83 02 03  01 c4 01 78  00 02  01 91 ff  00 27", &body, &at),
                 WIRE_OK);
    cr_expect(body.call_request.nr == 39 && body.call_request.args.count == 1 && body.call_request.args.at[0] == -1);
    cr_expect(body.call_request.buffers.count == 1 && body.call_request.specs.count == 0);
    const struct wire_buffer *b = body.call_request.buffers.items;
    cr_expect(b->len == 2 && b->dir == 3 && b->data.len == 1 && *b->data.ptr == 'x');
    cr_expect_eq(body.call_request.has, 0xf);
    cr_expect_eq(b->has, 0x7);
}

Test(message, keys_and_values_are_taken_in_any_width)
{
    union any_body body;
    size_t at;
    const char *hex = "de 00 04  cc 00 d1 00 27  cd 00 01 dc 00 01 d3 ff ff ff ff ff ff ff ff"
                      "ce 00 00 00 02 dd 00 00 00 01 df 00 00 00 02 cf 00 00 00 00 00 00 00 00 cd 00 02 d0 02 d0 03"
                      "d2 00 00 00 03 91 de 00 01 d3 00 00 00 00 00 00 00 00 cf 00 00 00 00 00 00 00 07";
    cr_assert_eq(decode(ANY_call_request, hex, &body, &at), WIRE_OK, "at %zu", at);
    cr_expect(body.call_request.nr == 39 && body.call_request.args.at[0] == -1);
    cr_expect(body.call_request.buffers.items[0].len == 2 && body.call_request.buffers.items[0].dir == 3);
    cr_expect(body.call_request.specs.items[0].target == 7);
}

Test(message, absent_fields_are_zero_and_have_no_bit)
{
    union any_body body;
    size_t at;
    struct wire_call_reply m;
    memset(&m, 0xff, sizeof m);
    m.outs.items = room.bytes;
    m.outs.cap = ANY_ITEMS;
    cr_assert_eq(wire_decode_call_reply(body_of("81 03 05"), &m, &at), WIRE_OK);
    cr_expect_eq(m.has, WIRE_HAS(call_reply, status));
    cr_expect(m.ret == 0 && m.outs.count == 0 && m.ended == 0 && m.status == 5 && m.signal == 0 && m.fresh == 0);
    cr_assert_eq(decode(ANY_ping_request, "80", &body, &at), WIRE_OK);
    cr_expect(body.ping_request.has == 0 && body.ping_request.data.len == 0);
    cr_assert_eq(decode(ANY_ping_request, "81 00 c4 00", &body, &at), WIRE_OK);
    cr_expect(body.ping_request.has == 1 && body.ping_request.data.len == 0, "empty is not absent");
}

Test(message, optional_fields_are_sent_by_their_bit_alone)
{
    uint8_t out[64];
    struct wire_writer w;
    struct wire_call_reply m = {.ret = 1, .status = 2, .signal = 3, .has = WIRE_HAS(call_reply, signal)};
    wire_writer_init(&w, out, sizeof out);
    wire_put_call_reply(&w, &m);
    cr_expect(w.len == 3 && memcmp(out, "\x81\x04\x03", 3) == 0);
}

/* ---- unknown fields ---- */

Test(message, unknown_fields_are_passed_over_where_the_table_says_so)
{
    static const struct row rows[] = {
        {ANY_ping_request, "81 01 05", WIRE_OK, 0},
        {ANY_ping_request, "82 18 a1 78 00 c4 00", WIRE_OK, 0},                   /* a number below 32 */
        {ANY_ping_request, "82 cd ff ff 93 c0 c3 d4 01 02 00 c4 00", WIRE_OK, 0}, /* a large one, an odd value */
        {ANY_ping_request, "81 cf ff ff ff ff ff ff ff ff cb 00 00 00 00 00 00 00 00", WIRE_OK, 0},
        {ANY_ping_request, "81 ff 00", WIRE_OK, 0}, /* keys that are no field numbers */
        {ANY_ping_request, "81 a1 78 00", WIRE_OK, 0},
        {ANY_ping_request, "81 c0 c0", WIRE_OK, 0},
        {ANY_ping_request, "81 92 00 00 00", WIRE_OK, 0},
        {ANY_error, "83 00 a0 07 81 00 80 02 00", WIRE_OK, 0},
        {ANY_goodbye, "82 00 a0 1f 05", WIRE_OK, 0},
        {ANY_worker_ended, "82 00 01 1f 05", WIRE_OK, 0},
        {ANY_call_reply, "82 00 00 1f 05", WIRE_OK, 0},
    };
    EXPECT(rows);
}

Test(message, unknown_fields_are_refused_in_what_is_executed)
{
    static const struct row rows[] = {
        {ANY_call_request, "82 00 27 1f 00", WIRE_E_UNKNOWN, 3},
        {ANY_call_request, "82 1f 00 00 27", WIRE_E_UNKNOWN, 1},
        {ANY_call_request, "82 00 27 cd 01 00 00", WIRE_E_UNKNOWN, 3},
        {ANY_call_request, "82 00 27 a1 78 00", WIRE_E_UNKNOWN, 3},
        {ANY_call_request, "82 00 27 ff 00", WIRE_E_UNKNOWN, 3},
        {ANY_call_request, "82 00 27 02 91 83 00 00 1f 00 02 00", WIRE_E_UNKNOWN, 8},
        {ANY_call_request, "82 00 27 03 91 82 00 00 1f 00", WIRE_E_UNKNOWN, 8},
        {ANY_program_request, "82 02 91 81 00 27 18 1d 00", WIRE_E_UNKNOWN, 6},
        {ANY_program_request, "81 02 91 82 00 27 18 1d 00", WIRE_E_UNKNOWN, 6},
        {ANY_program_request, "82 02 91 81 00 27 03 91 82 00 00 18 1d 00", WIRE_E_UNKNOWN, 11},
        {ANY_region_alloc_request, "82 00 27 1f 00", WIRE_E_UNKNOWN, 3},
        {ANY_region_read_request, "83 01 27 02 05 03 00", WIRE_E_UNKNOWN, 5},
        {ANY_region_write_request, "83 01 27 02 c4 00 03 00", WIRE_E_UNKNOWN, 6},
        {ANY_region_free_request, "82 00 01 01 00", WIRE_E_UNKNOWN, 3},
    };
    EXPECT(rows);
}

/* ---- refused ---- */

Test(message, fields_given_twice_are_refused_at_the_second_value)
{
    static const struct row rows[] = {
        {ANY_ping_request, "82 00 c4 00 00 c4 00", WIRE_E_DUPLICATE, 5},
        {ANY_ping_request, "82 00 c4 00 cc 00 c4 00", WIRE_E_DUPLICATE, 6},
        {ANY_call_request, "82 00 01 00 01", WIRE_E_DUPLICATE, 4},
        {ANY_call_request, "83 00 01 02 90 02 90", WIRE_E_DUPLICATE, 6},
        {ANY_call_request, "82 00 27 03 91 82 00 00 00 00", WIRE_E_DUPLICATE, 9},
    };
    EXPECT(rows);
}

Test(message, missing_fields_are_refused_at_their_record)
{
    static const struct row rows[] = {
        {ANY_call_request, "80", WIRE_E_MISSING, 0},
        {ANY_call_request, "81 01 90", WIRE_E_MISSING, 0},
        {ANY_call_request, "82 00 27 02 91 81 00 00", WIRE_E_MISSING, 5},
        {ANY_call_request, "82 00 27 02 92 82 00 00 02 00 81 02 00", WIRE_E_MISSING, 10},
        {ANY_call_request, "82 00 27 03 91 80", WIRE_E_MISSING, 5},
        {ANY_error, "81 00 a0", WIRE_E_MISSING, 0},
        {ANY_error, "81 02 00", WIRE_E_MISSING, 0},
        {ANY_goodbye, "80", WIRE_E_MISSING, 0},
        {ANY_worker_ended, "80", WIRE_E_MISSING, 0},
    };
    EXPECT(rows);
}

/* Each required field of hello left out in turn. */
Test(message, each_required_field_is_required)
{
    static const char *const pairs[] = {"00 00", "01 00", "02 90", "03 01", "04 01",
                                        "05 01", "06 01", "07 01", "08 01"};
    for (size_t gone = 0; gone <= 9; gone++) {
        char hex[64];
        union any_body body;
        size_t at;
        strcpy(hex, gone < 9 ? "88" : "89");
        for (size_t i = 0; i < 9; i++)
            strcat(hex, i == gone ? "" : pairs[i]);
        cr_expect_eq(decode(ANY_hello_request, hex, &body, &at), gone < 9 ? WIRE_E_MISSING : WIRE_OK, "%s", hex);
    }
}

Test(message, values_of_another_type_are_refused_where_they_stand)
{
    static const struct row rows[] = {
        {ANY_ping_request, "81 00 a1 78", WIRE_E_TYPE, 2}, /* str for bin */
        {ANY_ping_request, "81 00 05", WIRE_E_TYPE, 2},
        {ANY_ping_request, "81 00 c0", WIRE_E_TYPE, 2}, /* nil is not absence */
        {ANY_ping_request, "81 00 d4 01 02", WIRE_E_TYPE, 2},
        {ANY_ping_request, "81 00 90", WIRE_E_TYPE, 2},
        {ANY_ping_request, "81 00 c1", WIRE_E_RESERVED, 2},
        {ANY_ping_request, "90", WIRE_E_TYPE, 0},
        {ANY_ping_request, "c0", WIRE_E_TYPE, 0},
        {ANY_call_request, "81 00 ca 00 00 00 00", WIRE_E_TYPE, 2},
        {ANY_call_request, "81 00 cb 40 43 80 00 00 00 00 00", WIRE_E_TYPE, 2}, /* 39.0 */
        {ANY_call_request, "81 00 c2", WIRE_E_TYPE, 2},
        {ANY_call_request, "81 00 c3", WIRE_E_TYPE, 2},
        {ANY_call_request, "82 00 27 01 05", WIRE_E_TYPE, 4},
        {ANY_call_request, "82 00 27 01 92 01 c0", WIRE_E_TYPE, 6},
        {ANY_call_request, "82 00 27 02 80", WIRE_E_TYPE, 4},
        {ANY_call_request, "82 00 27 02 91 05", WIRE_E_TYPE, 5},
        {ANY_call_request, "82 00 27 02 91 82 00 c4 00 02 00", WIRE_E_TYPE, 7},
        {ANY_call_request, "82 02 92 c0 c0 00 27", WIRE_E_TYPE, 3}, /* keys out of order */
        {ANY_call_request, "82 03 92 c0 c0 00 27", WIRE_E_TYPE, 3},
        {ANY_goodbye, "81 00 c4 01 78", WIRE_E_TYPE, 2}, /* bin for str */
        {ANY_goodbye, "81 00 a1 ff", WIRE_E_UTF8, 2},
        {ANY_call_reply, "81 01 91 a1 78", WIRE_E_TYPE, 3},
        {ANY_hello_reply, "81 02 91 c4 01 78", WIRE_E_TYPE, 3},
    };
    EXPECT(rows);
}

/* With bytes enough behind it for any integer. */
static enum wire_status decode_nr(unsigned first, size_t *at)
{
    uint8_t body[32] = {0x81, 0x00, (uint8_t)first};
    struct wire_call_request m = {.nr = 0};
    return wire_decode_call_request((struct wire_bytes){body, sizeof body}, &m, at);
}

Test(message, nothing_but_an_integer_begins_a_word)
{
    for (unsigned first = 0; first < 256; first++) {
        size_t at = 0;
        bool integer = first <= 0x7f || first >= 0xe0 || (first >= 0xcc && first <= 0xd3);
        enum wire_status wanted = integer ? WIRE_E_TRAILING : first == 0xc1 ? WIRE_E_RESERVED : WIRE_E_TYPE;
        cr_expect_eq(decode_nr(first, &at), wanted, "%02x", first);
        cr_expect(integer ? at > 2 : at == 2, "%02x: at %zu", first, at);
    }
}

Test(message, numbers_beyond_their_type_are_refused)
{
    static const struct row rows[] = {
        {ANY_call_request, "82 00 27 02 91 82 00 ff 02 00", WIRE_E_RANGE, 7},
        {ANY_call_request, "82 00 27 02 91 82 00 cf 00 00 00 01 00 00 00 00 02 00", WIRE_E_RANGE, 7},
        {ANY_call_request, "82 00 27 02 91 82 00 00 02 cd 01 00", WIRE_E_RANGE, 9},
        {ANY_call_request, "81 00 cf ff ff ff ff ff ff ff ff", WIRE_OK, 0},
        {ANY_call_request, "82 00 27 01 97 00 00 00 00 00 00 00", WIRE_E_RANGE, 4},
        {ANY_call_reply, "81 00 cf 80 00 00 00 00 00 00 00", WIRE_E_RANGE, 2},
        {ANY_call_reply, "81 02 cd 01 00", WIRE_E_RANGE, 2},
    };
    EXPECT(rows);
}

Test(message, more_elements_than_there_is_room_for_are_refused_at_their_list)
{
    struct wire_buffer buffers[1];
    struct wire_call_request m = {.buffers = {buffers, 0, 1}, .specs = {NULL, 0, 0}};
    size_t at;
    const char *two = "82 00 27 02 92 82 00 00 02 00 82 00 00 02 00";
    cr_expect_eq(wire_decode_call_request(body_of(two), &m, &at), WIRE_E_COUNT);
    cr_expect_eq(at, 4);
    cr_expect_eq(m.buffers.count, 0);
    cr_expect_eq(wire_decode_call_request(body_of("82 00 27 03 91 81 00 00"), &m, &at), WIRE_E_COUNT);
    cr_expect_eq(wire_decode_call_request(body_of("82 00 27 03 90"), &m, &at), WIRE_OK,
                 "none fit where there is no room");
}

Test(message, bytes_behind_a_body_are_refused)
{
    static const struct row rows[] = {{ANY_ping_request, "80 c0", WIRE_E_TRAILING, 1},
                                      {ANY_call_request, "81 00 27 00", WIRE_E_TRAILING, 3},
                                      {ANY_goodbye, "81 00 a0 c1", WIRE_E_TRAILING, 3}};
    EXPECT(rows);
}

/* ---- bombs ---- */

Test(message, counts_beyond_the_bytes_are_refused_before_anything_is_sized_by_them)
{
    static const struct row rows[] = {
        {ANY_call_request, "df ff ff ff ff 00 27", WIRE_E_SHORT, 0},
        {ANY_call_request, "82 00 27 02 dd ff ff ff ff", WIRE_E_SHORT, 4},
        {ANY_call_request, "82 00 27 01 96 01 02", WIRE_E_SHORT, 4},
        {ANY_call_request, "82 00 27 01 91", WIRE_E_SHORT, 4},
        {ANY_call_request, "82 00 27 02 dc 00 05 80 80", WIRE_E_SHORT, 4},
        {ANY_call_request, "82 00 27 02 91 df 7f ff ff ff", WIRE_E_SHORT, 5},
        {ANY_call_reply, "81 01 dd ff ff ff ff", WIRE_E_SHORT, 2},
        {ANY_ping_request, "81 00 c6 ff ff ff ff", WIRE_E_SHORT, 2},
        {ANY_ping_request, "81 09 dd ff ff ff ff", WIRE_E_SHORT, 2},
        {ANY_ping_request, "81 09 c6 ff ff ff ff", WIRE_E_SHORT, 2},
    };
    EXPECT(rows);
}

/* {9: [[[...]]]} with `levels` arrays. */
static enum wire_status decode_nested(unsigned levels, size_t *at)
{
    union any_body body;
    size_t len = 0;
    bytes[len++] = 0x81;
    bytes[len++] = 0x09;
    for (unsigned i = 1; i < levels; i++)
        bytes[len++] = 0x91;
    bytes[len++] = 0x90;
    return any_decode_body(ANY_ping_request, (struct wire_bytes){bytes, len}, &body, &room, at);
}

Test(message, an_ignored_value_may_nest_to_depth_sixteen_counting_the_envelope)
{
    size_t at;
    cr_expect_eq(decode_nested(14, &at), WIRE_OK);
    cr_expect_eq(decode_nested(15, &at), WIRE_E_DEPTH);
    cr_expect_eq(at, 16);
    cr_expect_eq(decode_nested(4000, &at), WIRE_E_DEPTH);
    cr_expect_eq(at, 16);
}

Test(message, nothing_at_all_is_short_for_every_record)
{
    for (int record = 0; record < ANY_nothing; record++) {
        union any_body body;
        size_t at = 99;
        cr_expect_eq(decode((enum any_record)record, "", &body, &at), WIRE_E_SHORT, "%s",
                     any_name((enum any_record)record));
        cr_expect_eq(at, 0);
    }
}

/* ---- random messages ---- */

/* One of each record: announced, written, canonical, read by msgpack-c and by us as what it was. */
static void expect_round(enum any_record record, uint64_t seed)
{
    static struct any_room made, read;
    static struct field_pool pool;
    static uint8_t out[1 << 18];
    union any_body body, back;
    struct wire_writer w;
    size_t at;
    const char *name = any_name(record);
    pool.state = seed;
    any_random_body(record, &body, &made, &pool);
    size_t size = any_size_body(record, &body);
    cr_assert(size > 0 && size <= sizeof out, "%s, seed %llu", name, (unsigned long long)seed);
    wire_writer_init(&w, out, size);
    any_put_body(&w, record, &body);
    cr_assert(w.status == WIRE_OK && w.len == size, "%s, seed %llu", name, (unsigned long long)seed);
    struct wire_bytes whole = {out, w.len};
    cr_assert_eq(wire_check(whole, WIRE_SCAN_UTF8 | WIRE_SCAN_CANONICAL, &at), WIRE_OK, "%s at %zu", name, at);
    cr_assert_eq(generic_their_len(out, w.len), w.len, "%s, seed %llu", name, (unsigned long long)seed);
    cr_assert_eq(any_decode_body(record, whole, &back, &read, &at), WIRE_OK, "%s at %zu", name, at);
    cr_assert(any_equal_body(record, &body, &back), "%s, seed %llu", name, (unsigned long long)seed);
}

Test(message, random_messages_of_every_record_come_back_as_they_were)
{
    for (int record = 0; record < ANY_nothing; record++) {
        for (uint64_t seed = 1; seed <= 1000; seed++)
            expect_round((enum any_record)record, seed);
    }
}

Test(message, a_random_message_is_announced_and_refused_in_any_smaller_room)
{
    static struct any_room made;
    static struct field_pool pool;
    static uint8_t out[1 << 18];
    for (int record = 0; record < ANY_nothing; record++) {
        union any_body body;
        struct wire_writer w;
        pool.state = (uint64_t)record + 5;
        any_random_body((enum any_record)record, &body, &made, &pool);
        size_t size = any_size_body((enum any_record)record, &body);
        for (size_t cap = 0; cap <= size; cap++) {
            wire_writer_init(&w, out, cap);
            any_put_body(&w, (enum any_record)record, &body);
            cr_assert_eq(w.status, cap < size ? WIRE_E_SPACE : WIRE_OK, "%s of %zu bytes in %zu",
                         any_name((enum any_record)record), size, cap);
        }
    }
}

/* Three of each record in an array, each with something behind it. */
Test(message, random_messages_are_values_in_generic_containers)
{
    static struct any_room made, read;
    static struct field_pool pool;
    static uint8_t out[1 << 20];
    for (int record = 0; record < ANY_nothing; record++) {
        union any_body bodies[3], back;
        struct wire_writer w;
        struct wire_reader r;
        wire_writer_init(&w, out, sizeof out);
        wire_open_array(&w);
        pool.state = (uint64_t)record + 77;
        for (int i = 0; i < 3; i++) {
            any_random_body((enum any_record)record, &bodies[i], &made, &pool);
            wire_open_map(&w);
            wire_put_uint(&w, 7), any_put_body(&w, (enum any_record)record, &bodies[i]);
            wire_close(&w);
            cr_assert_eq(w.status, WIRE_OK, "%s: %s", any_name((enum any_record)record), wire_status_text(w.status));
        }
        wire_close(&w);
        cr_assert_eq(wire_writer_end(&w), WIRE_OK);
        wire_reader_init(&r, out, w.len);
        cr_assert_eq(wire_get_array(&r), 3);
        for (int i = 0; i < 3; i++) {
            cr_assert(wire_get_map(&r) == 1 && wire_get_uint(&r, 7) == 7);
            any_get_body((enum any_record)record, &r, &back, &read);
            cr_assert_eq(r.status, WIRE_OK, "%s at %zu", any_name((enum any_record)record), r.at);
            if (i == 2) /* the lists of the others are overwritten by now */
                cr_assert(any_equal_body((enum any_record)record, &bodies[i], &back));
        }
        cr_assert_eq(wire_reader_end(&r), WIRE_OK);
    }
}

Test(message, a_message_that_cannot_be_written_has_no_size)
{
    struct wire_call_request m = {.has = WIRE_HAS(call_request, args), .args = {WIRE_ARGS_MAX + 1, {0}}};
    cr_expect_eq(wire_size_call_request(&m), 0);
    m.args.count = WIRE_ARGS_MAX;
    cr_expect_eq(wire_size_call_request(&m), 11);
}
