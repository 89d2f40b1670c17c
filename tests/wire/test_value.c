/* SPDX-License-Identifier: MIT
 *
 * libwire-value: trees.  msgpack-c is the oracle of what is in one and of how it is written.
 * malloc and free are wrapped, to count and to fail.
 */
#include <criterion/criterion.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "../../libwire/wire_value.h"
#include "../support/random.h"

enum { ROOM = 1 << 16 };

/* ---- memory ---- */

static size_t allocated;    /* bytes asked for */
static int in_use, fail_at; /* blocks; the allocation that fails, counted from 1, 0: none */

void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);
void __real_free(void *ptr);
void __wrap_free(void *ptr);

void *__wrap_malloc(size_t len)
{
    if (fail_at > 0 && --fail_at == 0)
        return NULL;
    allocated += len;
    in_use++;
    return __real_malloc(len);
}

void __wrap_free(void *ptr)
{
    in_use -= ptr != NULL;
    __real_free(ptr);
}

/* ---- helpers ---- */

static uint8_t buf[ROOM], again[ROOM];

#define BYTES(text) ((struct wire_bytes){(const uint8_t *)(text), sizeof(text) - 1})

static struct wire_bytes written(const struct wire_writer *w)
{
    cr_assert_eq(w->status, WIRE_OK);
    return (struct wire_bytes){w->buf, w->len};
}

static struct wire_value *new_tree(struct wire_bytes encoded)
{
    struct wire_value *v;
    size_t at = SIZE_MAX;
    enum wire_status status = wire_value_new(&v, encoded, 0, &at);
    cr_assert_eq(status, WIRE_OK, "%s at %zu", wire_status_text(status), at);
    return v;
}

static void expect_refused(struct wire_bytes encoded, enum wire_status status, size_t at)
{
    struct wire_value *v = (struct wire_value *)buf;
    size_t found = SIZE_MAX;
    cr_expect_eq(wire_value_new(&v, encoded, WIRE_SCAN_UTF8, &found), status);
    cr_expect(v == NULL && found == at, "at %zu, not %zu", found, at);
}

static struct wire_bytes put_again(const struct wire_value *v)
{
    struct wire_writer w;
    wire_writer_init(&w, again, sizeof again);
    wire_value_put(&w, v);
    cr_expect_eq(wire_writer_end(&w), WIRE_OK);
    return written(&w);
}

static bool same(struct wire_bytes a, struct wire_bytes b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static struct wire_bytes any_bytes(uint64_t *state)
{
    static const uint8_t text[300] = "text";
    return (struct wire_bytes){text, random_next(state) % (random_next(state) % 8 == 0 ? sizeof text : 20)};
}

/* A value that looks random, in its shortest form; `depth` containers at most. */
static void put_any(struct wire_writer *w, uint64_t *state, unsigned depth)
{
    uint64_t bits = (uint64_t)random_next(state) << 33 ^ random_next(state);
    uint32_t count = random_next(state) % 5;
    double number = (double)(bits % 1000) / 8;
    switch (random_next(state) % (depth > 0 ? 12 : 8)) {
    case 0:
        wire_put_nil(w);
        break;
    case 1:
        wire_put_bool(w, bits & 1);
        break;
    case 2:
        wire_put_uint(w, bits >> bits % 64);
        break;
    case 3:
        wire_put_int(w, -(int64_t)(bits >> 1 >> bits % 60));
        break;
    case 4:
        wire_put_f32(w, (float)number);
        break;
    case 5:
        wire_put_f64(w, number);
        break;
    case 6:
        (bits & 1 ? wire_put_str : wire_put_bin)(w, any_bytes(state));
        break;
    case 7:
        wire_put_ext(w, (int8_t)bits, any_bytes(state));
        break;
    case 8:
    case 9:
        wire_put_array(w, count);
        for (uint32_t i = 0; i < count; i++)
            put_any(w, state, depth - 1);
        break;
    default:
        wire_put_map(w, count);
        for (uint32_t i = 0; i < 2 * count; i++)
            put_any(w, state, depth - 1);
    }
}

static struct wire_bytes any_encoded(uint64_t *state)
{
    struct wire_writer w;
    wire_writer_init(&w, buf, sizeof buf);
    put_any(&w, state, 6);
    return written(&w);
}

/* ---- what is in a tree ---- */

Test(value, a_tree_holds_every_type_exactly)
{
    struct wire_value *v =
        new_tree(BYTES("\xdc\x00\x0d\xc0\xc3\x7f\xe0\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xd3\x80\0\0\0\0\0\0\0"
                       "\xca\x3f\xc0\0\0\xcb\x3f\xf8\0\0\0\0\0\0\xa1s\xc4\x01\xff\xd4\x05x\x90\x81\x01\xc2"));
    const struct wire_value *item = v->items.at;
    cr_assert(v->type == WIRE_TYPE_array && v->items.count == 13);
    cr_expect(item[0].type == WIRE_TYPE_nil);
    cr_expect(item[1].type == WIRE_TYPE_bool && item[1].boolean);
    cr_expect(item[2].type == WIRE_TYPE_int && item[2].integer == 127 && !item[2].negative);
    cr_expect((int64_t)item[3].integer == -32 && item[3].negative);
    cr_expect(item[4].integer == UINT64_MAX && !item[4].negative);
    cr_expect((int64_t)item[5].integer == INT64_MIN && item[5].negative);
    cr_expect(item[6].type == WIRE_TYPE_f32 && item[6].f32 == 1.5f);
    cr_expect(item[7].type == WIRE_TYPE_f64 && item[7].f64 == 1.5);
    cr_expect(item[8].type == WIRE_TYPE_str && same(item[8].bytes, BYTES("s")));
    cr_expect(item[9].type == WIRE_TYPE_bin && same(item[9].bytes, BYTES("\xff")));
    cr_expect(item[10].type == WIRE_TYPE_ext && item[10].ext_type == 5 && same(item[10].bytes, BYTES("x")));
    cr_expect(item[11].type == WIRE_TYPE_array && item[11].items.count == 0);
    cr_expect(item[12].type == WIRE_TYPE_map && item[12].items.count == 1);
    cr_expect(item[12].items.at[0].integer == 1 && item[12].items.at[1].type == WIRE_TYPE_bool);
    wire_value_free(v);
}

Test(value, str_bin_and_ext_are_borrowed_from_the_input)
{
    struct wire_bytes encoded = BYTES("\x93\xa1s\xc4\x01z\xd4\x05x");
    struct wire_value *v = new_tree(encoded);
    cr_expect_eq(v->items.at[0].bytes.ptr, encoded.ptr + 2);
    cr_expect_eq(v->items.at[1].bytes.ptr, encoded.ptr + 5);
    cr_expect_eq(v->items.at[2].bytes.ptr, encoded.ptr + 8);
    wire_value_free(v);
}

Test(value, what_was_read_is_written_as_the_same_bytes_and_as_msgpack_c_writes_it)
{
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        msgpack_zone *zone = msgpack_zone_new(4096);
        msgpack_object theirs;
        msgpack_sbuffer out;
        msgpack_packer packer;
        struct wire_bytes encoded = any_encoded(&state);
        struct wire_value *v = new_tree(encoded);
        struct wire_bytes ours = put_again(v);
        msgpack_sbuffer_init(&out);
        msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
        msgpack_unpack((const char *)encoded.ptr, encoded.len, NULL, zone, &theirs);
        msgpack_pack_object(&packer, theirs);
        cr_assert(same(ours, encoded), "round %d", i);
        cr_assert(same(ours, (struct wire_bytes){(const uint8_t *)out.data, out.size}), "round %d", i);
        wire_value_free(v);
        msgpack_sbuffer_destroy(&out);
        msgpack_zone_free(zone);
    }
}

Test(value, a_measured_tree_has_the_size_of_the_written_one)
{
    uint64_t state = 2;
    for (int i = 0; i < 1000; i++) {
        struct wire_bytes encoded = any_encoded(&state);
        struct wire_value *v = new_tree(encoded);
        struct wire_writer w;
        wire_writer_measure(&w);
        wire_value_put(&w, v);
        cr_expect_eq(wire_writer_total(&w), encoded.len);
        wire_value_free(v);
    }
}

Test(value, long_forms_are_written_short)
{
    struct wire_value *v = new_tree(BYTES("\xdd\0\0\0\x02\xcf\0\0\0\0\0\0\0\x01\xdb\0\0\0\x01z"));
    cr_expect(same(put_again(v), BYTES("\x92\x01\xa1z")));
    wire_value_free(v);
}

Test(value, a_tree_may_be_put_together_by_hand)
{
    struct wire_value items[] = {{.type = WIRE_TYPE_str, .bytes = {(const uint8_t *)"n", 1}},
                                 {.type = WIRE_TYPE_int, .integer = 5}};
    struct wire_value map = {.type = WIRE_TYPE_map, .items = {items, 1}};
    cr_expect(same(put_again(&map), BYTES("\x81\xa1n\x05")));
}

Test(value, find_gives_what_stands_for_a_key)
{
    struct wire_value *v = new_tree(BYTES("\x84\x01\x02\xc4\x01n\x03\xa1n\x04\xa1n\x05"));
    cr_expect_eq(wire_value_find(v, "n"), &v->items.at[5]);
    cr_expect_null(wire_value_find(v, "m"));
    cr_expect_null(wire_value_find(v, "nn"));
    cr_expect_null(wire_value_find(&v->items.at[0], "n"));
    wire_value_free(v);
}

Test(value, timestamps_are_read_in_their_three_forms_and_nothing_else_is_one)
{
    static const struct wire_time times[] = {{0, 0}, {UINT32_MAX, 0}, {1, 999999999}, {-1, 5}, {INT64_C(1) << 34, 0}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct wire_writer w;
        struct wire_time found;
        wire_writer_init(&w, buf, sizeof buf);
        wire_put_time(&w, times[i].seconds, times[i].nanoseconds);
        struct wire_value *v = new_tree(written(&w));
        cr_expect(wire_value_time(v, &found));
        cr_expect(found.seconds == times[i].seconds && found.nanoseconds == times[i].nanoseconds);
        wire_value_free(v);
    }
    static const char *const others[] = {"\xd6\x01zzzz", "\xd5\xffzz", "\xd7\xff\xff\xff\xff\xff\0\0\0\0",
                                         "\xd8\xff"
                                         "0123456789abcdef",
                                         "\x01"};
    static const size_t lens[] = {6, 4, 10, 18, 1};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct wire_time found;
        struct wire_value *v = new_tree((struct wire_bytes){(const uint8_t *)others[i], lens[i]});
        cr_expect_not(wire_value_time(v, &found), "%zu", i);
        wire_value_free(v);
    }
}

/* ---- bad input ---- */

Test(value, faults_are_found_with_their_offset)
{
    expect_refused(BYTES(""), WIRE_E_SHORT, 0);
    expect_refused(BYTES("\x92\x01\xc1"), WIRE_E_RESERVED, 2);
    expect_refused(BYTES("\x92\x01\xa1\xff"), WIRE_E_UTF8, 2);
    expect_refused(BYTES("\x01\x02"), WIRE_E_TRAILING, 1);
    expect_refused(BYTES("\xdd\xff\xff\xff\xff"), WIRE_E_SHORT, 0);
    expect_refused(BYTES("\x91\xdf\xff\xff\xff\xff"), WIRE_E_SHORT, 1);
    expect_refused(BYTES("\x91\xdb\xff\xff\xff\xff"), WIRE_E_SHORT, 1);
}

Test(value, a_value_that_is_cut_anywhere_is_refused)
{
    uint64_t state = 3;
    for (int i = 0; i < 300; i++) {
        struct wire_bytes encoded = any_encoded(&state);
        for (size_t len = 0; len < encoded.len; len++) {
            struct wire_value *v;
            size_t at;
            cr_assert_eq(wire_value_new(&v, (struct wire_bytes){buf, len}, 0, &at), WIRE_E_SHORT);
        }
    }
}

Test(value, sixteen_levels_are_taken_and_seventeen_refused_both_ways)
{
    struct wire_writer w;
    memset(buf, 0x91, WIRE_DEPTH_MAX);
    buf[WIRE_DEPTH_MAX] = 0xc0;
    struct wire_value *v = new_tree((struct wire_bytes){buf, WIRE_DEPTH_MAX + 1});
    struct wire_value outer = {.type = WIRE_TYPE_array, .items = {v, 1}};
    cr_expect_eq(put_again(v).len, WIRE_DEPTH_MAX + 1);
    wire_writer_init(&w, again, sizeof again);
    wire_value_put(&w, &outer);
    cr_expect_eq(w.status, WIRE_E_DEPTH);
    wire_value_free(v);
    buf[WIRE_DEPTH_MAX] = 0x90;
    expect_refused((struct wire_bytes){buf, WIRE_DEPTH_MAX + 1}, WIRE_E_DEPTH, WIRE_DEPTH_MAX);
}

Test(value, a_tree_that_holds_itself_or_no_value_is_refused)
{
    struct wire_value self[2] = {{.type = WIRE_TYPE_map}, {.type = WIRE_TYPE_nil}};
    struct wire_value none = {.type = WIRE_TYPE_none};
    struct wire_writer w;
    self[0].items = (struct wire_items){self, 1};
    wire_writer_measure(&w);
    wire_value_put(&w, self);
    cr_expect_eq(w.status, WIRE_E_DEPTH);
    cr_expect_eq(wire_value_sort(self), WIRE_E_DEPTH);
    wire_writer_measure(&w);
    wire_value_put(&w, &none);
    cr_expect_eq(w.status, WIRE_E_TYPE);
}

/* ---- memory ---- */

/* What this input costs; none of it may remain. */
static void expect_cheap(struct wire_bytes encoded)
{
    struct wire_value *v;
    size_t at;
    allocated = 0, in_use = 0;
    enum wire_status status = wire_value_new(&v, encoded, 0, &at);
    cr_assert_leq(allocated, 24 * encoded.len + 128);
    cr_assert(status == WIRE_OK || allocated == 0);
    wire_value_free(v);
    cr_assert_eq(in_use, 0);
}

Test(value, n_bytes_take_no_more_than_24_n_and_128_bytes_of_memory)
{
    uint64_t state = 4;
    static const uint8_t heads[] = {0xdd, 0xdf, 0xdb, 0xc6, 0xc9};
    for (size_t i = 0; i < sizeof heads; i++)
        for (size_t len = 5; len < 40; len++) {
            memset(buf, 0xff, len);
            buf[0] = heads[i];
            expect_cheap((struct wire_bytes){buf, len});
        }
    for (uint32_t count = 0; count < ROOM / 2 - 5; count = 2 * count + 1) { /* a byte for each value */
        struct wire_writer w;
        wire_writer_init(&w, buf, sizeof buf);
        wire_put_map(&w, count);
        memset(buf + w.len, 0x90, 2 * count);
        expect_cheap((struct wire_bytes){buf, w.len + 2 * count});
        cr_assert_gt(allocated, 24 * 2 * count);
    }
    for (int i = 0; i < 2000; i++)
        expect_cheap(any_encoded(&state));
}

Test(value, an_allocation_that_fails_is_an_answer_and_leaves_nothing)
{
    struct wire_bytes encoded = BYTES("\x92\x81\x01\x90\xc0");
    struct wire_value *v = NULL;
    size_t at;
    int nth = 0;
    in_use = 0;
    do {
        fail_at = ++nth;
        enum wire_status status = wire_value_new(&v, encoded, 0, &at);
        cr_assert(status == WIRE_OK ? v != NULL : status == WIRE_E_MEMORY && v == NULL && in_use == 0 && at == 0);
    } while (v == NULL);
    cr_expect_eq(nth, 3); /* root and zone, chunk: the third does not happen */
    fail_at = 0;
    wire_value_free(v);
    wire_value_free(NULL);
    cr_expect_eq(in_use, 0);
}

/* ---- canonical order ---- */

/* Keys of every type, none of them twice: each is a pair, the second half of which is its number. */
static struct wire_bytes any_map(uint64_t *state)
{
    struct wire_writer w;
    uint32_t count = random_next(state) % 40;
    wire_writer_init(&w, buf, sizeof buf);
    wire_put_map(&w, count);
    for (uint32_t i = 0; i < count; i++) {
        wire_put_array(&w, 2);
        put_any(&w, state, 0);
        wire_put_uint(&w, i);
        wire_put_nil(&w);
    }
    return written(&w);
}

Test(value, sorted_maps_are_canonical_whatever_their_keys)
{
    uint64_t state = 5;
    size_t at;
    for (int i = 0; i < 3000; i++) {
        struct wire_bytes encoded = any_map(&state);
        struct wire_value *v = new_tree(encoded);
        cr_assert_eq(wire_value_sort(v), WIRE_OK);
        cr_assert_eq(put_again(v).len, encoded.len);
        cr_assert_eq(wire_check(put_again(v), WIRE_SCAN_CANONICAL, &at), WIRE_OK);
        wire_value_free(v);
    }
}

Test(value, equal_keys_are_found_in_whatever_form_they_were)
{
    static const struct wire_bytes maps[] = {{(const uint8_t *)"\x83\x01\xc0\x02\xc0\xcc\x01\xc0", 8},
                                             {(const uint8_t *)"\x82\xa1n\xc0\xd9\x01n\xc0", 8},
                                             {(const uint8_t *)"\x82\x91\x01\xc0\xdc\0\x01\x01\xc0", 9}};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        struct wire_value *v = new_tree(maps[i]);
        cr_expect_eq(wire_value_sort(v), WIRE_E_DUPLICATE, "%zu", i);
        wire_value_free(v);
    }
    struct wire_value *v = new_tree(BYTES("\x82\x01\xc0\xcb\x3f\xf0\0\0\0\0\0\0\xc0"));
    cr_expect_eq(wire_value_sort(v), WIRE_OK); /* 1 and 1.0 are two keys */
    cr_expect_eq(wire_value_sort(&v->items.at[0]), WIRE_E_TYPE);
    wire_value_free(v);
}
