/* SPDX-License-Identifier: MIT
 *
 * The only reads and writes of the channel: non-blocking, under a deadline.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "session_impl.h"

enum { IOVECS = 64 };

/* Wait for an event of fd; E_TIMEOUT after the deadline. */
static enum provium_status wait_fd(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - provium_now_ms();
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
        if (n > 0)
            return PROVIUM_OK;
        if (n < 0 && errno != EINTR)
            return PROVIUM_E_CLOSED;
        if (n == 0 && left <= 0)
            return PROVIUM_E_TIMEOUT;
    }
}

/* Wait for input, while the machine's owner has a look at it now and then. */
static enum provium_status wait_input(const struct provium_session *s, int64_t deadline_ms)
{
    for (;;) {
        int64_t look_ms = provium_now_ms() + SESSION_WATCH_MS;
        bool looks = s->owner.watch != NULL && look_ms < deadline_ms;
        enum provium_status status = wait_fd(s->rfd, POLLIN, looks ? look_ms : deadline_ms);
        if (status != PROVIUM_E_TIMEOUT || !looks)
            return status;
        s->owner.watch(s->owner.context);
    }
}

enum provium_status provium_channel_read(struct provium_session *s, int64_t deadline_ms)
{
    size_t room;
    uint8_t *space = wire_stream_space(&s->stream, &room);
    for (;;) {
        enum provium_status status = wait_input(s, deadline_ms);
        if (status != PROVIUM_OK)
            return status;
        ssize_t n = read(s->rfd, space, room);
        if (n > 0) {
            wire_stream_fed(&s->stream, (size_t)n);
            s->rx_used = s->stream.end > s->rx_used ? s->stream.end : s->rx_used;
            return PROVIUM_OK;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return PROVIUM_E_CLOSED;
    }
}

/* writev without SIGPIPE, which the embedder may not expect: it is blocked meanwhile, and taken
 * back if it is ours. */
static ssize_t write_quietly(int fd, const struct iovec *iov, int count)
{
    const struct timespec now = {0, 0};
    sigset_t quiet, before, pending;
    sigemptyset(&quiet);
    sigaddset(&quiet, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &quiet, &before);
    ssize_t n = writev(fd, iov, count);
    int error = errno;
    if (n < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 0) {
        while (sigtimedwait(&quiet, NULL, &now) < 0 && errno == EINTR)
            continue;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return n;
}

/* Gather what is left, as much as one call takes. */
static ssize_t write_some(const struct provium_session *s, const struct wire_slice *slices, uint32_t count, size_t done)
{
    struct iovec iov[IOVECS];
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = count < IOVECS ? count : IOVECS};
    for (size_t i = 0; i < msg.msg_iovlen; i++)
        iov[i] = (struct iovec){(void *)(uintptr_t)slices[i].ptr, slices[i].len};
    iov[0].iov_base = (uint8_t *)iov[0].iov_base + done;
    iov[0].iov_len -= done;
    if (s->is_socket)
        return sendmsg(s->wfd, &msg, MSG_NOSIGNAL);
    return write_quietly(s->wfd, iov, (int)msg.msg_iovlen);
}

enum provium_status provium_channel_write(struct provium_session *s, const struct wire_slice *slices, uint32_t count,
                                          int64_t deadline_ms)
{
    size_t done = 0; /* bytes of slices[0] */
    while (count > 0) {
        ssize_t n = write_some(s, slices, count, done);
        if (n < 0 && errno == EAGAIN) {
            enum provium_status status = wait_fd(s->wfd, POLLOUT, deadline_ms);
            if (status != PROVIUM_OK)
                return status;
        } else if (n < 0 && errno != EINTR) {
            return PROVIUM_E_CLOSED;
        }
        for (done += n > 0 ? (size_t)n : 0; count > 0 && done >= slices[0].len; slices++, count--)
            done -= slices[0].len;
    }
    return PROVIUM_OK;
}
