/* SPDX-License-Identifier: MIT
 *
 * What comes back from a call: outputs, ends of executors, damage, and how long it all
 * lives and how much memory it takes.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../libprovium/session_impl.h"
#include "../support/fake_agent.h"

/* A buffer of 12 bytes, and in it a pointer to a returned one of 2. */
static const uint8_t twelve[12] = "abcdefghijkl";
static const struct provium_buffer one_buffer = {.arg = 0, .data = twelve, .len = sizeof twelve};
static const struct provium_ptr one_output = {.buf_idx = 0, .ptr_offset = 4, .data_len = 2, .output = true};
static const struct provium_call two_outs = {
    .caller = "two_outs", .nr = 1, .bufs = &one_buffer, .buf_count = 1, .ptrs = &one_output, .ptr_count = 1};

/* What the agent answers the first call with, before it hangs up.  Its id is 2: hello was 1. */
static struct fake_bytes to_send;

static void sends(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_send(f, to_send);
    fake_hang_up(f);
}

/* Envelope and length around a body of a call's reply. */
static struct fake_bytes reply_of(const char *hex)
{
    struct fake_bytes b = fake_joined(fake_raw("00 00 00 00 96 01 02 10 00 01"), fake_raw(hex));
    b.at[2] = (uint8_t)((b.len - 4) >> 8);
    b.at[3] = (uint8_t)(b.len - 4);
    return b;
}

static enum provium_status answered_with(struct fake_bytes bytes, struct provium_result *result, char *text)
{
    struct fake f;
    to_send = bytes;
    struct provium_session *s = fake_session(&f, sends);
    enum provium_status status = provium_call(s, &two_outs, result);
    if (status == PROVIUM_OK && result->ended == PROVIUM_RETURNED) {
        cr_expect_eq(result->out_count, 2);
        cr_expect_eq(result->outs[0].len, 12);
        cr_expect_eq(result->outs[1].len, 2);
    }
    strcpy(text, provium_session_error(s)->text);
    fake_end(&f, s);
    return status;
}

/* ---- good replies ---- */

#define OUTS "01 92 c4 0c 6162636465666768696a6b6c c4 02 7879"

Test(call, outputs_come_buffers_first)
{
    struct fake f;
    struct provium_result result;
    to_send = reply_of("82 00 07" OUTS);
    struct provium_session *s = fake_session(&f, sends);
    cr_assert_eq(provium_call(s, &two_outs, &result), PROVIUM_OK);
    cr_expect_eq(result.ret, 7);
    cr_expect_eq(result.ended, PROVIUM_RETURNED);
    cr_expect_eq(result.executed, true);
    cr_assert_eq(result.out_count, 2);
    cr_expect_eq(result.outs[0].len, 12);
    cr_expect_arr_eq(result.outs[0].ptr, "abcdefghijkl", 12);
    cr_expect_eq(result.outs[1].len, 2);
    cr_expect_arr_eq(result.outs[1].ptr, "xy", 2);
    fake_end(&f, s);
}

Test(call, every_64_bit_value_comes_back_exact)
{
    static const struct {
        const char *hex;
        int64_t ret;
    } rows[] = {{"00", 0},
                {"ff", -1},
                {"f2", -14},
                {"d0 80", -128},
                {"d1 f001", -4095},
                {"d3 8000000000000000", INT64_MIN},
                {"cf 7fffffffffffffff", INT64_MAX},
                {"d3 0000000000000001", 1}};
    struct provium_result result;
    char text[PROVIUM_ERROR_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_bytes b = fake_joined(fake_joined(fake_raw("82 00"), fake_raw(rows[i].hex)), fake_raw(OUTS));
        struct fake_bytes whole = fake_joined(reply_of(""), b);
        whole.at[3] = (uint8_t)(whole.len - 4);
        cr_expect_eq(answered_with(whole, &result, text), PROVIUM_OK, "%s", text);
        cr_expect_eq(result.ret, rows[i].ret);
    }
}

Test(call, unknown_fields_of_a_reply_are_ignored)
{
    struct provium_result result;
    char text[PROVIUM_ERROR_MAX];
    cr_expect_eq(answered_with(reply_of("84 00 07" OUTS "4d d4 00 00 a1 78 82 c0 c3 ca 00000000 90"), &result, text),
                 PROVIUM_OK, "%s", text);
    cr_expect_eq(result.ret, 7);
}

/* ---- bad ones ---- */

#define MISFIT "two_outs: the agent's reply does not fit the request"
#define DAMAGED "two_outs: the agent's reply is damaged: "

Test(call, reply_that_is_not_what_was_asked_for_ends_the_session)
{
    static const struct {
        const char *hex, *text;
    } rows[] = {
        {"81" OUTS, MISFIT},                                       /* no ret */
        {"80", MISFIT},                                            /* nothing */
        {"81 00 07", MISFIT},                                      /* no outs */
        {"82 00 07 01 91 c4 0c 6162636465666768696a6b6c", MISFIT}, /* one too few */
        {"82 00 07 01 92 c4 02 7879 c4 0c 6162636465666768696a6b6c", MISFIT},
        {"82 00 07 01 92 c4 0c 6162636465666768696a6b6c c4 01 78", MISFIT},
        {"82 00 07 01 92 c4 0c 6162636465666768696a6b6c c4 03 787878", MISFIT},
        {"82 00 07 01 93 c4 00 c4 00 c4 00", DAMAGED "more elements than allowed"},
        {"82 00 07 01 dd 7fffffff", DAMAGED "the bytes end inside a value"},
        {"81 02 09", MISFIT}, /* ended, but how? */
        {"81 02 00", MISFIT},
        {"81 02 cd 0101", DAMAGED "number out of range"},
        {"82 00 07 02 01", MISFIT}, /* ended and returned */
        {"82 01 91 c4 00 02 01", MISFIT},
        {"82 02 01 03 ce 80000000", MISFIT}, /* no exit status */
        {"82 02 03 04 ce ffffffff", MISFIT},
        {"82 00 07 00 07", DAMAGED "field given twice"},
        {"82 00 a1 61 01 90", DAMAGED "value of another type"},
        {"82 00 cb 4000000000000000 01 90", DAMAGED "value of another type"},
        {"81 00 cf 8000000000000000", DAMAGED "number out of range"},
        {"82 00 07 01 92 a1 61 a1 61", DAMAGED "value of another type"},
        {"81 00 07 c0", DAMAGED "bytes after the value"},
        {"82 00 07 4d 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 c0", DAMAGED "nested too deeply"},
        {"90", "two_outs: the agent sent a damaged envelope: value of another type"},
    };
    struct provium_result result;
    char text[PROVIUM_ERROR_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(answered_with(reply_of(rows[i].hex), &result, text), PROVIUM_E_PROTOCOL, "%s", rows[i].hex);
        cr_expect_str_eq(text, rows[i].text);
    }
}

Test(call, reply_cut_at_every_byte_has_a_defined_answer)
{
    struct fake_bytes good = reply_of("82 00 07" OUTS), b;
    struct provium_result result;
    char text[PROVIUM_ERROR_MAX];
    for (b = good, b.len = 0; b.len < good.len; b.len++)
        cr_expect_eq(answered_with(b, &result, text), PROVIUM_E_CLOSED, "%zu: %s", b.len, text);
    for (b = good, b.len = 5; b.len < good.len; b.len++) { /* with a length to match */
        b.at[3] = (uint8_t)(b.len - 4);
        cr_expect_eq(answered_with(b, &result, text), PROVIUM_E_PROTOCOL, "%zu: %s", b.len, text);
    }
}

Test(call, reply_with_any_bit_flipped_has_a_defined_answer)
{
    struct fake_bytes good = reply_of("82 00 07" OUTS);
    struct provium_result result;
    char text[PROVIUM_ERROR_MAX];
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        struct fake_bytes b = good;
        b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum provium_status status = answered_with(b, &result, text);
        cr_expect(status == PROVIUM_OK || status == PROVIUM_E_PROTOCOL || status == PROVIUM_E_CLOSED, "bit %zu: %d: %s",
                  bit, status, text);
    }
}

/* ---- what is asked for beside the result ---- */

static void sends_measured(struct fake *f)
{
    static struct wire_bytes names[] = {{(const uint8_t *)"placement", 9}, {(const uint8_t *)"measure", 7}};
    f->hello.caps.items = names;
    f->hello.caps.count = 2;
    sends(f);
}

/* Argument 1 is buffer 0; spec 1, which is buffer 1, is the second in the list. */
static const struct provium_ptr two_ptrs[] = {{.buf_idx = 1, .to = PROVIUM_TO_SAME, .same = 1},
                                              {.buf_idx = 1, .data_len = 6, .place = {.align = 8}}};
static const struct provium_buffer no_output = {.arg = 1, .len = 8, .place = {.dir = PROVIUM_DIR_IN}};

static enum provium_status measured(const char *hex, struct provium_result *result, struct provium_session **s,
                                    struct fake *f)
{
    const struct provium_call call = {.caller = "two_outs",
                                      .nr = 1,
                                      .bufs = &no_output,
                                      .buf_count = 1,
                                      .ptrs = two_ptrs,
                                      .ptr_count = 2,
                                      .want_elapsed = true,
                                      .want_changed = true};
    to_send = reply_of(hex);
    *s = fake_session(f, sends_measured);
    return provium_call(*s, &call, result);
}

Test(call, ranges_name_arguments_and_specs_by_their_own_places)
{
    struct fake f;
    struct provium_session *s;
    struct provium_result r;
    cr_assert_eq(measured("84 00 07 06 05 07 92 83 00 00 01 00 02 08 83 00 01 01 02 02 04 08 91 83 00 01 01 fd 02 02",
                          &r, &s, &f),
                 PROVIUM_OK);
    cr_expect_eq(r.elapsed_ns, 5);
    cr_assert_eq(r.changed_count, 2);
    cr_expect(!r.changed[0].is_ptr && r.changed[0].index == 1 && r.changed[0].offset == 0 && r.changed[0].len == 8);
    cr_expect(r.changed[1].is_ptr && r.changed[1].index == 1 && r.changed[1].offset == 2 && r.changed[1].len == 4);
    cr_assert_eq(r.damage_count, 1);
    cr_expect(r.damage[0].is_ptr && r.damage[0].index == 1 && r.damage[0].offset == -3 && r.damage[0].len == 2);
    cr_assert_eq(r.out_count, 1, "a buffer that only goes in has its place");
    cr_expect_null(r.outs[0].ptr);
    fake_end(&f, s);
}

Test(call, ranges_outside_the_call_s_buffers_end_the_session)
{
    static const char *const rows[] = {
        "82 00 07 06 05",                            /* no changes */
        "82 00 07 07 90",                            /* no time */
        "83 00 07 06 05 07 91 83 00 02 01 00 02 01", /* no such buffer */
        "83 00 07 06 05 07 91 83 00 ce ffffffff 01 00 02 01",
        "83 00 07 06 05 07 91 83 00 00 01 00 02 09", /* one byte too long */
        "83 00 07 06 05 07 91 83 00 00 01 08 02 01",
        "83 00 07 06 05 07 91 83 00 00 01 ff 02 01", /* begins too early */
        "83 00 07 06 05 07 91 83 00 00 01 cf 7fffffffffffffff 02 01",
        "84 00 07 06 05 07 90 08 91 83 00 02 01 00 02 01",
        "84 00 07 06 05 07 90 08 91 83 00 00 01 d3 8000000000000000 02 01",
        "83 02 01 03 07 07 91 83 00 63 01 00 02 01", /* of a call that ended: not looked at, see below */
    };
    enum { COUNT = sizeof rows / sizeof rows[0] };
    for (size_t i = 0; i < COUNT; i++) {
        struct fake f;
        struct provium_session *s;
        struct provium_result r;
        bool ended = i == COUNT - 1;
        cr_expect_eq(measured(rows[i], &r, &s, &f), ended ? PROVIUM_OK : PROVIUM_E_PROTOCOL, "%s", rows[i]);
        cr_expect(ended ? r.changed_count == 0 && r.elapsed_ns == -1
                        : strcmp(provium_session_error(s)->text, MISFIT) == 0);
        fake_end(&f, s);
    }
}

/* ---- ends of executors ---- */

static void ends(struct fake *f)
{
    static const struct wire_call_reply replies[] = {
        {.has = 0x2c, .ended = WIRE_ENDED_exited, .status = 3, .fresh = 2},
        {.has = 0x2c, .ended = WIRE_ENDED_execed, .status = 0, .fresh = 3},
        {.has = 0x34, .ended = WIRE_ENDED_killed, .signal = 9, .fresh = 4},
        {.has = 0x34, .ended = WIRE_ENDED_stopped, .signal = 19, .fresh = 5},
    };
    fake_open(f);
    for (unsigned i = 0; i < 4; i++) {
        fake_call(f);
        fake_expect(f, f->request.generation == i + 1);
        fake_send(f, fake_call_reply(f->request.id, &replies[i]));
    }
    fake_call(f);
    fake_expect(f, f->request.generation == 5);
    fake_answer(f);
    fake_drain(f);
}

Test(call, call_that_never_returns_tells_how_and_the_next_goes_to_the_fresh_executor)
{
    static const struct provium_result want[] = {{.ended = PROVIUM_EXITED, .status = 3},
                                                 {.ended = PROVIUM_EXECED},
                                                 {.ended = PROVIUM_KILLED, .signal = 9},
                                                 {.ended = PROVIUM_STOPPED, .signal = 19}};
    struct fake f;
    struct provium_session *s = fake_session(&f, ends);
    struct provium_result result;
    for (unsigned i = 0; i < 4; i++) {
        memset(&result, 0x5a, sizeof result);
        cr_assert_eq(provium_call(s, &two_outs, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
        cr_expect_eq(result.ended, want[i].ended);
        cr_expect_eq(result.status, want[i].status);
        cr_expect_eq(result.signal, want[i].signal);
        cr_expect_eq(result.ret, 0);
        cr_expect_eq(result.executed, true);
        cr_expect_null(result.outs);
        cr_expect_eq(result.out_count, 2, "positions never shift");
    }
    cr_expect_eq(provium_call(s, &two_outs, &result), PROVIUM_OK);
    cr_expect_eq(result.ret, 7);
    fake_end(&f, s);
}

/* An executor dies between two calls. */
static void dies_between(struct fake *f)
{
    struct wire_worker_ended m = {.has = 0x0c, .ended = WIRE_ENDED_killed, .signal = 15, .fresh = 2};
    fake_open(f);
    fake_call(f);
    fake_answer(f);
    fake_send(f, fake_worker_ended(&m));
    fake_request(f); /* a ping does not ask for an executor */
    fake_expect(f, f->request.code == WIRE_OP_ping && f->request.generation == 0);
    fake_send(f, fake_ping_reply(f->request.id));
    fake_call(f);
    fake_expect(f, f->request.generation == 1);
    fake_send(f, fake_error(f->request.id, WIRE_ERR_WORKER_REPLACED, 3, "gone"));
    fake_call(f);
    fake_expect(f, f->request.generation == 3);
    fake_answer(f);
    fake_drain(f);
}

Test(call, executor_that_ended_between_calls_is_reported_once_as_not_executed)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, dies_between);
    struct provium_result result;
    cr_expect_eq(provium_call(s, &two_outs, &result), PROVIUM_OK);
    cr_expect_eq(provium_ping(s), PROVIUM_OK);
    cr_assert_eq(provium_call(s, &two_outs, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect_eq(result.executed, false);
    cr_expect_eq(result.ended, PROVIUM_KILLED);
    cr_expect_eq(result.signal, 15);
    cr_expect_eq(result.out_count, 2);
    cr_expect_null(result.outs);
    cr_assert_eq(provium_call(s, &two_outs, &result), PROVIUM_OK);
    cr_expect_eq(result.executed, true);
    cr_expect_eq(result.ret, 7);
    fake_end(&f, s);
}

static void ends_late(struct fake *f)
{
    struct wire_call_reply reply = {.has = 0x2c, .ended = WIRE_ENDED_exited, .status = 5, .fresh = 2};
    fake_open(f);
    fake_call(f);
    uint32_t late = f->request.id;
    fake_call(f);
    fake_send(f, fake_call_reply(late, &reply));
    fake_send(f, fake_error(f->request.id, WIRE_ERR_WORKER_REPLACED, 2, "gone"));
    fake_call(f);
    fake_expect(f, f->request.generation == 2);
    fake_answer(f);
    fake_drain(f);
}

Test(call, executor_ended_by_a_call_that_timed_out_is_reported_by_the_next)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, ends_late);
    struct provium_result result;
    provium_session_set_timeout(s, 50);
    cr_expect_eq(provium_call(s, &two_outs, &result), PROVIUM_E_TIMEOUT);
    provium_session_set_timeout(s, 2000);
    cr_expect_eq(provium_call(s, &two_outs, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect_eq(result.executed, false);
    cr_expect_eq(result.ended, PROVIUM_EXITED);
    cr_expect_eq(result.status, 5);
    cr_expect_eq(provium_call(s, &two_outs, &result), PROVIUM_OK);
    cr_expect_eq(result.executed, true);
    fake_end(&f, s);
}

static void replaced_without_word(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_send(f, fake_error(f->request.id, WIRE_ERR_WORKER_REPLACED, 8, "gone"));
    fake_call(f);
    fake_expect(f, f->request.generation == 8);
    fake_answer(f);
    fake_drain(f);
}

Test(call, executor_replaced_without_an_event_is_a_refusal_and_the_next_call_works)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, replaced_without_word);
    struct provium_result result;
    cr_expect_eq(provium_call(s, &two_outs, &result), PROVIUM_E_REFUSED);
    cr_expect_str_eq(provium_session_error(s)->text, "two_outs: the agent refused: gone (worker-replaced)");
    cr_expect_eq(provium_call(s, &two_outs, &result), PROVIUM_OK);
    fake_end(&f, s);
}

static void other_refusal(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_send(f, fake_error(f->request.id, WIRE_ERR_DENIED, 99, "no"));
    fake_call(f);
    fake_expect(f, f->request.generation == 1);
    fake_answer(f);
    fake_drain(f);
}

Test(call, other_refusals_do_not_change_the_generation)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, other_refusal);
    struct provium_result result;
    cr_expect_eq(provium_call(s, &two_outs, &result), PROVIUM_E_REFUSED);
    cr_expect_eq(provium_call(s, &two_outs, &result), PROVIUM_OK);
    fake_end(&f, s);
}

static void exits_then_event(struct fake *f)
{
    struct wire_call_reply reply = {.has = 0x2c, .ended = WIRE_ENDED_exited, .status = 3, .fresh = 2};
    struct wire_worker_ended m = {.has = 0x08, .ended = WIRE_ENDED_exited, .fresh = 3};
    fake_open(f);
    fake_call(f);
    fake_send(f, fake_call_reply(f->request.id, &reply));
    fake_send(f, fake_worker_ended(&m));
    fake_call(f);
    fake_send(f, fake_error(f->request.id, WIRE_ERR_WORKER_REPLACED, 0, "gone"));
    fake_call(f);
    fake_expect(f, f->request.generation == 3);
    fake_answer(f);
    fake_drain(f);
}

Test(call, syscall_that_never_returns_or_begins_is_refused_with_a_text)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, exits_then_event);
    int64_t ret;
    cr_expect_eq(provium_syscall(s, 60, NULL, 0, &ret), PROVIUM_E_REFUSED);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_syscall: the call never returned: its executor ended");
    cr_expect_eq(provium_syscall(s, 60, NULL, 0, &ret), PROVIUM_E_REFUSED);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_syscall: the call never began: its executor ended");
    cr_expect_eq(provium_syscall(s, 60, NULL, 0, &ret), PROVIUM_OK);
    fake_end(&f, s);
}

/* ---- lifetimes and memory ---- */

static void serves_large(struct fake *f)
{
    f->hello.frame_limit = 32 << 20;
    f->hello.memory_limit = 64 << 20;
    fake_serve(f);
}

static enum provium_status echo(struct provium_session *s, const void *data, size_t len, struct provium_result *result)
{
    struct provium_buffer buf = {.arg = 1, .data = data, .len = len};
    struct provium_call call = {.bufs = &buf, .buf_count = 1};
    return provium_call(s, &call, result);
}

static size_t resident(const void *p, size_t len)
{
    static unsigned char pages[(SESSION_CHANNEL_CAP + 4095) / 4096];
    size_t n = 0, page = (size_t)sysconf(_SC_PAGESIZE);
    cr_assert(mincore((void *)(uintptr_t)p, len, pages) == 0);
    for (size_t i = 0; i < (len + page - 1) / page; i++)
        n += (pages[i] & 1) * page;
    return n;
}

static size_t rss(void)
{
    unsigned long total = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file != NULL && fscanf(file, "%lu %lu", &total, &pages) == 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

Test(call, what_a_call_returned_may_be_the_data_of_the_next)
{
    static uint8_t data[3 << 20];
    struct fake f;
    struct provium_session *s = fake_session(&f, serves_large);
    struct provium_result result;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 24);
    cr_assert_eq(echo(s, data, sizeof data, &result), PROVIUM_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(echo(s, result.outs[0].ptr, result.outs[0].len, &result), PROVIUM_OK);
    cr_expect_eq(memcmp(result.outs[0].ptr, data, sizeof data), 0);
    fake_end(&f, s);
}

Test(call, a_thousand_large_outputs_leave_memory_as_it_was)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, serves_large);
    struct provium_result result;
    size_t before = 0;
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(echo(s, NULL, 1 << 20, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
        cr_assert_eq(result.outs[0].len, 1 << 20);
        if (i == 20)
            before = rss();
    }
    cr_expect(rss() < before + (1 << 20), "%zu KiB became %zu", before >> 10, rss() >> 10);
    fake_end(&f, s);
}

Test(call, memory_of_a_16_mib_call_is_given_back_by_the_next)
{
    static uint8_t data[16 << 20];
    struct fake f;
    struct provium_session *s = fake_session(&f, serves_large);
    struct provium_result result;
    int64_t ret;
    memset(data, 0x5a, sizeof data);
    cr_assert_eq(echo(s, data, sizeof data, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_assert_eq(result.outs[0].len, sizeof data);
    cr_expect_eq(memcmp(result.outs[0].ptr, data, sizeof data), 0);
    cr_expect(resident(s->rx, SESSION_CHANNEL_CAP) >= sizeof data);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_OK);
    cr_expect(resident(s->rx, SESSION_CHANNEL_CAP) <= SESSION_KEEP);
    cr_expect(resident(s->tx, SESSION_CHANNEL_CAP) <= SESSION_KEEP);
    fake_end(&f, s);
}

/* Events of 32 KiB, which the reads of the host cut anywhere: where a half one waits, the
 * next bytes are put behind it, further and further up. */
static void floods(struct fake *f)
{
    struct fake_bytes event = fake_raw("00 00 80 00 96 03 00 32 00 00 81 00 c5 7f f3");
    f->hello.frame_limit = 32 << 20;
    fake_open(f);
    fake_call(f);
    memcpy(f->tx, event.at, event.len);
    for (int i = 0; i < 200; i++)
        fake_write(f, f->tx, 4 + 0x8000);
    fake_answer(f);
    while (fake_call(f))
        fake_answer(f);
}

Test(call, memory_of_a_flood_of_events_is_given_back_too)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, floods);
    int64_t ret;
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_OK);
    cr_expect(resident(s->rx, SESSION_CHANNEL_CAP) <= SESSION_KEEP + 65536);
    fake_end(&f, s);
}

/* Many buffers too small to be borrowed fill the buffer that is sent from. */
static void large_lists(struct fake *f)
{
    f->hello.buffer_limit = f->hello.spec_limit = FAKE_LIST_CAP;
    serves_large(f);
}

Test(call, memory_of_a_large_request_of_small_buffers_is_given_back)
{
    static uint8_t data[16000];
    struct provium_ptr ptrs[200];
    struct provium_call call = {.bufs = &one_buffer, .buf_count = 1, .ptrs = ptrs, .ptr_count = 200};
    struct fake f;
    struct provium_session *s = fake_session(&f, large_lists);
    struct provium_result result;
    for (size_t i = 0; i < 200; i++)
        ptrs[i] = (struct provium_ptr){.data = data, .data_len = sizeof data, .data_size = sizeof data};
    cr_expect_eq(provium_call(s, &call, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect_eq(result.out_count, 1);
    cr_expect(resident(s->tx, SESSION_CHANNEL_CAP) <= SESSION_KEEP);
    fake_end(&f, s);
}
