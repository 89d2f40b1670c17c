/* SPDX-License-Identifier: MIT
 *
 * agent/arena.c: memory that ends where mapped memory ends, without an mmap a call.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../agent/agent.h"

static struct arena arena;
static uint32_t page;

static void setup(void)
{
    page = (uint32_t)sysconf(_SC_PAGESIZE);
    arena_init(&arena, page);
}

TestSuite(arena, .init = setup);

/* Would the kernel read this byte for us?  A pipe takes it, or says EFAULT. */
static bool readable(const uint8_t *p)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    ssize_t n = write(fds[1], p, 1);
    close(fds[0]);
    close(fds[1]);
    return n == 1;
}

static unsigned mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned lines = 0;
    cr_assert_not_null(f);
    for (int c; (c = fgetc(f)) != EOF;)
        lines += c == '\n';
    fclose(f);
    return lines;
}

static const uint32_t lens[] = {1,    2,    3,    7,    8,    12,    16,     24,      100,          4095,
                                4096, 4097, 5000, 8192, 8193, 65536, 100000, 1 << 20, (3 << 20) + 5};
enum { LENS = sizeof lens / sizeof lens[0] };

Test(arena, the_byte_behind_the_last_is_not_readable)
{
    for (size_t i = 0; i < LENS; i++) {
        uint8_t *p = arena_place(&arena, lens[i]);
        cr_assert_not_null(p);
        memset(p, 0xaa, lens[i]);
        cr_expect(readable(p + lens[i] - 1), "%u: its last byte", lens[i]);
        cr_expect(!readable(p + lens[i]), "%u: the byte behind", lens[i]);
        cr_expect_eq((uintptr_t)(p + lens[i]) % page, 0);
    }
}

Test(arena, addresses_are_aligned_to_the_lowest_set_bit_of_the_length)
{
    for (uint32_t len = 1; len <= 3 * page; len += len < 200 ? 1 : 97) {
        uint8_t *p = arena_place(&arena, len);
        uint32_t align = len & (0 - len);
        cr_assert_not_null(p);
        cr_expect_eq((uintptr_t)p % (align < page ? align : page), 0, "%u", len);
        arena_reset(&arena);
    }
}

Test(arena, no_bytes_are_a_valid_address_at_such_an_end)
{
    uint8_t *first = arena_place(&arena, 0), *second = arena_place(&arena, 0);
    cr_assert(first != NULL && second != NULL);
    cr_expect_neq(first, second);
    cr_expect(!readable(first));
    cr_expect(readable(first - 1));
    cr_expect_eq((uintptr_t)first % page, 0);
}

Test(arena, buffers_of_one_call_never_overlap)
{
    enum { COUNT = 300 };
    uint8_t *placed[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        uint32_t len = lens[i % 15];
        placed[i] = arena_place(&arena, len);
        cr_assert_not_null(placed[i]);
        memset(placed[i], (int)(i & 0xff), len);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        uint32_t len = lens[i % 15];
        cr_expect(placed[i][0] == (i & 0xff) && placed[i][len - 1] == (i & 0xff), "buffer %u", i);
    }
}

Test(arena, grows_by_doubling)
{
    struct arena_class *c = &arena.classes[0];
    uint32_t times = 0;
    for (uint32_t i = 1; i <= 4096; i++) {
        uint32_t open = c->open;
        cr_assert_not_null(arena_place(&arena, 10));
        if (c->open == open)
            continue;
        times++;
        cr_expect(open == 0 ? c->open == 8 : c->open == 2 * open, "%u slots after %u", c->open, open);
    }
    cr_expect_eq(c->open, 4096);
    cr_expect_eq(times, 10);
}

Test(arena, a_call_like_the_one_before_maps_nothing)
{
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < LENS; i++)
            cr_assert_not_null(arena_place(&arena, lens[i]));
        arena_reset(&arena);
    }
    unsigned before = mappings();
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < LENS; i++)
            cr_assert_not_null(arena_place(&arena, lens[i]));
        arena_reset(&arena);
    }
    cr_expect_eq(mappings(), before);
}

Test(arena, the_same_slots_come_again_after_a_reset)
{
    uint8_t *first = arena_place(&arena, 100), *large = arena_place(&arena, 100000);
    arena_reset(&arena);
    cr_expect_eq(arena_place(&arena, 100), first);
    cr_expect_eq(arena_place(&arena, 100000), large);
}

static void place_all(uint32_t len)
{
    for (uint32_t i = 0; i < AGENT_BUFFER_LIMIT; i++) {
        uint8_t *p = arena_place(&arena, len);
        cr_assert_not_null(p, "buffer %u of %u bytes", i, len);
        p[0] = p[len - 1] = 1;
    }
    cr_expect_leq(arena.mappings, ARENA_MAPPINGS_MAX);
}

Test(arena, more_slots_than_a_call_may_have_are_refused_and_the_rest_still_works)
{
    unsigned before = mappings();
    place_all(10);
    cr_expect_null(arena_place(&arena, 10));
    cr_expect_leq(mappings() - before, ARENA_MAPPINGS_MAX);
    arena_reset(&arena);
    place_all(10);
}

Test(arena, as_many_buffers_of_another_size_fit_after_a_call_full_of_one)
{
    unsigned before = mappings();
    for (int round = 0; round < 2; round++) {
        for (uint32_t len = page; len <= 2 * page; len += page) {
            place_all(len);
            cr_expect_leq(mappings() - before, ARENA_MAPPINGS_MAX);
            arena_reset(&arena);
        }
    }
}

/* Any mixture: after halves of two sizes, halves of two others. */
Test(arena, buffers_of_a_call_fit_in_any_mixture_of_sizes)
{
    static const uint32_t mixtures[][2] = {{1, 2}, {2, 4}, {1, 4}};
    for (unsigned round = 0; round < 6; round++) {
        for (uint32_t i = 0; i < AGENT_BUFFER_LIMIT; i++) {
            uint32_t pages = mixtures[round % 3][i % 2];
            cr_assert_not_null(arena_place(&arena, pages * page - 100), "round %u, buffer %u", round, i);
        }
        cr_expect_leq(arena.mappings, ARENA_MAPPINGS_MAX);
        arena_reset(&arena);
    }
}

Test(arena, what_was_closed_for_others_opens_again_empty_guarded_and_without_old_bytes)
{
    uint8_t *first = arena_place(&arena, page);
    memset(first, 0xff, page);
    arena_reset(&arena);
    place_all(page);
    arena_reset(&arena);
    place_all(2 * page); /* takes all mappings: the slots of one page are closed */
    cr_expect_not(readable(first));
    arena_reset(&arena);
    cr_assert_eq(arena_place(&arena, page), first);
    cr_expect_eq(first[0], 0);
    cr_expect(readable(first + page - 1));
    cr_expect_not(readable(first + page));
    cr_expect_not(readable(first - 1));
}

Test(arena, more_than_the_address_space_has_is_refused)
{
    cr_expect_null(arena_place(&arena, UINT32_MAX));
    cr_expect_eq(arena.live, 0);
    cr_expect_not_null(arena_place(&arena, 10));
}

/* Pages that are in memory, of the `len` bytes before p + len. */
static size_t resident(uint8_t *end, size_t len)
{
    static unsigned char map[8192];
    size_t count = len / page, in = 0;
    cr_assert_leq(count, sizeof map);
    cr_assert_eq(mincore(end - count * page, count * page, map), 0);
    for (size_t i = 0; i < count; i++)
        in += map[i] & 1;
    return in;
}

Test(arena, the_memory_of_large_buffers_goes_back_once_a_call_does_without)
{
    const uint32_t len = 16 << 20;
    uint8_t *large = arena_place(&arena, len), *small = arena_place(&arena, 100);
    cr_assert(large != NULL && small != NULL);
    memset(large, 0xff, len);
    memset(small, 0xff, 100);
    cr_expect_eq(resident(large + len, len), len / page);
    arena_reset(&arena);
    cr_expect_eq(resident(large + len, len), len / page, "a second call like it finds its pages");
    arena_reset(&arena);
    cr_expect_eq(resident(large + len, len), 0);
    cr_expect_eq(resident(small + 100, page), 1, "what is small stays for the next call");
}

Test(arena, what_stays_after_a_call_without_buffers_is_bounded_for_every_size)
{
    for (uint32_t len = page; len <= 1 << 20; len *= 2) {
        size_t count = (4u << 20) / len, kept = 0;
        uint8_t *placed[1024];
        for (size_t i = 0; i < count; i++) {
            placed[i] = arena_place(&arena, len);
            cr_assert_not_null(placed[i]);
            memset(placed[i], 0xff, len);
        }
        arena_reset(&arena);
        arena_reset(&arena);
        for (size_t i = 0; i < count; i++)
            kept += resident(placed[i] + len, len) * page;
        cr_expect_leq(kept, AGENT_KEEP, "buffers of %u", len);
    }
}

/* ---- with wishes ---- */

static uint8_t *place_as(uint32_t len, uint32_t align, enum wire_guard guard)
{
    const struct arena_wish wish = {.len = len, .align = align, .guard = guard};
    uint8_t *p = arena_place_as(&arena, 7, &wish);
    cr_assert_not_null(p);
    memset(p, 0xaa, len);
    return p;
}

static const uint32_t odd_lens[] = {0, 1, 5, 64, 4095, 4096, 4097, 3 * 4096, 5 * 4096 + 1};
static const uint32_t aligns[] = {1, 8, 4096, 16384, 1 << 20};

Test(arena, every_wish_of_alignment_and_guard_is_met_at_once)
{
    for (unsigned guard = WIRE_GUARD_end; guard <= WIRE_GUARD_none; guard++) {
        for (size_t i = 0; i < sizeof odd_lens / sizeof odd_lens[0] * 5; i++) {
            uint32_t len = odd_lens[i / 5], align = aligns[i % 5];
            uint8_t *p = place_as(len, align, (enum wire_guard)guard);
            bool starts = guard == WIRE_GUARD_start && align <= page;
            cr_expect_eq((uintptr_t)p % align, 0, "guard %u, %u bytes, align %u", guard, len, align);
            cr_expect(len == 0 || readable(p + len - 1));
            cr_expect(!starts || !readable(p - 1), "%u bytes, align %u: in front", len, align);
            cr_expect(guard != WIRE_GUARD_none || (readable(p - 64) && readable(p + len + 63)));
            cr_expect(guard != WIRE_GUARD_end || align != 1 || !readable(p + len));
        }
        arena_reset(&arena);
    }
}

Test(arena, slack_is_less_than_a_page_up_to_the_guards)
{
    for (size_t i = 0; i < sizeof odd_lens / sizeof odd_lens[0] * 5; i++) {
        uint32_t len = odd_lens[i / 5], align = aligns[i % 5];
        uint8_t *p = place_as(len, align, WIRE_GUARD_both);
        uint8_t *end = p + len + (page - (uintptr_t)(p + len) % page) % page;
        cr_expect_not(readable(end), "%u bytes, align %u", len, align);
        cr_expect_not(readable(p - (uintptr_t)p % page - 1), "%u bytes, align %u", len, align);
    }
}

Test(arena, damage_is_found_at_every_byte_of_the_slack_and_nowhere_else)
{
    struct wire_range ranges[4];
    uint8_t *p = place_as(5, 16, WIRE_GUARD_end), *q = place_as(5, 1, WIRE_GUARD_none);
    cr_expect_eq(arena_damage(&arena, ranges, 4), 0);
    for (int i = 5; i < 16; i++) {
        p[i] ^= 1;
        cr_assert_eq(arena_damage(&arena, ranges, 4), 1);
        cr_expect(ranges[0].buffer == 7 && ranges[0].offset == i && ranges[0].len == 1);
        p[i] ^= 1;
    }
    q[-64] ^= 1;
    q[-1] ^= 1;
    q[5 + 63] ^= 1;
    cr_assert_eq(arena_damage(&arena, ranges, 4), 2);
    cr_expect(ranges[0].offset == -64 && ranges[0].len == 64);
    cr_expect(ranges[1].offset == 5 + 63 && ranges[1].len == 1);
    cr_expect_eq(arena_damage(&arena, ranges, 1), 1, "no more than asked for");
}

Test(arena, wishes_of_one_call_are_forgotten_by_the_next_and_map_nothing_new)
{
    uint8_t *first = arena_place(&arena, 3 * page);
    arena_reset(&arena);
    unsigned before = mappings();
    for (int round = 0; round < 100; round++) {
        place_as(page, 1, WIRE_GUARD_both);
        place_as(2 * page + 1, 8, WIRE_GUARD_start);
        place_as(100, 65536, WIRE_GUARD_end);
        arena_reset(&arena);
        if (round == 0)
            before = mappings();
    }
    cr_expect_eq(mappings(), before);
    cr_assert_eq(arena_place(&arena, 3 * page), first);
    memset(first, 1, 3 * page); /* its slot is whole again */
}

Test(arena, low_buffers_are_below_4_gib_and_guarded)
{
    for (size_t i = 0; i < LENS; i++) {
        const struct arena_wish wish = {.len = lens[i], .align = 1, .low = true};
        uint8_t *p = arena_place_as(&arena, 0, &wish);
        cr_assert_not_null(p);
        memset(p, 0xaa, lens[i]);
        cr_expect_leq((uintptr_t)p + lens[i], UINT64_C(1) << 32);
        cr_expect_not(readable(p + lens[i]));
    }
}
