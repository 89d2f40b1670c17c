/* SPDX-License-Identifier: MIT
 *
 * The only reads and writes of the channel.  Knows pipes, sockets and virtio ports.
 */
#include "agent.h"
#include "sys.h"

enum { NO_HOST_MS = 20, IOVECS = 64 };

/* Wait for fd (or only for time, with -1); false when ms passed without an event. */
static bool wait_fd(int fd, short events, int64_t ms)
{
    struct sys_pollfd p = {fd, events, 0};
    struct sys_timespec t = {ms / 1000, ms % 1000 * 1000000};
    return sys6(__NR_ppoll, sys_ptr(&p), fd >= 0 ? 1 : 0, sys_ptr(&t), 0, 0, 0) > 0;
}

/* Silence inside a frame: the host is gone, hunt for the next one (SPEC [STREAM-8]). */
static void give_up_frame(struct agent *a)
{
    a->shared->open = false;
    wire_stream_hunt(&a->shared->stream);
}

/* A port hands out a page a read.  Inside a frame we ask for the next one without waiting, and wait only
 * when it is not there: one call a page, not two.  Its open file is ours alone, so the flag disturbs nobody. */
static void set_waiting(struct agent *a, bool waiting)
{
    if (a->channel == AGENT_PORT && a->waiting != waiting) {
        sys3(__NR_fcntl, a->rfd, 4 /* F_SETFL */, waiting ? SYS_O_RDWR : SYS_O_RDWR | SYS_O_NONBLOCK);
        a->waiting = waiting;
    }
}

bool channel_read(struct agent *a)
{
    struct wire_stream *s = &a->shared->stream;
    bool midway = wire_stream_midway(s);
    size_t room;
    set_waiting(a, !midway);
    if (midway && a->channel != AGENT_PORT && !wait_fd(a->rfd, SYS_POLLIN, AGENT_SILENCE_MS)) {
        give_up_frame(a);
        return true;
    }
    uint8_t *space = wire_stream_space(s, &room);
    long n = sys3(__NR_read, a->rfd, sys_ptr(space), (long)room);
    if (n > 0)
        wire_stream_fed(s, (size_t)n);
    else if (n == 0 && a->channel == AGENT_PORT)
        wait_fd(-1, 0, NO_HOST_MS);
    else if (n != -SYS_EAGAIN)
        return n == -SYS_EINTR;
    else if (!wait_fd(a->rfd, SYS_POLLIN, AGENT_SILENCE_MS) && midway)
        give_up_frame(a);
    return true;
}

/* Drop the first n bytes of what is still to be sent. */
static void advance(const struct wire_slice **slices, uint32_t *count, struct wire_slice *first, size_t n)
{
    while (n >= first->len) {
        n -= first->len;
        ++*slices;
        if (--*count == 0)
            return;
        *first = **slices;
    }
    first->ptr = (const uint8_t *)first->ptr + n;
    first->len -= n;
}

/* As much as one call takes.  A port has no gathering write. */
static long write_some(struct agent *a, const struct wire_slice *slices, uint32_t count, struct wire_slice first)
{
    struct sys_iovec iov[IOVECS];
    uint32_t n = count < IOVECS ? count : IOVECS;
    if (n == 1 || a->channel == AGENT_PORT)
        return sys3(__NR_write, a->wfd, sys_ptr(first.ptr), (long)first.len);
    iov[0] = (struct sys_iovec){first.ptr, first.len};
    for (uint32_t i = 1; i < n; i++)
        iov[i] = (struct sys_iovec){slices[i].ptr, slices[i].len};
    return sys3(__NR_writev, a->wfd, sys_ptr(iov), (long)n);
}

bool channel_write(struct agent *a, const struct wire_slice *slices, uint32_t count)
{
    struct wire_slice first = slices[0];
    while (count > 0) {
        long n = write_some(a, slices, count, first);
        if (n > 0)
            advance(&slices, &count, &first, (size_t)n);
        else if (n == 0 || n == -SYS_EAGAIN)
            wait_fd(a->wfd, 4 /* POLLOUT */, NO_HOST_MS);
        else if (n != -SYS_EINTR)
            return false;
    }
    return true;
}
