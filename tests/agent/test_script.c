/* SPDX-License-Identifier: MIT
 *
 * What a script's calls find: descriptors, memory, pointers, and what is denied.
 */
#include <errno.h>

#include "one_agent.h"

AgentTest(script, what_would_end_the_machine_is_denied_and_not_executed)
{
    cr_assert(
        child_call(&agent, SYS_reboot, (struct wire_words){1, {0}}, &reply)); /* not its magic: harmless if executed */
    cr_expect(reply.record == ANY_error && reply.envelope.code == WIRE_ERR_DENIED);
    cr_expect_eq(reply.body.error.executed, WIRE_EXECUTED_no);
    cr_assert(child_call(&agent, SYS_kill, (struct wire_words){2, {-1, 0}}, &reply)); /* signal 0: the same */
    cr_expect(reply.record == ANY_error && reply.envelope.code == WIRE_ERR_DENIED);
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
}

AgentTest(script, the_first_new_descriptor_is_3)
{
    cr_expect_eq(CALL(SYS_dup, 0), 3);
    cr_expect_eq(CALL(SYS_dup, 0), 4);
    cr_expect_eq(CALL(SYS_close, 3), 0);
    cr_expect_eq(CALL(SYS_epoll_create1, 0), 3);
    cr_assert(child_call(&agent, SYS_exit_group, (struct wire_words){1, {0}}, &reply));
    cr_expect_eq(CALL(SYS_dup, 0), 3, "and again in the next executor");
}

AgentTest(script, standard_input_is_empty_and_output_does_not_reach_the_channel)
{
    char text[16] = "";
    cr_expect_eq(CALL(SYS_read, 0, 0, 0), 0);
    buffers[0] = in("said\n", 5);
    specs[0] = to_arg(0, 1);
    call_memory(SYS_write, ARGS(1, 0, 5), 1, 1);
    cr_expect_eq(reply.body.call_reply.ret, 5);
    cr_expect_eq(read(agent.err, text, sizeof text - 1), 5);
    cr_expect_str_eq(text, "said\n", "standard output is standard error");
}

AgentTest(script, what_a_call_leaves_behind_is_there_in_the_next)
{
    cr_expect_geq(CALL(SYS_umask, 0123), 0);
    cr_expect_eq(CALL(SYS_umask, 022), 0123);
    int64_t pid = CALL(SYS_getpid, 0);
    cr_expect_eq(CALL(SYS_gettid, 0), pid);
    cr_expect_eq(CALL(SYS_gettid, 0), pid);
}

/* A struct iovec[2] in buffer 2, whose pointers are buffers 0 and 1. */
static void set_vector(uint8_t dir, uint64_t first_len, uint64_t second_len)
{
    static uint64_t vector[4]; /* iov_base, iov_len, twice */
    vector[1] = first_len;
    vector[3] = second_len;
    buffers[2] = in(vector, sizeof vector);
    buffers[2].dir = dir;
    specs[0] = to_buffer(0, 2, 0);
    specs[1] = to_buffer(1, 2, 16);
    specs[2] = to_arg(2, 1);
}

AgentTest(script, the_kernel_follows_embedded_pointers)
{
    buffers[0] = in("name", 5);
    specs[0] = to_arg(0, 0);
    call_memory(SYS_memfd_create, ARGS(0), 1, 1);
    cr_assert_eq(reply.body.call_reply.ret, 3);

    buffers[0] = in("hello ", 6);
    buffers[1] = in("world", 5);
    set_vector(WIRE_DIR_in, 6, 5);
    call_memory(SYS_writev, ARGS(3, 0, 2), 3, 3);
    cr_expect_eq(reply.body.call_reply.ret, 11);
    cr_expect_eq(CALL(SYS_lseek, 3, 0, SEEK_SET), 0);

    buffers[0] = (struct wire_buffer){.len = 4, .dir = WIRE_DIR_out};
    buffers[1] = (struct wire_buffer){.len = 9, .dir = WIRE_DIR_out};
    set_vector(WIRE_DIR_in, 4, 9);
    call_memory(SYS_readv, ARGS(3, 0, 2), 3, 3);
    cr_expect_eq(reply.body.call_reply.ret, 11);
    const struct wire_list *outs = &reply.body.call_reply.outs;
    cr_assert(outs->count == 2 && outs->items[0].len == 4 && outs->items[1].len == 9);
    cr_expect_arr_eq(outs->items[0].ptr, "hell", 4);
    cr_expect_arr_eq(outs->items[1].ptr, "o world\0\0", 9);
}

AgentTest(script, a_buffer_that_is_one_byte_too_short_is_a_fault_and_not_silence)
{
    int64_t fd = CALL(SYS_eventfd2, 7, 0); /* reads 8 bytes */
    buffers[0] = (struct wire_buffer){.len = 7, .dir = WIRE_DIR_out};
    specs[0] = to_arg(0, 1);
    call_memory(SYS_read, ARGS(fd, 0, 8), 1, 1);
    cr_expect_eq(reply.body.call_reply.ret, -EFAULT);
}

AgentTest(script, a_wrong_address_and_a_wrong_number_are_values)
{
    cr_expect_eq(CALL(SYS_uname, 0), -EFAULT);
    cr_expect_eq(CALL(99999, 0), -ENOSYS);
    cr_expect_eq(CALL(SYS_close, -1), -EBADF);
}
