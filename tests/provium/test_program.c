/* SPDX-License-Identifier: MIT
 *
 * libprovium/program.c: calls and values become one request, everything that is wrong is found before it is
 * sent, and a reply is what was asked for.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../libprovium/session_impl.h"
#include "../support/fake_agent.h"

/* What the agent saw, and what it answers before it hangs up. */
static struct wire_buffer buffers[16];
static struct wire_spec specs[16];
static struct wire_step steps[16];
static struct wire_move moves[16];
static struct wire_program_request seen;
static struct fake_bytes to_send;
static bool capable = true;

static void sends(struct fake *f)
{
    static struct wire_bytes cap = {(const uint8_t *)"program", 7};
    size_t at;
    f->hello.caps = (struct wire_list){&cap, capable, 1};
    f->hello.has = WIRE_HAS(hello_reply, step_limit) | WIRE_HAS(hello_reply, move_limit);
    f->hello.step_limit = f->hello.move_limit = WIRE_MIN_STEPS;
    fake_open(f);
    if (!fake_request(f))
        return;
    seen = (struct wire_program_request){
        .buffers = {buffers, 0, 16}, .specs = {specs, 0, 16}, .steps = {steps, 0, 16}, .moves = {moves, 0, 16}};
    fake_expect(f, f->request.code == WIRE_OP_program);
    fake_expect(f, f->request.generation == 1);
    fake_expect(f, wire_decode_program_request(f->request.body, &seen, &at) == WIRE_OK);
    fake_send(f, to_send);
    fake_hang_up(f);
}

/* Envelope and length around a body of a program's reply; its id is 2: hello was 1. */
static struct fake_bytes reply_of(const char *hex)
{
    struct fake_bytes b = fake_joined(fake_raw("00 00 00 00 96 01 02 11 00 01"), fake_raw(hex));
    b.at[2] = (uint8_t)((b.len - 4) >> 8);
    b.at[3] = (uint8_t)(b.len - 4);
    return b;
}

/* ---- a program: two steps with memory, and some of its own ---- */

static const struct provium_buffer own = {.data = "own!", .len = 4};
static const struct provium_buffer argument = {.arg = 1, .data = "0123456789abcdef", .len = 16};
static const struct provium_ptr pointers[] = {
    {.buf_idx = 1, .ptr_offset = 8, .data_len = 3, .output = true},
    {.buf_idx = 1, .ptr_offset = 0, .data_len = 2, .data = "xy", .data_size = 2}};
static const struct provium_call with_memory = {
    .nr = 7, .bufs = &argument, .buf_count = 1, .ptrs = pointers, .ptr_count = 2};
static const int64_t two_args[] = {5, -1};

static struct provium_step two_steps[2];
static struct provium_move all_moves[3];
static struct provium_program program;

static void setup(void)
{
    capable = true;
    two_steps[0] = (struct provium_step){.call = with_memory, .fail = PROVIUM_STOP};
    two_steps[1] = (struct provium_step){.call = with_memory, .keep = true};
    two_steps[1].call.args = two_args;
    two_steps[1].call.arg_count = 2;
    all_moves[0] = (struct provium_move){.step = 0,
                                         .into_memory = true,
                                         .to = {.of = PROVIUM_OF_PROGRAM, .offset = 2},
                                         .width = 2,
                                         .value = PROVIUM_VALUE_BYTES,
                                         .is_signed = true,
                                         .from = {.of = PROVIUM_OF_PTR, .step = 1, .index = 1}};
    all_moves[1] = (struct provium_move){.step = 1, .arg = 0, .value = PROVIUM_VALUE_RET, .ret = 0, .plus = 9};
    all_moves[2] = (struct provium_move){.step = 1,
                                         .into_memory = true,
                                         .to = {.of = PROVIUM_OF_ARG, .step = 1, .index = 1, .offset = 8},
                                         .width = 8,
                                         .value = PROVIUM_VALUE_ADDRESS,
                                         .from = {.of = PROVIUM_OF_PROGRAM, .offset = 1}};
    program = (struct provium_program){.caller = "two",
                                       .bufs = &own,
                                       .buf_count = 1,
                                       .steps = two_steps,
                                       .step_count = 2,
                                       .moves = all_moves,
                                       .move_count = 3};
}

TestSuite(program, .init = setup, .timeout = 20);

static enum provium_status answered(const char *reply, struct provium_program_result *result, char *text)
{
    struct fake f;
    to_send = reply_of(reply);
    struct provium_session *s = fake_session(&f, sends);
    enum provium_status status = provium_program(s, &program, result);
    if (status == PROVIUM_OK && result->ended == PROVIUM_RETURNED) {
        cr_assert_eq(result->out_count, 5);
        cr_expect(result->first_out[0] == 1 && result->first_out[1] == 3 && result->first_out[2] == 5);
    }
    strcpy(text, provium_session_error(s)->text);
    fake_end(&f, s);
    return status;
}

#define OUTS \
    "02 95 c4 04 6f776e21 c4 10 00000000000000000000000000000000 c4 03 616263 " \
    "c4 10 00000000000000000000000000000000 c4 03 646566"

Test(program, calls_are_joined_to_one_request)
{
    struct provium_program_result r;
    char text[PROVIUM_ERROR_MAX];
    cr_assert_eq(answered("83 00 92 07 08" OUTS "03 01", &r, text), PROVIUM_OK, "%s", text);
    cr_expect_eq(seen.buffers.count, 7);
    cr_expect(buffers[0].len == 4 && buffers[1].len == 16 && buffers[2].len == 3 && buffers[6].len == 2);
    cr_expect(buffers[2].dir == WIRE_DIR_out && buffers[6].dir == WIRE_DIR_in);
    cr_assert_eq(seen.specs.count, 6);
    cr_expect((specs[0].has & WIRE_HAS(spec, step)) == 0 && specs[0].target == 1 && specs[0].arg == 1);
    cr_expect(specs[1].buffer == 1 && specs[1].target == 2 && specs[1].offset == 8);
    cr_expect((specs[3].has & WIRE_HAS(spec, step)) != 0 && specs[3].target == 4 && specs[3].step == 1);
    cr_expect(specs[5].buffer == 4 && specs[5].target == 6 && specs[5].offset == 0);
    cr_assert_eq(seen.steps.count, 2);
    cr_expect(steps[0].nr == 7 && steps[0].has == (WIRE_HAS(step, fail) | 1) && steps[0].fail == 3);
    cr_expect(steps[1].args.count == 2 && steps[1].args.at[1] == -1 && steps[1].keep == 1);
}

Test(program, moves_name_memory_by_its_place_in_the_request)
{
    struct provium_program_result r;
    char text[PROVIUM_ERROR_MAX];
    cr_assert_eq(answered("83 00 92 07 08" OUTS "03 01", &r, text), PROVIUM_OK, "%s", text);
    cr_assert_eq(seen.moves.count, 3);
    cr_expect(moves[0].buffer == 0 && moves[0].offset == 2 && moves[0].from == 6 && moves[0].at == 0 &&
              moves[0].width == 2 && moves[0].sign == 1);
    cr_expect(moves[1].step == 1 && (moves[1].has & WIRE_HAS(move, ret)) && moves[1].ret == 0 && moves[1].plus == 9);
    cr_expect_eq(moves[1].has & WIRE_HAS(move, width), 0);
    cr_expect(moves[2].buffer == 4 && moves[2].offset == 8 && moves[2].target == 0 && moves[2].plus == 1);
}

Test(program, results_and_outputs_come_by_step)
{
    struct provium_program_result r;
    struct fake f;
    to_send = reply_of("84 00 92 f2 00 01 c4 01 02" OUTS "03 01");
    struct provium_session *s = fake_session(&f, sends);
    cr_assert_eq(provium_program(s, &program, &r), PROVIUM_OK);
    cr_expect(r.ret_count == 2 && r.rets[0] == -14 && r.skipped != NULL && r.skipped[0] == 2);
    cr_expect_arr_eq(r.outs[0].ptr, "own!", 4);
    cr_expect_arr_eq(r.outs[r.first_out[0] + 1].ptr, "abc", 3);
    cr_expect_arr_eq(r.outs[r.first_out[1] + 1].ptr, "def", 3);
    cr_expect(r.executed && r.rounds == 1);
    fake_end(&f, s);
}

Test(program, outputs_of_steps_that_are_not_kept_stay_away)
{
    struct provium_program_result r;
    struct fake f;
    to_send = reply_of("83 00 91 08 02 93 c4 04 6f776e21 c4 10 00000000000000000000000000000000 c4 03 646566 03 01");
    program.only_kept = true;
    struct provium_session *s = fake_session(&f, sends);
    cr_assert_eq(provium_program(s, &program, &r), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect(r.ret_count == 1 && r.outs[1].ptr == NULL && r.outs[2].ptr == NULL && r.outs[3].len == 16);
    cr_expect_eq(seen.results, WIRE_RESULTS_kept);
    cr_expect_eq(buffers[1].dir, WIRE_DIR_in);
    fake_end(&f, s);
}

Test(program, a_reply_that_is_not_what_was_asked_for_ends_the_session)
{
    static const char *const bad[] = {
        "82" OUTS "03 01",                            /* no results */
        "83 00 91 07" OUTS "03 01",                   /* too few */
        "83 00 93 07 07 07" OUTS "03 01",             /* too many */
        "83 00 92 07 08" OUTS "03 02",                /* more rounds than asked for */
        "83 00 92 07 08" OUTS "03 00",                /* none */
        "82 00 92 07 08 03 01",                       /* no outputs */
        "84 00 92 07 08 01 c4 02 00 00" OUTS "03 01", /* skips of other results */
        "84 00 92 07 08" OUTS "03 01 04 01",          /* ended, with outputs */
        "84 00 92 07 00 03 01 04 05 08 00",           /* in a way that nobody knows */
        "84 00 92 07 00 03 01 04 01 08 02",           /* at a step that there is not */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct provium_program_result r;
        char text[PROVIUM_ERROR_MAX];
        cr_expect_eq(answered(bad[i], &r, text), PROVIUM_E_PROTOCOL, "%s", bad[i]);
        cr_expect_eq(strncmp(text, "two: the agent's reply ", 23), 0, "%s", text);
    }
}

Test(program, a_step_that_never_returned_is_told_with_what_came_before)
{
    struct provium_program_result r;
    struct fake f;
    to_send = reply_of("87 00 92 07 00 01 c4 01 02 03 01 04 03 06 09 07 05 08 01");
    struct provium_session *s = fake_session(&f, sends);
    cr_assert_eq(provium_program(s, &program, &r), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect(r.ended == PROVIUM_KILLED && r.signal == 9 && r.step == 1 && r.executed);
    cr_expect(r.ret_count == 2 && r.rets[0] == 7 && r.skipped[0] == 2);
    cr_expect(r.out_count == 5 && r.outs[0].ptr == NULL && r.outs[4].ptr == NULL);
    cr_expect_eq(s->generation, 5);
    fake_end(&f, s);
}

/* ---- refused before anything is sent ---- */

static void serves_nothing(struct fake *f)
{
    sends(f);
    fake_expect(f, f->over);
}

static void expect_refused(enum provium_status status, const char *text)
{
    struct provium_program_result r;
    struct fake f;
    struct provium_session *s = fake_session(&f, serves_nothing);
    size_t sent = f.received;
    cr_expect_eq(provium_program(s, &program, &r), status);
    cr_expect_str_eq(provium_session_error(s)->text, text);
    (void)sent;
    fake_end(&f, s);
    setup();
}

Test(program, nonsense_is_refused_with_its_place)
{
    program.step_count = 0;
    expect_refused(PROVIUM_E_ARGUMENT, "two: a program has at least one step");
    two_steps[1].call.arg_count = 7;
    expect_refused(PROVIUM_E_ARGUMENT, "two: steps[1]: 7 arguments; a system call takes at most six");
    two_steps[1].fail = 1;
    expect_refused(PROVIUM_E_ARGUMENT, "two: steps[1].fail: 1 is no later step");
    two_steps[0].fail = 2;
    expect_refused(PROVIUM_E_ARGUMENT, "two: steps[0].fail: 2 is no later step");
    all_moves[2].step = 2;
    expect_refused(PROVIUM_E_ARGUMENT, "two: moves[2].step: 2 is no step");
    all_moves[2].step = 0;
    expect_refused(PROVIUM_E_ARGUMENT, "two: moves[2].step: 0 is less than that of the move before");
    all_moves[1].ret = 1;
    expect_refused(PROVIUM_E_ARGUMENT, "two: moves[1].ret: 1 is no earlier step");
    all_moves[1].arg = 6;
    expect_refused(PROVIUM_E_ARGUMENT, "two: moves[1].arg: 6 is not an argument index (0 to 5)");
    all_moves[2].to.offset = 9;
    expect_refused(PROVIUM_E_ARGUMENT, "two: moves[2].offset: 9 + 8 exceeds the buffer (16 bytes)");
    all_moves[0].width = 3;
    expect_refused(PROVIUM_E_ARGUMENT, "two: moves[0].width: 3 is not 1, 2, 4 or 8");
    all_moves[0].to.index = 1;
    expect_refused(PROVIUM_E_ARGUMENT, "two: moves[0]: no such buffer");
    all_moves[2].from = (struct provium_where){.of = PROVIUM_OF_ARG, .step = 1, .index = 0};
    expect_refused(PROVIUM_E_ARGUMENT, "two: moves[2]: no such buffer");
    program.first = 1;
    all_moves[0].from.step = 7;
    expect_refused(PROVIUM_E_ARGUMENT, "two: moves[1]: no such buffer");
}

Test(program, more_than_was_agreed_is_refused)
{
    static struct provium_step many[WIRE_MIN_STEPS + 1];
    program.steps = many;
    program.step_count = WIRE_MIN_STEPS + 1;
    expect_refused(PROVIUM_E_LIMIT, "two: 65 steps and 3 moves exceed the agreed 64 and 64");
    for (size_t i = 0; i < 32; i++)
        many[i].call = with_memory;
    program.steps = many;
    program.step_count = 32;
    program.move_count = 0;
    expect_refused(PROVIUM_E_LIMIT, "two: steps[21]: more than 64 buffers or 64 pointers in all");
    program.every_round = true;
    program.repeat = 10000;
    expect_refused(PROVIUM_E_LIMIT,
                   "two: 122 bytes of returned buffers and 20000 results exceed the agreed frame of 65536");
}

Test(program, an_agent_without_the_capability_is_told_apart)
{
    capable = false;
    struct provium_program_result r;
    struct fake f;
    struct provium_session *s = fake_session(&f, sends);
    cr_expect_eq(provium_program(s, &program, &r), PROVIUM_E_ARGUMENT);
    cr_expect_str_eq(provium_session_error(s)->text, "two: this agent cannot: it lacks the capability program");
    fake_end(&f, s);
}

Test(program, room_for_large_programs_is_kept_and_freed)
{
    struct provium_session *s = provium_session_new();
    struct provium_program_result r;
    cr_expect_eq(provium_program(s, &program, &r), PROVIUM_E_STATE);
    provium_session_free(s);
}
