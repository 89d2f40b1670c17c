/* SPDX-License-Identifier: MIT
 *
 * agent/op_program.c and program_check.c: what is refused before anything is executed, what the
 * kernel gets to see of each step, and what comes back.
 */
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "expect.h"

static struct rig *rig;

/* What the kernel saw, and what it gives back: `gives`, or else the number of the call from 1. */
enum { CALLS_MAX = 4096, LIST_MAX = 9000 };
static struct {
    int64_t nr, args[WIRE_ARGS_MAX];
} seen[CALLS_MAX];
static int64_t gives[CALLS_MAX];
static bool given[CALLS_MAX];

static void note(struct rig *r)
{
    unsigned n = r->calls - 1;
    cr_assert_lt(n, CALLS_MAX);
    seen[n].nr = r->nr;
    memcpy(seen[n].args, r->args, sizeof r->args);
    r->ret = given[n] ? gives[n] : (int64_t)n + 1;
}

static void give(unsigned call, int64_t ret)
{
    gives[call] = ret;
    given[call] = true;
}

static void setup_as(const struct agent_limits *limits)
{
    struct agent_limits all = *limits;
    struct any_message reply;
    rig = rig_open();
    cr_assert_not_null(rig);
    all.caps = UINT32_MAX;
    cr_assert(rig_hello(rig, &all, &reply));
    rig->during = note;
}

static void setup(void)
{
    setup_as(&rig_minimum);
}

static void setup_wide(void)
{
    setup_as(&rig_wide);
}

TestSuite(program, .init = setup);
TestSuite(wide_program, .init = setup_wide);

/* ---- programs as structs ---- */

static struct wire_buffer buffers[LIST_MAX];
static struct wire_spec specs[LIST_MAX];
static struct wire_step steps[LIST_MAX];
static struct wire_move moves[LIST_MAX];
static struct any_message request, reply;
static struct wire_program_request *const program = &request.body.program_request;

static struct wire_buffer out(uint32_t len)
{
    return (struct wire_buffer){.len = len, .dir = WIRE_DIR_out};
}

static struct wire_buffer both(const void *data, uint32_t len)
{
    return (struct wire_buffer){.has = WIRE_HAS(buffer, data), .len = len, .data = {data, len}, .dir = WIRE_DIR_both};
}

/* A new program of so many steps with the numbers 100, 101, ... */
static void begin(uint32_t count)
{
    request.envelope = (struct wire_envelope){.kind = WIRE_REQUEST, .id = 2, .code = WIRE_OP_program};
    request.record = ANY_program_request;
    *program = (struct wire_program_request){.buffers = {buffers, 0, LIST_MAX},
                                             .specs = {specs, 0, LIST_MAX},
                                             .steps = {steps, count, LIST_MAX},
                                             .moves = {moves, 0, LIST_MAX}};
    memset(given, 0, sizeof given);
    for (uint32_t i = 0; i < count; i++)
        steps[i] = (struct wire_step){.nr = 100 + i};
    rig->calls = 0;
}

static uint32_t add_buffer(struct wire_buffer b)
{
    buffers[program->buffers.count] = b;
    return program->buffers.count++;
}

static void add_spec(struct wire_spec s)
{
    specs[program->specs.count++] = s;
}

static void add_move(struct wire_move v)
{
    moves[program->moves.count++] = v;
}

#define RET_TO_ARG(step_, arg_, ret_) \
    (struct wire_move) \
    { \
        .has = WIRE_HAS(move, arg) | WIRE_HAS(move, ret), .step = step_, .arg = arg_, .ret = ret_ \
    }
#define BYTES_TO_ARG(step_, arg_, from_, at_, width_) \
    (struct wire_move) \
    { \
        .has = WIRE_HAS(move, arg) | WIRE_HAS(move, from) | WIRE_HAS(move, at) | WIRE_HAS(move, width), .step = step_, \
        .arg = arg_, .from = from_, .at = at_, .width = width_ \
    }
#define TO_BUFFER(step_, buffer_, offset_, width_, has_, ...) \
    (struct wire_move) \
    { \
        .has = WIRE_HAS(move, buffer) | WIRE_HAS(move, offset) | WIRE_HAS(move, width) | (has_), .step = step_, \
        .buffer = buffer_, .offset = offset_, .width = width_, __VA_ARGS__ \
    }
#define FAIL(step_, fail_) steps[step_].has |= WIRE_HAS(step, fail), steps[step_].fail = fail_
#define KEEP(step_) steps[step_].has |= WIRE_HAS(step, keep), steps[step_].keep = 1

static void send_program(void)
{
    program->has |= (program->buffers.count > 0 ? WIRE_HAS(program_request, buffers) : 0) |
                    (program->specs.count > 0 ? WIRE_HAS(program_request, specs) : 0) |
                    (program->moves.count > 0 ? WIRE_HAS(program_request, moves) : 0) |
                    (program->repeat > 0 ? WIRE_HAS(program_request, repeat) : 0) |
                    (program->results > 0 ? WIRE_HAS(program_request, results) : 0);
    cr_assert(rig_send(rig, &request));
}

/* It runs, and these are its results. */
static const struct wire_program_reply *run(uint32_t rets, ...)
{
    const struct wire_program_reply *r = &reply.body.program_reply;
    va_list list;
    send_program();
    cr_assert(rig_answer(rig, &reply));
    cr_assert_eq(reply.record, ANY_program_reply, "refused");
    cr_expect_eq(reply.envelope.id, 2);
    cr_assert_eq(r->rets.count, rets);
    cr_expect_eq((r->has & WIRE_HAS(program_reply, rets)) != 0, rets > 0);
    va_start(list, rets);
    for (uint32_t i = 0; i < rets; i++)
        cr_expect_eq(r->rets.items[i], va_arg(list, int), "result %u is %lld", i, (long long)r->rets.items[i]);
    va_end(list);
    expect_silence(rig, "reply");
    return r;
}

static void refused(enum wire_error_code code, const char *path)
{
    send_program();
    expect_error(rig, 2, code, path, path);
    cr_expect_eq(rig->calls, 0);
}

/* ---- steps ---- */

Test(program, steps_are_executed_in_order_with_exactly_six_arguments)
{
    begin(3);
    steps[1].has = WIRE_HAS(step, args);
    steps[1].args = (struct wire_words){2, {-1, INT64_MIN}};
    const struct wire_program_reply *r = run(3, 1, 2, 3);
    cr_expect_eq(r->rounds, 1);
    cr_expect_eq(r->has, WIRE_HAS(program_reply, rets) | WIRE_HAS(program_reply, rounds));
    cr_expect_eq(rig->calls, 3);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(seen[i].nr, 100 + i);
    const int64_t zeros[WIRE_ARGS_MAX] = {0}, two[WIRE_ARGS_MAX] = {-1, INT64_MIN};
    cr_expect_arr_eq(seen[0].args, zeros, sizeof zeros);
    cr_expect_arr_eq(seen[1].args, two, sizeof two);
    cr_expect_arr_eq(seen[2].args, zeros, sizeof zeros);
}

Test(program, arguments_of_an_earlier_program_do_not_remain)
{
    begin(1);
    steps[0].has = WIRE_HAS(step, args);
    steps[0].args = (struct wire_words){6, {1, 2, 3, 4, 5, 6}};
    run(1, 1);
    begin(1);
    run(1, 1);
    for (int i = 0; i < WIRE_ARGS_MAX; i++)
        cr_expect_eq(seen[0].args[i], 0);
}

Test(program, every_64_bit_result_comes_back_exact)
{
    static const int64_t all[] = {0, -1, -14, -4095, -4096, INT64_MIN, INT64_MAX, 1LL << 32};
    begin(8);
    for (unsigned i = 0; i < 8; i++)
        give(i, all[i]);
    send_program();
    cr_assert(rig_answer(rig, &reply) && reply.record == ANY_program_reply);
    cr_assert_eq(reply.body.program_reply.rets.count, 8);
    cr_expect_arr_eq(reply.body.program_reply.rets.items, all, sizeof all);
}

/* ---- failures ---- */

Test(program, a_failure_goes_on_by_default)
{
    begin(3);
    give(1, -14);
    cr_expect_eq(run(3, 1, -14, 3)->has & WIRE_HAS(program_reply, skipped), 0);
}

Test(program, a_failure_leads_to_a_later_step_and_skips_those_between)
{
    begin(5);
    give(1, -2);
    FAIL(1, 4);
    FAIL(0, 2);
    const struct wire_program_reply *r = run(5, 1, -2, 0, 0, 3);
    cr_expect_eq(rig->calls, 3);
    cr_expect_eq(seen[2].nr, 104);
    cr_assert_eq(r->skipped.len, 1);
    cr_expect_eq(r->skipped.ptr[0], 0x0c);
}

Test(program, only_minus_1_to_minus_4095_is_a_failure)
{
    static const struct {
        int64_t ret;
        unsigned calls;
    } rows[] = {{-1, 1}, {-4095, 1}, {-4096, 2}, {0, 2}, {INT64_MIN, 2}, {INT64_MAX, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(2);
        give(0, rows[i].ret);
        FAIL(0, 2);
        send_program();
        cr_assert(rig_answer(rig, &reply) && reply.record == ANY_program_reply);
        cr_expect_eq(rig->calls, rows[i].calls, "%lld", (long long)rows[i].ret);
    }
}

Test(program, a_failure_ends_the_round_or_the_program)
{
    begin(2);
    program->repeat = 3;
    give(0, -1); /* of the first round */
    FAIL(0, 2);
    cr_expect_eq(run(2, 4, 5)->rounds, 3);
    cr_expect_eq(rig->calls, 5);
    begin(2);
    program->repeat = 3;
    give(2, -1); /* of the second */
    FAIL(0, 3);
    const struct wire_program_reply *r = run(2, -1, 0);
    cr_expect_eq(r->rounds, 2);
    cr_expect_eq(rig->calls, 3);
    cr_expect(r->skipped.len == 1 && r->skipped.ptr[0] == 2);
}

Test(program, the_last_step_may_end_the_program_too)
{
    begin(1);
    program->repeat = 5;
    give(1, -1);
    FAIL(0, 2);
    const struct wire_program_reply *r = run(1, -1);
    cr_expect_eq(r->rounds, 2);
    cr_expect_eq(r->has & WIRE_HAS(program_reply, skipped), 0);
}

/* ---- moves ---- */

Test(program, a_result_becomes_an_argument)
{
    begin(3);
    give(0, INT64_MIN + 7);
    add_move(RET_TO_ARG(1, 0, 0));
    add_move(RET_TO_ARG(2, 5, 1));
    add_move(RET_TO_ARG(2, 0, 0));
    moves[2].has |= WIRE_HAS(move, plus);
    moves[2].plus = -8;
    send_program();
    cr_assert(rig_answer(rig, &reply) && reply.record == ANY_program_reply);
    cr_expect_eq(seen[1].args[0], INT64_MIN + 7);
    cr_expect_eq(seen[2].args[5], 2);
    cr_expect_eq(seen[2].args[0], INT64_MAX, "a sum wraps");
}

Test(program, bytes_of_a_buffer_become_an_argument_at_every_width_with_and_without_sign)
{
    static const uint8_t bytes[10] = {0, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0};
    static const struct {
        uint8_t width, sign;
        uint64_t value;
    } rows[] = {{1, 0, 0x81},
                {1, 1, UINT64_C(0xffffffffffffff81)},
                {2, 0, 0x8281},
                {2, 1, UINT64_C(0xffffffffffff8281)},
                {4, 0, 0x84838281},
                {4, 1, UINT64_C(0xffffffff84838281)},
                {8, 0, UINT64_C(0x8887868584838281)},
                {8, 1, UINT64_C(0x8887868584838281)}};
    begin(1);
    add_buffer(both(bytes, 10));
    for (uint8_t i = 0; i < 8; i++) {
        program->moves.count = 0;
        add_move(BYTES_TO_ARG(0, 3, 0, 1, rows[i].width));
        moves[0].has |= WIRE_HAS(move, sign);
        moves[0].sign = rows[i].sign;
        rig->calls = 0;
        run(1, 1);
        cr_expect_eq((uint64_t)seen[0].args[3], rows[i].value, "%u", i);
    }
}

Test(program, values_are_written_into_buffers_at_every_width)
{
    for (uint8_t width = 1; width <= 8; width = (uint8_t)(2 * width)) {
        static const uint8_t ee[10] = {0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee};
        uint8_t expected[10];
        begin(2);
        give(0, 0x1122334455667788);
        add_buffer(both(ee, 10));
        add_move(TO_BUFFER(1, 0, 1, width, WIRE_HAS(move, ret), .ret = 0));
        send_program();
        cr_assert(rig_answer(rig, &reply) && reply.record == ANY_program_reply);
        memcpy(expected, ee, 10);
        for (unsigned i = 0; i < width; i++)
            expected[1 + i] = (uint8_t)(0x88 - 0x11 * i);
        cr_expect_arr_eq(reply.body.program_reply.outs.items[0].ptr, expected, 10);
    }
}

Test(program, constants_addresses_and_bytes_of_another_buffer_are_values_too)
{
    begin(2);
    add_buffer(both("0123456789abcdef", 16));
    add_buffer(both("AB", 2));
    add_spec((struct wire_spec){.has = WIRE_HAS(spec, arg) | WIRE_HAS(spec, step), .target = 1, .arg = 4, .step = 1});
    add_move(TO_BUFFER(0, 0, 0, 8, WIRE_HAS(move, target) | WIRE_HAS(move, plus), .target = 1, .plus = 1));
    add_move(TO_BUFFER(0, 0, 8, 2, WIRE_HAS(move, plus), .plus = 'x' + 256 * 'y'));
    add_move(TO_BUFFER(1, 0, 14, 2, WIRE_HAS(move, from) | WIRE_HAS(move, at), .from = 1, .at = 0));
    const struct wire_program_reply *r = run(2, 1, 2);
    uint64_t pointer;
    memcpy(&pointer, r->outs.items[0].ptr, 8);
    cr_expect_eq(pointer, (uint64_t)seen[1].args[4] + 1);
    cr_expect_arr_eq(r->outs.items[0].ptr + 8, "xyabcdAB", 8);
}

Test(program, a_later_move_and_a_move_over_a_spec_win)
{
    begin(1);
    add_buffer(out(8));
    add_spec((struct wire_spec){.has = WIRE_HAS(spec, arg), .target = 0, .arg = 0});
    add_move((struct wire_move){.has = WIRE_HAS(move, arg) | WIRE_HAS(move, plus), .arg = 0, .plus = 5});
    add_move((struct wire_move){.has = WIRE_HAS(move, arg) | WIRE_HAS(move, plus), .arg = 0, .plus = 6});
    run(1, 1);
    cr_expect_eq(seen[0].args[0], 6);
}

Test(program, what_a_skipped_step_would_have_returned_is_minus_1)
{
    begin(3);
    give(0, -9);
    FAIL(0, 2);
    add_move(RET_TO_ARG(1, 0, 0));
    add_move(TO_BUFFER(1, add_buffer(both("ab", 2)), 0, 1, 0, .plus = 0));
    add_move(RET_TO_ARG(2, 0, 1));
    cr_expect_eq(run(3, -9, 0, 2)->outs.items[0].ptr[0], 'a', "moves of a skipped step do not happen");
    cr_expect_eq(seen[1].args[0], -1);
}

/* ---- rounds ---- */

Test(program, buffers_are_placed_once_and_keep_what_a_round_leaves)
{
    begin(2);
    program->repeat = 3;
    add_buffer(both("\1\0\0\0", 4));
    add_move(BYTES_TO_ARG(0, 0, 0, 0, 4));
    add_move(TO_BUFFER(1, 0, 0, 4, WIRE_HAS(move, ret), .ret = 0));
    const struct wire_program_reply *r = run(2, 5, 6);
    cr_expect_eq(seen[0].args[0], 1);
    cr_expect_eq(seen[2].args[0], 1, "what call 1 returned");
    cr_expect_eq(seen[4].args[0], 3, "what call 3 returned");
    cr_expect_arr_eq(r->outs.items[0].ptr, "\5\0\0\0", 4);
}

Test(program, kept_results_of_the_last_round_or_of_every_round)
{
    begin(3);
    program->repeat = 2;
    KEEP(0), KEEP(2);
    program->results = WIRE_RESULTS_kept;
    run(2, 4, 6);
    begin(3);
    program->repeat = 2;
    KEEP(0), KEEP(2);
    program->results = WIRE_RESULTS_kept | WIRE_RESULTS_every_round;
    run(4, 1, 3, 4, 6);
    begin(2);
    program->repeat = 3;
    program->results = WIRE_RESULTS_every_round;
    run(6, 1, 2, 3, 4, 5, 6);
    begin(2);
    program->repeat = 3;
    program->results = WIRE_RESULTS_kept;
    cr_expect_eq(run(0)->rounds, 3);
    cr_expect_eq(rig->calls, 6);
}

Test(program, skipped_steps_of_every_round_have_their_bits)
{
    begin(3);
    program->repeat = 4;
    program->results = WIRE_RESULTS_every_round;
    FAIL(0, 2);
    give(0, -1); /* round 1 */
    give(5, -1); /* round 3 */
    const struct wire_program_reply *r = run(12, -1, 0, 2, 3, 4, 5, -1, 0, 7, 8, 9, 10);
    cr_assert_eq(r->skipped.len, 2);
    cr_expect(r->skipped.ptr[0] == 0x82 && r->skipped.ptr[1] == 0, "%02x %02x", r->skipped.ptr[0], r->skipped.ptr[1]);
}

Test(program, skips_of_an_earlier_round_or_program_are_forgotten)
{
    begin(2);
    program->repeat = 2;
    FAIL(0, 2);
    give(0, -1);
    cr_expect_eq(run(2, 2, 3)->has & WIRE_HAS(program_reply, skipped), 0);
    begin(2);
    FAIL(0, 3);
    give(0, -1);
    cr_expect_eq(run(2, -1, 0)->skipped.len, 1);
    begin(2);
    cr_expect_eq(run(2, 1, 2)->has & WIRE_HAS(program_reply, skipped), 0);
}

/* ---- refused ---- */

Test(program, without_the_capability_there_is_no_such_operation)
{
    struct any_message m;
    cr_assert(rig_hello(rig, &rig_minimum, &m));
    begin(1);
    refused(WIRE_ERR_UNKNOWN_OP, NULL);
    expect_alive(rig, "session");
}

Test(program, an_empty_program_no_round_and_unknown_results_are_refused)
{
    begin(0);
    refused(WIRE_ERR_BAD_FIELD, "steps");
    begin(1);
    program->has = WIRE_HAS(program_request, repeat);
    refused(WIRE_ERR_BAD_FIELD, "repeat");
    begin(1);
    program->results = 4;
    refused(WIRE_ERR_BAD_FIELD, "results");
}

Test(program, failures_lead_forward_only)
{
    static const uint32_t bad[] = {0, 1, 5, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin(3);
        FAIL(1, bad[i]);
        refused(WIRE_ERR_BAD_FIELD, "steps[1].fail");
    }
    begin(2);
    steps[1].has = WIRE_HAS(step, keep);
    steps[1].keep = 2;
    refused(WIRE_ERR_BAD_FIELD, "steps[1].keep");
}

static void refused_move(struct wire_move v, const char *path)
{
    begin(3);
    add_buffer(out(8));
    add_move((struct wire_move){.has = WIRE_HAS(move, arg), .step = 1});
    add_move(v);
    refused(WIRE_ERR_BAD_FIELD, path);
}

Test(program, a_bad_move_is_refused_with_its_field)
{
    enum { ARG = WIRE_HAS(move, arg), FROM = WIRE_HAS(move, from) | WIRE_HAS(move, at) };
    refused_move((struct wire_move){.has = ARG, .step = 3}, "moves[1].step");
    refused_move((struct wire_move){.has = ARG, .step = 0}, "moves[1].step");
    refused_move((struct wire_move){.has = ARG, .step = 1, .arg = 6}, "moves[1].arg");
    refused_move(RET_TO_ARG(1, 0, 1), "moves[1].ret");
    refused_move(RET_TO_ARG(1, 0, 2), "moves[1].ret");
    refused_move(BYTES_TO_ARG(1, 0, 1, 0, 4), "moves[1].from");
    refused_move(BYTES_TO_ARG(1, 0, 0, 5, 4), "moves[1].at");
    refused_move(BYTES_TO_ARG(1, 0, 0, UINT32_MAX, 4), "moves[1].at");
    refused_move(BYTES_TO_ARG(1, 0, 0, 0, 3), "moves[1].width");
    refused_move(BYTES_TO_ARG(1, 0, 0, 0, 0), "moves[1].width");
    refused_move(TO_BUFFER(1, 1, 0, 4, 0, .plus = 0), "moves[1].buffer");
    refused_move(TO_BUFFER(1, 0, 1, 8, 0, .plus = 0), "moves[1].offset");
    refused_move(TO_BUFFER(1, 0, 0, 8, WIRE_HAS(move, target), .target = 1), "moves[1].target");
    refused_move(TO_BUFFER(1, 0, 0, 8, WIRE_HAS(move, sign), .sign = 1), "moves[1].sign");
    refused_move(TO_BUFFER(1, 0, 0, 8, FROM | WIRE_HAS(move, sign), .sign = 2), "moves[1].sign");
    refused_move((struct wire_move){.has = ARG | WIRE_HAS(move, width), .step = 1, .width = 4}, "moves[1].width");
    refused_move((struct wire_move){.has = ARG | FROM, .step = 1}, "moves[1].width");
    refused_move((struct wire_move){.step = 1}, "moves[1]");
    refused_move(TO_BUFFER(1, 0, 0, 8, ARG, .arg = 0), "moves[1]");
    refused_move((struct wire_move){.has = ARG | WIRE_HAS(move, ret) | WIRE_HAS(move, target), .step = 1}, "moves[1]");
    refused_move((struct wire_move){.has = ARG | WIRE_HAS(move, at), .step = 1}, "moves[1]");
}

Test(program, a_spec_of_a_step_is_one_of_an_argument)
{
    begin(2);
    add_buffer(out(8));
    add_spec((struct wire_spec){.has = WIRE_HAS(spec, arg) | WIRE_HAS(spec, step), .step = 2});
    refused(WIRE_ERR_BAD_FIELD, "specs[0].step");
    specs[0] = (struct wire_spec){.has = WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset) | WIRE_HAS(spec, step)};
    refused(WIRE_ERR_BAD_FIELD, "specs[0].step");
    specs[0] = (struct wire_spec){.has = WIRE_HAS(spec, arg), .target = 1};
    refused(WIRE_ERR_BAD_FIELD, "specs[0].target");
}

Test(program, a_call_has_no_steps)
{
    cr_assert(rig_frame(rig, "96 00 02 10 00 00 83 00 27 02 91 82 00 08 02 00 03 91 83 00 00 01 00 0c 00"));
    expect_error(rig, 2, WIRE_ERR_UNKNOWN_FIELD, "specs[0]", "a step in a call");
}

Test(program, more_than_was_agreed_is_refused)
{
    begin(WIRE_MIN_STEPS + 1);
    refused(WIRE_ERR_LIMIT, "steps");
    begin(1);
    for (int i = 0; i < WIRE_MIN_MOVES + 1; i++)
        add_move((struct wire_move){.has = WIRE_HAS(move, arg)});
    refused(WIRE_ERR_LIMIT, "moves");
    begin(1);
    add_buffer(out(WIRE_MIN_MEMORY + 1));
    refused(WIRE_ERR_LIMIT, "buffers");
}

Test(program, results_that_would_not_fit_into_a_frame_are_refused)
{
    const uint32_t most = (WIRE_MIN_FRAME - 64 - 16 - 100) / 10;
    begin(2);
    add_buffer(out(100));
    program->results = WIRE_RESULTS_every_round;
    program->repeat = most / 2 + 1;
    refused(WIRE_ERR_LIMIT, "results");
    program->repeat = UINT32_MAX;
    refused(WIRE_ERR_LIMIT, "results");
    rig->during = NULL;
    rig->ret = INT64_MIN;
    program->repeat = most / 2;
    send_program();
    cr_assert(rig_answer(rig, &reply) && reply.record == ANY_program_reply);
    cr_expect_eq(reply.body.program_reply.rets.count, most / 2 * 2);
}

Test(wide_program, our_own_limits_are_reached)
{
    begin(AGENT_STEP_LIMIT);
    rig->during = NULL;
    program->results = WIRE_RESULTS_kept;
    for (uint32_t i = 0; i < AGENT_MOVE_LIMIT; i++) {
        steps[i].nr = 39;
        add_move((struct wire_move){.has = WIRE_HAS(move, arg), .step = i});
    }
    KEEP(AGENT_STEP_LIMIT - 1);
    rig->ret = 9;
    run(1, 9);
    cr_expect_eq(rig->calls, AGENT_STEP_LIMIT);
    begin(AGENT_STEP_LIMIT + 1);
    refused(WIRE_ERR_LIMIT, "steps");
}

Test(wide_program, what_would_harm_the_machine_is_refused_in_any_step)
{
    begin(3);
    steps[2].nr = SYS_reboot;
    refused(WIRE_ERR_DENIED, "steps[2].nr");
    begin(3);
    steps[1].nr = SYS_kill;
    add_move(RET_TO_ARG(1, 0, 0));
    refused(WIRE_ERR_DENIED, "steps[1].nr");
}
