/* SPDX-License-Identifier: MIT
 *
 * libwire/scan.c: a value that comes in pieces gets the answer that it gets whole, each byte
 * is looked at once, and what is too long is refused as soon as that can be known.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../libwire/wire.h"
#include "../support/generic.h"
#include "../support/hex.h"
#include "../support/random.h"
#include "../support/vectors.h"

enum { ROOM = 1 << 20, ALL = WIRE_SCAN_UTF8 | WIRE_SCAN_CANONICAL };
static uint8_t room[ROOM], zeros[ROOM];

static struct wire_bytes bytes_of(const char *hex)
{
    size_t len = hex_parse(hex, room, sizeof room);
    cr_assert_neq(len, SIZE_MAX, "not hex: %s", hex);
    return (struct wire_bytes){room, len};
}

static void expect_check(const char *hex, unsigned flags, enum wire_status status, size_t at)
{
    size_t where;
    struct wire_bytes bytes = bytes_of(hex);
    enum wire_status found = wire_check(bytes, flags, &where);
    cr_expect_eq(found, status, "%s: %s", hex, wire_status_text(found));
    cr_expect_eq(where, status == WIRE_OK ? bytes.len : at, "%s: at %zu", hex, where);
}

/* ---- pieces ---- */

/* A copy that ends where its memory ends: nothing beyond what came is looked at. */
static enum wire_status scan_part(struct wire_scan *s, struct wire_bytes whole, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    cr_assert_not_null(copy);
    memcpy(copy, whole.ptr, len);
    enum wire_status status = wire_scan(s, copy, len);
    free(copy);
    return status;
}

/* Whole, and after a first piece of `split` bytes. */
static void expect_split(const char *name, struct wire_bytes bytes, size_t split, unsigned flags)
{
    struct wire_scan whole, parts;
    wire_scan_init(&whole, SIZE_MAX, flags);
    wire_scan_init(&parts, SIZE_MAX, flags);
    enum wire_status status = wire_scan(&whole, bytes.ptr, bytes.len), part = scan_part(&parts, bytes, split);
    if (part == WIRE_E_SHORT)
        part = scan_part(&parts, bytes, bytes.len);
    cr_assert(part == status && parts.pos == whole.pos, "%s in pieces of %zu and %zu: %s at %zu, whole %s at %zu", name,
              split, bytes.len - split, wire_status_text(part), parts.pos, wire_status_text(status), whole.pos);
}

/* A byte at a time; every byte before the last is not enough. */
static void expect_bytewise(const char *name, struct wire_bytes bytes)
{
    struct wire_scan s;
    wire_scan_init(&s, bytes.len, ALL);
    for (size_t len = 0; len < bytes.len; len++)
        cr_assert_eq(scan_part(&s, bytes, len), WIRE_E_SHORT, "%s: %zu bytes", name, len);
    cr_assert_eq(scan_part(&s, bytes, bytes.len), WIRE_OK, "%s", name);
    cr_assert_eq(s.pos, bytes.len);
}

Test(scan, every_golden_message_is_found_in_pieces_as_it_is_whole)
{
    const struct vectors *all = vectors_load();
    cr_assert_not_null(all);
    for (size_t i = 0; i < all->message_count; i++) {
        struct wire_bytes body = vector_body(&all->messages[i]);
        expect_bytewise(all->messages[i].name, body);
        for (size_t split = 0; split <= body.len; split++) {
            expect_split(all->messages[i].name, body, split, 0);
            expect_split(all->messages[i].name, body, split, ALL);
        }
    }
}

Test(scan, random_values_and_damaged_ones_are_found_in_pieces_as_they_are_whole)
{
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        uint64_t state = seed;
        struct wire_writer w;
        wire_writer_init(&w, room, 400);
        generic_put(&w, &state, 6, false);
        if (wire_writer_end(&w) != WIRE_OK)
            continue;
        if (seed % 2 == 0)
            room[random_next(&state) % w.len] ^= (uint8_t)(1u << random_next(&state) % 8);
        for (size_t split = 0; split <= w.len; split++) {
            expect_split("random", (struct wire_bytes){room, w.len}, split, 0);
            expect_split("random", (struct wire_bytes){room, w.len}, split, ALL);
        }
    }
}

Test(scan, a_value_is_over_where_the_next_one_begins)
{
    struct wire_scan s;
    struct wire_bytes bytes = bytes_of("92 01 02 93 00");
    wire_scan_init(&s, SIZE_MAX, 0);
    cr_expect_eq(wire_scan(&s, bytes.ptr, bytes.len), WIRE_OK);
    cr_expect_eq(s.pos, 3);
}

/* ---- every byte once ---- */

/* Feed `len` bytes one at a time, and make what was passed unreadable, page by page. */
static void feed_behind_a_wall(const uint8_t *bytes, size_t len, unsigned flags)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), closed = 0;
    uint8_t *view = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct wire_scan s;
    cr_assert_neq(view, MAP_FAILED);
    memcpy(view, bytes, len);
    wire_scan_init(&s, len, flags);
    for (size_t n = 1; n <= len; n++) {
        enum wire_status status = wire_scan(&s, view, n);
        cr_assert_eq(status, n < len ? WIRE_E_SHORT : WIRE_OK, "%zu of %zu bytes: %s", n, len,
                     wire_status_text(status));
        for (; closed + page <= s.pos; closed += page)
            cr_assert_eq(mprotect(view + closed, page, PROT_NONE), 0);
    }
    munmap(view, len);
}

/* 1 MiB of values with about `each` bytes. */
static size_t many_values(size_t each)
{
    struct wire_writer w;
    wire_writer_init(&w, room, ROOM);
    uint32_t count = (uint32_t)((ROOM - 5) / wire_size_bin(each));
    wire_put_array(&w, count);
    for (uint32_t i = 0; i < count; i++)
        wire_put_bin(&w, (struct wire_bytes){zeros, each});
    cr_assert_eq(wire_writer_end(&w), WIRE_OK);
    return w.len;
}

Test(scan, a_mebibyte_byte_by_byte_never_looks_back)
{
    static const size_t each[] = {0, 10, 3000, ROOM - 16};
    for (size_t i = 0; i < 4; i++) {
        size_t len = many_values(each[i]);
        feed_behind_a_wall(room, len, WIRE_SCAN_UTF8);
    }
}

/* Bytes that have not all come are not looked at either: they are unreadable until then. */
Test(scan, a_long_value_is_not_looked_at_before_it_is_whole)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), len = ROOM;
    uint8_t *view = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct wire_scan s;
    cr_assert_neq(view, MAP_FAILED);
    memcpy(view, "\xdb\x00\x0f\xff\xfb", 5); /* a str of all that follows */
    mprotect(view + page, len - page, PROT_NONE);
    wire_scan_init(&s, len, WIRE_SCAN_UTF8);
    for (size_t n = 0; n < len; n++)
        cr_assert_eq(wire_scan(&s, view, n), WIRE_E_SHORT);
    mprotect(view + page, len - page, PROT_READ);
    cr_expect_eq(wire_scan(&s, view, len), WIRE_OK);
    munmap(view, len);
}

/* ---- limits and bombs ---- */

Test(scan, a_bomb_is_over_the_limit_from_its_head_on)
{
    static const char *const heads[] = {"dd ff ff ff ff", "df ff ff ff ff", "df 80 00 00 00", "db ff ff ff ff",
                                        "c6 ff ff ff ff", "c9 ff ff ff ff", "dc ff ff",       "de 80 00",
                                        "da ff ff",       "c5 ff ff",       "c8 ff ff"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct wire_scan s;
        struct wire_bytes head = bytes_of(heads[i]);
        wire_scan_init(&s, 60000, 0);
        for (size_t n = 0; n < head.len; n++)
            cr_expect_eq(wire_scan(&s, head.ptr, n), WIRE_E_SHORT, "%s: %zu bytes", heads[i], n);
        cr_expect_eq(wire_scan(&s, head.ptr, head.len), WIRE_E_LIMIT, "%s", heads[i]);
        cr_expect_eq(s.pos, 0);
    }
}

Test(scan, counts_that_add_up_beyond_the_limit_are_known_at_the_last_head)
{
    struct wire_scan s;
    struct wire_bytes bytes = bytes_of("93 94 95"); /* 3 + 2 + 3 + 5 bytes or more */
    for (size_t limit = 0; limit < 15; limit++) {
        wire_scan_init(&s, limit, 0);
        cr_expect_eq(wire_scan(&s, bytes.ptr, bytes.len), limit < 13 ? WIRE_E_LIMIT : WIRE_E_SHORT, "limit %zu", limit);
    }
    bytes = bytes_of("92 c4 05"); /* one value is still to come behind the five bytes */
    for (size_t limit = 0; limit < 12; limit++) {
        wire_scan_init(&s, limit, 0);
        cr_expect_eq(wire_scan(&s, bytes.ptr, bytes.len), limit < 9 ? WIRE_E_LIMIT : WIRE_E_SHORT, "limit %zu", limit);
    }
}

/* Whoever reads into a buffer of the limit's size must never be told to read on when it is full. */
Test(scan, no_more_bytes_are_asked_for_than_the_limit)
{
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        uint64_t state = seed;
        struct wire_writer w;
        wire_writer_init(&w, room, 300);
        generic_put(&w, &state, 6, false);
        if (wire_writer_end(&w) != WIRE_OK)
            continue;
        for (size_t limit = 0; limit <= w.len + 1; limit++) {
            struct wire_scan s;
            enum wire_status status = WIRE_E_SHORT;
            wire_scan_init(&s, limit, 0);
            for (size_t n = 0; n <= limit && n <= w.len && status == WIRE_E_SHORT; n++)
                status = wire_scan(&s, room, n);
            cr_assert_eq(status, limit < w.len ? WIRE_E_LIMIT : WIRE_OK, "seed %llu, %zu bytes, limit %zu: %s",
                         (unsigned long long)seed, w.len, limit, wire_status_text(status));
        }
    }
}

Test(scan, check_takes_bombs_for_short)
{
    expect_check("", 0, WIRE_E_SHORT, 0);
    expect_check("dd ff ff ff ff", 0, WIRE_E_SHORT, 0);
    expect_check("91 df ff ff ff ff 00", 0, WIRE_E_SHORT, 1);
    expect_check("db ff ff ff ff 61", 0, WIRE_E_SHORT, 0);
    expect_check("c9 ff ff ff ff 05", 0, WIRE_E_SHORT, 0);
    expect_check("93 00 00", 0, WIRE_E_SHORT, 0);
    expect_check("93 00 92 00", 0, WIRE_E_SHORT, 2);
    expect_check("82 00 00 00", 0, WIRE_E_SHORT, 0);
    expect_check("92 00 cd 00", 0, WIRE_E_SHORT, 2);
    expect_check("92 a1 61", 0, WIRE_E_SHORT, 3);
}

Test(scan, a_mebibyte_of_heads_is_refused_at_the_level_too_many)
{
    static const uint8_t heads[] = {0x91, 0x81, 0xdd};
    for (size_t i = 0; i < 3; i++) {
        size_t at;
        memset(room, heads[i], ROOM);
        enum wire_status status = wire_check((struct wire_bytes){room, ROOM}, ALL, &at);
        cr_expect_eq(status, heads[i] == 0xdd ? WIRE_E_SHORT : WIRE_E_DEPTH, "%s", wire_status_text(status));
        cr_expect_leq(at, 2 * WIRE_DEPTH_MAX);
    }
}

/* Sixteen levels of long arrays: work grows with the bytes alone, since each byte is passed once. */
Test(scan, wide_and_deep_at_once_is_passed_once)
{
    struct wire_writer w;
    wire_writer_init(&w, room, ROOM);
    for (unsigned level = 0; level < WIRE_DEPTH_MAX; level++) {
        wire_open_array(&w);
        for (unsigned i = 0; i < 4000; i++)
            wire_put_array(&w, 0);
    }
    for (unsigned level = 0; level < WIRE_DEPTH_MAX; level++)
        wire_close(&w);
    cr_expect_eq(w.status, WIRE_E_DEPTH, "an empty array is a level too");
    wire_writer_init(&w, room, ROOM);
    for (unsigned level = 0; level < WIRE_DEPTH_MAX; level++) {
        wire_open_array(&w);
        for (unsigned i = 0; i < 4000 && level + 1 < WIRE_DEPTH_MAX; i++)
            wire_put_array(&w, 0);
    }
    for (unsigned level = 0; level < WIRE_DEPTH_MAX; level++)
        wire_close(&w);
    cr_assert_eq(wire_writer_end(&w), WIRE_OK);
    feed_behind_a_wall(room, w.len, WIRE_SCAN_UTF8);
}

/* ---- depth ---- */

Test(scan, what_is_around_counts)
{
    for (uint32_t around = 0; around <= WIRE_DEPTH_MAX; around++) {
        struct wire_scan s;
        uint32_t fit = WIRE_DEPTH_MAX - around;
        memset(room, 0x91, 40);
        wire_scan_init(&s, SIZE_MAX, 0);
        s.around = around;
        cr_expect_eq(wire_scan(&s, room, 40), WIRE_E_DEPTH);
        cr_expect_eq(s.pos, fit);
        room[fit] = 0xc0;
        wire_scan_init(&s, SIZE_MAX, 0);
        s.around = around;
        cr_expect_eq(wire_scan(&s, room, 40), WIRE_OK);
        cr_expect_eq(s.pos, fit + 1);
    }
}

/* ---- flags ---- */

Test(scan, text_is_checked_only_when_asked_for)
{
    expect_check("a1 ff", 0, WIRE_OK, 0);
    expect_check("a1 ff", WIRE_SCAN_CANONICAL, WIRE_OK, 0);
    expect_check("a1 ff", WIRE_SCAN_UTF8, WIRE_E_UTF8, 0);
    expect_check("92 a1 61 d9 03 ed a0 80", WIRE_SCAN_UTF8, WIRE_E_UTF8, 3);
    expect_check("81 a1 80 00", WIRE_SCAN_UTF8, WIRE_E_UTF8, 1);
    expect_check("c4 01 ff", WIRE_SCAN_UTF8, WIRE_OK, 0);
    expect_check("d4 05 ff", WIRE_SCAN_UTF8, WIRE_OK, 0);
}

Test(scan, canonical_refuses_longer_forms_at_their_offset_inside_too)
{
    static const struct {
        const char *hex;
        size_t at;
    } rows[] = {{"92 00 cc 7f", 2},
                {"81 cc 00 00", 1},
                {"81 00 d0 00", 2},
                {"91 d9 01 61", 1},
                {"91 c5 00 01 00", 1},
                {"91 dc 00 00", 1},
                {"91 de 00 00", 1},
                {"91 c7 01 05 00", 1},
                {"91 d7 ff 00 00 00 00 00 00 00 00", 1},
                {"dc 00 01 c0", 0},
                {"91 92 90 dd 00 00 00 00", 3},
                {"92 c0 d1 ff 80", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_check(rows[i].hex, ALL, WIRE_E_CANONICAL, rows[i].at);
    expect_check("91 d3 80 00 00 00 00 00 00 00", ALL, WIRE_OK, 0);
}

Test(scan, canonical_keys_ascend_as_bytes_and_differ)
{
    static const struct {
        const char *hex;
        enum wire_status status;
        size_t at; /* of the key at fault */
    } rows[] = {
        {"80", WIRE_OK, 0},
        {"81 05 00", WIRE_OK, 0},
        {"82 00 c0 01 c0", WIRE_OK, 0},
        {"82 00 c0 00 c0", WIRE_E_CANONICAL, 3},
        {"82 01 c0 00 c0", WIRE_E_CANONICAL, 3},
        {"83 00 c0 02 c0 01 c0", WIRE_E_CANONICAL, 5},
        {"82 7f c0 cc 80 c0", WIRE_OK, 0},
        {"82 cc 80 c0 7f c0", WIRE_E_CANONICAL, 4},
        {"82 ff c0 00 c0", WIRE_E_CANONICAL, 3}, /* as bytes: -1 is ff */
        {"82 00 c0 ff c0", WIRE_OK, 0},
        {"82 a1 61 c0 a1 62 c0", WIRE_OK, 0},
        {"82 a1 62 c0 a1 61 c0", WIRE_E_CANONICAL, 4},
        {"82 a1 61 c0 a2 61 61 c0", WIRE_OK, 0},
        {"82 a2 61 61 c0 a1 62 c0", WIRE_E_CANONICAL, 5}, /* the length comes first */
        {"82 00 82 01 00 02 00 03 00", WIRE_OK, 0},       /* keys of the map inside do not matter outside */
        {"82 00 82 05 00 06 00 03 00", WIRE_OK, 0},
        {"82 03 82 05 00 06 00 03 00", WIRE_E_CANONICAL, 7},
        {"82 00 82 02 00 01 00 03 00", WIRE_E_CANONICAL, 5},
        {"82 90 00 91 00 00", WIRE_OK, 0}, /* containers as keys */
        {"82 91 01 00 91 00 00", WIRE_E_CANONICAL, 4},
        {"82 81 00 00 00 81 00 01 00", WIRE_OK, 0},
        {"82 81 00 00 00 81 00 00 00", WIRE_E_CANONICAL, 5},
        {"82 81 00 01 00 81 00 00 00", WIRE_E_CANONICAL, 5},
        {"81 82 01 00 00 00 00", WIRE_E_CANONICAL, 4}, /* inside a key */
        {"92 82 00 c0 01 c0 82 00 c0 01 c0", WIRE_OK, 0},
        {"92 81 05 c0 81 04 c0", WIRE_OK, 0}, /* maps beside each other */
        {"82 00 c0 00", WIRE_E_SHORT, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_check(rows[i].hex, WIRE_SCAN_CANONICAL, rows[i].status, rows[i].at);
        expect_check(rows[i].hex, 0, rows[i].status == WIRE_E_SHORT ? WIRE_E_SHORT : WIRE_OK, 0);
    }
}

Test(scan, what_the_codec_writes_is_canonical)
{
    const struct vectors *all = vectors_load();
    cr_assert_not_null(all);
    for (size_t i = 0; i < all->message_count; i++) {
        size_t at;
        cr_expect_eq(wire_check(vector_body(&all->messages[i]), ALL, &at), WIRE_OK, "%s at %zu", all->messages[i].name,
                     at);
    }
}

Test(scan, bytes_behind_the_value_are_refused)
{
    expect_check("c0 c0", 0, WIRE_E_TRAILING, 1);
    expect_check("90 c1", ALL, WIRE_E_TRAILING, 1);
    expect_check("92 00 00 00", ALL, WIRE_E_TRAILING, 3);
}

/* ---- damage ---- */

/* Every value of every byte; msgpack-c says whether what comes out is a value. */
Test(scan, golden_messages_with_any_byte_changed_are_what_msgpack_c_says)
{
    const struct vectors *all = vectors_load();
    unsigned whole = 0, asked = 0;
    cr_assert_not_null(all);
    for (size_t i = 0; i < all->message_count; i++) {
        struct wire_bytes body = vector_body(&all->messages[i]);
        memcpy(room, body.ptr, body.len);
        for (size_t k = 0; k < body.len * 256; k++) {
            size_t at;
            room[k / 256] = (uint8_t)k;
            enum wire_status status = wire_check((struct wire_bytes){room, body.len}, 0, &at);
            size_t theirs = generic_their_len(room, body.len);
            if (status == WIRE_OK || status == WIRE_E_TRAILING)
                cr_assert_eq(at, theirs, "%s, byte %zu as %02x", all->messages[i].name, k / 256, room[k / 256]);
            else
                cr_assert(theirs == 0 || theirs == SIZE_MAX, "%s, byte %zu as %02x", all->messages[i].name, k / 256,
                          room[k / 256]);
            whole += status == WIRE_OK;
            asked += theirs != SIZE_MAX;
            room[k / 256] = body.ptr[k / 256];
        }
    }
    cr_expect(whole > 1000 && asked > 100000, "%u values, %u asked", whole, asked);
}
