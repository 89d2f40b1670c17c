/* SPDX-License-Identifier: MIT
 *
 * libwire/values.c: containers.  A count that is filled in later gives the bytes of one that
 * was known, wherever borrowed slices are; nesting is bounded and accounted for both ways.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../libwire/wire.h"
#include "../support/generic.h"
#include "../support/hex.h"
#include "../support/random.h"

enum { ROOM = 1 << 20, SLICES = 512, MAX = WIRE_DEPTH_MAX };
static uint8_t counted[ROOM], closed[ROOM], joined[ROOM], large[WIRE_BORROW_MIN + 10];

static void expect_same(const struct wire_writer *w, const struct wire_writer *wanted, const char *what, uint64_t n)
{
    cr_assert_eq(w->status, WIRE_OK, "%s %llu: %s", what, (unsigned long long)n, wire_status_text(w->status));
    cr_assert(w->len == wanted->len && memcmp(w->buf, wanted->buf, w->len) == 0, "%s %llu: other bytes", what,
              (unsigned long long)n);
}

/* ---- counts filled in later ---- */

static void put_many(struct wire_writer *w, bool map, bool open, uint32_t count)
{
    if (open)
        (map ? wire_open_map : wire_open_array)(w);
    else
        (map ? wire_put_map : wire_put_array)(w, count);
    for (uint32_t i = 0; i < count; i++) {
        if (map)
            wire_put_uint(w, i);
        wire_put_nil(w);
    }
    if (open)
        wire_close(w);
}

Test(open, a_closed_container_is_the_counted_one_at_every_border)
{
    static const uint32_t counts[] = {0, 1, 14, 15, 16, 17, 255, 256, 65534, 65535, 65536, 65537};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0] * 2; i++) {
        bool map = i % 2 != 0;
        uint32_t count = counts[i / 2];
        struct wire_writer a, b, sum;
        wire_writer_init(&a, counted, ROOM);
        put_many(&a, map, false, count);
        wire_writer_init(&b, closed, a.len); /* the counted one's room is enough */
        put_many(&b, map, true, count);
        expect_same(&b, &a, map ? "map" : "array", count);
        cr_expect_eq(wire_writer_end(&b), WIRE_OK);
        wire_writer_measure(&sum);
        put_many(&sum, map, true, count);
        cr_expect_eq(wire_writer_total(&sum), a.len);
        wire_writer_init(&b, closed, a.len - 1);
        put_many(&b, map, true, count);
        cr_expect_eq(b.status, WIRE_E_SPACE);
    }
}

Test(open, nested_containers_close_to_the_counted_bytes)
{
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        uint64_t state = seed, again = seed, third = seed;
        struct wire_writer a, b, sum;
        wire_writer_init(&a, counted, ROOM);
        wire_put_nil(&a);
        generic_put(&a, &state, MAX, false);
        if (wire_writer_end(&a) == WIRE_E_SPACE)
            continue;
        wire_writer_init(&b, closed, a.len);
        wire_put_nil(&b);
        generic_put(&b, &again, MAX, true);
        expect_same(&b, &a, "seed", seed);
        wire_writer_measure(&sum);
        wire_put_nil(&sum);
        generic_put(&sum, &third, MAX, seed % 2 == 0);
        cr_assert_eq(wire_writer_end(&sum), WIRE_OK);
        cr_assert_eq(wire_writer_total(&sum), a.len, "measured %zu, written %zu", wire_writer_total(&sum), a.len);
    }
}

static size_t join(const struct wire_slice *slices, uint32_t count)
{
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        cr_assert(slices[i].len > 0 && slices[i].len <= ROOM - len);
        memcpy(joined + len, slices[i].ptr, slices[i].len);
        len += slices[i].len;
    }
    return len;
}

/* Containers of 14 to 18 values around borrowed bytes, in the places that `mask` says; closed last. */
static void put_around(struct wire_writer *w, unsigned mask, bool open)
{
    for (uint32_t level = 0; level < 3; level++) {
        uint32_t count = 13 + (mask >> 2 * level) % 4;
        if (open)
            wire_open_array(w);
        else
            wire_put_array(w, count + 1 + (level < 2));
        for (uint32_t i = 0; i < count; i++) {
            bool borrowed = (mask >> (6 + level) & 1) != 0 && (i == 0 || i + 1 == count);
            wire_put_bin(w, (struct wire_bytes){large, borrowed ? WIRE_BORROW_MIN : i});
        }
    }
    for (uint32_t level = 0; level < 3; level++) {
        bool borrowed = (mask >> (9 + level) & 1) != 0;
        wire_put_str(w, (struct wire_bytes){large, borrowed ? sizeof large : 1});
        if (open)
            wire_close(w);
    }
}

Test(open, borrowed_bytes_between_and_inside_stay_where_they_belong)
{
    memset(large, 'x', sizeof large);
    for (unsigned mask = 0; mask < 1 << 12; mask++) {
        struct wire_slice slices[SLICES];
        struct wire_writer a, b;
        wire_writer_init(&a, counted, ROOM);
        put_around(&a, mask, false);
        cr_assert_eq(wire_writer_end(&a), WIRE_OK);
        wire_writer_init(&b, closed, ROOM);
        wire_writer_borrow(&b, slices, 3 + mask % 29); /* now and then they run out */
        put_around(&b, mask, true);
        cr_assert_eq(wire_writer_end(&b), WIRE_OK);
        cr_assert_eq(wire_writer_total(&b), a.len);
        cr_assert_eq(join(slices, wire_writer_slices(&b)), a.len, "mask %x", mask);
        cr_assert(memcmp(joined, counted, a.len) == 0, "mask %x", mask);
    }
}

Test(open, random_values_with_slices_join_to_the_counted_bytes)
{
    unsigned borrowed = 0;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct wire_slice slices[SLICES];
        uint64_t state = seed, again = seed;
        struct wire_writer a, b;
        wire_writer_init(&a, counted, ROOM);
        generic_put(&a, &state, 5, false);
        if (wire_writer_end(&a) == WIRE_E_SPACE)
            continue;
        wire_writer_init(&b, closed, a.len);
        wire_writer_borrow(&b, slices, SLICES);
        generic_put(&b, &again, 5, true);
        cr_assert_eq(wire_writer_end(&b), WIRE_OK);
        cr_assert_eq(join(slices, wire_writer_slices(&b)), a.len);
        cr_assert(memcmp(joined, counted, a.len) == 0, "seed %llu", (unsigned long long)seed);
        borrowed += b.borrowed > 0;
    }
    cr_expect_gt(borrowed, 100, "%u", borrowed);
}

/* ---- account ---- */

Test(open, what_lacks_elements_or_is_closed_too_often_is_an_error)
{
    static const struct {
        const char *puts; /* [ and { open, ] closes, 0 to 9 a counted array of so many, m a map of one, . a value */
        enum wire_status status;
    } rows[] = {{"", WIRE_OK},        {"0", WIRE_OK},       {"2..", WIRE_OK},       {"21..", WIRE_OK},
                {"m..", WIRE_OK},     {"[]", WIRE_OK},      {"{}", WIRE_OK},        {"[[]{..}.]", WIRE_OK},
                {"2[].", WIRE_OK},    {"[2..]", WIRE_OK},   {"[0]", WIRE_OK},       {"{00}", WIRE_OK},
                {"1[1[0]]", WIRE_OK}, {"..", WIRE_OK},      {"1", WIRE_E_OPEN},     {"2.", WIRE_E_OPEN},
                {"21.", WIRE_E_OPEN}, {"m.", WIRE_E_OPEN},  {"[", WIRE_E_OPEN},     {"[[]", WIRE_E_OPEN},
                {"[.", WIRE_E_OPEN},  {"{.}", WIRE_E_OPEN}, {"{...}", WIRE_E_OPEN}, {"]", WIRE_E_OPEN},
                {"[]]", WIRE_E_OPEN}, {"[1]", WIRE_E_OPEN}, {"[2.]", WIRE_E_OPEN},  {".]", WIRE_E_OPEN},
                {"0]", WIRE_E_OPEN},  {"1.]", WIRE_E_OPEN}, {"1[]]", WIRE_E_OPEN},  {"{[]}", WIRE_E_OPEN}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int measures = 0; measures < 2; measures++) {
            struct wire_writer w;
            wire_writer_init(&w, closed, ROOM);
            if (measures)
                wire_writer_measure(&w);
            for (const char *p = rows[i].puts; *p != '\0'; p++) {
                if (*p == '[')
                    wire_open_array(&w);
                else if (*p == '{')
                    wire_open_map(&w);
                else if (*p == ']' || *p == '}')
                    wire_close(&w);
                else if (*p == '.')
                    wire_put_nil(&w);
                else
                    *p == 'm' ? wire_put_map(&w, 1) : wire_put_array(&w, (uint32_t)(*p - '0'));
            }
            cr_expect_eq(wire_writer_end(&w), rows[i].status, "%s: %s", rows[i].puts, wire_status_text(w.status));
        }
    }
}

/* Four thousand million puts would take too long: the account is moved on by hand. */
Test(open, no_more_elements_than_a_count_can_say_are_closed)
{
    for (int map = 0; map < 2; map++) {
        struct wire_writer w, v;
        wire_writer_measure(&w);
        (map ? wire_open_map : wire_open_array)(&w);
        w.nest.level[0].left -= (map ? 2 : 1) * (uint64_t)UINT32_MAX;
        v = w;
        wire_close(&w);
        cr_expect_eq(wire_writer_end(&w), WIRE_OK);
        cr_expect_eq(wire_writer_total(&w), 5);
        wire_put_nil(&v), wire_put_nil(&v);
        wire_close(&v);
        cr_expect_eq(wire_writer_end(&v), WIRE_E_RANGE);
    }
}

Test(open, a_reader_that_leaves_elements_behind_says_so)
{
    struct wire_reader r;
    struct wire_bytes text;
    wire_reader_init(&r, "\x92\xa1\x61\x05", 4);
    cr_assert_eq(wire_get_array(&r), 2);
    wire_get_str(&r, &text);
    cr_expect_eq(wire_reader_end(&r), WIRE_E_TRAILING);
    wire_reader_init(&r, "\x92\xa1\x61", 3); /* as many bytes as elements, but too few values */
    cr_assert_eq(wire_get_array(&r), 2);
    wire_get_str(&r, &text);
    cr_expect_eq(wire_reader_end(&r), WIRE_E_OPEN);
    cr_expect_eq(r.at, 3);
}

Test(open, a_frame_begins_outside_every_container_and_holds_whole_ones)
{
    struct wire_writer w;
    const struct wire_envelope e = {.kind = WIRE_CANCEL, .id = 1};
    wire_writer_init(&w, closed, ROOM);
    wire_put_array(&w, 1);
    wire_begin(&w, &e);
    cr_expect_eq(wire_end(&w), WIRE_E_OPEN, "an array that lacks an element before the frame");
    wire_writer_init(&w, closed, ROOM);
    wire_begin(&w, &e);
    wire_open_map(&w);
    cr_expect_eq(wire_end(&w), WIRE_E_OPEN, "an open map in the frame");
    wire_writer_init(&w, closed, ROOM);
    wire_put_array(&w, 0);
    wire_begin(&w, &e);
    wire_open_map(&w), wire_put_nil(&w), wire_put_nil(&w), wire_close(&w);
    cr_expect_eq(wire_end(&w), WIRE_OK);
    cr_expect_arr_eq(closed, "\x90\0\0\0\x9\x96\4\1\0\0\0\x81\xc0\xc0", 14);
}

Test(open, a_measured_frame_is_as_long_as_a_written_one)
{
    struct wire_writer writers[2];
    wire_writer_init(&writers[0], closed, ROOM);
    wire_writer_measure(&writers[1]);
    for (int i = 0; i < 2; i++) {
        struct wire_writer *w = &writers[i];
        for (uint32_t id = 1; id < 100000; id *= 7) {
            wire_begin(w, &(struct wire_envelope){.kind = WIRE_REQUEST, .id = id, .code = id, .generation = 300});
            wire_open_map(w);
            for (uint32_t k = 0; k < id % 100; k++)
                wire_put_uint(w, k), wire_put_bin(w, (struct wire_bytes){large, k});
            wire_close(w);
            cr_assert_eq(wire_end(w), WIRE_OK);
        }
    }
    cr_expect_eq(wire_writer_total(&writers[0]), wire_writer_total(&writers[1]));
}

/* ---- depth ---- */

/* `levels` arrays (or maps, each as the value of key 0) around one nil. */
static enum wire_status put_deep(struct wire_writer *w, unsigned levels, bool map, bool open)
{
    for (unsigned i = 0; i < levels; i++) {
        if (open)
            (map ? wire_open_map : wire_open_array)(w);
        else
            (map ? wire_put_map : wire_put_array)(w, 1);
        if (map)
            wire_put_uint(w, 0);
    }
    wire_put_nil(w);
    for (unsigned i = 0; i < levels && open; i++)
        wire_close(w);
    return wire_writer_end(w);
}

/* The same by a reader; the fault is at the head of the level too many. */
static void expect_deep_get(unsigned levels, bool map, bool fits)
{
    struct wire_reader r;
    size_t len = 0, at;
    for (unsigned i = 0; i < levels; i++) {
        closed[len++] = map ? 0x81 : 0x91;
        if (map)
            closed[len++] = 0;
    }
    closed[len++] = 0xc0;
    wire_reader_init(&r, closed, len);
    for (unsigned i = 0; i < levels; i++) {
        (map ? wire_get_map : wire_get_array)(&r);
        if (map)
            wire_get_uint(&r, 0);
    }
    wire_get_nil(&r);
    cr_expect_eq(wire_reader_end(&r), fits ? WIRE_OK : WIRE_E_DEPTH, "%u levels", levels);
    cr_expect_eq(r.at, fits ? 0 : MAX * (map ? 2u : 1u));
    cr_expect_eq(wire_check((struct wire_bytes){closed, len}, 0, &at), fits ? WIRE_OK : WIRE_E_DEPTH);
    cr_expect_eq(at, fits ? len : MAX * (map ? 2u : 1u));
}

Test(open, sixteen_levels_are_taken_and_seventeen_refused_both_ways)
{
    for (int form = 0; form < 4; form++) {
        bool map = form % 2 != 0, open = form / 2 != 0;
        struct wire_writer w;
        wire_writer_init(&w, closed, ROOM);
        cr_expect_eq(put_deep(&w, MAX, map, open), WIRE_OK);
        wire_writer_init(&w, closed, ROOM);
        cr_expect_eq(put_deep(&w, MAX + 1, map, open), WIRE_E_DEPTH);
        wire_writer_init(&w, closed, ROOM);
        cr_expect_eq(put_deep(&w, 1000, map, open), WIRE_E_DEPTH);
        expect_deep_get(MAX, map, true);
        expect_deep_get(MAX + 1, map, false);
        expect_deep_get(1000, map, false);
    }
}

Test(open, in_a_frame_the_envelope_is_one_level)
{
    for (int open = 0; open < 2; open++) {
        struct wire_writer w;
        wire_writer_init(&w, closed, ROOM);
        wire_begin(&w, &(struct wire_envelope){.kind = WIRE_CANCEL, .id = 1});
        cr_expect_eq(put_deep(&w, MAX - 1, true, open), WIRE_OK);
        cr_expect_eq(wire_end(&w), WIRE_OK);
        cr_expect_eq(put_deep(&w, MAX, true, open), WIRE_OK, "behind the frame it is over");
        wire_writer_init(&w, closed, ROOM);
        wire_begin(&w, &(struct wire_envelope){.kind = WIRE_CANCEL, .id = 1});
        cr_expect_eq(put_deep(&w, MAX, true, open), WIRE_E_DEPTH);
    }
}

/* ---- records in generic containers ---- */

static const struct wire_spec spec = {.has = WIRE_HAS(spec, arg), .target = 3, .arg = 1};

Test(open, records_stand_as_values_in_generic_containers)
{
    struct wire_writer w;
    struct wire_reader r;
    struct wire_spec back;
    wire_writer_init(&w, closed, ROOM);
    wire_put_array(&w, 3);
    wire_put_spec(&w, &spec);
    wire_open_map(&w);
    wire_put_uint(&w, 9), wire_put_spec(&w, &spec);
    wire_close(&w);
    wire_put_spec(&w, &spec);
    cr_assert_eq(wire_writer_end(&w), WIRE_OK);
    wire_reader_init(&r, closed, w.len);
    cr_assert_eq(wire_get_array(&r), 3);
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            cr_assert(wire_get_map(&r) == 1 && wire_get_uint(&r, 9) == 9);
        wire_get_spec(&r, &back);
        cr_expect(back.has == (spec.has | 1) && back.target == 3 && back.arg == 1);
    }
    cr_expect_eq(wire_reader_end(&r), WIRE_OK, "%s", wire_status_text(r.status));
}

Test(open, an_unknown_field_of_a_record_is_ignored_without_upsetting_the_account)
{
    struct wire_reader r;
    struct wire_ping_request ping;
    size_t len = hex_parse("93 82 00 c4 01 61 09 92 80 91 c0  82 a1 78 81 00 00 00 c4 00  92 80 05", closed, ROOM);
    wire_reader_init(&r, closed, len);
    cr_assert_eq(wire_get_array(&r), 3);
    wire_get_ping_request(&r, &ping);
    cr_expect(ping.data.len == 1 && r.nest.depth == 1 && r.depth == 0);
    wire_get_ping_request(&r, &ping);
    cr_expect(ping.has == 1 && ping.data.len == 0);
    cr_assert_eq(wire_get_array(&r), 2);
    wire_get_ping_request(&r, &ping);
    cr_expect(ping.has == 0);
    cr_expect_eq(wire_get_uint(&r, 9), 5);
    cr_expect_eq(wire_reader_end(&r), WIRE_OK, "%s at %zu", wire_status_text(r.status), r.at);
}

/* A record with an unknown field of `inner` levels, in `around` arrays. */
static enum wire_status get_unknown(unsigned around, unsigned inner, size_t *at)
{
    struct wire_reader r;
    struct wire_ping_request ping;
    size_t len = 0;
    memset(closed, 0x91, around);
    len += around;
    closed[len++] = 0x81;
    closed[len++] = 0x1f;
    memset(closed + len, 0x91, inner);
    len += inner;
    closed[len - (inner > 0)] = inner > 0 ? 0x90 : 0xc0;
    len += inner == 0;
    wire_reader_init(&r, closed, len);
    for (unsigned i = 0; i < around; i++)
        wire_get_array(&r);
    wire_get_ping_request(&r, &ping);
    wire_reader_end(&r);
    *at = r.at;
    return r.status;
}

Test(open, an_unknown_field_nests_to_depth_sixteen_counting_what_is_around)
{
    for (unsigned around = 0; around <= MAX; around++) {
        for (unsigned inner = 0; inner <= MAX; inner++) {
            size_t at;
            enum wire_status status = get_unknown(around, inner, &at);
            cr_expect_eq(status, around + 1 + inner <= MAX ? WIRE_OK : WIRE_E_DEPTH, "%u around, %u inside: %s", around,
                         inner, wire_status_text(status));
            if (status == WIRE_E_DEPTH)
                cr_expect_eq(at, around + 1 + inner > MAX && around < MAX ? MAX + 1u : MAX,
                             "%u around, %u inside: at %zu", around, inner, at);
        }
    }
}

Test(open, records_are_not_written_where_they_could_nest_too_deeply)
{
    struct wire_bytes item = {large, 1};
    const struct wire_call_reply reply = {.has = WIRE_HAS(call_reply, outs), .outs = {&item, 1, 1}};
    for (unsigned around = 0; around <= MAX; around++) {
        struct wire_writer w, v;
        wire_writer_init(&w, closed, ROOM);
        wire_writer_init(&v, counted, ROOM);
        for (unsigned i = 0; i < around; i++)
            wire_put_array(&w, 1), wire_open_array(&v);
        wire_put_spec(&w, &spec);
        wire_put_call_reply(&v, &reply);
        cr_expect_eq(w.status, around + 1 <= MAX ? WIRE_OK : WIRE_E_DEPTH, "%u around a flat record", around);
        cr_expect_eq(v.status, around + 3 <= MAX ? WIRE_OK : WIRE_E_DEPTH, "%u around one with records in a list", around);
    }
}

Test(open, records_are_read_as_deep_as_they_are)
{
    for (unsigned around = 0; around <= MAX; around++) {
        for (unsigned list = 0; list < 2; list++) {
            struct wire_reader r;
            struct wire_bytes items[1];
            struct wire_call_reply reply = {.outs = {items, 0, 1}};
            memset(closed, 0x91, around);
            size_t len = around + hex_parse(list ? "81 01 91 c4 00" : "81 00 05", closed + around, 8);
            wire_reader_init(&r, closed, len);
            for (unsigned i = 0; i < around; i++)
                wire_get_array(&r);
            wire_get_call_reply(&r, &reply);
            bool fits = around + 1 + list <= MAX;
            cr_expect_eq(wire_reader_end(&r), fits ? WIRE_OK : WIRE_E_DEPTH, "%u around, list %u", around, list);
            cr_expect_eq(r.at, fits ? 0 : around < MAX ? MAX + 1u : MAX);
        }
    }
}
