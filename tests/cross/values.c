/* SPDX-License-Identifier: MIT
 *
 * Values without a table on another machine: the exact bytes of the msgpack specification, sizes in
 * advance, and the same value back from every alignment.
 */
#include <string.h>

#include "cross.h"

static uint8_t out[CROSS_MAX];
static struct wire_writer w;

static void start(void)
{
    wire_writer_init(&w, out, sizeof out);
}

/* Written are these bytes; or a first part of what was written is. */
static bool wrote(const char *bytes, size_t len)
{
    return wire_writer_end(&w) == WIRE_OK && w.len >= len && memcmp(out, bytes, len) == 0;
}
#define WROTE(text) (wrote(text, sizeof(text) - 1) && w.len == sizeof(text) - 1)
#define BEGAN(text) wrote(text, sizeof(text) - 1)

/* A reader of what was written, at an alignment. */
static struct wire_reader reading(unsigned offset)
{
    struct wire_reader r;
    struct wire_bytes at = misplaced((struct wire_bytes){out, w.len}, offset);
    wire_reader_init(&r, at.ptr, at.len);
    return r;
}

/* ---- numbers ---- */

static void integer(int64_t value, const char *bytes, size_t len)
{
    start();
    wire_put_int(&w, value);
    expect("int", wrote(bytes, len) && w.len == len);
    expect("int", wire_size_int(value) == w.len);
    for (unsigned i = 0; i < CROSS_ALIGNMENTS; i++) {
        struct wire_reader r = reading(i);
        expect("int", wire_get_int(&r, value, value) == value && wire_reader_end(&r) == WIRE_OK);
        r = reading(i);
        uint64_t any = wire_get_uint(&r, UINT64_MAX);
        expect("int", value >= 0 ? any == (uint64_t)value : r.status == WIRE_E_RANGE);
    }
}
#define INTEGER(value, text) integer(value, text, sizeof(text) - 1)

static void integers(void)
{
    INTEGER(0, "\x00");
    INTEGER(127, "\x7f");
    INTEGER(128, "\xcc\x80");
    INTEGER(255, "\xcc\xff");
    INTEGER(256, "\xcd\x01\x00");
    INTEGER(65535, "\xcd\xff\xff");
    INTEGER(65536, "\xce\x00\x01\x00\x00");
    INTEGER(4294967295, "\xce\xff\xff\xff\xff");
    INTEGER(4294967296, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00");
    INTEGER(INT64_MAX, "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff");
    INTEGER(-1, "\xff");
    INTEGER(-32, "\xe0");
    INTEGER(-33, "\xd0\xdf");
    INTEGER(-128, "\xd0\x80");
    INTEGER(-129, "\xd1\xff\x7f");
    INTEGER(-32768, "\xd1\x80\x00");
    INTEGER(-32769, "\xd2\xff\xff\x7f\xff");
    INTEGER(INT32_MIN, "\xd2\x80\x00\x00\x00");
    INTEGER(INT64_C(-2147483649), "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff");
    INTEGER(INT64_MIN, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00");
    start();
    wire_put_uint(&w, UINT64_MAX);
    expect("uint64", WROTE("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    struct wire_reader r = reading(3);
    expect("uint64", wire_get_uint(&r, UINT64_MAX) == UINT64_MAX && wire_reader_end(&r) == WIRE_OK);
}

static void floats(void)
{
    static const double values[] = {0, -0.0, 1, -1.5, 0x1p-1074, 0x1.fffffffffffffp1023, (double)__builtin_inff()};
    start();
    wire_put_f32(&w, -1.5f);
    wire_put_f64(&w, 0x1.8000000000001p1);
    wire_put_f64(&w, (double)__builtin_nanf(""));
    expect("float", WROTE("\xca\xbf\xc0\x00\x00\xcb\x40\x08\x00\x00\x00\x00\x00\x01\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"));
    for (unsigned i = 0; i < CROSS_ALIGNMENTS; i++) {
        struct wire_reader r = reading(i);
        expect("float", wire_get_f32(&r) == -1.5f);
        expect("float", wire_get_f64(&r) == 0x1.8000000000001p1);
        double nan = wire_get_f64(&r);
        expect("float", nan != nan && wire_reader_end(&r) == WIRE_OK);
    }
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        start();
        wire_put_f64(&w, values[i]);
        struct wire_reader r = reading(i);
        double back = wire_get_f64(&r);
        expect("float", memcmp(&back, &values[i], sizeof back) == 0);
    }
}

static void moments(void)
{
    static const struct {
        struct wire_time t;
        size_t len;
    } rows[] = {{{0, 0}, 6},         {{UINT32_MAX, 0}, 6},  {{INT64_C(1) << 32, 0}, 10},          {{1, 999999999}, 10},
                {{-1, 0}, 15},       {{INT64_MIN, 1}, 15},  {{(INT64_C(1) << 34) - 1, 999999999}, 10}, {{INT64_C(1) << 34, 0}, 15}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_time back;
        start();
        wire_put_time(&w, rows[i].t.seconds, rows[i].t.nanoseconds);
        expect("time", w.len == rows[i].len && wire_size_time(rows[i].t.seconds, rows[i].t.nanoseconds) == w.len);
        struct wire_reader r = reading(i);
        wire_get_time(&r, &back);
        expect("time", wire_reader_end(&r) == WIRE_OK && back.seconds == rows[i].t.seconds);
        expect("time", back.nanoseconds == rows[i].t.nanoseconds);
    }
    start();
    wire_put_time(&w, 0x1234567890, 1);
    expect("time", WROTE("\xc7\x0c\xff\x00\x00\x00\x01\x00\x00\x00\x12\x34\x56\x78\x90"));
    start();
    wire_put_time(&w, 0x312345678, 1);
    expect("time", WROTE("\xd7\xff\x00\x00\x00\x07\x12\x34\x56\x78"));
}

/* ---- bytes ---- */

static void bytes_of(size_t len)
{
    static uint8_t data[CROSS_MAX];
    struct wire_bytes value = {data, len}, back;
    struct wire_ext ext;
    memset(data, 'x', len);
    for (unsigned kind = 0; kind < 3; kind++) {
        start();
        if (kind == 0)
            wire_put_bin(&w, value);
        else if (kind == 1)
            wire_put_str(&w, value);
        else
            wire_put_ext(&w, -5, value);
        size_t size = kind == 0 ? wire_size_bin(len) : kind == 1 ? wire_size_str(len) : wire_size_ext(len);
        expect("bytes", w.status == WIRE_OK && w.len == size);
        struct wire_reader r = reading((unsigned)len % CROSS_ALIGNMENTS);
        if (kind == 0)
            wire_get_bin(&r, &back);
        else if (kind == 1)
            wire_get_str(&r, &back);
        else
            wire_get_ext(&r, &ext), back = ext.data;
        expect("bytes", wire_reader_end(&r) == WIRE_OK && back.len == len && (len == 0 || memcmp(back.ptr, data, len) == 0));
        expect("bytes", kind < 2 || ext.type == -5);
    }
}

static void heads(void)
{
    static const uint8_t data[65536];
    static const size_t lens[] = {0, 1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 255, 256, 65535, 65536};
    for (unsigned i = 0; i < sizeof lens / sizeof lens[0]; i++)
        bytes_of(lens[i]);
    start();
    wire_put_bin(&w, (struct wire_bytes){data, 256});
    expect("head", BEGAN("\xc5\x01\x00\x00"));
    start();
    wire_put_str(&w, (struct wire_bytes){data, 65536});
    expect("head", BEGAN("\xdb\x00\x01\x00\x00\x00"));
    start();
    wire_put_ext(&w, 7, (struct wire_bytes){data, 8});
    expect("head", BEGAN("\xd7\x07\x00"));
}

/* ---- containers ---- */

static void array_of(uint32_t count, bool opened)
{
    start();
    if (opened)
        wire_open_array(&w);
    else
        wire_put_array(&w, count);
    for (uint32_t i = 0; i < count; i++)
        wire_put_nil(&w);
    if (opened)
        wire_close(&w);
    expect("array", wire_writer_end(&w) == WIRE_OK && w.len == wire_size_head(count) + count);
    size_t at;
    expect("array", wire_check((struct wire_bytes){out, w.len}, WIRE_SCAN_UTF8 | WIRE_SCAN_CANONICAL, &at) == WIRE_OK);
    struct wire_reader r = reading(count % CROSS_ALIGNMENTS);
    expect("array", wire_get_array(&r) == count);
    for (uint32_t i = 0; i < count; i++)
        wire_get_nil(&r);
    expect("array", wire_reader_end(&r) == WIRE_OK);
}

static void containers(void)
{
    static const uint32_t counts[] = {0, 1, 15, 16, 255, 256, 65535, 65536};
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        array_of(counts[i], false);
        array_of(counts[i], true);
    }
    start();
    wire_put_map(&w, 16);
    expect("map", w.status == WIRE_OK && w.len == 3 && memcmp(out, "\xde\x00\x10", 3) == 0);
    expect("map", wire_writer_end(&w) == WIRE_E_OPEN);
}

/* Counts and lengths of up to 2^32 - 1 in a few bytes: refused, without a step for each. */
static void bombs(void)
{
    static const char *const rows[] = {"\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff",
                                       "\xdb\xff\xff\xff\xff", "\xc9\xff\xff\xff\xff", "\xdf\x80\x00\x00\x00"};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t at;
        struct wire_bytes bomb = misplaced((struct wire_bytes){(const uint8_t *)rows[i], 5}, i);
        struct wire_reader r;
        expect("bomb", wire_check(bomb, 0, &at) == WIRE_E_SHORT && at == 0);
        wire_reader_init(&r, bomb.ptr, bomb.len);
        wire_skip(&r);
        expect("bomb", r.status == WIRE_E_SHORT);
        wire_reader_init(&r, bomb.ptr, bomb.len);
        if (wire_peek(&r) == WIRE_TYPE_map)
            wire_get_map(&r);
        else if (wire_peek(&r) == WIRE_TYPE_array)
            wire_get_array(&r);
        else
            wire_get_ext(&r, &(struct wire_ext){0, {NULL, 0}});
        expect("bomb", r.status == WIRE_E_SHORT || r.status == WIRE_E_TYPE);
    }
}

void test_values(void)
{
    integers();
    floats();
    moments();
    heads();
    containers();
    bombs();
}
