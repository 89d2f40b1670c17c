/* SPDX-License-Identifier: MIT
 *
 * Programs that a real agent gives to the real kernel, and those that end their executor.
 */
#include <errno.h>
#include <fcntl.h>

#include "one_agent.h"

static struct wire_step steps[8];
static struct wire_move moves[8];

static struct wire_move ret_to_arg(uint32_t step, uint8_t arg, uint32_t ret)
{
    return (struct wire_move){.has = WIRE_HAS(move, arg) | WIRE_HAS(move, ret), .step = step, .arg = arg, .ret = ret};
}

static struct wire_move int_to_arg(uint32_t step, uint8_t arg, uint32_t buffer, uint32_t at)
{
    return (struct wire_move){.has = WIRE_HAS(move, arg) | WIRE_HAS(move, from) | WIRE_HAS(move, at) |
                                     WIRE_HAS(move, width),
                              .step = step,
                              .arg = arg,
                              .from = buffer,
                              .at = at,
                              .width = 4};
}

static struct wire_spec to_arg_of(uint32_t target, uint32_t step, uint8_t arg)
{
    struct wire_spec s = to_arg(target, arg);
    s.has |= WIRE_HAS(spec, step);
    s.step = step;
    return s;
}

#define STEP(nr_, ...) \
    (struct wire_step) \
    { \
        .has = WIRE_HAS(step, args), .nr = nr_, .args = ARGS(__VA_ARGS__) \
    }

/* How many of each list. */
struct counts {
    uint32_t buffers, specs, steps, moves, repeat;
};

static const struct wire_program_reply *run(struct counts n)
{
    struct any_message m = {.envelope = {.kind = WIRE_REQUEST, .id = ++agent.next_id, .code = WIRE_OP_program},
                            .record = ANY_program_request};
    struct wire_program_request *p = &m.body.program_request;
    *p = (struct wire_program_request){.has = WIRE_HAS(program_request, repeat) | WIRE_HAS(program_request, buffers) |
                                              WIRE_HAS(program_request, specs) | WIRE_HAS(program_request, moves),
                                       .buffers = {buffers, n.buffers, 8},
                                       .specs = {specs, n.specs, 8},
                                       .steps = {steps, n.steps, 8},
                                       .moves = {moves, n.moves, 8},
                                       .repeat = n.repeat > 0 ? n.repeat : 1};
    cr_assert(child_send(&agent, &m));
    cr_assert(child_next(&agent, &reply, AGENT_PROCESS_MS));
    cr_assert_eq(reply.record, ANY_program_reply, "refused");
    if (reply.body.program_reply.fresh != 0)
        agent.generation = reply.body.program_reply.fresh;
    return &reply.body.program_reply;
}

AgentTest(program_run, a_file_is_made_written_read_and_closed)
{
    buffers[0] = in("m", 2);
    buffers[1] = in("hello", 5);
    buffers[2] = (struct wire_buffer){.len = 8, .dir = WIRE_DIR_out};
    steps[0] = STEP(SYS_memfd_create, 0, 0);
    steps[1] = STEP(SYS_write, 0, 0, 5);
    steps[2] = STEP(SYS_pread64, 0, 0, 8, 1);
    steps[3] = STEP(SYS_close, 0);
    steps[4] = STEP(SYS_close, 0);
    for (uint32_t i = 1; i < 5; i++)
        moves[i - 1] = ret_to_arg(i, 0, 0);
    specs[0] = to_arg_of(0, 0, 0);
    specs[1] = to_arg_of(1, 1, 1);
    specs[2] = to_arg_of(2, 2, 1);
    const int64_t rets[] = {3, 5, 4, 0, -EBADF};
    const struct wire_program_reply *r = run((struct counts){3, 3, 5, 4, 0});
    cr_assert_eq(r->rets.count, 5);
    cr_expect_arr_eq(r->rets.items, rets, sizeof rets);
    cr_assert_eq(r->outs.count, 1);
    cr_expect_arr_eq(r->outs.items[0].ptr, "ello\0\0\0\0", 8);
}

AgentTest(program_run, descriptors_that_the_kernel_wrote_are_used)
{
    buffers[0] = (struct wire_buffer){.len = 8, .dir = WIRE_DIR_out};
    buffers[1] = in("through", 7);
    buffers[2] = (struct wire_buffer){.len = 7, .dir = WIRE_DIR_out};
    steps[0] = STEP(SYS_pipe2, 0, 0);
    steps[1] = STEP(SYS_write, 0, 0, 7);
    steps[2] = STEP(SYS_read, 0, 0, 7);
    steps[3] = STEP(SYS_close, 0);
    steps[4] = STEP(SYS_close, 0);
    specs[0] = to_arg_of(0, 0, 0);
    specs[1] = to_arg_of(1, 1, 1);
    specs[2] = to_arg_of(2, 2, 1);
    moves[0] = int_to_arg(1, 0, 0, 4);
    moves[1] = int_to_arg(2, 0, 0, 0);
    moves[2] = int_to_arg(3, 0, 0, 0);
    moves[3] = int_to_arg(4, 0, 0, 4);
    for (int i = 0; i < 2; i++) { /* descriptors do not pile up */
        const struct wire_program_reply *r = run((struct counts){3, 3, 5, 4, 100});
        const int64_t rets[] = {0, 7, 7, 0, 0};
        cr_assert_eq(r->rets.count, 5);
        cr_expect_arr_eq(r->rets.items, rets, sizeof rets);
        cr_expect_eq(r->rounds, 100);
        cr_expect_arr_eq(r->outs.items[0].ptr, "\3\0\0\0\4\0\0\0", 8);
        cr_expect_arr_eq(r->outs.items[1].ptr, "through", 7);
    }
}

/* ---- steps that never return ---- */

AgentTest(program_run, a_step_that_exits_leaves_what_earlier_ones_returned)
{
    steps[0] = STEP(SYS_dup, 0);
    steps[1] = STEP(SYS_close, 99);
    steps[2] = STEP(SYS_exit_group, 7);
    steps[3] = STEP(SYS_getpid, 0);
    const struct wire_program_reply *r = run((struct counts){0, 0, 4, 0, 0});
    const int64_t rets[] = {3, -EBADF, 0, 0};
    cr_expect_eq(r->ended, WIRE_ENDED_exited);
    cr_expect_eq(r->status, 7);
    cr_expect_eq(r->step, 2);
    cr_expect_eq(r->rounds, 1);
    cr_expect_eq(r->has & (WIRE_HAS(program_reply, outs) | WIRE_HAS(program_reply, signal)), 0);
    cr_assert_eq(r->rets.count, 4);
    cr_expect_arr_eq(r->rets.items, rets, sizeof rets);
    cr_assert_eq(r->skipped.len, 1);
    cr_expect_eq(r->skipped.ptr[0], 0x0c);
    cr_expect_eq(r->fresh, reply.envelope.generation + 1);
    cr_expect_gt(CALL(SYS_getpid, 0), 0, "the next executor works");
    cr_expect_eq(CALL(SYS_dup, 0), 3, "with descriptors of its own");
}

/* The pipe is full in round 4,097: its write of 16 bytes blocks, and the alarm ends it. */
AgentTest(program_run, the_round_and_step_of_a_death_are_told)
{
    buffers[0] = (struct wire_buffer){.len = 8, .dir = WIRE_DIR_both};
    buffers[1] = in("0123456789abcdef", 16);
    specs[0] = to_arg_of(0, 0, 0);
    steps[0] = STEP(SYS_pipe2, 0, 0);
    run((struct counts){1, 1, 1, 0, 0});
    specs[0] = to_arg_of(0, 1, 1);
    buffers[0] = buffers[1];
    steps[0] = STEP(SYS_alarm, 1);
    steps[1] = STEP(SYS_write, 4, 0, 16);
    const struct wire_program_reply *r = run((struct counts){1, 1, 2, 0, 100000});
    cr_expect_eq(r->ended, WIRE_ENDED_killed);
    cr_expect_eq(r->signal, SIGALRM);
    cr_expect_eq(r->rounds, 4097);
    cr_expect_eq(r->step, 1);
    cr_expect(r->rets.count == 2 && r->skipped.len == 1 && r->skipped.ptr[0] == 2);
}

AgentTest(program_run, a_move_into_memory_that_a_step_took_away_ends_the_executor)
{
    buffers[0] = (struct wire_buffer){.len = 4096, .dir = WIRE_DIR_none};
    specs[0] = to_arg_of(0, 0, 0);
    steps[0] = STEP(SYS_munmap, 0, 4096);
    steps[1] = STEP(SYS_getpid, 0);
    moves[0] = (struct wire_move){
        .has = WIRE_HAS(move, buffer) | WIRE_HAS(move, offset) | WIRE_HAS(move, width), .step = 1, .width = 8};
    const struct wire_program_reply *r = run((struct counts){1, 1, 2, 1, 0});
    cr_expect_eq(r->ended, WIRE_ENDED_killed);
    cr_expect_eq(r->signal, SIGSEGV);
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
}

AgentTest(program_run, an_execve_in_a_program_is_told_as_one)
{
    buffers[0] = in("/bin/true", 10);
    specs[0] = to_arg_of(0, 1, 0);
    steps[0] = STEP(SYS_getpid, 0);
    steps[1] = STEP(SYS_execve, 0, 0, 0);
    const struct wire_program_reply *r = run((struct counts){1, 1, 2, 0, 0});
    cr_expect_eq(r->ended, WIRE_ENDED_execed);
    cr_expect_eq(r->status, 0);
    cr_expect_eq(r->step, 1);
}

AgentTest(program_run, a_child_does_not_go_on_with_the_program)
{
    steps[0] = STEP(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    steps[1] = STEP(SYS_wait4, 0, 0, 0, 0);
    steps[2] = STEP(SYS_umask, 022);
    moves[0] = ret_to_arg(1, 0, 0);
    const struct wire_program_reply *r = run((struct counts){0, 0, 3, 1, 0});
    cr_assert_eq(r->rets.count, 3);
    cr_expect_gt(r->rets.items[0], 0);
    cr_expect_eq(r->rets.items[1], r->rets.items[0]);
    cr_expect_eq(CALL(SYS_umask, 022), 022, "answered once, and the next call works");
}

/* ---- what the agent keeps ---- */

AgentTest(program_run, the_script_s_signal_mask_holds_in_all_steps_and_after_them)
{
    uint64_t mask = UINT64_C(1) << (SIGUSR1 - 1);
    int64_t pid = CALL(SYS_getpid, 0);
    buffers[0] = in(&mask, 8);
    specs[0] = to_arg_of(0, 0, 1);
    steps[0] = STEP(SYS_rt_sigprocmask, SIG_SETMASK, 0, 0, 8);
    steps[1] = STEP(SYS_tgkill, pid, pid, SIGUSR1);
    steps[2] = STEP(SYS_getpid, 0);
    const struct wire_program_reply *r = run((struct counts){1, 1, 3, 0, 0});
    cr_expect_eq(r->has & WIRE_HAS(program_reply, ended), 0, "SIGUSR1 waits");
    cr_expect_eq(CALL(SYS_getpid, 0), pid, "and goes on waiting");
    mask = 0;
    r = run((struct counts){1, 1, 3, 0, 0});
    cr_expect_eq(r->ended, WIRE_ENDED_killed);
    cr_expect_eq(r->signal, SIGUSR1);
}
