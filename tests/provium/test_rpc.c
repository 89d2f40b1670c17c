/* SPDX-License-Identifier: MIT
 *
 * One request, one answer, against agents that answer late, twice, damaged or never.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/fake_agent.h"

/* A session whose calls wait this long, so that nothing here takes long. */
static struct provium_session *impatient(struct fake *f, fake_script *script, unsigned timeout_ms)
{
    struct provium_session *s = fake_session(f, script);
    provium_session_set_timeout(s, timeout_ms);
    return s;
}

static enum provium_status getpid_of(struct provium_session *s, int64_t *ret)
{
    *ret = -1;
    return provium_syscall(s, 39, NULL, 0, ret);
}

static void expect_text(const struct provium_session *s, const char *text)
{
    cr_expect_str_eq(provium_session_error(s)->text, text);
}

/* The script's one call fails so, and every later one for the same reason. */
static void expect_lost(fake_script *script, enum provium_status status, const char *text)
{
    struct fake f;
    struct provium_session *s = impatient(&f, script, 5000);
    int64_t ret;
    cr_expect_eq(getpid_of(s, &ret), status, "%s", provium_session_error(s)->text);
    expect_text(s, text);
    char later[1024];
    snprintf(later, sizeof later, "provium_ping: the agent is gone%s", strchr(text, ':'));
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(getpid_of(s, &ret), status);
        cr_expect_eq(provium_ping(s), status);
        expect_text(s, later);
    }
    fake_end(&f, s);
}

/* ---- answers in and out of order ---- */

static void late(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    uint32_t first = f->request.id;
    fake_call(f);
    fake_send(f, fake_returned(first, 111));
    fake_send(f, fake_returned(f->request.id, 222));
    fake_call(f);
    fake_expect(f, f->request.id != first);
    fake_send(f, fake_error(first, WIRE_ERR_INTERNAL, 0, "late too"));
    fake_send(f, fake_returned(f->request.id, 333));
    fake_drain(f);
}

Test(rpc, late_answer_of_a_timed_out_call_is_dropped)
{
    struct fake f;
    struct provium_session *s = impatient(&f, late, 100);
    int64_t ret, from = provium_now_ms();
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_TIMEOUT);
    cr_expect(provium_now_ms() - from < 1100);
    expect_text(s, "provium_syscall: no answer within 100 ms; the call may still be running");
    provium_session_set_timeout(s, 2000);
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_OK);
    cr_expect_eq(ret, 222);
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_OK);
    cr_expect_eq(ret, 333);
    fake_end(&f, s);
}

static void much_later(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    uint32_t first = f->request.id;
    fake_call(f);
    uint32_t second = f->request.id;
    fake_call(f);
    fake_send(f, fake_returned(first, 111));
    fake_send(f, fake_returned(second, 222));
    fake_send(f, fake_returned(f->request.id, 333));
    fake_call(f);
    fake_drain(f);
}

Test(rpc, call_behind_one_that_timed_out_says_so)
{
    struct fake f;
    struct provium_session *s = impatient(&f, much_later, 100);
    int64_t ret;
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_TIMEOUT);
    expect_text(s, "provium_syscall: no answer within 100 ms; the call may still be running");
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_TIMEOUT);
    expect_text(s,
                "provium_syscall: no answer within 100 ms; it waits behind an earlier call that timed out and is still "
                "running");
    provium_session_set_timeout(s, 2000);
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_OK);
    cr_expect_eq(ret, 333);
    provium_session_set_timeout(s, 100);
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_TIMEOUT);
    expect_text(s, "provium_syscall: no answer within 100 ms; the call may still be running");
    fake_end(&f, s);
}

static void to_the_future(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_send(f, fake_returned(f->request.id + 1, 1));
    fake_drain(f);
}

Test(rpc, answer_to_a_request_that_was_never_made_is_a_fault)
{
    expect_lost(to_the_future, PROVIUM_E_PROTOCOL, "provium_syscall: the agent answered what was not asked");
}

static void to_nobody(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_send(f, fake_returned(0, 1));
    fake_drain(f);
}

Test(rpc, reply_with_id_0_is_a_fault)
{
    expect_lost(to_nobody, PROVIUM_E_PROTOCOL, "provium_syscall: the agent answered what was not asked");
}

static void other_op(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_send(f, fake_ping_reply(f->request.id));
    fake_drain(f);
}

Test(rpc, reply_of_another_operation_is_a_fault)
{
    expect_lost(other_op, PROVIUM_E_PROTOCOL, "provium_syscall: the agent answered what was not asked");
}

static void pong_is_a_call(struct fake *f)
{
    fake_open(f);
    fake_request(f);
    fake_expect(f, f->request.code == WIRE_OP_ping && f->request.generation == 0);
    fake_send(f, fake_ping_reply(f->request.id));
    fake_request(f);
    fake_send(f, fake_returned(f->request.id, 1));
    fake_drain(f);
}

Test(rpc, ping_takes_only_a_ping)
{
    struct fake f;
    struct provium_session *s = impatient(&f, pong_is_a_call, 2000);
    cr_expect_eq(provium_ping(s), PROVIUM_OK);
    cr_expect_eq(provium_ping(s), PROVIUM_E_PROTOCOL);
    expect_text(s, "provium_ping: the agent answered what was not asked");
    fake_end(&f, s);
}

static void thrice(struct fake *f)
{
    fake_open(f);
    for (int i = 0; fake_call(f); i++) {
        fake_send(f, fake_returned(f->request.id, i));
        fake_send(f, fake_returned(f->request.id, -1));
    }
}

Test(rpc, second_answer_to_a_request_is_dropped)
{
    struct fake f;
    struct provium_session *s = impatient(&f, thrice, 2000);
    int64_t ret;
    for (int i = 0; i < 10; i++) {
        cr_expect_eq(getpid_of(s, &ret), PROVIUM_OK);
        cr_expect_eq(ret, i);
    }
    fake_end(&f, s);
}

/* ---- how the bytes come ---- */

static void dribbles(struct fake *f)
{
    fake_open(f);
    while (fake_call(f))
        fake_dribble(f, fake_returned(f->request.id, 5));
}

Test(rpc, answer_may_come_one_byte_at_a_time)
{
    struct fake f;
    struct provium_session *s = impatient(&f, dribbles, 2000);
    int64_t ret;
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_OK);
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_OK);
    cr_expect_eq(ret, 5);
    fake_end(&f, s);
}

static void two_at_once(struct fake *f)
{
    struct wire_worker_ended m = {.ended = WIRE_ENDED_exited};
    fake_open(f);
    while (fake_call(f)) {
        struct fake_bytes both = fake_joined(fake_empty(WIRE_EVENT, 0, 77), fake_returned(f->request.id, 6));
        fake_send(f, fake_joined(both, fake_worker_ended(&m)));
    }
}

Test(rpc, several_frames_in_one_read_are_all_taken)
{
    struct fake f;
    struct provium_session *s = impatient(&f, two_at_once, 2000);
    int64_t ret;
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(getpid_of(s, &ret), PROVIUM_OK);
        cr_expect_eq(ret, 6);
    }
    fake_end(&f, s);
}

static void large_hello(struct fake *f)
{
    f->hello.frame_limit = 32 << 20;
    f->hello.memory_limit = 64 << 20;
    fake_open(f);
}

static void answers_early(struct fake *f)
{
    uint8_t head[1];
    large_hello(f);
    fake_expect(f, read(f->fd, head, 1) == 1);
    fake_send(f, fake_error(2, WIRE_ERR_NO_MEMORY, 0, "no room"));
    fake_drain(f);
}

static enum provium_status send_16_mib(struct provium_session *s)
{
    static uint8_t data[16 << 20];
    struct provium_buffer buf = {.arg = 1, .data = data, .len = sizeof data};
    struct provium_call call = {.bufs = &buf, .buf_count = 1};
    struct provium_result result;
    return provium_call(s, &call, &result);
}

Test(rpc, answer_may_come_before_the_request_is_written)
{
    struct fake f;
    struct provium_session *s = impatient(&f, answers_early, 5000);
    cr_expect_eq(send_16_mib(s), PROVIUM_E_REFUSED);
    expect_text(s, "provium_call: the agent refused: no room (no-memory)");
    fake_end(&f, s);
}

/* ---- deadlines ---- */

static void never_reads(struct fake *f)
{
    large_hello(f);
    fake_sleep(400);
}

Test(rpc, agent_that_stops_reading_ends_at_the_deadline)
{
    struct fake f;
    struct provium_session *s = impatient(&f, never_reads, 200);
    int64_t from = provium_now_ms();
    cr_expect_eq(send_16_mib(s), PROVIUM_E_TIMEOUT);
    cr_expect(provium_now_ms() - from < 1200);
    expect_text(s, "provium_call: the agent does not take the request");
    cr_expect_eq(send_16_mib(s), PROVIUM_E_TIMEOUT);
    fake_end(&f, s);
}

static void half(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    struct fake_bytes reply = fake_returned(f->request.id, 1);
    reply.len /= 2;
    fake_send(f, reply);
    fake_drain(f);
}

Test(rpc, silence_inside_a_frame_ends_the_session_after_two_seconds)
{
    struct fake f;
    struct provium_session *s = impatient(&f, half, 60000);
    int64_t ret, from = provium_now_ms();
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_PROTOCOL);
    int64_t took = provium_now_ms() - from;
    cr_expect(took >= 2000 && took < 3000, "%d ms", (int)took);
    expect_text(s, "provium_syscall: the agent fell silent in the middle of a frame");
    fake_end(&f, s);
}

static void half_then_rest(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    struct fake_bytes reply = fake_returned(f->request.id, 1);
    fake_write(f, reply.at, 5);
    fake_call(f);
    fake_write(f, reply.at + 5, reply.len - 5);
    fake_send(f, fake_returned(f->request.id, 2));
    fake_drain(f);
}

Test(rpc, answer_that_was_half_there_at_the_deadline_is_dropped_whole)
{
    struct fake f;
    struct provium_session *s = impatient(&f, half_then_rest, 100);
    int64_t ret;
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_TIMEOUT);
    provium_session_set_timeout(s, 1000);
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_OK);
    cr_expect_eq(ret, 2);
    fake_end(&f, s);
}

static void floods(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_flood(f, fake_empty(WIRE_EVENT, 0, 99));
}

Test(rpc, flood_of_unknown_events_does_not_extend_the_deadline)
{
    struct fake f;
    struct provium_session *s = impatient(&f, floods, 200);
    int64_t ret, from = provium_now_ms();
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_TIMEOUT);
    cr_expect(provium_now_ms() - from < 1200);
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_TIMEOUT, "the session goes on");
    cr_expect(provium_now_ms() - from < 2400);
    fake_end(&f, s);
}

static void echoes_for_ever(struct fake *f)
{
    struct fake_bytes echo = fake_raw("f6 50 52 4f 56 49 55 4d");
    fake_open(f);
    fake_call(f);
    memcpy(echo.at + echo.len, f->nonce, sizeof f->nonce);
    echo.len += sizeof f->nonce;
    fake_flood(f, echo);
}

Test(rpc, flood_of_echoes_does_not_extend_the_deadline)
{
    struct fake f;
    struct provium_session *s = impatient(&f, echoes_for_ever, 200);
    int64_t ret, from = provium_now_ms();
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_TIMEOUT);
    cr_expect(provium_now_ms() - from < 1200);
    fake_end(&f, s);
}

/* ---- what is no answer ---- */

/* What the agent answers the call with. */
static struct fake_bytes to_send;

static void sends(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_send(f, to_send);
    fake_drain(f);
}

static void expect_lost_by(struct fake_bytes bytes, enum provium_status status, const char *text)
{
    to_send = bytes;
    expect_lost(sends, status, text);
}

Test(rpc, frame_over_the_agreed_limit_ends_the_session)
{
    expect_lost_by(fake_raw("00 01 00 01 96"), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent a frame over the agreed limit");
    expect_lost_by(fake_raw("7f ff ff ff"), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent a frame over the agreed limit");
}

static void sends_too_much(struct fake *f)
{
    struct fake_bytes head = fake_raw("00 01 00 01");
    fake_open(f);
    fake_call(f);
    memcpy(f->tx, head.at, head.len);
    fake_write(f, f->tx, head.len + 65537);
    fake_drain(f);
}

Test(rpc, whole_frame_over_the_agreed_limit_ends_the_session)
{
    expect_lost(sends_too_much, PROVIUM_E_PROTOCOL, "provium_syscall: the agent sent a frame over the agreed limit");
}

Test(rpc, length_that_is_none_ends_the_session)
{
    expect_lost_by(fake_raw("00 00 00 00"), PROVIUM_E_PROTOCOL, "provium_syscall: the agent sent what is no frame");
    expect_lost_by(fake_raw("80 00 00 00"), PROVIUM_E_PROTOCOL, "provium_syscall: the agent sent what is no frame");
    expect_lost_by(fake_raw("f6 50 52 00"), PROVIUM_E_PROTOCOL, "provium_syscall: the agent sent what is no frame");
}

Test(rpc, echo_of_a_nonce_never_sent_ends_the_session)
{
    expect_lost_by(fake_raw("f6 50 52 4f 56 49 55 4d 00 01 02 03 04 05 06 07"), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent began a session of its own");
}

Test(rpc, goodbye_is_the_reason_with_its_text_made_harmless)
{
    expect_lost_by(fake_goodbye("I\x07 \x1b]0;am\r\nleaving\x7f"), PROVIUM_E_CLOSED,
                   "provium_syscall: the agent said goodbye: I? ?]0;am??leaving?");
    expect_lost_by(fake_empty(WIRE_GOODBYE, 0, 0), PROVIUM_E_CLOSED, "provium_syscall: the agent said goodbye: ?");
}

static void goodbye_and_gone(struct fake *f)
{
    fake_open(f);
    fake_send(f, fake_goodbye("out of order"));
    fake_hang_up(f);
}

Test(rpc, goodbye_is_heard_even_when_the_request_can_not_be_sent)
{
    struct fake f;
    struct provium_session *s = impatient(&f, goodbye_and_gone, 2000);
    int64_t ret;
    fake_join(&f);
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_CLOSED);
    expect_text(s, "provium_syscall: the agent said goodbye: out of order");
    fake_end(&f, s);
}

static void hangs_up(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_hang_up(f);
}

Test(rpc, hang_up_is_closed)
{
    expect_lost(hangs_up, PROVIUM_E_CLOSED, "provium_syscall: the agent hung up");
}

Test(rpc, requests_and_cancels_from_the_agent_end_the_session)
{
    expect_lost_by(fake_empty(WIRE_REQUEST, 2, WIRE_OP_ping), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent what only a host sends");
    expect_lost_by(fake_empty(WIRE_CANCEL, 2, 0), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent what only a host sends");
}

Test(rpc, what_is_no_envelope_ends_the_session)
{
    expect_lost_by(fake_raw("00 00 00 01 c0"), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent a damaged envelope: value of another type");
    expect_lost_by(fake_raw("00 00 00 02 c1 c1"), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent a damaged envelope: byte 0xc1 is not msgpack");
    expect_lost_by(fake_raw("00 00 00 07 96 06 02 10 00 01 80"), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent a damaged envelope: number out of range");
    expect_lost_by(fake_raw("00 00 00 05 dd ff ff ff ff"), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent a damaged envelope: the bytes end inside a value");
}

Test(rpc, damaged_event_or_error_ends_the_session)
{
    expect_lost_by(fake_empty(WIRE_EVENT, 0, WIRE_EVENT_worker_ended), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent a damaged event");
    expect_lost_by(fake_empty(WIRE_ERROR, 2, WIRE_ERR_LIMIT), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent a damaged error");
    expect_lost_by(fake_raw("00 00 00 0b 96 02 02 06 00 01 82 00 a0 02 03"), PROVIUM_E_PROTOCOL,
                   "provium_syscall: the agent sent a damaged error");
}

/* ---- refusals ---- */

static void refuses(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_send(f, fake_error(0, WIRE_ERR_TOO_LARGE, 0, "whose\nis it"));
    fake_call(f);
    fake_send(f, fake_error(f->request.id, 4711, 0, "because"));
    fake_call(f);
    /* {0: "odd", 1: "args", 2: 1} */
    struct fake_bytes b = fake_raw("00 00 00 13 96 02 00 0e 00 01 83 00 a3 6f 64 64 01 a4 61 72 67 73 02 01");
    b.at[3] = (uint8_t)(b.len - 4);
    b.at[6] = (uint8_t)f->request.id;
    fake_send(f, b);
    fake_call(f);
    fake_send(f, fake_returned(f->request.id, 9));
    fake_drain(f);
}

Test(rpc, refused_request_leaves_the_session_open)
{
    struct fake f;
    struct provium_session *s = impatient(&f, refuses, 2000);
    int64_t ret;
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_REFUSED);
    expect_text(s, "provium_syscall: the agent refused: whose?is it (too-large)");
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_REFUSED);
    expect_text(s, "provium_syscall: the agent refused: because (unknown)");
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_E_REFUSED);
    expect_text(s, "provium_syscall: the agent refused: args: odd (internal; it may have been executed)");
    cr_expect_eq(getpid_of(s, &ret), PROVIUM_OK);
    cr_expect_eq(ret, 9);
    fake_end(&f, s);
}
