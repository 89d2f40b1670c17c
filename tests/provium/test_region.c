/* SPDX-License-Identifier: MIT
 *
 * libprovium/region.c: what it sends, what it makes of good and bad answers, and regions that are lost.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../libprovium/session_impl.h"
#include "../support/fake_agent.h"

/* Answers, one a request; a row ends with NULL. */
static const char *const *answers;
static uint8_t asked[256]; /* the body of the last request */
static size_t asked_len;
static uint32_t asked_generation;

static void opens(struct fake *f)
{
    static struct wire_bytes names[] = {{(const uint8_t *)"regions", 7}};
    f->hello.caps.items = names;
    f->hello.caps.count = 1;
    fake_open(f);
}

static struct fake_bytes framed(const char *hex)
{
    struct fake_bytes b = fake_joined(fake_raw("00 00 00 00"), fake_raw(hex));
    b.at[2] = (uint8_t)((b.len - 4) >> 8);
    b.at[3] = (uint8_t)(b.len - 4);
    return b;
}

static void answers_all(struct fake *f)
{
    opens(f);
    for (const char *const *a = answers; *a != NULL; a++) {
        if (!fake_request(f))
            return;
        asked_generation = f->request.generation;
        asked_len = f->request.body.len < sizeof asked ? f->request.body.len : sizeof asked;
        memcpy(asked, f->request.body.ptr, asked_len);
        fake_send(f, framed(*a));
    }
    fake_drain(f);
}

static struct fake fake;

static struct provium_session *session_with(const char *const *rows)
{
    answers = rows;
    return fake_session(&fake, answers_all);
}

static void expect_asked(const char *hex)
{
    struct fake_bytes b = fake_raw(hex);
    cr_assert_eq(asked_len, b.len, "%zu bytes", asked_len);
    cr_expect_eq(memcmp(asked, b.at, b.len), 0, "%s", hex);
    cr_expect_eq(asked_generation, 1);
}

#define ALLOCATED "96 01 02 20 00 01 82 00 07 01 cd 10 00"

static struct provium_region allocated(struct provium_session *s)
{
    struct provium_region r;
    cr_assert_eq(provium_region_alloc(s, 8, NULL, &r), PROVIUM_OK, "%s", provium_session_error(s)->text);
    return r;
}

/* ---- what is sent ---- */

Test(region, is_asked_for_and_freed)
{
    static const char *const rows[] = {ALLOCATED, "96 01 03 23 00 01 81 00 08", NULL};
    struct provium_session *s = session_with(rows);
    struct provium_region r = allocated(s);
    expect_asked("81 00 08");
    cr_expect(r.address == 4096 && r.len == 8 && r.id == 7 && r.generation == 1);
    cr_expect_not(provium_region_is_lost(s, &r));
    cr_expect_eq(provium_region_free(s, &r), PROVIUM_OK);
    expect_asked("81 00 07");
    fake_end(&fake, s);
}

Test(region, is_asked_for_with_its_wishes)
{
    static const char *const rows[] = {ALLOCATED, NULL};
    struct provium_session *s = session_with(rows);
    const struct provium_place place = {.guard = PROVIUM_GUARD_NONE, .low = true};
    struct provium_region r;
    cr_expect_eq(provium_region_alloc(s, 8, &place, &r), PROVIUM_OK);
    expect_asked("83 00 08 01 03 02 01");
    fake_end(&fake, s);
}

Test(region, memory_is_read_and_written_by_region_or_address)
{
    static const char *const rows[] = {ALLOCATED,
                                       "96 01 03 21 00 01 81 00 c4 02 6162",
                                       "96 01 04 21 00 01 81 00 c4 00",
                                       "96 01 05 22 00 01 81 00 02",
                                       "96 01 06 22 00 01 81 00 00",
                                       NULL};
    struct provium_session *s = session_with(rows);
    struct provium_region r = allocated(s);
    struct provium_memory m = {.region = &r, .at = 6, .len = 2, .data = "xy"};
    struct provium_bytes bytes;
    size_t written;
    cr_assert_eq(provium_memory_read(s, &m, &bytes), PROVIUM_OK);
    expect_asked("83 00 07 01 06 02 02");
    cr_expect(bytes.len == 2 && memcmp(bytes.ptr, "ab", 2) == 0);
    m.region = NULL;
    m.at = UINT64_MAX;
    cr_assert_eq(provium_memory_read(s, &m, &bytes), PROVIUM_OK);
    expect_asked("82 01 ff 02 02");
    cr_expect_eq(bytes.len, 0);
    m.region = &r;
    m.at = 0;
    cr_assert_eq(provium_memory_write(s, &m, &written), PROVIUM_OK);
    expect_asked("83 00 07 01 00 02 c4 02 78 79");
    cr_expect_eq(written, 2);
    m.region = NULL;
    m.at = 4096;
    cr_assert_eq(provium_memory_write(s, &m, &written), PROVIUM_OK);
    expect_asked("82 01 cd 10 00 02 c4 02 78 79");
    cr_expect_eq(written, 0);
    fake_end(&fake, s);
}

/* ---- what is refused before anything is sent ---- */

static void expect_text(const struct provium_session *s, const char *text)
{
    cr_expect_str_eq(provium_session_error(s)->text, text);
}

Test(region, wishes_that_no_region_has_are_refused)
{
    static const struct {
        uint64_t len;
        struct provium_place place;
        enum provium_status status;
        const char *text;
    } rows[] = {
        {0, {.dir = 0}, PROVIUM_E_ARGUMENT, "provium_region_alloc: len: a region has at least one byte"},
        {65537,
         {.dir = 0},
         PROVIUM_E_LIMIT,
         "provium_region_alloc: len: 65537 bytes exceed the agreed memory of 65536 bytes"},
        {UINT64_MAX,
         {.dir = 0},
         PROVIUM_E_LIMIT,
         "provium_region_alloc: len: 18446744073709551615 bytes exceed the agreed memory of 65536 bytes"},
        {1, {.align = 8}, PROVIUM_E_ARGUMENT, "provium_region_alloc: align: not for a region"},
        {1, {.dir = PROVIUM_DIR_IN}, PROVIUM_E_ARGUMENT, "provium_region_alloc: dir: not for a region"},
        {1, {.guard = 4}, PROVIUM_E_ARGUMENT, "provium_region_alloc: guard: no such guard"},
    };
    static const char *const none[] = {NULL};
    struct provium_session *s = session_with(none);
    struct provium_region r;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(provium_region_alloc(s, rows[i].len, &rows[i].place, &r), rows[i].status, "%zu", i);
        expect_text(s, rows[i].text);
    }
    fake_end(&fake, s);
    cr_expect_eq(fake.drained, 0);
}

Test(region, bytes_beyond_it_or_beyond_a_frame_are_refused)
{
    static const char *const rows[] = {ALLOCATED, NULL};
    struct provium_session *s = session_with(rows);
    struct provium_region r = allocated(s);
    struct provium_memory m = {.region = &r, .at = 4, .len = 5};
    struct provium_bytes bytes;
    size_t written;
    cr_expect_eq(provium_memory_read(s, &m, &bytes), PROVIUM_E_ARGUMENT);
    expect_text(s, "provium_memory_read: offset: 4 + 5 exceeds the region (8 bytes)");
    m = (struct provium_memory){.region = &r, .at = UINT64_MAX, .len = 2, .data = "xy"};
    cr_expect_eq(provium_memory_write(s, &m, &written), PROVIUM_E_ARGUMENT);
    m = (struct provium_memory){.at = 0, .len = 65536 - 63};
    cr_expect_eq(provium_memory_read(s, &m, &bytes), PROVIUM_E_LIMIT);
    expect_text(s, "provium_memory_read: len: 65473 bytes exceed the agreed frame of 65536 bytes");
    fake_end(&fake, s);
    cr_expect_eq(fake.drained, 0);
}

static void opens_only(struct fake *f)
{
    fake_open(f);
    fake_drain(f);
}

Test(region, an_agent_without_the_capability_is_not_asked)
{
    struct provium_session *s = fake_session(&fake, opens_only);
    struct provium_memory m = {.at = 1, .len = 1};
    struct provium_region r;
    struct provium_bytes bytes;
    cr_expect_eq(provium_region_alloc(s, 8, NULL, &r), PROVIUM_E_ARGUMENT);
    expect_text(s, "provium_region_alloc: this agent cannot: it lacks the capability regions");
    cr_expect_eq(provium_memory_read(s, &m, &bytes), PROVIUM_E_ARGUMENT);
    cr_expect_eq(provium_memory_read(NULL, &m, &bytes), PROVIUM_E_STATE);
    fake_end(&fake, s);
    cr_expect_eq(fake.drained, 0);
}

/* ---- lost ---- */

Test(region, is_lost_when_its_executor_ended_in_a_call)
{
    static const char *const rows[] = {ALLOCATED, "96 01 03 10 00 01 83 02 01 03 00 05 02", NULL};
    struct provium_session *s = session_with(rows);
    struct provium_region r = allocated(s);
    int64_t ret;
    cr_expect_eq(provium_syscall(s, 231, NULL, 0, &ret), PROVIUM_E_REFUSED);
    cr_expect(provium_region_is_lost(s, &r));
    cr_expect(provium_region_is_lost(NULL, &r));
    cr_expect_eq(provium_region_free(s, &r), PROVIUM_E_ARGUMENT);
    expect_text(s, "provium_region_free: region: it was lost with its executor (generation 1)");
    fake_end(&fake, s);
}

Test(region, is_lost_when_the_agent_knows_that_first)
{
    static const char *const rows[] = {ALLOCATED, "96 02 03 0a 00 02 82 00 a0 02 00",
                                       "96 02 04 0a 00 02 82 00 a0 02 00", NULL};
    struct provium_session *s = session_with(rows);
    struct provium_region r = allocated(s);
    struct provium_memory m = {.region = &r, .at = 0, .len = 1};
    struct provium_bytes bytes;
    cr_expect_eq(provium_memory_read(s, &m, &bytes), PROVIUM_E_ARGUMENT);
    expect_text(s, "provium_memory_read: region: it was lost with its executor (generation 1)");
    cr_expect_eq(provium_region_alloc(s, 8, NULL, &r), PROVIUM_E_REFUSED);
    expect_text(s, "provium_region_alloc: the executor ended (generation 1); the next call reports how");
    fake_end(&fake, s);
}

Test(region, of_another_session_is_lost)
{
    static const char *const rows[] = {ALLOCATED, NULL};
    struct provium_session *s = session_with(rows);
    struct provium_region r = allocated(s);
    r.session[3] ^= 1;
    cr_expect(provium_region_is_lost(s, &r));
    cr_expect_eq(provium_region_free(s, &r), PROVIUM_E_ARGUMENT);
    expect_text(s, "provium_region_free: region: it was lost with its session");
    fake_end(&fake, s);
}

/* ---- bad answers ---- */

Test(region, answers_that_do_not_fit_end_the_session)
{
    static const char *const rows[][3] = {
        {"96 01 02 20 00 01 82 00 00 01 01"},                /* no such number */
        {"96 01 02 20 00 01 82 00 01 01 00"},                /* no address */
        {"96 01 02 20 00 01 81 00 01"},                      /* half an answer */
        {ALLOCATED, "96 01 03 21 00 01 81 00 c4 03 616263"}, /* more than was asked for */
        {ALLOCATED, "96 01 03 21 00 01 80"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct provium_session *s = session_with(rows[i]);
        struct provium_region r;
        struct provium_bytes bytes;
        enum provium_status status = provium_region_alloc(s, 8, NULL, &r);
        if (i >= 3) {
            struct provium_memory m = {.region = &r, .at = 0, .len = 2};
            cr_assert_eq(status, PROVIUM_OK);
            status = provium_memory_read(s, &m, &bytes);
        }
        cr_expect_eq(status, PROVIUM_E_PROTOCOL, "%zu", i);
        fake_end(&fake, s);
    }
}

Test(region, writing_more_than_was_sent_and_freeing_another_length_end_the_session)
{
    static const char *const rows[][3] = {{ALLOCATED, "96 01 03 22 00 01 81 00 03"},
                                          {ALLOCATED, "96 01 03 23 00 01 81 00 09"}};
    for (size_t i = 0; i < 2; i++) {
        struct provium_session *s = session_with(rows[i]);
        struct provium_region r = allocated(s);
        struct provium_memory m = {.region = &r, .at = 0, .len = 2, .data = "xy"};
        size_t written;
        cr_expect_eq(i == 0 ? provium_memory_write(s, &m, &written) : provium_region_free(s, &r), PROVIUM_E_PROTOCOL);
        fake_end(&fake, s);
    }
}
