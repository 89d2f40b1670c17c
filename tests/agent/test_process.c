/* SPDX-License-Identifier: MIT
 *
 * The real agent on a host: how it starts and ends, what it survives, and that a
 * script's calls find the descriptors and the memory that the protocol promises.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/agent_process.h"
#include "../support/process.h"

static struct agent_process agent;
static struct any_message reply;

/* Orphans become our children, so that a test can count them. */
static void setup(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGPIPE, SIG_IGN);
}

/* It ends by itself when the channel does, with 0, and leaves nobody behind. */
static void expect_clean_end(void)
{
    cr_expect_eq(child_finish(&agent), 0);
    for (int i = 0; i < 500 && !no_children(); i++)
        usleep(2000);
    cr_expect(no_children(), "a process is left");
}

TestSuite(process, .init = setup, .timeout = 20);

/* A test of an agent that has said hello, and that must end well afterwards. */
#define AgentTest(name) \
    static void name(void); \
    Test(process, name) \
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
static int64_t call(int64_t nr, struct wire_words args)
{
    cr_assert(child_call(&agent, nr, args, &reply), "system call %lld: no answer", (long long)nr);
    cr_assert_eq(reply.record, ANY_call_reply, "system call %lld: refused", (long long)nr);
    cr_assert_eq(reply.body.call_reply.has & WIRE_HAS(call_reply, ended), 0, "system call %lld: ended", (long long)nr);
    return reply.body.call_reply.ret;
}

/* ---- calls with memory ---- */

static struct wire_buffer buffers[8];
static struct wire_spec specs[8];

static struct wire_buffer in(const void *bytes, uint32_t len)
{
    return (struct wire_buffer){.has = WIRE_HAS(buffer, data), .len = len, .data = {bytes, len}, .dir = WIRE_DIR_in};
}

static struct wire_spec to_arg(uint32_t target, uint8_t arg)
{
    return (struct wire_spec){.has = WIRE_HAS(spec, arg), .target = target, .arg = arg};
}

static struct wire_spec to_buffer(uint32_t target, uint32_t buffer, uint32_t offset)
{
    return (struct wire_spec){
        .has = WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset), .target = target, .buffer = buffer, .offset = offset};
}

static void send_memory(int64_t nr, struct wire_words args, uint32_t buffer_count, uint32_t spec_count)
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
static void call_memory(int64_t nr, struct wire_words args, uint32_t buffer_count, uint32_t spec_count)
{
    send_memory(nr, args, buffer_count, spec_count);
    cr_assert(child_next(&agent, &reply, AGENT_PROCESS_MS));
    cr_assert_eq(reply.record, ANY_call_reply);
}

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

/* ---- start ---- */

/* All that an agent says on standard error until it ends. */
static const char *complaint(void)
{
    static char text[1024];
    size_t len = 0;
    ssize_t n;
    while ((n = read(agent.err, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    return text;
}

static void expect_usage(const char *const args[])
{
    char text[16];
    cr_assert(child_spawn(&agent, args));
    child_write(&agent, WIRE_SYNC_HOST "12345678", 16);
    cr_expect_not_null(strstr(complaint(), "usage: provium-agent --execute-here"));
    cr_expect_eq(child_read(&agent, text, sizeof text, AGENT_PROCESS_MS), -1, "nothing is said on the channel");
    cr_expect_eq(child_finish(&agent), 2);
}

Test(process, refuses_to_run_on_a_host_without_the_flag)
{
    expect_usage((const char *const[]){NULL});
    expect_usage((const char *const[]){"--listen", "/nowhere", NULL});
    expect_usage((const char *const[]){"--execute-here", "--listen", NULL});
    expect_usage((const char *const[]){"--execute-here", "--other", "x", NULL});
    expect_usage((const char *const[]){"--execute-here", "--listen", "x", "y", NULL});
}

Test(process, says_hello_over_stdio)
{
    struct any_message m;
    cr_assert(child_spawn(&agent, (const char *const[]){"--execute-here", NULL}));
    cr_assert(child_sync(&agent) && child_hello(&agent, &m));
    cr_expect_eq(m.body.hello_reply.version, WIRE_VERSION);
    cr_expect_eq(m.body.hello_reply.page_size, sysconf(_SC_PAGESIZE));
    cr_expect_eq(m.body.hello_reply.generation, 1);
    expect_clean_end();
}

/* Connect once the socket is there. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    for (int i = 0; i < 500; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
        close(fd);
        usleep(5000);
    }
    return -1;
}

Test(process, says_hello_over_a_socket_and_removes_its_name)
{
    char path[64];
    struct any_message m;
    snprintf(path, sizeof path, "/tmp/provium-test-%d.sock", getpid());
    cr_assert(child_spawn(&agent, (const char *const[]){"--execute-here", "--listen", path, NULL}));
    int fd = connect_to(path);
    cr_assert_geq(fd, 0);
    close(agent.rfd);
    close(agent.wfd);
    agent.rfd = fd;
    agent.wfd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    cr_expect(child_sync(&agent) && child_hello(&agent, &m));
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
    cr_expect_eq(access(path, F_OK), -1, "the name is gone once a host is there");
    expect_clean_end();
}

Test(process, a_socket_that_cannot_be_made_is_an_error_with_its_name)
{
    static const char *const paths[] = {
        "/nowhere/at/all.sock", "/tmp/a-path-of-more-than-a-hundred-and-eight-bytes-is-too-long-for-the-address-of-"
                                "a-unix-socket-whatever-it-says.sock"};
    for (size_t i = 0; i < 2; i++) {
        cr_assert(child_spawn(&agent, (const char *const[]){"--execute-here", "--listen", paths[i], NULL}));
        const char *text = complaint();
        cr_expect_not_null(strstr(text, paths[i]), "%s", text);
        cr_expect_eq(child_finish(&agent), 1);
    }
}

/* ---- the end of the channel ---- */

AgentTest(ends_when_its_input_ends)
{
    cr_expect_gt(CALL(SYS_getpid, 0), 0); /* and the suite's fini closes it */
}

AgentTest(ends_in_the_middle_of_a_frame_too)
{
    cr_expect(child_write(&agent, "\0\0\0\x09\x96\0", 6));
}

AgentTest(ends_when_nobody_reads_its_answers)
{
    close(agent.rfd);
    agent.rfd = -1;
    cr_expect(child_write(&agent, "\0\0\0\7\x96\0\5\1\0\0\x80", 11));
}

Test(process, answers_what_was_sent_before_its_input_ended)
{
    struct any_message m;
    cr_assert(child_start(&agent));
    cr_assert(child_write(&agent, "\0\0\0\7\x96\0\5\1\0\0\x80\0\0\0\7\x96\0\6\1\0\0\x80", 22));
    close(agent.wfd);
    agent.wfd = -1;
    cr_expect(child_next(&agent, &m, AGENT_PROCESS_MS) && m.envelope.id == 5);
    cr_expect(child_next(&agent, &m, AGENT_PROCESS_MS) && m.envelope.id == 6);
    expect_clean_end();
}

AgentTest(a_call_that_blocks_does_not_outlive_the_host)
{
    struct any_message m = {.envelope = {.kind = WIRE_REQUEST, .id = 77, .code = WIRE_OP_call},
                            .record = ANY_call_request};
    m.body.call_request.nr = SYS_pause;
    cr_expect(child_send(&agent, &m));
    cr_expect_not(child_next(&agent, &m, 100), "it blocks");
}

/* ---- what it survives ---- */

AgentTest(survives_exit)
{
    for (uint32_t status = 0; status < 3; status++) {
        cr_assert(child_call(&agent, SYS_exit_group, (struct wire_words){1, {status}}, &reply));
        expect_ended(WIRE_ENDED_exited, status, 0);
        cr_assert(child_call(&agent, SYS_exit, (struct wire_words){1, {status + 7}}, &reply));
        expect_ended(WIRE_ENDED_exited, status + 7, 0);
    }
}

AgentTest(survives_signals)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT, SIGALRM, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        int64_t pid = CALL(SYS_getpid, 0);
        cr_assert(child_call(&agent, SYS_kill, (struct wire_words){2, {pid, signals[i]}}, &reply));
        expect_ended(WIRE_ENDED_killed, 0, (uint32_t)signals[i]);
    }
}

AgentTest(survives_a_fault)
{
    cr_assert(child_call(&agent, SYS_rt_sigreturn, (struct wire_words){0, {0}}, &reply)); /* there is no signal frame */
    expect_ended(WIRE_ENDED_killed, 0, SIGSEGV);
}

AgentTest(survives_a_stop)
{
    int64_t pid = CALL(SYS_getpid, 0);
    cr_assert(child_call(&agent, SYS_kill, (struct wire_words){2, {pid, SIGSTOP}}, &reply));
    expect_ended(WIRE_ENDED_stopped, 0, SIGSTOP);
    cr_expect(gone_within((pid_t)pid, 2000), "what was stopped is killed");
}

AgentTest(survives_execve)
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

AgentTest(what_an_executed_program_ends_with_is_the_answer)
{
    run_shell("exit 42");
    expect_ended(WIRE_ENDED_execed, 42, 0);
    run_shell("kill -TERM $$");
    expect_ended(WIRE_ENDED_execed, 0, SIGTERM);
}

AgentTest(an_execve_that_fails_is_a_call_like_any_other)
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

AgentTest(an_executor_that_dies_between_calls_is_an_event)
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

AgentTest(half_a_frame_outlives_the_executor_that_began_to_read_it)
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

AgentTest(an_executor_killed_while_it_sends_breaks_the_session_and_the_next_one_works)
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

AgentTest(a_hundred_dead_executors_leave_nothing_behind)
{
    cr_assert(child_call(&agent, SYS_exit_group, (struct wire_words){1, {0}}, &reply));
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
    int before = descriptors_of(agent.pid);
    for (int i = 0; i < 100; i++)
        cr_assert(child_call(&agent, SYS_exit_group, (struct wire_words){1, {0}}, &reply));
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
    cr_expect_gt(before, 0);
    cr_expect_eq(descriptors_of(agent.pid), before);
    cr_expect_eq(reply.envelope.generation, 102);
}

AgentTest(a_script_that_closes_every_descriptor_still_gets_its_answer)
{
    cr_assert(child_call(&agent, SYS_close_range, (struct wire_words){2, {0, UINT32_MAX}}, &reply));
    cr_assert_eq(reply.record, ANY_call_reply);
    cr_expect_eq(reply.body.call_reply.ret, 0);
    cr_assert(child_next(&agent, &reply, AGENT_PROCESS_MS) && reply.record == ANY_worker_ended,
              "and the executor is replaced");
    agent.generation = reply.body.worker_ended.fresh;
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
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

AgentTest(the_child_of_a_fork_never_answers)
{
#ifdef SYS_fork
    expect_one_answer(SYS_fork, (struct wire_words){0, {0}});
    expect_one_answer(SYS_vfork, (struct wire_words){0, {0}});
#endif
    expect_one_answer(SYS_clone, (struct wire_words){1, {SIGCHLD}});
    expect_one_answer(SYS_clone, (struct wire_words){1, {0x4100 | SIGCHLD}}); /* CLONE_VM | CLONE_VFORK: on our stack */
    cr_expect_eq(reply.envelope.generation, 1, "the executor lives");
}

/* ---- silence ---- */

AgentTest(two_seconds_of_silence_in_a_frame_forget_it)
{
    cr_assert(child_write(&agent, "\0\0\0\x40\x96\0\5", 7));
    usleep(2200000);
    cr_assert(child_sync(&agent), "the sync was swallowed by the frame");
    cr_assert(child_hello(&agent, &reply));
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
}

AgentTest(silence_between_frames_is_no_error)
{
    usleep(2200000);
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
}

Test(process, a_frame_may_come_a_byte_at_a_time)
{
    static const uint8_t sync[] = WIRE_SYNC_HOST "\1\2\3\4\5\6\7\x8";
    static const uint8_t ping[] = {0, 0, 0, 7, 0x96, 0, 5, 1, 0, 0, 0x80};
    uint8_t echo[WIRE_SYNC_LEN];
    cr_assert(child_spawn(&agent, (const char *const[]){"--execute-here", NULL}));
    for (size_t i = 0; i < WIRE_SYNC_LEN; i++, usleep(1000))
        cr_assert(child_write(&agent, &sync[i], 1));
    cr_assert_eq(child_read(&agent, echo, sizeof echo, AGENT_PROCESS_MS), WIRE_SYNC_LEN);
    cr_expect_arr_eq(echo, WIRE_SYNC_AGENT "\1\2\3\4\5\6\7\x8", WIRE_SYNC_LEN);
    cr_assert(child_sync(&agent) && child_hello(&agent, &reply));
    for (size_t i = 0; i < sizeof ping; i++, usleep(1000))
        cr_assert(child_write(&agent, &ping[i], 1));
    cr_expect(child_next(&agent, &reply, AGENT_PROCESS_MS) && reply.record == ANY_ping_reply);
    expect_clean_end();
}

/* ---- what a script finds ---- */

AgentTest(what_would_end_the_machine_is_denied_and_not_executed)
{
    cr_assert(
        child_call(&agent, SYS_reboot, (struct wire_words){1, {0}}, &reply)); /* not its magic: harmless if executed */
    cr_expect(reply.record == ANY_error && reply.envelope.code == WIRE_ERR_DENIED);
    cr_expect_eq(reply.body.error.executed, WIRE_EXECUTED_no);
    cr_assert(child_call(&agent, SYS_kill, (struct wire_words){2, {-1, 0}}, &reply)); /* signal 0: the same */
    cr_expect(reply.record == ANY_error && reply.envelope.code == WIRE_ERR_DENIED);
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
}

AgentTest(the_first_new_descriptor_is_3)
{
    cr_expect_eq(CALL(SYS_dup, 0), 3);
    cr_expect_eq(CALL(SYS_dup, 0), 4);
    cr_expect_eq(CALL(SYS_close, 3), 0);
    cr_expect_eq(CALL(SYS_epoll_create1, 0), 3);
    cr_assert(child_call(&agent, SYS_exit_group, (struct wire_words){1, {0}}, &reply));
    cr_expect_eq(CALL(SYS_dup, 0), 3, "and again in the next executor");
}

AgentTest(standard_input_is_empty_and_output_does_not_reach_the_channel)
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

AgentTest(what_a_call_leaves_behind_is_there_in_the_next)
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

AgentTest(the_kernel_follows_embedded_pointers)
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

AgentTest(a_buffer_that_is_one_byte_too_short_is_a_fault_and_not_silence)
{
    int64_t fd = CALL(SYS_eventfd2, 7, 0); /* reads 8 bytes */
    buffers[0] = (struct wire_buffer){.len = 7, .dir = WIRE_DIR_out};
    specs[0] = to_arg(0, 1);
    call_memory(SYS_read, ARGS(fd, 0, 8), 1, 1);
    cr_expect_eq(reply.body.call_reply.ret, -EFAULT);
}

AgentTest(a_wrong_address_and_a_wrong_number_are_values)
{
    cr_expect_eq(CALL(SYS_uname, 0), -EFAULT);
    cr_expect_eq(CALL(99999, 0), -ENOSYS);
    cr_expect_eq(CALL(SYS_close, -1), -EBADF);
}
