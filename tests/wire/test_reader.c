/* SPDX-License-Identifier: MIT
 *
 * libwire/reader.c: every legal form is read, everything else has its own error and
 * its offset.  msgpack-c is the oracle for what a value is.
 */
#include <criterion/criterion.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "../../libwire/wire_impl.h"
#include "../support/hex.h"
#include "../support/random.h"

/* A reader of bytes that a test writes as hex; they live until the next one. */
static struct wire_reader reader_of(const char *hex)
{
    static uint8_t *bytes; /* exactly as long as the input, for the sanitizer's sake */
    uint8_t parsed[512];
    struct wire_reader r;
    size_t len = hex_parse(hex, parsed, sizeof parsed);
    cr_assert_neq(len, SIZE_MAX, "not hex: %s", hex);
    free(bytes);
    bytes = malloc(len + 1);
    cr_assert_not_null(bytes);
    memcpy(bytes, parsed, len);
    if (len > 0)
        bytes = realloc(bytes, len);
    wire_reader_init(&r, bytes, len);
    return r;
}

static void expect_fault(const struct wire_reader *r, enum wire_status status, size_t at, const char *what)
{
    cr_expect_eq(r->status, status, "%s: %s", what, wire_status_text(r->status));
    cr_expect_eq(r->at, at, "%s: at %zu", what, r->at);
}

/* ---- numbers ---- */

/* Write value in the form `first` with len bytes behind it; read it back. */
static void expect_form(uint64_t value, uint8_t first, unsigned len, bool negative)
{
    uint8_t bytes[9] = {first};
    struct wire_reader r;
    msgpack_unpacked theirs;
    bool below = !negative;
    for (unsigned i = 0; i < len; i++)
        bytes[1 + i] = (uint8_t)(value >> 8 * (len - 1 - i));
    wire_reader_init(&r, bytes, len + 1);
    uint64_t read = wire_get_integer(&r, &below);
    cr_expect(r.status == WIRE_OK && read == value && below == negative && r.p == r.end, "%llx as %02x",
              (unsigned long long)value, first);

    msgpack_unpacked_init(&theirs);
    cr_assert_eq(msgpack_unpack_next(&theirs, (const char *)bytes, len + 1, NULL), MSGPACK_UNPACK_SUCCESS);
    cr_expect(negative ? theirs.data.type == MSGPACK_OBJECT_NEGATIVE_INTEGER && (uint64_t)theirs.data.via.i64 == value
                       : theirs.data.type == MSGPACK_OBJECT_POSITIVE_INTEGER && theirs.data.via.u64 == value,
              "msgpack-c reads %llx as %02x differently", (unsigned long long)value, first);
    msgpack_unpacked_destroy(&theirs);
}

/* Every form that holds the number. */
static void expect_all_forms(uint64_t bits, bool negative)
{
    int64_t number = (int64_t)bits;
    for (unsigned n = 0; n < 4; n++) {
        unsigned len = 1u << n, width = 8 * len;
        bool fits_unsigned = !negative && (len == 8 || bits >> width == 0);
        bool fits_signed =
            negative ? len == 8 || number >= -(INT64_C(1) << (width - 1)) : bits <= (UINT64_MAX >> 1) >> (64 - width);
        if (fits_unsigned)
            expect_form(bits, (uint8_t)(0xcc + n), len, false);
        if (fits_signed)
            expect_form(bits, (uint8_t)(0xd0 + n), len, negative);
    }
    if (negative ? number >= -32 : bits <= 127)
        expect_form(bits, (uint8_t)bits, 0, negative);
}

Test(reader, integers_are_read_in_every_width_that_holds_them)
{
    expect_all_forms(0, false);
    for (unsigned shift = 0; shift < 64; shift++) {
        for (uint64_t near = 0; near < 5; near++) {
            uint64_t value = (UINT64_C(1) << shift) + near - 2;
            expect_all_forms(value, false);
            if (value != 0 && 0 - value >= UINT64_C(1) << 63)
                expect_all_forms(0 - value, true);
        }
    }
}

Test(reader, numbers_out_of_range_are_refused)
{
    static const struct {
        const char *hex;
        uint64_t max;
        bool fits;
    } rows[] = {
        {"7f", 127, true},
        {"7f", 126, false},
        {"cc 80", 127, false},
        {"cc ff", 255, true},
        {"cd 01 00", 255, false},
        {"ce ff ff ff ff", UINT32_MAX, true},
        {"cf 00 00 00 01 00 00 00 00", UINT32_MAX, false},
        {"ff", UINT64_MAX, false},
        {"d0 80", UINT64_MAX, false},
        {"d3 ff ff ff ff ff ff ff ff", UINT64_MAX, false},
        {"d3 00 00 00 00 00 00 00 05", 255, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_reader r = reader_of(rows[i].hex);
        uint64_t value = wire_get_uint(&r, rows[i].max);
        if (rows[i].fits)
            cr_expect_eq(r.status, WIRE_OK, "%s", rows[i].hex);
        else
            expect_fault(&r, WIRE_E_RANGE, 0, rows[i].hex);
        cr_expect(rows[i].fits || value == 0);
    }
}

Test(reader, the_borders_of_i64_and_word_differ)
{
    int64_t value = 1;
    struct wire_reader r = reader_of("cf 7f ff ff ff ff ff ff ff");
    wire_take_i64(&r, &value);
    cr_expect(r.status == WIRE_OK && value == INT64_MAX);
    r = reader_of("cf 80 00 00 00 00 00 00 00");
    wire_take_i64(&r, &value);
    expect_fault(&r, WIRE_E_RANGE, 0, "2^63 as i64");
    cr_expect_eq(value, 0);
    r = reader_of("cf ff ff ff ff ff ff ff ff");
    wire_take_word(&r, &value);
    cr_expect(r.status == WIRE_OK && value == -1, "2^64-1 as word");
    r = reader_of("d3 80 00 00 00 00 00 00 00");
    wire_take_word(&r, &value);
    cr_expect(r.status == WIRE_OK && value == INT64_MIN);
}

/* ---- bytes and containers ---- */

Test(reader, bin_and_str_are_read_in_every_width)
{
    static const char *const bins[] = {"c4 02 61 62", "c5 00 02 61 62", "c6 00 00 00 02 61 62"};
    static const char *const strs[] = {"a2 61 62", "d9 02 61 62", "da 00 02 61 62", "db 00 00 00 02 61 62"};
    struct wire_bytes b;
    for (size_t i = 0; i < 3; i++) {
        struct wire_reader r = reader_of(bins[i]);
        wire_get_bin(&r, &b);
        cr_expect(r.status == WIRE_OK && b.len == 2 && memcmp(b.ptr, "ab", 2) == 0 && r.p == r.end, "%s", bins[i]);
        cr_expect(b.ptr == r.end - 2, "borrowed, not copied");
    }
    for (size_t i = 0; i < 4; i++) {
        struct wire_reader r = reader_of(strs[i]);
        wire_get_str(&r, &b);
        cr_expect(r.status == WIRE_OK && b.len == 2 && memcmp(b.ptr, "ab", 2) == 0 && r.p == r.end, "%s", strs[i]);
    }
}

Test(reader, arrays_and_maps_are_read_in_every_width)
{
    static const char *const arrays[] = {"92 00 00", "dc 00 02 00 00", "dd 00 00 00 02 00 00"};
    static const char *const maps[] = {"81 00 00", "de 00 01 00 00", "df 00 00 00 01 00 00"};
    for (size_t i = 0; i < 3; i++) {
        struct wire_reader r = reader_of(arrays[i]);
        cr_expect(wire_get_array(&r) == 2 && r.status == WIRE_OK && r.end - r.p == 2, "%s", arrays[i]);
        r = reader_of(maps[i]);
        cr_expect(wire_get_map(&r) == 1 && r.status == WIRE_OK && r.end - r.p == 2, "%s", maps[i]);
    }
}

Test(reader, refuses_a_count_beyond_the_bytes)
{
    static const char *const arrays[] = {"91", "9f 00", "dc 00 03 00 00", "dd ff ff ff ff 00", "dd 80 00 00 00 00 00"};
    static const char *const maps[] = {"81 00", "82 00 00 00", "de ff ff 00", "df ff ff ff ff 00 00",
                                       "df 80 00 00 00 00 00"};
    for (size_t i = 0; i < 5; i++) {
        struct wire_reader r = reader_of(arrays[i]);
        cr_expect_eq(wire_get_array(&r), 0);
        expect_fault(&r, WIRE_E_SHORT, 0, arrays[i]);
        r = reader_of(maps[i]);
        cr_expect_eq(wire_get_map(&r), 0);
        expect_fault(&r, WIRE_E_SHORT, 0, maps[i]);
    }
}

Test(reader, refuses_a_length_beyond_the_bytes)
{
    static const char *const bins[] = {"c4",         "c4 01", "c4 ff 00", "c5 00", "c5 00 02 61", "c6 ff ff ff ff 61",
                                       "c6 00 00 00"};
    static const char *const strs[] = {"a1", "bf 61", "d9", "d9 02 61", "da 00", "da ff ff 61", "db ff ff ff ff 61"};
    struct wire_bytes b;
    for (size_t i = 0; i < 7; i++) {
        struct wire_reader r = reader_of(bins[i]);
        wire_get_bin(&r, &b);
        expect_fault(&r, WIRE_E_SHORT, 0, bins[i]);
        cr_expect(b.ptr == NULL && b.len == 0);
        r = reader_of(strs[i]);
        wire_get_str(&r, &b);
        expect_fault(&r, WIRE_E_SHORT, 0, strs[i]);
        cr_expect(b.ptr == NULL && b.len == 0);
    }
}

Test(reader, more_elements_than_the_caller_has_room_for_is_its_own_error)
{
    struct wire_reader r = reader_of("92 00 00");
    cr_expect_eq(wire_take_count(&r, 2), 2);
    r = reader_of("92 00 00");
    cr_expect_eq(wire_take_count(&r, 1), 0);
    expect_fault(&r, WIRE_E_COUNT, 0, "two where one fits");
    struct wire_words words;
    r = reader_of("97 00 00 00 00 00 00 00");
    wire_take_words(&r, &words);
    expect_fault(&r, WIRE_E_RANGE, 0, "seven words");
    cr_expect_eq(words.count, 0);
}

/* ---- other types ---- */

enum want { WANT_INTEGER, WANT_BIN, WANT_STR, WANT_ARRAY, WANT_MAP, WANTS };

static void get(struct wire_reader *r, enum want want)
{
    struct wire_bytes b;
    bool negative;
    switch (want) {
    case WANT_INTEGER:
        wire_get_integer(r, &negative);
        break;
    case WANT_BIN:
        wire_get_bin(r, &b);
        break;
    case WANT_STR:
        wire_get_str(r, &b);
        break;
    case WANT_ARRAY:
        wire_get_array(r);
        break;
    default:
        wire_get_map(r);
    }
}

Test(reader, a_value_of_another_type_is_refused_where_it_stands)
{
    static const struct {
        const char *hex;
        int is; /* the one type that takes it, or -1 */
    } rows[] = {{"c0", -1},
                {"c2", -1},
                {"c3", -1},
                {"ca 00 00 00 00", -1},
                {"cb 40 00 00 00 00 00 00 00", -1},
                {"c7 01 05 00", -1},
                {"c8 00 01 05 00", -1},
                {"c9 00 00 00 01 05 00", -1},
                {"d4 05 00", -1},
                {"d8 05 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", -1},
                {"05", WANT_INTEGER},
                {"c4 00", WANT_BIN},
                {"a0", WANT_STR},
                {"90", WANT_ARRAY},
                {"80", WANT_MAP}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int want = 0; want < WANTS; want++) {
            struct wire_reader r = reader_of(rows[i].hex);
            get(&r, (enum want)want);
            if (want == rows[i].is)
                cr_expect_eq(r.status, WIRE_OK, "%s", rows[i].hex);
            else
                expect_fault(&r, WIRE_E_TYPE, 0, rows[i].hex);
        }
    }
}

Test(reader, names_beyond_the_room_for_them_are_checked_and_left_out)
{
    struct wire_bytes room[2];
    struct wire_list list = {room, 7, 2};
    struct wire_reader r = reader_of("94 a1 61 a1 62 d9 01 63 a0 05");
    wire_take_names(&r, &list);
    cr_expect(r.status == WIRE_OK && list.count == 2 && *room[0].ptr == 'a' && *room[1].ptr == 'b');
    cr_expect_eq(wire_get_uint(&r, 255), 5, "the reader stands behind all of them");
    r = reader_of("93 a1 61 a1 62 07");
    wire_take_names(&r, &list);
    expect_fault(&r, WIRE_E_TYPE, 5, "a number among names");
    r = reader_of("93 a1 61 a1 62 a1 ff");
    wire_take_names(&r, &list);
    expect_fault(&r, WIRE_E_UTF8, 5, "no text among names");
}

Test(reader, byte_c1_and_no_byte_have_their_own_errors)
{
    for (int want = 0; want < WANTS; want++) {
        struct wire_reader r = reader_of("c1");
        get(&r, (enum want)want);
        expect_fault(&r, WIRE_E_RESERVED, 0, "c1");
        r = reader_of("");
        get(&r, (enum want)want);
        expect_fault(&r, WIRE_E_SHORT, 0, "nothing");
    }
}

Test(reader, the_first_error_stays_and_later_gets_find_nothing)
{
    struct wire_reader r = reader_of("05 c0 06 a1 61");
    struct wire_bytes b = {(const uint8_t *)"x", 1};
    cr_expect_eq(wire_get_uint(&r, 255), 5);
    cr_expect_eq(wire_get_uint(&r, 255), 0);
    expect_fault(&r, WIRE_E_TYPE, 1, "nil");
    const uint8_t *p = r.p;
    cr_expect_eq(wire_get_uint(&r, 255), 0);
    wire_get_str(&r, &b);
    cr_expect(b.ptr == NULL && b.len == 0);
    cr_expect_eq(wire_get_array(&r), 0);
    wire_skip(&r);
    cr_expect_eq(r.p, p);
    expect_fault(&r, WIRE_E_TYPE, 1, "still nil");
    cr_expect_eq(wire_reader_end(&r), WIRE_E_TYPE);
}

Test(reader, bytes_behind_the_value_are_refused)
{
    struct wire_reader r = reader_of("05 06");
    wire_get_uint(&r, 255);
    cr_expect_eq(wire_reader_end(&r), WIRE_E_TRAILING);
    expect_fault(&r, WIRE_E_TRAILING, 1, "two values");
    r = reader_of("05");
    wire_get_uint(&r, 255);
    cr_expect_eq(wire_reader_end(&r), WIRE_OK);
}

/* ---- text ---- */

Test(reader, text_is_utf8)
{
    static const struct {
        const char *hex;
        bool valid;
    } rows[] = {
        {"a1 7f", true},           {"a1 00", true},           {"a2 c2 80", true},        {"a2 df bf", true},
        {"a3 e0 a0 80", true},     {"a3 ed 9f bf", true},     {"a3 ee 80 80", true},     {"a3 ef bf bf", true},
        {"a4 f0 90 80 80", true},  {"a4 f4 8f bf bf", true},  {"a1 80", false},          {"a1 bf", false},
        {"a2 c0 80", false},       {"a2 c1 bf", false},       {"a1 c2", false},          {"a2 c2 41", false},
        {"a3 e0 80 80", false},    {"a3 e0 9f bf", false},    {"a2 e0 a0", false},       {"a3 ed a0 80", false},
        {"a3 ed bf bf", false},    {"a4 f0 80 80 80", false}, {"a4 f0 8f bf bf", false}, {"a3 f0 90 80", false},
        {"a4 f4 90 80 80", false}, {"a4 f5 80 80 80", false}, {"a1 f8", false},          {"a1 ff", false},
        {"a3 e2 82 c2", false},    {"a2 61 ff", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_reader r = reader_of(rows[i].hex);
        struct wire_bytes b;
        wire_get_str(&r, &b);
        if (rows[i].valid)
            cr_expect_eq(r.status, WIRE_OK, "%s", rows[i].hex);
        else
            expect_fault(&r, WIRE_E_UTF8, 0, rows[i].hex);
    }
}

/* ---- skip ---- */

/* One of every form of msgpack. */
static const char *const forms[] = {"00",
                                    "7f",
                                    "80",
                                    "81 00 00",
                                    "90",
                                    "91 00",
                                    "a0",
                                    "a1 61",
                                    "c0",
                                    "c2",
                                    "c3",
                                    "c4 01 00",
                                    "c5 00 01 00",
                                    "c6 00 00 00 01 00",
                                    "c7 00 05",
                                    "c7 02 05 00 00",
                                    "c8 00 01 05 00",
                                    "c9 00 00 00 01 05 00",
                                    "ca 00 00 00 00",
                                    "cb 00 00 00 00 00 00 00 00",
                                    "cc 00",
                                    "cd 00 00",
                                    "ce 00 00 00 00",
                                    "cf 00 00 00 00 00 00 00 00",
                                    "d0 00",
                                    "d1 00 00",
                                    "d2 00 00 00 00",
                                    "d3 00 00 00 00 00 00 00 00",
                                    "d4 05 00",
                                    "d5 05 00 00",
                                    "d6 05 00 00 00 00",
                                    "d7 05 00 00 00 00 00 00 00 00",
                                    "d8 05 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
                                    "d9 01 61",
                                    "da 00 01 61",
                                    "db 00 00 00 01 61",
                                    "dc 00 01 00",
                                    "dd 00 00 00 01 00",
                                    "de 00 01 00 00",
                                    "df 00 00 00 01 00 00",
                                    "e0",
                                    "ff",
                                    "83 a1 61 92 c0 81 c3 c2 ff 90 c4 00 80"};

/* Bytes of the first value as msgpack-c counts them; 0 when it finds none. */
static size_t their_len(const uint8_t *bytes, size_t len)
{
    msgpack_unpacked theirs;
    size_t off = 0;
    msgpack_unpacked_init(&theirs);
    msgpack_unpack_return ret = msgpack_unpack_next(&theirs, (const char *)bytes, len, &off);
    msgpack_unpacked_destroy(&theirs);
    return ret == MSGPACK_UNPACK_SUCCESS || ret == MSGPACK_UNPACK_EXTRA_BYTES ? off : 0;
}

Test(reader, skip_passes_one_value_of_every_form)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        uint8_t bytes[64];
        struct wire_reader r;
        size_t len = hex_parse(forms[i], bytes, sizeof bytes - 1);
        bytes[len] = 0;
        wire_reader_init(&r, bytes, len + 1);
        wire_skip(&r);
        cr_expect(r.status == WIRE_OK && (size_t)(r.p - bytes) == len, "%s", forms[i]);
        cr_expect_eq(their_len(bytes, len + 1), len, "msgpack-c: %s", forms[i]);
    }
}

Test(reader, skip_refuses_every_form_cut_anywhere)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        uint8_t bytes[64];
        size_t whole = hex_parse(forms[i], bytes, sizeof bytes);
        for (size_t len = 0; len < whole; len++) {
            uint8_t *copy = malloc(len + 1);
            struct wire_reader r;
            cr_assert_not_null(copy);
            memcpy(copy + 1, bytes, len); /* ends where the allocation does */
            wire_reader_init(&r, copy + 1, len);
            wire_skip(&r);
            cr_expect_eq(r.status, WIRE_E_SHORT, "%s cut to %zu", forms[i], len);
            free(copy);
        }
    }
}

static void expect_depth(uint8_t first, unsigned levels, uint32_t around, bool fits)
{
    static uint8_t bytes[200000];
    struct wire_reader r;
    bool map = first == 0x81;
    size_t len = 0;
    for (unsigned i = 1; i < levels; i++) {
        bytes[len++] = first;
        if (map)
            bytes[len++] = 0; /* the key */
    }
    bytes[len++] = map ? 0x80 : 0x90;
    wire_reader_init(&r, bytes, len);
    r.depth = around;
    wire_skip(&r);
    if (fits)
        cr_expect_eq(r.status, WIRE_OK, "%u levels inside %u", levels, around);
    else
        expect_fault(&r, WIRE_E_DEPTH, (WIRE_DEPTH_MAX - around) * (map ? 2u : 1u), "one level too many");
}

Test(reader, skip_goes_sixteen_levels_deep_and_no_further)
{
    static const uint8_t firsts[] = {0x91, 0x81};
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t around = 0; around < WIRE_DEPTH_MAX; around++) {
            expect_depth(firsts[i], WIRE_DEPTH_MAX - around, around, true);
            expect_depth(firsts[i], WIRE_DEPTH_MAX - around + 1, around, false);
            expect_depth(firsts[i], 60000, around, false);
        }
    }
}

Test(reader, skip_refuses_counts_and_lengths_beyond_the_bytes)
{
    static const struct {
        const char *hex;
        size_t at;
    } rows[] = {{"dd ff ff ff ff 00", 0}, {"df ff ff ff ff 00", 0}, {"df 80 00 00 00 00 00", 0},
                {"91 dc 00 05 00", 1},    {"c6 ff ff ff ff 00", 0}, {"c9 ff ff ff ff 05 00", 0},
                {"db ff ff ff ff 00", 0}, {"92 00 c5 ff ff 00", 2}, {"92 dd 00 00 00 01 00", 7}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_reader r = reader_of(rows[i].hex);
        wire_skip(&r);
        expect_fault(&r, WIRE_E_SHORT, rows[i].at, rows[i].hex);
    }
    struct wire_reader r = reader_of("92 00 c1");
    wire_skip(&r);
    expect_fault(&r, WIRE_E_RESERVED, 2, "c1 inside");
}

Test(reader, skip_and_msgpack_c_agree_on_random_bytes)
{
    uint64_t state = 1;
    unsigned whole = 0;
    for (unsigned round = 0; round < 100000; round++) {
        uint8_t bytes[24];
        struct wire_reader r;
        size_t len = 1 + random_next(&state) % sizeof bytes;
        for (size_t i = 0; i < len; i++) {
            do
                bytes[i] = (uint8_t)random_next(&state);
            while (bytes[i] == 0xdd || bytes[i] == 0xdf); /* a huge count makes msgpack-c allocate that much */
        }
        wire_reader_init(&r, bytes, len);
        wire_skip(&r);
        size_t ours = r.status == WIRE_OK ? (size_t)(r.p - bytes) : 0;
        whole += ours > 0;
        cr_assert(ours == their_len(bytes, len) || r.status == WIRE_E_DEPTH, "round %u", round);
    }
    cr_expect_gt(whole, 10000);
}

/* ---- envelopes ---- */

Test(reader, an_envelope_is_six_numbers_and_a_map)
{
    struct wire_envelope e;
    size_t at;
    const uint8_t bytes[] = {0x96, 0x01, 0xcc, 0x80, 0x10, 0x02, 0xcd, 0x01, 0x00, 0x81, 0x00, 0x05};
    cr_assert_eq(wire_get_envelope(bytes, sizeof bytes, &e, &at), WIRE_OK);
    cr_expect(e.kind == WIRE_REPLY && e.id == 128 && e.code == 16 && e.worker == 2 && e.generation == 256);
    cr_expect(e.body.ptr == bytes + 9 && e.body.len == 3);
}

Test(reader, a_broken_envelope_keeps_the_id_that_could_be_read)
{
    static const struct {
        const char *hex;
        enum wire_status status;
        size_t at;
        uint32_t id;
    } rows[] = {
        {"", WIRE_E_SHORT, 0, 0},
        {"80", WIRE_E_TYPE, 0, 0},
        {"c1", WIRE_E_RESERVED, 0, 0},
        {"05", WIRE_E_TYPE, 0, 0},
        {"90", WIRE_E_SHORT, 1, 0},
        {"91 00", WIRE_E_COUNT, 0, 0},
        {"92 00 05", WIRE_E_COUNT, 0, 5},
        {"95 00 05 00 00 00", WIRE_E_COUNT, 0, 5},
        {"97 00 05 00 00 00 80 00", WIRE_E_COUNT, 0, 5},
        {"96 00 05 00 00", WIRE_E_SHORT, 0, 0},
        {"96 06 05 00 00 00 80", WIRE_E_RANGE, 1, 5},
        {"dc 00 06 cc ff 05 00 00 00 80", WIRE_E_RANGE, 3, 5},
        {"96 ff 05 00 00 00 80", WIRE_E_RANGE, 1, 0},
        {"96 00 ff 00 00 00 80", WIRE_E_RANGE, 2, 0},
        {"96 00 cf 00 00 00 01 00 00 00 00 00 00 00 80", WIRE_E_RANGE, 2, 0},
        {"96 00 c0 00 00 00 80", WIRE_E_TYPE, 2, 0},
        {"96 00 05 c0 00 00 80", WIRE_E_TYPE, 3, 5},
        {"96 00 05 00 ff 00 80", WIRE_E_RANGE, 4, 5},
        {"96 00 05 00 00 a0 80", WIRE_E_TYPE, 5, 5},
        {"96 00 05 00 00 00 90", WIRE_E_TYPE, 6, 5},
        {"96 00 05 00 00 00 c0", WIRE_E_TYPE, 6, 5},
        {"96 00 05 00 00 00 81", WIRE_E_SHORT, 6, 5},
        {"96 00 05 00 00 00 df ff ff ff ff", WIRE_E_SHORT, 6, 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_reader r = reader_of(rows[i].hex);
        struct wire_envelope e;
        size_t at;
        cr_expect_eq(wire_get_envelope(r.start, (size_t)(r.end - r.start), &e, &at), rows[i].status, "%s", rows[i].hex);
        cr_expect_eq(at, rows[i].at, "%s: at %zu", rows[i].hex, at);
        cr_expect_eq(e.id, rows[i].id, "%s: id %u", rows[i].hex, e.id);
    }
}
