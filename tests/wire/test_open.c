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
