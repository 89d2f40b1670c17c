/* SPDX-License-Identifier: MIT
 *
 * The channel itself: pipes as well as sockets, signals, a reader that is gone.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../libprovium/session_impl.h"
#include "../support/fake_agent.h"

/* ---- pipes ---- */

/* Carry bytes between a fake agent's socket and two pipes. */
struct carrier {
    int from, to;
    pthread_t thread;
};

static void *carry(void *context)
{
    struct carrier *c = context;
    char bytes[4096];
    ssize_t n;
    while ((n = read(c->from, bytes, sizeof bytes)) > 0 && write(c->to, bytes, (size_t)n) == n)
        continue;
    return NULL;
}

Test(channel, a_pair_of_pipes_is_a_channel)
{
    struct fake f;
    struct provium_session *s = provium_session_new();
    int in[2], out[2];
    int64_t ret;
    cr_assert(pipe(in) == 0 && pipe(out) == 0);
    fake_start(&f, fake_serve, NULL);
    struct carrier up = {.from = out[0], .to = f.host}, down = {.from = f.host, .to = in[1]};
    pthread_create(&up.thread, NULL, carry, &up);
    pthread_create(&down.thread, NULL, carry, &down);
    cr_expect_eq(provium_session_open(s, in[0], out[1], 2000), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_OK);
    close(out[1]);
    pthread_join(up.thread, NULL);
    fake_end(&f, s);
    pthread_join(down.thread, NULL);
}

Test(channel, pipe_without_a_reader_is_closed_and_not_a_sigpipe)
{
    struct provium_session *s = provium_session_new();
    int in[2], out[2];
    sigset_t pending, mask;
    cr_assert(pipe(in) == 0 && pipe(out) == 0);
    close(out[0]);
    cr_expect_eq(provium_session_open(s, in[0], out[1], 500), PROVIUM_E_CLOSED);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_session_open: the agent hung up");
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    cr_expect_eq(sigismember(&pending, SIGPIPE), 0, "none is left");
    cr_expect_eq(sigismember(&mask, SIGPIPE), 0, "the mask is as it was");
    provium_session_free(s);
}

Test(channel, sigpipe_of_the_embedder_stays_pending)
{
    struct provium_session *s = provium_session_new();
    int in[2], out[2];
    sigset_t quiet, pending;
    sigemptyset(&quiet);
    sigaddset(&quiet, SIGPIPE);
    sigprocmask(SIG_BLOCK, &quiet, NULL);
    raise(SIGPIPE);
    cr_assert(pipe(in) == 0 && pipe(out) == 0);
    close(out[0]);
    cr_expect_eq(provium_session_open(s, in[0], out[1], 500), PROVIUM_E_CLOSED);
    sigpending(&pending);
    cr_expect_eq(sigismember(&pending, SIGPIPE), 1);
    provium_session_free(s);
}

/* ---- signals in between ---- */

static void on_alarm(int signal)
{
    (void)signal;
}

static void slow(struct fake *f)
{
    f->hello.frame_limit = 32 << 20;
    f->hello.memory_limit = 64 << 20;
    fake_open(f);
    while (fake_call(f)) {
        fake_sleep(50);
        fake_answer(f);
    }
}

Test(channel, signals_disturb_neither_calls_nor_deadlines)
{
    static uint8_t data[4 << 20];
    struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    struct provium_buffer buf = {.arg = 0, .data = data, .len = sizeof data};
    struct provium_call call = {.bufs = &buf, .buf_count = 1};
    struct provium_result result;
    struct fake f;
    sigaction(SIGALRM, &action, NULL);
    struct provium_session *s = fake_session(&f, slow);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(provium_call(s, &call, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
    provium_session_set_timeout(s, 20);
    int64_t ret, from = provium_now_ms();
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_E_TIMEOUT);
    int64_t took = provium_now_ms() - from;
    setitimer(ITIMER_REAL, &never, NULL);
    cr_expect(took >= 20 && took < 1020, "%d ms", (int)took);
    fake_end(&f, s);
}

/* ---- limits of time ---- */

static void drains_slowly(struct fake *f)
{
    f->hello.frame_limit = 32 << 20;
    f->hello.memory_limit = 64 << 20;
    fake_open(f);
    while (read(f->fd, f->rx, 2048) > 0)
        fake_sleep(5);
}

Test(channel, reader_that_takes_a_little_now_and_then_does_not_extend_the_deadline)
{
    static uint8_t data[16 << 20];
    struct provium_buffer buf = {.arg = 0, .data = data, .len = sizeof data};
    struct provium_call call = {.bufs = &buf, .buf_count = 1};
    struct provium_result result;
    struct fake f;
    struct provium_session *s = fake_session(&f, drains_slowly);
    int64_t from = provium_now_ms();
    provium_session_set_timeout(s, 200);
    cr_expect_eq(provium_call(s, &call, &result), PROVIUM_E_TIMEOUT);
    cr_expect(provium_now_ms() - from < 1200);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_call: the agent does not take the request");
    fake_end(&f, s);
}

Test(channel, source_that_never_runs_dry_does_not_extend_the_deadline)
{
    struct provium_session *s = provium_session_new();
    int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC), nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int64_t from = provium_now_ms();
    cr_expect_eq(provium_session_open(s, zeros, nothing, 100), PROVIUM_E_TIMEOUT);
    cr_expect(provium_now_ms() - from < 2000);
    provium_session_free(s);
}

static void dribbles_for_ever(struct fake *f)
{
    fake_open(f);
    fake_call(f);
    fake_send(f, fake_raw("00 00 ff 00"));
    while (!f->over) {
        fake_send(f, fake_raw("96"));
        fake_sleep(1);
    }
}

Test(channel, answer_that_dribbles_on_and_on_does_not_extend_the_deadline)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, dribbles_for_ever);
    int64_t ret, from = provium_now_ms();
    provium_session_set_timeout(s, 200);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_E_TIMEOUT);
    cr_expect(provium_now_ms() - from < 1200);
    fake_end(&f, s);
}

Test(channel, a_timeout_of_zero_does_not_wait)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, slow);
    int64_t ret, from = provium_now_ms();
    provium_session_set_timeout(s, 0);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_E_TIMEOUT);
    cr_expect(provium_now_ms() - from < 1000);
    fake_end(&f, s);
}
