/* SPDX-License-Identifier: MIT
 *
 * One real agent of a test: how it starts and ends, and calls to it.  Each test file
 * that includes this has its own.
 */
#ifndef TEST_AGENT_ONE_AGENT_H
#define TEST_AGENT_ONE_AGENT_H

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../support/agent_process.h"
#include "../support/process.h"

static struct agent_process agent;
static struct any_message reply; /* the last answer */

/* Orphans become our children, so that a test can count them. */
static inline void setup(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGPIPE, SIG_IGN);
}

/* It ends by itself when the channel does, with 0, and leaves nobody behind. */
static inline void expect_clean_end(void)
{
    cr_expect_eq(child_finish(&agent), 0);
    for (int i = 0; i < 500 && !no_children(); i++)
        usleep(2000);
    cr_expect(no_children(), "a process is left");
}

/* A test of an agent that has said hello, and that must end well afterwards. */
#define AgentTest(suite, name) \
    static void name(void); \
    Test(suite, name, .init = setup, .timeout = 20) \
    { \
        cr_assert(child_start(&agent), "%s does not answer", child_binary()); \
        name(); \
        expect_clean_end(); \
    } \
    static void name(void)

#define ARGS(...) \
    (struct wire_words) \
    { \
        sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), \
        { \
            __VA_ARGS__ \
        } \
    }
#define CALL(nr, ...) call(nr, ARGS(__VA_ARGS__))

/* The reply of a call that returned; everything else fails the test. */
static inline int64_t call(int64_t nr, struct wire_words args)
{
    cr_assert(child_call(&agent, nr, args, &reply), "system call %lld: no answer", (long long)nr);
    cr_assert_eq(reply.record, ANY_call_reply, "system call %lld: refused", (long long)nr);
    cr_assert_eq(reply.body.call_reply.has & WIRE_HAS(call_reply, ended), 0, "system call %lld: ended", (long long)nr);
    return reply.body.call_reply.ret;
}

/* ---- calls with memory ---- */

static struct wire_buffer buffers[8];
static struct wire_spec specs[8];

static inline struct wire_buffer in(const void *bytes, uint32_t len)
{
    return (struct wire_buffer){.has = WIRE_HAS(buffer, data), .len = len, .data = {bytes, len}, .dir = WIRE_DIR_in};
}

static inline struct wire_spec to_arg(uint32_t target, uint8_t arg)
{
    return (struct wire_spec){.has = WIRE_HAS(spec, arg), .target = target, .arg = arg};
}

static inline struct wire_spec to_buffer(uint32_t target, uint32_t buffer, uint32_t offset)
{
    return (struct wire_spec){
        .has = WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset), .target = target, .buffer = buffer, .offset = offset};
}

static inline void send_memory(int64_t nr, struct wire_words args, uint32_t buffer_count, uint32_t spec_count)
{
    struct any_message m = {.envelope = {.kind = WIRE_REQUEST, .id = ++agent.next_id, .code = WIRE_OP_call},
                            .record = ANY_call_request};
    m.body.call_request = (struct wire_call_request){
        .has = WIRE_HAS(call_request, args) | WIRE_HAS(call_request, buffers) | WIRE_HAS(call_request, specs),
        .nr = nr,
        .args = args,
        .buffers = {buffers, buffer_count, 8},
        .specs = {specs, spec_count, 8}};
    cr_assert(child_send(&agent, &m));
}

/* With the first so many of the buffers and specs. */
static inline void call_memory(int64_t nr, struct wire_words args, uint32_t buffer_count, uint32_t spec_count)
{
    send_memory(nr, args, buffer_count, spec_count);
    cr_assert(child_next(&agent, &reply, AGENT_PROCESS_MS));
    cr_assert_eq(reply.record, ANY_call_reply);
}

#endif
