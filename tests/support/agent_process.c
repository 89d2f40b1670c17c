/* SPDX-License-Identifier: MIT
 *
 * Starts, speaks to and ends one agent.  One at a time in a process.
 */
#include "agent_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 4 << 20, ARGS_MAX = 8, PATH_CAP = 256 };

static uint8_t input[ROOM], output[ROOM];

const char *child_binary(void)
{
    static char path[PATH_CAP];
    const char *build = getenv("B"); /* the build directory, as make calls it */
    snprintf(path, sizeof path, "%s/provium-agent", build != NULL ? build : "build");
    return path;
}

/* ---- start ---- */

static void become_agent(int in, int out, int err, const char *const args[])
{
    char *argv[ARGS_MAX + 2] = {(char *)(uintptr_t)child_binary()};
    for (int i = 0; i < ARGS_MAX && args[i] != NULL; i++)
        argv[i + 1] = (char *)(uintptr_t)args[i];
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    for (int fd = 3; fd < 64; fd++) /* what a test runner left open is not the agent's */
        close(fd);
    execv(argv[0], argv);
    _exit(127);
}

bool child_spawn(struct agent_process *p, const char *const args[])
{
    int in[2], out[2], err[2];
    *p = (struct agent_process){.pid = -1, .rfd = -1, .wfd = -1, .err = -1};
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        return false;
    p->pid = fork();
    if (p->pid == 0)
        become_agent(in[0], out[1], err[1], args);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    p->wfd = in[1];
    p->rfd = out[0];
    p->err = err[0];
    wire_stream_init(&p->stream, input, sizeof input, WIRE_SYNC_AGENT);
    p->stream.limit = ROOM / 2;
    return p->pid > 0;
}

bool child_start(struct agent_process *p)
{
    struct any_message reply;
    return child_spawn(p, (const char *const[]){"--execute-here", NULL}) && child_sync(p) && child_hello(p, &reply);
}

/* ---- speak ---- */

bool child_write(struct agent_process *p, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = write(p->wfd, at, len);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

ssize_t child_read(struct agent_process *p, void *out, size_t cap, int ms)
{
    struct pollfd fd = {p->rfd, POLLIN, 0};
    if (poll(&fd, 1, ms) <= 0)
        return 0;
    ssize_t n = read(p->rfd, out, cap);
    return n > 0 ? n : -1;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Take from the stream, reading as needed, until something is found or ms have passed. */
static enum wire_found find(struct agent_process *p, struct wire_bytes *frame, int ms)
{
    int64_t end = now_ms() + ms;
    for (;;) {
        enum wire_found found = wire_stream_next(&p->stream, frame);
        int64_t left = end - now_ms();
        if (found != WIRE_FOUND_nothing || left <= 0)
            return found;
        size_t room;
        uint8_t *space = wire_stream_space(&p->stream, &room);
        ssize_t n = child_read(p, space, room, (int)left);
        if (n < 0)
            return WIRE_FOUND_nothing;
        wire_stream_fed(&p->stream, (size_t)n);
    }
}

bool child_sync(struct agent_process *p)
{
    static uint8_t count;
    const uint8_t nonce[8] = {++count, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8};
    struct wire_bytes frame;
    wire_stream_hunt(&p->stream);
    if (!child_write(p, WIRE_SYNC_HOST, 8) || !child_write(p, nonce, sizeof nonce))
        return false;
    while (find(p, &frame, AGENT_PROCESS_MS) == WIRE_FOUND_sync) {
        if (memcmp(p->stream.nonce, nonce, sizeof nonce) == 0)
            return true;
        wire_stream_hunt(&p->stream);
    }
    return false;
}

bool child_next(struct agent_process *p, struct any_message *m, int ms)
{
    static struct any_room room;
    struct wire_bytes frame;
    size_t at;
    if (find(p, &frame, ms) != WIRE_FOUND_frame || any_decode(frame, m, &room, &at) != WIRE_OK)
        return false;
    if (m->envelope.generation != 0)
        p->generation = m->envelope.generation;
    return true;
}

bool child_send(struct agent_process *p, const struct any_message *m)
{
    struct wire_writer w;
    wire_writer_init(&w, output, sizeof output);
    return any_put(&w, m) == WIRE_OK && child_write(p, w.buf, w.len);
}

bool child_hello(struct agent_process *p, struct any_message *reply)
{
    struct any_message m = {.envelope = {.kind = WIRE_REQUEST, .id = ++p->next_id, .code = WIRE_OP_hello},
                            .record = ANY_hello_request};
    struct wire_bytes caps[32];
    uint32_t count = 0;
    for (const struct wire_row *row = wire_caps(); row->name != NULL && count < 32; row++)
        caps[count++] = (struct wire_bytes){(const uint8_t *)row->name, strlen(row->name)};
    m.body.hello_request = (struct wire_hello_request){.caps = {caps, count, 32},
                                                       .frame_limit = ROOM / 2,
                                                       .depth_limit = WIRE_MIN_DEPTH,
                                                       .buffer_limit = UINT32_MAX,
                                                       .spec_limit = UINT32_MAX,
                                                       .flight_limit = UINT32_MAX,
                                                       .memory_limit = UINT32_MAX};
    return child_send(p, &m) && child_next(p, reply, AGENT_PROCESS_MS) && reply->record == ANY_hello_reply;
}

bool child_call(struct agent_process *p, int64_t nr, struct wire_words args, struct any_message *reply)
{
    struct any_message m = {
        .envelope = {.kind = WIRE_REQUEST, .id = ++p->next_id, .code = WIRE_OP_call, .generation = p->generation},
        .record = ANY_call_request};
    m.body.call_request = (struct wire_call_request){.has = WIRE_HAS(call_request, args), .nr = nr, .args = args};
    if (!child_send(p, &m) || !child_next(p, reply, AGENT_PROCESS_MS) || reply->envelope.id != p->next_id)
        return false;
    if (reply->record == ANY_call_reply && reply->body.call_reply.fresh != 0)
        p->generation = reply->body.call_reply.fresh;
    return true;
}

/* ---- end ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int child_finish(struct agent_process *p)
{
    int status = 0;
    int64_t end = now_ms() + AGENT_PROCESS_MS;
    close_fd(&p->wfd);
    close_fd(&p->rfd);
    close_fd(&p->err);
    pid_t done;
    while ((done = waitpid(p->pid, &status, WNOHANG)) == 0 && now_ms() < end)
        usleep(2000);
    if (done == p->pid)
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    kill(p->pid, SIGKILL);
    waitpid(p->pid, &status, 0);
    return -1;
}
