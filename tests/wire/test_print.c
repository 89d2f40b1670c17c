/* SPDX-License-Identifier: MIT
 *
 * wire_print: anything becomes one line, whatever the bytes and however little room.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../support/hex.h"
#include "../support/random.h"
#include "../support/vectors.h"

static const char *print_hex(const char *hex)
{
    static char line[4096];
    uint8_t bytes[1024];
    size_t len = hex_parse(hex, bytes, sizeof bytes);
    cr_assert_neq(len, SIZE_MAX, "not hex: %s", hex);
    size_t needed = wire_print(bytes, len, line, sizeof line);
    cr_expect_eq(needed, strlen(line));
    return line;
}

Test(print, what_the_tables_do_not_know_is_shown_by_number)
{
    cr_expect_str_eq(print_hex("96 00 01 18 02 03 81 00 05"), "request 1 ? worker=2 generation=3 {0=5}");
    cr_expect_str_eq(print_hex("96 03 00 63 00 00 80"), "event 0 ? worker=0 generation=0 {}");
    cr_expect_str_eq(print_hex("96 02 07 cd 03 e7 00 00 80"), "error 7 unknown worker=0 generation=0 {}");
    cr_expect_str_eq(print_hex("96 00 01 01 00 00 82 00 c4 01 aa 18 a1 78"),
                     "request 1 ping worker=0 generation=0 {data=<1: aa> 24=\"x\"}");
}

Test(print, values_that_no_field_has_are_shown_as_bytes)
{
    cr_expect_str_eq(print_hex("96 00 01 01 00 00 81 09 93 c0 c3 ca 00 00 00 00"),
                     "request 1 ping worker=0 generation=0 {9=?93c0c3ca00000000}");
    cr_expect_str_eq(print_hex("96 00 01 01 00 00 81 00 c0"), "request 1 ping worker=0 generation=0 {data=nil}");
    cr_expect_str_eq(print_hex("96 00 01 01 00 00 82 00 c3 08 c2"), "request 1 ping worker=0 generation=0 {data=true 8=false}");
}

Test(print, a_record_alone_is_printed_as_in_its_frame)
{
    static const uint8_t spec[] = {0x83, 0x00, 0x01, 0x02, 0x00, 0x03, 0x08}, cut[] = {0x81, 0x00};
    char line[128];
    size_t len = wire_print_record(wire_row_spec(), (struct wire_bytes){spec, sizeof spec}, line, sizeof line);
    cr_expect_str_eq(line, "{target=1 buffer=0 offset=8}");
    cr_expect_eq(len, strlen(line));
    wire_print_record(wire_row_spec(), (struct wire_bytes){cut, sizeof cut}, line, sizeof line);
    cr_expect_str_eq(line, "{} !the bytes end inside a value at byte 0 <2: 8100>");
}

Test(print, what_does_not_decode_says_why_and_where_and_shows_the_bytes)
{
    cr_expect_str_eq(print_hex(""), " !the bytes end inside a value at byte 0 <0>");
    cr_expect_str_eq(print_hex("c1"), " !byte 0xc1 is not msgpack at byte 0 <1: c1>");
    cr_expect_str_eq(print_hex("96 00 01 01 00 00 80 00"),
                     "request 1 ping worker=0 generation=0 {} !bytes after the value at byte 7 <8: 9600010100008000>");
}

Test(print, a_line_is_plain_ascii_whatever_a_text_holds)
{
    const char *line = print_hex("96 05 00 00 00 00 81 00 a6 0a 1b c2 9b 22 5c");
    cr_expect_str_eq(line, "goodbye 0 ok worker=0 generation=0 {text=\"\\x0a\\x1b\\xc2\\x9b\\x22\\x5c\"}");
}

Test(print, long_bytes_and_texts_are_cut_with_their_length_kept)
{
    const struct vector *v = vector_find("ping_reply.data");
    char line[256];
    struct wire_bytes body = vector_body(v);
    wire_print(body.ptr, body.len, line, sizeof line);
    cr_expect_not_null(strstr(line, "{data=<300: 00010203"));
    cr_expect_not_null(strstr(line, "1e1f...>}"));
}

/* Every cap gives the same line's beginning, ends it, writes nothing behind, and says how long it would be. */
Test(print, any_room_is_enough)
{
    const struct vectors *all = vectors_load();
    cr_assert_not_null(all);
    for (size_t i = 0; i < all->message_count; i++) {
        struct wire_bytes body = vector_body(&all->messages[i]);
        const char *text = all->messages[i].text;
        size_t whole = strlen(text);
        for (size_t cap = 0; cap <= whole + 2; cap++) {
            char *line = malloc(cap + 1);
            cr_assert_not_null(line);
            line[cap] = 'Z';
            cr_expect_eq(wire_print(body.ptr, body.len, line, cap), whole);
            cr_expect_eq(line[cap], 'Z', "cap %zu: written behind", cap);
            size_t shown = cap == 0 ? 0 : whole < cap ? whole : cap - 1;
            cr_expect(cap == 0 || (line[shown] == '\0' && memcmp(line, text, shown) == 0), "cap %zu", cap);
            free(line);
        }
        cr_expect_eq(wire_print(body.ptr, body.len, NULL, 0), whole);
    }
}

static void expect_one_line(const uint8_t *bytes, size_t len)
{
    static char line[16384];
    size_t needed = wire_print(bytes, len, line, sizeof line);
    cr_assert_lt(needed, sizeof line);
    cr_assert_eq(needed, strlen(line));
    for (size_t i = 0; i < needed; i++)
        cr_assert(line[i] >= ' ' && line[i] < 127, "byte %02x in a line", (unsigned)(uint8_t)line[i]);
}

Test(print, random_bytes_make_one_plain_line)
{
    static const uint8_t heads[][7] = {{0x96, 0, 1, 0, 0, 0, 0x8f},  {0x96, 1, 1, 0, 0, 0, 0x8f},
                                       {0x96, 0, 1, 16, 0, 0, 0x84}, {0x96, 1, 1, 16, 0, 0, 0x86},
                                       {0x96, 2, 1, 4, 0, 0, 0x83},  {0x96, 3, 0, 1, 0, 0, 0x84},
                                       {0x96, 5, 0, 1, 0, 0, 0x81}};
    uint64_t state = 7;
    for (unsigned round = 0; round < 50000; round++) {
        uint8_t bytes[80];
        size_t len = random_next(&state) % sizeof bytes, at = 0;
        if (round % 4 != 0 && len > 7) {
            memcpy(bytes, heads[random_next(&state) % 7], 7);
            at = 7;
        }
        for (; at < len; at++)
            bytes[at] = (uint8_t)(random_next(&state) & (random_next(&state) % 3 == 0 ? 0xff : 0x97));
        expect_one_line(bytes, len);
    }
}

/* ---- one record ---- */

static const char *print_record(const char *record, const char *hex)
{
    static char line[256];
    uint8_t bytes[64];
    size_t len = hex_parse(hex, bytes, sizeof bytes);
    cr_assert_neq(len, SIZE_MAX, "not hex: %s", hex);
    size_t needed = wire_print_record(wire_record_find(record), (struct wire_bytes){bytes, len}, line, sizeof line);
    cr_expect_eq(needed, strlen(line));
    return line;
}

Test(print, a_record_alone_prints_every_integer_and_every_fault)
{
    cr_expect_str_eq(print_record("buffer", "82 00 10 02 03"), "{len=16 dir=3}");
    cr_expect_str_eq(print_record("call_request", "82 00 27 03 91 82 00 00 01 c3"), "{nr=39 specs=[{target=0 arg=true}]}");
    cr_expect_str_eq(print_record("buffer", "82 00 cf ff ff ff ff ff ff ff ff 02 cf 8a c7 23 04 89 e7 ff f6"),
                     "{len=18446744073709551615 dir=9999999999999999990}");
    cr_expect_str_eq(print_record("buffer", "81 00 cd 01"), "{len=0} !the bytes end inside a value at byte 2 <4: 8100cd01>");
}
