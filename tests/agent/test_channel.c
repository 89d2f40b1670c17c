/* SPDX-License-Identifier: MIT
 *
 * agent/channel.c: everything gets through, whatever a read or a write takes at once.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/random.h"
#include "../support/rig.h"

enum { TOTAL = 3 << 20, SLICES_MAX = 4096 };

static uint8_t sent[TOTAL], got[TOTAL + 1];
static struct wire_slice slices[SLICES_MAX];
static struct agent *agent;
static int host;

/* The host's end of a channel with as little room as the kernel allows. */
static void setup(void)
{
    int fds[2], small = 1;
    struct rig *rig = rig_open();
    cr_assert_not_null(rig);
    agent = rig->a;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    agent->rfd = agent->wfd = fds[0];
    host = fds[1];
}

TestSuite(channel, .init = setup, .timeout = 20);

/* Read TOTAL bytes in pieces of odd sizes. */
static void *read_all(void *unused)
{
    uint64_t state = 5;
    size_t len = 0;
    ssize_t n = 1;
    while (len < TOTAL && n > 0) {
        n = read(host, got + len, 1 + random_next(&state) % 9000);
        len += n > 0 ? (size_t)n : 0;
    }
    return unused;
}

/* Cut what is to be sent into slices of any length, also of none. */
static uint32_t cut(void)
{
    uint64_t state = 9;
    uint32_t count = 0;
    size_t at = 0;
    while (at < TOTAL) {
        size_t len = count == SLICES_MAX - 1 ? TOTAL - at : random_next(&state) % 3000;
        len = len < TOTAL - at ? len : TOTAL - at;
        slices[count++] = (struct wire_slice){sent + at, len};
        at += len;
    }
    return count;
}

static void expect_through(bool nonblocking, enum agent_channel kind)
{
    pthread_t reader;
    for (size_t i = 0; i < TOTAL; i++)
        sent[i] = (uint8_t)(i * 13 + (i >> 8));
    uint32_t count = cut();
    cr_assert_gt(count, 64, "more than one gathering write takes");
    agent->channel = kind;
    if (nonblocking)
        fcntl(agent->wfd, F_SETFL, O_NONBLOCK);
    cr_assert_eq(pthread_create(&reader, NULL, read_all, NULL), 0);
    cr_expect(channel_write(agent, slices, count));
    pthread_join(reader, NULL);
    cr_expect_arr_eq(got, sent, TOTAL);
}

Test(channel, everything_is_written_in_its_order_however_little_is_taken)
{
    expect_through(false, AGENT_STREAM);
}

Test(channel, a_descriptor_that_would_block_is_waited_for)
{
    expect_through(true, AGENT_STREAM);
}

Test(channel, a_port_that_cannot_gather_gets_one_piece_at_a_time)
{
    expect_through(true, AGENT_PORT);
}

Test(channel, a_channel_that_is_gone_is_said_so)
{
    struct wire_slice one = {"x", 1};
    signal(SIGPIPE, SIG_IGN); /* the agent blocks it */
    close(host);
    cr_expect_not(channel_write(agent, &one, 1));
    cr_expect_not(channel_read(agent));
    close(agent->rfd);
    cr_expect_not(channel_write(agent, &one, 1));
    cr_expect_not(channel_read(agent));
}

Test(channel, a_port_without_a_host_is_not_gone)
{
    close(host);
    agent->channel = AGENT_PORT; /* it reads as 0 bytes */
    cr_expect(channel_read(agent));
    cr_expect(channel_read(agent));
    cr_expect_eq(agent->shared->stream.end, 0);
}

Test(channel, nothing_to_read_yet_is_not_gone)
{
    fcntl(agent->rfd, F_SETFL, O_NONBLOCK);
    cr_expect_eq(write(host, "abc", 3), 3);
    cr_expect(channel_read(agent));
    cr_expect_eq(agent->shared->stream.end, 3);
}
