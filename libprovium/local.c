/* SPDX-License-Identifier: MIT
 *
 * Sessions without a VM: an agent that is a child process, or listens on a socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "session_impl.h"

/* The child: only async-signal-safe calls, the embedder may have threads.  Both descriptors
 * move up first, in case they are among the standard ones. */
static void become_agent(const char *const argv[], int channel, int report)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    channel = fcntl(channel, F_DUPFD_CLOEXEC, 3);
    report = fcntl(report, F_DUPFD_CLOEXEC, 3);
    if (channel >= 0 && report >= 0 && dup2(channel, 0) >= 0 && dup2(channel, 1) >= 0)
        execvp(argv[0], (char *const *)(uintptr_t)argv);
    int error = errno;
    ssize_t n = write(report, &error, sizeof error);
    _exit(n == (ssize_t)sizeof error ? 127 : 126);
}

/* What the child reports: 0 when its end was closed by exec. */
static int read_report(int fd)
{
    int error = 0;
    ssize_t n;
    do
        n = read(fd, &error, sizeof error);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof error ? error : 0;
}

/* Fork and exec; 0, or the errno of what failed. */
static int spawn(struct provium_session *s, const char *const argv[], int channel)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return errno;
    pid_t child = fork();
    int error = errno;
    if (child == 0)
        become_agent(argv, channel, report[1]);
    close(report[1]);
    if (child > 0) {
        s->child = child;
        error = read_report(report[0]);
    }
    close(report[0]);
    return error;
}

enum provium_status provium_session_spawn(struct provium_session *s, const char *const argv[], unsigned timeout_ms)
{
    int64_t deadline_ms = provium_now_ms() + timeout_ms;
    int ends[2];
    if (s->state == SESSION_OPEN)
        return provium_fail(&s->error, PROVIUM_E_STATE, 0, "provium_session_spawn: the session is open already");
    if (argv == NULL || argv[0] == NULL)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "provium_session_spawn: argv[0]: NULL");
    provium_session_close(s);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return provium_fail(&s->error, PROVIUM_E_SYSTEM, errno, "provium_session_spawn: socketpair: %s",
                            strerror(errno));
    s->own_fds = true;
    s->rfd = s->wfd = ends[0];
    int error = spawn(s, argv, ends[1]);
    close(ends[1]);
    enum provium_status status = error == 0 ? provium_session_start(s, "provium_session_spawn", deadline_ms)
                                            : provium_fail(&s->error, PROVIUM_E_SYSTEM, error,
                                                           "provium_session_spawn: %s: %s", argv[0], strerror(error));
    if (status != PROVIUM_OK)
        provium_session_close(s);
    return status;
}

/* connect(2), which waits where the listener's queue is full, but not longer than the deadline. */
static int connect_by(int fd, const struct sockaddr_un *address, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - provium_now_ms();
        struct timeval patience = {left > 0 ? left / 1000 : 0, left > 0 ? left % 1000 * 1000 : 1};
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
            return errno;
        if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
            return 0;
        if (errno != EINTR)
            return errno;
    }
}

enum provium_status provium_session_connect(struct provium_session *s, const char *path, unsigned timeout_ms)
{
    static const char name[] = "provium_session_connect";
    int64_t deadline_ms = provium_now_ms() + timeout_ms;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path != NULL ? strlen(path) : 0;
    enum provium_status status;
    if (s->state == SESSION_OPEN)
        return provium_fail(&s->error, PROVIUM_E_STATE, 0, "%s: the session is open already", name);
    if (len == 0 || len >= sizeof address.sun_path)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "%s: %s: a path has 1 to %zu bytes", name,
                            path != NULL ? path : "NULL", sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, len + 1);
    provium_session_close(s);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    s->own_fds = fd >= 0;
    s->rfd = s->wfd = fd;
    int error = fd < 0 ? errno : connect_by(fd, &address, deadline_ms);
    if (error == EAGAIN)
        status = provium_fail(&s->error, PROVIUM_E_TIMEOUT, 0, "%s: %s: busy until the deadline", name, path);
    else if (error != 0)
        status = provium_fail(&s->error, PROVIUM_E_SYSTEM, error, "%s: %s: %s", name, path, strerror(error));
    else
        status = provium_session_start(s, name, deadline_ms);
    if (status != PROVIUM_OK)
        provium_session_close(s);
    return status;
}
