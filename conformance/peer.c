/* SPDX-License-Identifier: MIT
 *
 * A child process and its three pipes.  Knows nothing of frames. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOG_KEPT = 2000, LEAVE_MS = 500 };

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void become(const char *command, const char *id, int pipes[3][2])
{
    struct bytes line = {0};

    setpgid(0, 0);
    if (dup2(pipes[0][0], 0) < 0 || dup2(pipes[1][1], 1) < 0 || dup2(pipes[2][1], 2) < 0)
        _exit(127);
    signal(SIGPIPE, SIG_DFL);
    setenv("PROVIUM_CONFORMANCE_CASE", id, 1);
    bytes_print(&line, "exec %s", command);
    execl("/bin/sh", "sh", "-c", bytes_text(&line), (char *)NULL);
    _exit(127);
}

static bool open_pipes(int pipes[3][2])
{
    for (size_t i = 0; i < 3; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0) {
            while (i-- > 0) {
                close(pipes[i][0]);
                close(pipes[i][1]);
            }
            return false;
        }
    return true;
}

bool peer_start(struct peer *peer, const char *command, const char *id)
{
    int pipes[3][2];

    *peer = (struct peer){-1, -1, -1, -1, {0}, {0}};
    if (!open_pipes(pipes))
        return false;
    peer->pid = fork();
    if (peer->pid == 0)
        become(command, id, pipes);
    close(pipes[0][0]);
    close(pipes[1][1]);
    close(pipes[2][1]);
    peer->to = pipes[0][1];
    peer->from = pipes[1][0];
    peer->errors = pipes[2][0];
    if (peer->pid < 0) {
        peer_stop(peer);
        return false;
    }
    setpgid(peer->pid, peer->pid);
    fcntl(peer->to, F_SETFL, O_NONBLOCK);
    return true;
}

static void receive(int *fd, struct bytes *into)
{
    uint8_t part[65536];
    ssize_t len = read(*fd, part, sizeof(part));

    if (len > 0)
        bytes_put(into, part, (size_t)len);
    else if (len == 0 || errno != EINTR)
        shut(fd);
}

/* Wait for one thing to happen, at most until the deadline: false at the
 * deadline.  *writable says whether there is room for more. */
static bool pump(struct peer *peer, int64_t deadline_ms, bool *writable)
{
    struct pollfd polls[3] = {
        {peer->from, POLLIN, 0},
        {peer->errors, POLLIN, 0},
        {writable ? peer->to : -1, POLLOUT, 0},
    };
    int64_t left_ms = deadline_ms - now_ms();
    int count = poll(polls, 3, left_ms > 0 ? (int)left_ms : 0);

    if (count == 0)
        return false;
    if (count < 0)
        return errno == EINTR;
    if (polls[0].revents)
        receive(&peer->from, &peer->inbox);
    if (polls[1].revents) {
        receive(&peer->errors, &peer->log);
        if (peer->log.len > LOG_KEPT)
            bytes_drop(&peer->log, peer->log.len - LOG_KEPT);
    }
    if (writable)
        *writable = polls[2].revents != 0;
    return true;
}

enum peer_state peer_write(struct peer *peer, const uint8_t *ptr, size_t len, int timeout_ms)
{
    int64_t deadline_ms = now_ms() + timeout_ms;

    while (len > 0) {
        bool writable = false;
        ssize_t written;

        if (peer->to < 0)
            return PEER_ENDED;
        if (!pump(peer, deadline_ms, &writable))
            return PEER_SILENT;
        if (!writable)
            continue;
        written = write(peer->to, ptr, len);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return PEER_ENDED;
        if (written > 0) {
            ptr += written;
            len -= (size_t)written;
        }
    }
    return PEER_OK;
}

enum peer_state peer_need(struct peer *peer, size_t len, int timeout_ms)
{
    int64_t deadline_ms = now_ms() + timeout_ms;

    while (peer->inbox.len < len) {
        if (peer->from < 0)
            return PEER_ENDED;
        if (!pump(peer, deadline_ms, NULL))
            return PEER_SILENT;
    }
    return PEER_OK;
}

void peer_close_input(struct peer *peer)
{
    shut(&peer->to);
}

/* Whether it left by itself in time, and its wait status.  Its group is killed in any case. */
static bool reap(struct peer *peer, int *status)
{
    int64_t deadline_ms = now_ms() + LEAVE_MS;
    pid_t left;

    while (peer->from >= 0 && pump(peer, deadline_ms, NULL))
        continue;
    while ((left = waitpid(peer->pid, status, WNOHANG)) == 0 && now_ms() < deadline_ms)
        poll(NULL, 0, 2);
    kill(-peer->pid, SIGKILL);
    if (left == 0)
        waitpid(peer->pid, status, 0);
    peer->pid = -1;
    return left > 0;
}

void peer_autopsy(struct peer *peer, struct bytes *out)
{
    int status = 0;

    if (peer->pid <= 0)
        bytes_print(out, "the agent has ended");
    else if (!reap(peer, &status))
        bytes_print(out, "the agent closed its end and went on running");
    else if (WIFSIGNALED(status))
        bytes_print(out, "the agent was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        bytes_print(out, "the agent ended with exit status %d", WEXITSTATUS(status));
    if (peer->log.len > 0)
        bytes_print(out, "; the end of its stderr:\n%s", bytes_text(&peer->log));
}

int peer_stop(struct peer *peer)
{
    int status = 0, signal_number = 0;

    shut(&peer->to);
    if (peer->pid > 0 && reap(peer, &status) && WIFSIGNALED(status))
        signal_number = WTERMSIG(status);
    shut(&peer->from);
    shut(&peer->errors);
    bytes_free(&peer->inbox);
    bytes_free(&peer->log);
    return signal_number == SIGPIPE ? 0 : signal_number;
}
