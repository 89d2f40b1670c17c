/* SPDX-License-Identifier: MIT
 *
 * agent/op_region.c: what is refused, where regions lie, and that no address harms the agent.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "expect.h"

static struct rig *rig;
static struct any_message request, reply;

static void setup(void)
{
    rig = rig_open();
    cr_assert_not_null(rig);
    cr_assert(rig_hello(rig, &rig_wide, &reply));
}

TestSuite(region, .init = setup);

#define SEND(name, ...) \
    send_request((struct any_message){.envelope = {.kind = WIRE_REQUEST, .id = 2, .code = WIRE_OP_##name}, \
                                      .record = ANY_##name##_request, \
                                      .body.name##_request = {__VA_ARGS__}})

static void send_request(struct any_message m)
{
    request = m;
    cr_assert(rig_send(rig, &request));
}

static void expect_reply(enum any_record record)
{
    cr_assert(rig_answer(rig, &reply), "no answer");
    cr_assert_eq(reply.record, record, "refused: %.*s", (int)reply.body.error.text.len,
                 reply.record == ANY_error ? (const char *)reply.body.error.text.ptr : "");
    cr_expect_eq(reply.envelope.id, 2);
    expect_silence(rig, "reply");
}

/* A region's number and place. */
struct given {
    uint32_t id;
    uint8_t *at;
};

static struct given alloc(uint32_t len, uint8_t guard, uint8_t low)
{
    SEND(region_alloc, .has = WIRE_HAS(region_alloc_request, guard) | WIRE_HAS(region_alloc_request, low), .len = len,
         .guard = guard, .low = low);
    expect_reply(ANY_region_alloc_reply);
    const struct wire_region_alloc_reply *r = &reply.body.region_alloc_reply;
    return (struct given){r->region, (uint8_t *)(uintptr_t)r->address};
}

static struct wire_bytes peek(const void *at, uint32_t len)
{
    SEND(region_read, .at = (int64_t)(intptr_t)at, .len = len);
    expect_reply(ANY_region_read_reply);
    return reply.body.region_read_reply.data;
}

static uint32_t poke(const void *at, const void *data, uint32_t len)
{
    SEND(region_write, .at = (int64_t)(intptr_t)at, .data = {data, len});
    expect_reply(ANY_region_write_reply);
    return reply.body.region_write_reply.len;
}

static void free_region(uint32_t id)
{
    SEND(region_free, .region = id);
    expect_reply(ANY_region_free_reply);
}

/* ---- where they lie ---- */

Test(region, is_aligned_to_its_length_and_ends_where_nothing_can_be_touched)
{
    static const uint32_t lens[] = {1, 2, 4, 24, 4095, 4096, 4100, 65536, 1000000};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct given r = alloc(lens[i], WIRE_GUARD_end, 0);
        uintptr_t natural = lens[i] & (0 - lens[i]);
        cr_expect_eq((uintptr_t)r.at % (natural < 4096 ? natural : 4096), 0, "%u", lens[i]);
        cr_expect_eq(peek(r.at, lens[i] + 1).len, lens[i], "%u", lens[i]);
        free_region(r.id);
    }
}

Test(region, lies_at_its_guards)
{
    struct given start = alloc(100, WIRE_GUARD_start, 0);
    cr_expect_eq((uintptr_t)start.at % rig->a->page, 0);
    cr_expect_eq(peek(start.at - 1, 1).len, 0);
    struct given both = alloc(100, WIRE_GUARD_both, 0);
    cr_expect_eq(peek(both.at, 101).len, 100);
    cr_expect_eq(peek(both.at - rig->a->page + 99, 1).len, 0, "a page before its end there is nothing");
    static const uint32_t lens[] = {1, 64, 128, 4000, 4096, 8192, 12345};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct given none = alloc(lens[i], WIRE_GUARD_none, 0);
        cr_expect_eq(peek(none.at - 64, lens[i] + 128).len, lens[i] + 128, "%u", lens[i]);
        uintptr_t natural = lens[i] & (0 - lens[i]);
        cr_expect_eq((uintptr_t)none.at % (natural < 4096 ? natural : 4096), 0, "%u", lens[i]);
    }
}

Test(region, lies_below_4_gib_if_asked)
{
    struct given r = alloc(70000, WIRE_GUARD_end, 1);
    cr_expect_leq((uintptr_t)r.at + 70000, UINT64_C(1) << 32);
    cr_expect_eq(poke(r.at, "abc", 3), 3);
    cr_expect_arr_eq(r.at, "abc", 3);
}

/* ---- reading and writing ---- */

Test(region, moves_what_can_be_moved_and_says_how_much)
{
    const size_t page = rig->a->page;
    uint8_t *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(two, 'a', 2 * page);
    cr_assert_eq(mprotect(two + page, page, PROT_NONE), 0);
    cr_expect_eq(peek(two + page - 5, 100).len, 5);
    cr_expect_eq(poke(two + page - 3, "12345", 5), 3);
    cr_expect_arr_eq(two + page - 4, "a123", 4);
    cr_expect_eq(poke(two + page, "1", 1), 0);
    cr_assert_eq(mprotect(two, page, PROT_READ), 0);
    cr_expect_eq(poke(two, "1", 1), 0, "what is read-only is not written");
    cr_expect_eq(peek(two, 1).len, 1);
    munmap(two, 2 * page);
    cr_expect_eq(peek(two, 1).len, 0);
}

Test(region, no_address_harms_the_agent)
{
    static const uint64_t at[] = {0, 1, UINT64_C(1) << 47, UINT64_C(1) << 63, UINT64_MAX, UINT64_C(0xffffffff81000000)};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        cr_expect_eq(peek((const void *)(uintptr_t)at[i], 64).len, 0, "%zu", i);
        cr_expect_eq(poke((const void *)(uintptr_t)at[i], "x", 1), 0, "%zu", i);
    }
    expect_alive(rig, "addresses");
}

Test(region, sixteen_mib_go_both_ways)
{
    enum { LEN = 16 << 20 };
    uint8_t *bytes = malloc(LEN);
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    struct given r = alloc(LEN, WIRE_GUARD_end, 0);
    cr_assert_eq(poke(r.at, bytes, LEN), LEN);
    struct wire_bytes back = peek(r.at, LEN);
    cr_assert_eq(back.len, LEN);
    cr_expect_eq(memcmp(back.ptr, bytes, LEN), 0);
    free(bytes);
}

Test(region, is_the_session_s_and_outlives_calls)
{
    struct given r = alloc(8, WIRE_GUARD_end, 0);
    cr_expect_eq(poke(r.at, "12345678", 8), 8);
    cr_assert(rig_frame(rig, "96 00 03 10 00 00 82 00 27 02 91 82 00 ce 00 10 00 00 02 02"));
    cr_assert(rig_answer(rig, &reply));
    cr_expect_arr_eq(peek(r.at, 8).ptr, "12345678", 8);
    cr_assert(rig_hello(rig, &rig_wide, &reply));
    cr_expect_eq(peek(r.at, 8).len, 0, "a new session begins without regions");
    cr_expect_neq(alloc(8, WIRE_GUARD_end, 0).id, r.id);
}

/* ---- refusals ---- */

Test(region, counts_at_most_1024)
{
    static uint32_t ids[WIRE_REGIONS_MAX];
    for (uint32_t i = 0; i < WIRE_REGIONS_MAX; i++)
        ids[i] = alloc(1, WIRE_GUARD_end, 0).id;
    SEND(region_alloc, .len = 1);
    expect_error(rig, 2, WIRE_ERR_LIMIT, NULL, "1025");
    free_region(ids[500]);
    cr_expect_eq(alloc(1, WIRE_GUARD_end, 0).id, ids[WIRE_REGIONS_MAX - 1] + 1);
    cr_expect_eq(rig->a->region_bytes, WIRE_REGIONS_MAX);
}

Test(region, has_at_most_the_agreed_bytes)
{
    SEND(region_alloc, .len = AGENT_MEMORY_LIMIT + 1);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "len", "one too many");
    SEND(region_alloc, .len = UINT32_MAX);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "len", "far too many");
    struct given r = alloc(AGENT_MEMORY_LIMIT - 1, WIRE_GUARD_end, 0);
    SEND(region_alloc, .len = 2);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "len", "together");
    free_region(r.id);
    alloc(AGENT_MEMORY_LIMIT, WIRE_GUARD_end, 0);
}

Test(region, bytes_beyond_a_region_are_refused)
{
    static const struct {
        int64_t at;
        uint32_t len;
    } rows[] = {{0, 9}, {8, 1}, {9, 0}, {-1, 1}, {INT64_MIN, 0}, {INT64_MAX, 1}, {4, UINT32_MAX / 256}};
    struct given r = alloc(8, WIRE_GUARD_none, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SEND(region_read, .has = WIRE_HAS(region_read_request, region), .region = r.id, .at = rows[i].at,
             .len = rows[i].len);
        expect_error(rig, 2, WIRE_ERR_BAD_FIELD, "at", "read");
    }
    SEND(region_write, .has = WIRE_HAS(region_write_request, region), .region = r.id, .at = 7, .data = {r.at, 2});
    expect_error(rig, 2, WIRE_ERR_BAD_FIELD, "at", "write");
    SEND(region_read, .len = AGENT_FRAME_LIMIT - 63);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "len", "a frame");
}

Test(region, unknown_numbers_are_refused)
{
    static const uint32_t ids[] = {0, 77, UINT32_MAX};
    struct given r = alloc(8, WIRE_GUARD_end, 0);
    free_region(r.id);
    for (size_t i = 0; i < 4; i++) {
        SEND(region_free, .region = i < 3 ? ids[i] : r.id);
        expect_error(rig, 2, WIRE_ERR_BAD_FIELD, "region", "free");
        SEND(region_read, .has = WIRE_HAS(region_read_request, region), .region = i < 3 ? ids[i] : r.id);
        expect_error(rig, 2, WIRE_ERR_BAD_FIELD, "region", "read");
    }
    expect_alive(rig, "numbers");
}

Test(region, nothing_is_served_without_the_capability)
{
    cr_assert(rig_hello(rig, &rig_minimum, &reply));
    SEND(region_alloc, .len = 1);
    expect_error(rig, 2, WIRE_ERR_UNKNOWN_OP, NULL, "alloc");
    SEND(region_read, .len = 1);
    expect_error(rig, 2, WIRE_ERR_UNKNOWN_OP, NULL, "read");
    SEND(region_write, .at = 0);
    expect_error(rig, 2, WIRE_ERR_UNKNOWN_OP, NULL, "write");
    SEND(region_free, .region = 1);
    expect_error(rig, 2, WIRE_ERR_UNKNOWN_OP, NULL, "free");
}

Test(region, a_region_that_the_script_unmapped_can_be_freed)
{
    struct given r = alloc(8192, WIRE_GUARD_start, 0);
    munmap(r.at, 4096);
    SEND(region_read, .has = WIRE_HAS(region_read_request, region), .region = r.id, .at = 0, .len = 8192);
    expect_reply(ANY_region_read_reply);
    cr_expect_eq(reply.body.region_read_reply.data.len, 0);
    free_region(r.id);
    cr_expect_eq(rig->a->region_bytes, 0);
}
