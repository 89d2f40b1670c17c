/* SPDX-License-Identifier: MIT
 *
 * libwire/values.c: one value at a time.  msgpack-c writes the same bytes and reads ours;
 * the forms that it does not write are in test_msgpack.c, containers in test_open.c.
 */
#include <criterion/criterion.h>
#include <msgpack.h>
#include <string.h>

#include "../../libwire/wire.h"
#include "../support/generic.h"
#include "../support/hex.h"
#include "../support/random.h"
#include "../support/vectors.h"

enum { ROOM = 200000 };
static uint8_t out[ROOM], blob[ROOM];

/* Both writers, side by side. */
struct both {
    struct wire_writer w;
    msgpack_sbuffer theirs;
    msgpack_packer packer;
};

static void both_init(struct both *b)
{
    wire_writer_init(&b->w, out, sizeof out);
    msgpack_sbuffer_init(&b->theirs);
    msgpack_packer_init(&b->packer, &b->theirs, msgpack_sbuffer_write);
}

/* The same bytes, as many as announced; a reader of them. */
static struct wire_reader both_done(struct both *b, size_t size)
{
    struct wire_reader r;
    cr_assert_eq(wire_writer_end(&b->w), WIRE_OK);
    cr_assert(b->w.len == b->theirs.size && memcmp(out, b->theirs.data, b->w.len) == 0, "other bytes than msgpack-c");
    cr_assert_eq(b->w.len, size, "%zu bytes announced, %zu written", size, b->w.len);
    msgpack_sbuffer_destroy(&b->theirs);
    wire_reader_init(&r, out, b->w.len);
    return r;
}

static void expect_end(struct wire_reader *r, const char *what)
{
    cr_expect_eq(wire_reader_end(r), WIRE_OK, "%s: %s at %zu", what, wire_status_text(r->status), r->at);
}

/* ---- numbers ---- */

static const uint64_t wide_bits[] = {0,
                                     UINT64_C(0x8000000000000000),
                                     1,
                                     UINT64_C(0x800fffffffffffff),
                                     UINT64_C(0x0010000000000000),
                                     UINT64_C(0x7fefffffffffffff),
                                     UINT64_C(0x7ff0000000000000),
                                     UINT64_C(0xfff0000000000000),
                                     UINT64_C(0x7ff0000000000001),
                                     UINT64_C(0x7ff8000000012345),
                                     UINT64_C(0xffffffffffffffff),
                                     UINT64_C(0x3fb999999999999a)};

static const uint32_t narrow_bits[] = {0,          0x80000000, 1,          0x807fffff, 0x00800000, 0x7f7fffff,
                                       0x7f800000, 0xff800000, 0x7f800001, 0x7fc12345, 0xffffffff, 0x3dcccccd};

static void expect_f64(uint64_t bits)
{
    struct both b;
    double value;
    uint64_t back;
    memcpy(&value, &bits, sizeof value);
    both_init(&b);
    wire_put_f64(&b.w, value);
    msgpack_pack_double(&b.packer, value);
    struct wire_reader r = both_done(&b, 9);
    value = wire_get_f64(&r);
    memcpy(&back, &value, sizeof back);
    cr_expect_eq(back, bits, "%016llx", (unsigned long long)bits);
    expect_end(&r, "f64");
}

static void expect_f32(uint32_t bits)
{
    struct both b;
    float value;
    uint32_t back;
    memcpy(&value, &bits, sizeof value);
    both_init(&b);
    wire_put_f32(&b.w, value);
    msgpack_pack_float(&b.packer, value);
    struct wire_reader r = both_done(&b, 5);
    value = wire_get_f32(&r);
    memcpy(&back, &value, sizeof back);
    cr_expect_eq(back, bits, "%08x", bits);
    expect_end(&r, "f32");
}

Test(values, floats_keep_every_bit_of_nan_infinity_zero_and_subnormal)
{
    uint64_t state = 7;
    for (size_t i = 0; i < sizeof wide_bits / sizeof wide_bits[0]; i++)
        expect_f64(wide_bits[i]);
    for (size_t i = 0; i < sizeof narrow_bits / sizeof narrow_bits[0]; i++)
        expect_f32(narrow_bits[i]);
    for (unsigned i = 0; i < 1000; i++) {
        expect_f64((uint64_t)random_next(&state) << 33 ^ random_next(&state));
        expect_f32(random_next(&state) << 1 ^ random_next(&state));
    }
}

Test(values, an_f32_is_read_as_an_f64_of_the_same_number_and_an_f64_not_as_an_f32)
{
    static const float numbers[] = {0.0f, -0.0f, 1.5f, -3.4028235e38f, 1e-45f};
    for (size_t i = 0; i < 5; i++) {
        struct wire_writer w;
        struct wire_reader r;
        wire_writer_init(&w, out, sizeof out);
        wire_put_f32(&w, numbers[i]);
        wire_put_f64(&w, numbers[i]);
        wire_reader_init(&r, out, w.len);
        double value = wire_get_f64(&r), wanted = (double)numbers[i];
        cr_expect_arr_eq(&value, &wanted, sizeof value);
        cr_expect_eq(wire_get_f32(&r), 0);
        cr_expect(r.status == WIRE_E_TYPE && r.at == 5);
    }
}

static void expect_number(uint64_t bits)
{
    struct both b;
    bool negative;
    both_init(&b);
    wire_put_uint(&b.w, bits);
    msgpack_pack_uint64(&b.packer, bits);
    struct wire_reader r = both_done(&b, wire_size_uint(bits));
    cr_expect_eq(wire_get_integer(&r, &negative), bits);
    cr_expect(!negative);
    expect_end(&r, "uint");

    both_init(&b);
    wire_put_int(&b.w, (int64_t)bits);
    msgpack_pack_int64(&b.packer, (int64_t)bits);
    r = both_done(&b, wire_size_int((int64_t)bits));
    cr_expect_eq(wire_get_int(&r, INT64_MIN, INT64_MAX), (int64_t)bits);
    expect_end(&r, "int");
}

Test(values, integers_and_their_sizes_are_those_of_msgpack_c_at_every_border)
{
    uint64_t state = 3;
    for (unsigned shift = 0; shift < 64; shift++) {
        for (uint64_t near = 0; near < 5; near++) {
            expect_number((UINT64_C(1) << shift) + near - 2);
            expect_number(0 - (UINT64_C(1) << shift) - near + 2);
        }
    }
    for (unsigned i = 0; i < 1000; i++)
        expect_number(((uint64_t)random_next(&state) << 33 ^ random_next(&state)) >> random_next(&state) % 64);
}

Test(values, a_number_beyond_the_range_asked_for_is_refused_at_its_place)
{
    static const struct {
        int64_t value, min, max;
        bool fits;
    } rows[] = {{5, 5, 5, true},          {5, 6, 9, false},
                {5, -9, 4, false},        {-129, -129, 0, true},
                {-129, -128, 0, false},   {INT64_MIN, INT64_MIN, 0, true},
                {INT64_MAX, 0, 1, false}, {300, INT64_MIN, 299, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_writer w;
        struct wire_reader r;
        wire_writer_init(&w, out, sizeof out);
        wire_put_nil(&w);
        wire_put_int(&w, rows[i].value);
        wire_reader_init(&r, out, w.len);
        wire_get_nil(&r);
        int64_t value = wire_get_int(&r, rows[i].min, rows[i].max);
        cr_expect_eq(value, rows[i].fits ? rows[i].value : 0, "row %zu", i);
        cr_expect_eq(r.status, rows[i].fits ? WIRE_OK : WIRE_E_RANGE, "row %zu", i);
        cr_expect_eq(r.at, rows[i].fits ? 0 : 1, "row %zu", i);
    }
}

/* ---- nil, bool, bytes, ext ---- */

Test(values, nil_and_bool_are_those_of_msgpack_c)
{
    struct both b;
    both_init(&b);
    wire_put_nil(&b.w), wire_put_bool(&b.w, true), wire_put_bool(&b.w, false);
    msgpack_pack_nil(&b.packer), msgpack_pack_true(&b.packer), msgpack_pack_false(&b.packer);
    struct wire_reader r = both_done(&b, 3);
    wire_get_nil(&r);
    cr_expect(wire_get_bool(&r));
    cr_expect(!wire_get_bool(&r));
    expect_end(&r, "nil and bool");
}

static const size_t lens[] = {0,  1,  2,  3,   4,   5,   7,     8,     9,     15,    16,
                              17, 31, 32, 255, 256, 257, 65534, 65535, 65536, 65537, 140000};

static void expect_bytes(struct wire_reader *r, struct wire_bytes read, size_t len)
{
    cr_expect(read.len == len && (len == 0 || memcmp(read.ptr, blob, len) == 0), "%zu bytes", len);
    cr_expect(r->status != WIRE_OK || read.ptr == r->end - len, "borrowed, not copied");
    expect_end(r, "bytes");
}

Test(values, bytes_and_their_sizes_are_those_of_msgpack_c_at_every_border)
{
    memset(blob, 'x', sizeof blob);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct wire_bytes bytes = {blob, lens[i]}, read;
        struct both b;
        both_init(&b);
        wire_put_bin(&b.w, bytes);
        msgpack_pack_bin_with_body(&b.packer, blob, lens[i]);
        struct wire_reader r = both_done(&b, wire_size_bin(lens[i]));
        wire_get_bin(&r, &read);
        expect_bytes(&r, read, lens[i]);

        both_init(&b);
        wire_put_str(&b.w, bytes);
        msgpack_pack_str_with_body(&b.packer, blob, lens[i]);
        r = both_done(&b, wire_size_str(lens[i]));
        wire_get_str(&r, &read);
        expect_bytes(&r, read, lens[i]);
    }
}

Test(values, ext_of_every_length_and_type_is_that_of_msgpack_c)
{
    static const int8_t types[] = {-128, -2, -1, 0, 1, 127};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0] * 6; i++) {
        size_t len = lens[i / 6];
        struct wire_ext ext;
        struct both b;
        both_init(&b);
        wire_put_ext(&b.w, types[i % 6], (struct wire_bytes){blob, len});
        msgpack_pack_ext_with_body(&b.packer, blob, len, types[i % 6]);
        struct wire_reader r = both_done(&b, wire_size_ext(len));
        wire_get_ext(&r, &ext);
        cr_expect_eq(ext.type, types[i % 6]);
        expect_bytes(&r, ext.data, len);
    }
}

/* ---- timestamps ---- */

static void expect_time(int64_t seconds, uint32_t nanoseconds)
{
    struct both b;
    struct wire_time time;
    msgpack_unpacked unpacked;
    msgpack_timestamp theirs = {seconds, nanoseconds};
    both_init(&b);
    wire_put_time(&b.w, seconds, nanoseconds);
    msgpack_pack_timestamp(&b.packer, &theirs);
    struct wire_reader r = both_done(&b, wire_size_time(seconds, nanoseconds));
    wire_get_time(&r, &time);
    cr_expect(time.seconds == seconds && time.nanoseconds == nanoseconds, "%lld.%u", (long long)seconds, nanoseconds);
    expect_end(&r, "time");

    msgpack_unpacked_init(&unpacked);
    cr_assert_eq(msgpack_unpack_next(&unpacked, (const char *)out, b.w.len, NULL), MSGPACK_UNPACK_SUCCESS);
    cr_expect(msgpack_object_to_timestamp(&unpacked.data, &theirs));
    cr_expect(theirs.tv_sec == seconds && theirs.tv_nsec == nanoseconds);
    msgpack_unpacked_destroy(&unpacked);
}

Test(values, timestamps_of_32_64_and_96_bits_are_those_of_msgpack_c)
{
    static const uint32_t fractions[] = {0, 1, 500000000, 999999999};
    for (unsigned shift = 0; shift < 64; shift++) {
        for (size_t i = 0; i < 4; i++) {
            uint64_t power = UINT64_C(1) << shift;
            expect_time((int64_t)(power - 1), fractions[i]);
            expect_time((int64_t)power, fractions[i]);
            expect_time((int64_t)(0 - power), fractions[i]);
        }
    }
}

Test(values, a_timestamp_with_a_whole_second_of_nanoseconds_is_neither_written_nor_read)
{
    static const char *const wrong[] = {"d7 ff ee 6b 28 00 00 00 00 00", "c7 0c ff 3b 9a ca 00 00 00 00 00 00 00 00 00",
                                        "d4 ff 00", "c7 00 ff"}; /* and no such lengths */
    struct wire_writer w;
    wire_writer_init(&w, out, sizeof out);
    wire_put_time(&w, 0, 1000000000);
    cr_expect(w.status == WIRE_E_RANGE && w.len == 0, "%zu bytes", w.len);
    for (size_t i = 0; i < 4; i++) {
        struct wire_time time = {1, 1};
        struct wire_reader r;
        wire_reader_init(&r, out, hex_parse(wrong[i], out, sizeof out));
        wire_get_time(&r, &time);
        cr_expect(r.status == WIRE_E_RANGE && r.at == 0, "%s", wrong[i]);
        cr_expect(time.seconds == 0 && time.nanoseconds == 0);
    }
    struct wire_time time;
    struct wire_reader r;
    wire_reader_init(&r, out, hex_parse("d6 05 00 00 00 00", out, sizeof out));
    wire_get_time(&r, &time);
    cr_expect_eq(r.status, WIRE_E_TYPE, "an ext of another type is none");
}

/* ---- types ---- */

/* One getter a type, in the order of enum wire_type. */
static void get(struct wire_reader *r, enum wire_type type)
{
    struct wire_bytes bytes;
    struct wire_ext ext;
    bool negative;
    switch (type) {
    case WIRE_TYPE_nil:
        wire_get_nil(r);
        break;
    case WIRE_TYPE_bool:
        wire_get_bool(r);
        break;
    case WIRE_TYPE_int:
        wire_get_integer(r, &negative);
        break;
    case WIRE_TYPE_f32:
        wire_get_f32(r);
        break;
    case WIRE_TYPE_f64:
        wire_get_f64(r);
        break;
    case WIRE_TYPE_str:
        wire_get_str(r, &bytes);
        break;
    case WIRE_TYPE_bin:
        wire_get_bin(r, &bytes);
        break;
    case WIRE_TYPE_array:
        wire_get_array(r);
        break;
    case WIRE_TYPE_map:
        wire_get_map(r);
        break;
    default:
        wire_get_ext(r, &ext);
    }
}

/* Enough zeros behind a first byte for whatever it announces. */
Test(values, peek_tells_the_one_getter_that_takes_a_value_for_every_first_byte)
{
    uint8_t bytes[40] = {0};
    for (unsigned first = 0; first < 256; first++) {
        struct wire_reader r;
        bytes[0] = (uint8_t)first;
        wire_reader_init(&r, bytes, sizeof bytes);
        enum wire_type type = wire_peek(&r);
        cr_expect_eq(type == WIRE_TYPE_none, first == 0xc1, "%02x", first);
        cr_expect(r.p == bytes && r.status == WIRE_OK, "peek takes nothing");
        for (int way = WIRE_TYPE_nil; way <= WIRE_TYPE_ext; way++) {
            struct wire_reader probe = r;
            get(&probe, (enum wire_type)way);
            bool takes = (int)type == way || (type == WIRE_TYPE_f32 && way == WIRE_TYPE_f64);
            enum wire_status wanted = takes ? WIRE_OK : first == 0xc1 ? WIRE_E_RESERVED : WIRE_E_TYPE;
            cr_expect_eq(probe.status, wanted, "%02x by getter %d: %s", first, way, wire_status_text(probe.status));
            cr_expect_eq(probe.at, 0);
        }
    }
}

Test(values, peek_finds_nothing_at_the_end_and_behind_an_error)
{
    struct wire_reader r;
    wire_reader_init(&r, NULL, 0);
    cr_expect_eq(wire_peek(&r), WIRE_TYPE_none);
    wire_reader_init(&r, "\x05\x06", 2);
    wire_get_nil(&r);
    cr_expect_eq(wire_peek(&r), WIRE_TYPE_none);
}

Test(values, behind_the_first_error_every_getter_gives_zero_and_keeps_the_offset)
{
    struct wire_reader r;
    struct wire_bytes bytes = {out, 1};
    struct wire_ext ext = {5, {out, 1}};
    struct wire_time time = {5, 5};
    bool negative = true;
    wire_reader_init(&r, "\xc0\xc1\x05\x06\x07", 5);
    wire_get_nil(&r);
    wire_get_nil(&r);
    cr_assert(r.status == WIRE_E_RESERVED && r.at == 1);
    wire_get_nil(&r);
    wire_get_str(&r, &bytes), wire_get_ext(&r, &ext), wire_get_time(&r, &time);
    cr_expect(!wire_get_bool(&r) && wire_get_uint(&r, 9) == 0 && wire_get_int(&r, 1, 2) == 0);
    cr_expect(wire_get_f32(&r) == 0 && wire_get_f64(&r) == 0);
    cr_expect(wire_get_integer(&r, &negative) == 0 && !negative && wire_get_array(&r) == 0 && wire_get_map(&r) == 0);
    cr_expect(bytes.len == 0 && ext.type == 0 && ext.data.len == 0 && time.seconds == 0 && time.nanoseconds == 0);
    cr_expect(wire_get_raw(&r).ptr == NULL);
    cr_expect(wire_reader_end(&r) == WIRE_E_RESERVED && r.at == 1);
}

Test(values, behind_the_first_error_every_put_writes_nothing)
{
    struct wire_writer w;
    wire_writer_init(&w, out, 4);
    wire_put_nil(&w);
    wire_put_time(&w, 0, UINT32_MAX);
    wire_put_nil(&w), wire_put_bool(&w, true), wire_put_f32(&w, 1), wire_put_uint(&w, 1), wire_put_array(&w, 0);
    wire_put_raw(&w, (struct wire_bytes){blob, 1}), wire_open_map(&w), wire_close(&w);
    cr_expect(w.status == WIRE_E_RANGE && w.len == 1);
    cr_expect_eq(wire_writer_end(&w), WIRE_E_RANGE);
}

/* ---- whole values ---- */

Test(values, random_values_are_read_and_written_by_msgpack_c_as_the_same_bytes)
{
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t state = seed;
        struct wire_writer w;
        size_t at;
        wire_writer_init(&w, out, sizeof out);
        generic_put(&w, &state, 6, false);
        if (wire_writer_end(&w) == WIRE_E_SPACE)
            continue;
        cr_assert_eq(w.status, WIRE_OK);
        struct wire_bytes bytes = {out, w.len};
        cr_assert_eq(wire_check(bytes, WIRE_SCAN_UTF8, &at), WIRE_OK, "seed %llu", (unsigned long long)seed);
        cr_assert(generic_theirs(bytes), "seed %llu", (unsigned long long)seed);
    }
}

Test(values, random_values_copied_one_by_one_are_the_same_bytes)
{
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t state = seed;
        struct wire_writer w, copy;
        struct wire_reader r;
        wire_writer_init(&w, out, sizeof out);
        generic_put(&w, &state, 15, false);
        if (wire_writer_end(&w) == WIRE_E_SPACE)
            continue;
        wire_reader_init(&r, out, w.len);
        wire_writer_init(&copy, blob, w.len);
        generic_copy(&r, &copy, seed % 2 == 0);
        cr_assert_eq(wire_reader_end(&r), WIRE_OK);
        cr_assert_eq(wire_writer_end(&copy), WIRE_OK);
        cr_assert(copy.len == w.len && memcmp(out, blob, w.len) == 0, "seed %llu", (unsigned long long)seed);
    }
}

Test(values, raw_values_come_out_as_they_went_in)
{
    struct wire_writer w, again;
    struct wire_reader r;
    uint64_t state = 11;
    wire_writer_init(&w, out, sizeof out);
    wire_put_array(&w, 5);
    for (unsigned i = 0; i < 5; i++)
        generic_put(&w, &state, 2, false);
    cr_assert_eq(wire_writer_end(&w), WIRE_OK);
    wire_reader_init(&r, out, w.len);
    wire_writer_init(&again, blob, w.len);
    wire_put_array(&again, wire_get_array(&r));
    for (unsigned i = 0; i < 5; i++)
        wire_put_raw(&again, wire_get_raw(&r));
    expect_end(&r, "raw");
    cr_expect_eq(wire_writer_end(&again), WIRE_OK, "each counts as one value");
    cr_expect(again.len == w.len && memcmp(out, blob, w.len) == 0);
}
