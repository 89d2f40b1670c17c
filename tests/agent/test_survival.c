/* SPDX-License-Identifier: MIT
 *
 * The real agent when its executor ends: every call is answered, and the next one works.
 */
#include <dirent.h>
#include <errno.h>

#include "one_agent.h"

/* The call never returned; it ended like this, and the next one works in a new generation. */
static void expect_ended(enum wire_ended ended, uint32_t status, uint32_t signal)
{
    const struct wire_call_reply *r = &reply.body.call_reply;
    uint32_t generation = reply.envelope.generation;
    cr_assert_eq(reply.record, ANY_call_reply);
    cr_expect_eq(r->ended, ended, "ended %u", r->ended);
    cr_expect_eq(r->status, status, "status %u", r->status);
    cr_expect_eq(r->signal, signal, "signal %u", r->signal);
    cr_expect_eq(r->has & (WIRE_HAS(call_reply, ret) | WIRE_HAS(call_reply, outs)), 0);
    cr_expect_eq((r->has & WIRE_HAS(call_reply, signal)) != 0, signal != 0);
    cr_expect_eq(r->fresh, generation + 1);
    agent.generation = r->fresh;
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
    cr_expect_eq(reply.envelope.generation, generation + 1);
    agent.generation = generation;
    cr_assert(child_call(&agent, SYS_getpid, (struct wire_words){0, {0}}, &reply));
    cr_expect(reply.record == ANY_error && reply.envelope.code == WIRE_ERR_WORKER_REPLACED,
              "the old generation is refused");
    agent.generation = generation + 1;
}

/* ---- what it survives ---- */

AgentTest(survival, survives_exit)
{
    for (uint32_t status = 0; status < 3; status++) {
        cr_assert(child_call(&agent, SYS_exit_group, (struct wire_words){1, {status}}, &reply));
        expect_ended(WIRE_ENDED_exited, status, 0);
        cr_assert(child_call(&agent, SYS_exit, (struct wire_words){1, {status + 7}}, &reply));
        expect_ended(WIRE_ENDED_exited, status + 7, 0);
    }
}

AgentTest(survival, survives_signals)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGALRM, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        int64_t pid = CALL(SYS_getpid, 0);
        cr_assert(child_call(&agent, SYS_kill, (struct wire_words){2, {pid, signals[i]}}, &reply));
        expect_ended(WIRE_ENDED_killed, 0, (uint32_t)signals[i]);
    }
}

AgentTest(survival, survives_a_fault)
{
    cr_assert(child_call(&agent, SYS_rt_sigreturn, (struct wire_words){0, {0}}, &reply)); /* there is no signal frame */
    expect_ended(WIRE_ENDED_killed, 0, SIGSEGV);
}

AgentTest(survival, survives_a_stop)
{
    int64_t pid = CALL(SYS_getpid, 0);
    cr_assert(child_call(&agent, SYS_kill, (struct wire_words){2, {pid, SIGSTOP}}, &reply));
    expect_ended(WIRE_ENDED_stopped, 0, SIGSTOP);
    cr_expect(gone_within((pid_t)pid, 2000), "what was stopped is killed");
}

AgentTest(survival, survives_execve)
{
    static const char *const programs[] = {"/bin/true", "/bin/false"};
    for (uint32_t i = 0; i < 2; i++) {
        buffers[0] = in(programs[i], (uint32_t)strlen(programs[i]) + 1);
        specs[0] = to_arg(0, 0);
        call_memory(SYS_execve, ARGS(0), 1, 1);
        expect_ended(WIRE_ENDED_execed, i, 0);
    }
}

/* execve("/bin/sh", {"sh", "-c", script}): an array of pointers, ended by a null one. */
static void run_shell(const char *script)
{
    const char *const texts[] = {"/bin/sh", "sh", "-c", script};
    for (uint32_t i = 0; i < 4; i++)
        buffers[i] = in(texts[i], (uint32_t)strlen(texts[i]) + 1);
    buffers[4] = (struct wire_buffer){.len = 4 * sizeof(void *)};
    specs[0] = to_arg(0, 0);
    specs[1] = to_arg(4, 1);
    for (uint32_t i = 0; i < 3; i++)
        specs[2 + i] = to_buffer(1 + i, 4, i * (uint32_t)sizeof(void *));
    call_memory(SYS_execve, ARGS(0), 5, 5);
}

AgentTest(survival, what_an_executed_program_ends_with_is_the_answer)
{
    run_shell("exit 42");
    expect_ended(WIRE_ENDED_execed, 42, 0);
    run_shell("kill -TERM $$");
    expect_ended(WIRE_ENDED_execed, 0, SIGTERM);
}

AgentTest(survival, an_execve_that_fails_is_a_call_like_any_other)
{
    int64_t pid = CALL(SYS_getpid, 0);
    buffers[0] = in("/nowhere", 9);
    specs[0] = to_arg(0, 0);
    call_memory(SYS_execve, ARGS(0), 1, 1);
    cr_expect_eq(reply.body.call_reply.ret, -ENOENT);
    cr_expect_eq(CALL(SYS_getpid, 0), pid);
}

/* Wait until a process sleeps: an executor that has answered then waits for the next request. */
static bool asleep_within(pid_t pid, unsigned ms)
{
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    for (unsigned waited = 0; waited <= ms; waited += 2, usleep(2000)) {
        FILE *f = fopen(path, "r");
        if (f == NULL)
            return false;
        bool read = fgets(line, sizeof line, f) != NULL;
        fclose(f);
        const char *name_end = read ? strrchr(line, ')') : NULL;
        if (name_end != NULL && strncmp(name_end, ") S", 3) == 0)
            return true;
    }
    return false;
}

/* Kill the executor once it waits for the next request. */
static int64_t kill_executor(void)
{
    int64_t pid = CALL(SYS_getpid, 0);
    cr_assert(asleep_within((pid_t)pid, 2000));
    cr_assert_eq(kill((pid_t)pid, SIGKILL), 0);
    return pid;
}

AgentTest(survival, an_executor_that_dies_between_calls_is_an_event)
{
    int64_t pid = kill_executor();
    cr_assert(child_next(&agent, &reply, AGENT_PROCESS_MS));
    cr_assert_eq(reply.record, ANY_worker_ended);
    cr_expect(reply.envelope.id == 0 && reply.envelope.generation == 1);
    const struct wire_worker_ended *event = &reply.body.worker_ended;
    cr_expect(event->ended == WIRE_ENDED_killed && event->signal == SIGKILL && event->fresh == 2);
    cr_expect_eq(event->has & WIRE_HAS(worker_ended, status), 0);
    agent.generation = event->fresh;
    cr_expect_neq(CALL(SYS_getpid, 0), pid);
}

AgentTest(survival, half_a_frame_outlives_the_executor_that_began_to_read_it)
{
    int64_t pid = CALL(SYS_getpid, 0);
    cr_assert(child_write(&agent, "\0\0\0\7\x96\0\5", 7));
    usleep(50000);
    cr_assert(asleep_within((pid_t)pid, 2000));
    cr_assert_eq(kill((pid_t)pid, SIGKILL), 0);
    cr_assert(child_next(&agent, &reply, AGENT_PROCESS_MS) && reply.record == ANY_worker_ended);
    cr_assert(child_write(&agent, "\1\0\0\x80", 4));
    cr_assert(child_next(&agent, &reply, AGENT_PROCESS_MS));
    cr_expect(reply.record == ANY_ping_reply && reply.envelope.id == 5 && reply.envelope.generation == 2);
    agent.generation = 2;
}

AgentTest(survival, an_executor_killed_while_it_sends_breaks_the_session_and_the_next_one_works)
{
    int64_t pid = CALL(SYS_getpid, 0);
    buffers[0] = (struct wire_buffer){.len = 1 << 20, .dir = WIRE_DIR_out}; /* more than a pipe holds */
    send_memory(SYS_getpid, ARGS(0), 1, 0);
    usleep(50000);
    cr_assert(asleep_within((pid_t)pid, 2000));
    cr_assert_eq(kill((pid_t)pid, SIGKILL), 0);
    usleep(50000);
    cr_assert(child_sync(&agent), "half a reply and a goodbye, then the echo");
    cr_assert(child_hello(&agent, &reply));
    cr_expect_eq(reply.body.hello_reply.generation, 2);
    cr_expect_neq(CALL(SYS_getpid, 0), pid);
}

/* Descriptors of a process; -1 when they cannot be listed. */
static int descriptors_of(pid_t pid)
{
    char path[64];
    int count = -2; /* . and .. */
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return -1;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

AgentTest(survival, a_hundred_dead_executors_leave_nothing_behind)
{
    cr_assert(child_call(&agent, SYS_exit_group, (struct wire_words){1, {0}}, &reply));
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
    int before = descriptors_of(agent.pid);
    for (int i = 0; i < 100; i++)
        cr_assert(child_call(&agent, SYS_exit_group, (struct wire_words){1, {0}}, &reply));
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
    cr_expect_gt(before, 0);
    for (int i = 0; i < 100 && descriptors_of(agent.pid) != before; i++)
        usleep(10000); /* the supervisor tidies up behind its answer */
    cr_expect_eq(descriptors_of(agent.pid), before);
    cr_expect_eq(reply.envelope.generation, 102);
}

AgentTest(survival, a_script_that_closes_every_descriptor_still_gets_its_answer)
{
    cr_assert(child_call(&agent, SYS_close_range, (struct wire_words){2, {0, UINT32_MAX}}, &reply));
    cr_assert_eq(reply.record, ANY_call_reply);
    cr_expect_eq(reply.body.call_reply.ret, 0);
    cr_assert(child_next(&agent, &reply, AGENT_PROCESS_MS) && reply.record == ANY_worker_ended,
              "and the executor is replaced");
    agent.generation = reply.body.worker_ended.fresh;
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
}

/* ---- scribbling ---- */

/* Where a process has the page that it shares with its supervisor: the smallest shared mapping. */
static uint64_t shared_page(pid_t pid)
{
    char path[64], line[512], mode[8];
    unsigned long from, to;
    uint64_t found = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && strcmp(mode, "rw-s") == 0 && to - from == 4096)
            found = from;
    }
    if (f != NULL)
        fclose(f);
    return found;
}

/* A script reads this pattern onto that page.  What the agent had read ahead by then is lost with it, so wait for
 * its answer before a sync is sent. */
static void scribble(const uint8_t pattern[4096])
{
    uint64_t page = shared_page((pid_t)CALL(SYS_getpid, 0));
    cr_assert_neq(page, 0);
    buffers[0] = in("pattern", 8);
    specs[0] = to_arg(0, 0);
    call_memory(SYS_memfd_create, ARGS(0), 1, 1);
    int64_t fd = reply.body.call_reply.ret;
    buffers[0] = in(pattern, 4096);
    specs[0] = to_arg(0, 1);
    call_memory(SYS_write, ARGS(fd, 0, 4096), 1, 1);
    cr_assert_eq(reply.body.call_reply.ret, 4096);
    send_memory(SYS_pread64, ARGS(fd, (int64_t)page, 4096, 0), 0, 0);
    child_next(&agent, &reply, 500);
}

AgentTest(survival, a_scribbled_shared_page_costs_the_session_and_no_more)
{
    static const uint8_t fills[] = {0xff, 0x01, 0x00, 0x02, 0x80};
    static uint8_t pattern[4096];
    for (size_t i = 0; i < sizeof fills; i++) {
        memset(pattern, fills[i], sizeof pattern);
        scribble(pattern);
        bool found = child_sync(&agent);
        if (!found) /* it may sit in what it takes for a frame: silence ends that */
            found = child_sync(&agent);
        cr_assert(found, "fill %02x", fills[i]);
        cr_assert(child_hello(&agent, &reply), "fill %02x", fills[i]);
        agent.generation = reply.body.hello_reply.generation;
        cr_expect_gt(CALL(SYS_getpid, 0), 0, "fill %02x", fills[i]);
    }
}

/* ---- calls that return twice ---- */

static void expect_one_answer(int64_t nr, struct wire_words args)
{
    uint8_t byte;
    int64_t status = 0, child = call(nr, args);
    cr_assert_gt(child, 0, "system call %lld: %lld", (long long)nr, (long long)child);
    cr_expect_eq(child_read(&agent, &byte, 1, 50), 0, "the child answered too");
    cr_expect_eq(CALL(SYS_wait4, child, status, 0, 0), child, "the child has ended");
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
}

AgentTest(survival, the_child_of_a_fork_never_answers)
{
#ifdef SYS_fork
    expect_one_answer(SYS_fork, (struct wire_words){0, {0}});
    expect_one_answer(SYS_vfork, (struct wire_words){0, {0}});
#endif
    expect_one_answer(SYS_clone, (struct wire_words){1, {SIGCHLD}});
    expect_one_answer(SYS_clone, (struct wire_words){1, {0x4100 | SIGCHLD}}); /* CLONE_VM | CLONE_VFORK: on our stack */
    cr_expect_eq(reply.envelope.generation, 1, "the executor lives");
}
