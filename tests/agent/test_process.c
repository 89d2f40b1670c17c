/* SPDX-License-Identifier: MIT
 *
 * The real agent on a host: how it starts, what its channel may do to it, how it ends.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "one_agent.h"

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

Test(process, refuses_to_run_on_a_host_without_the_flag, .init = setup, .timeout = 20)
{
    expect_usage((const char *const[]){NULL});
    expect_usage((const char *const[]){"--listen", "/nowhere", NULL});
    expect_usage((const char *const[]){"--execute-here", "--listen", NULL});
    expect_usage((const char *const[]){"--execute-here", "--other", "x", NULL});
    expect_usage((const char *const[]){"--execute-here", "--listen", "x", "y", NULL});
}

Test(process, says_hello_over_stdio, .init = setup, .timeout = 20)
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

Test(process, says_hello_over_a_socket_and_removes_its_name, .init = setup, .timeout = 20)
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

Test(process, a_socket_that_cannot_be_made_is_an_error_with_its_name, .init = setup, .timeout = 20)
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

AgentTest(process, ends_when_its_input_ends)
{
    cr_expect_gt(CALL(SYS_getpid, 0), 0); /* and the suite's fini closes it */
}

AgentTest(process, ends_in_the_middle_of_a_frame_too)
{
    cr_expect(child_write(&agent, "\0\0\0\x09\x96\0", 6));
}

AgentTest(process, ends_when_nobody_reads_its_answers)
{
    close(agent.rfd);
    agent.rfd = -1;
    cr_expect(child_write(&agent, "\0\0\0\7\x96\0\5\1\0\0\x80", 11));
}

Test(process, answers_what_was_sent_before_its_input_ended, .init = setup, .timeout = 20)
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

AgentTest(process, a_call_that_blocks_does_not_outlive_the_host)
{
    struct any_message m = {.envelope = {.kind = WIRE_REQUEST, .id = 77, .code = WIRE_OP_call},
                            .record = ANY_call_request};
    m.body.call_request.nr = SYS_pause;
    cr_expect(child_send(&agent, &m));
    cr_expect_not(child_next(&agent, &m, 100), "it blocks");
}

/* ---- silence ---- */

AgentTest(process, two_seconds_of_silence_in_a_frame_forget_it)
{
    cr_assert(child_write(&agent, "\0\0\0\x40\x96\0\5", 7));
    usleep(2200000);
    cr_assert(child_sync(&agent), "the sync was swallowed by the frame");
    cr_assert(child_hello(&agent, &reply));
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
}

AgentTest(process, silence_between_frames_is_no_error)
{
    usleep(2200000);
    cr_expect_gt(CALL(SYS_getpid, 0), 0);
}

Test(process, a_frame_may_come_a_byte_at_a_time, .init = setup, .timeout = 20)
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
