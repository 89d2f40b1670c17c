/* SPDX-License-Identifier: MIT
 *
 * Sessions without a VM: an agent that is a child process, or listens on a socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "session_impl.h"

/* Only async-signal-safe calls: the embedder may have threads. */
static void become_agent(const char *const argv[], int channel, int report)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(channel, 0) >= 0 && dup2(channel, 1) >= 0)
        execvp(argv[0], (char *const *)(uintptr_t)argv);
    int error = errno;
    ssize_t n = write(report, &error, sizeof error);
    _exit(n == (ssize_t)sizeof error ? 127 : 126);
}

/* Fork and exec; 0, or the errno of what failed.  The child's end of the channel is closed here. */
static int spawn(struct provium_session *s, const char *const argv[], int channel)
{
    int report[2], error = 0;
    if (pipe2(report, O_CLOEXEC) != 0)
        return errno;
    s->child = fork();
    if (s->child == 0)
        become_agent(argv, channel, report[1]);
    if (s->child < 0) {
        error = errno;
        s->child = 0;
    }
    close(report[1]);
    ssize_t n = read(report[0], &error, sizeof error);
    close(report[0]);
    return n > 0 || s->child == 0 ? error : 0;
}

enum provium_status provium_session_spawn(struct provium_session *s, const char *const argv[], unsigned timeout_ms)
{
    int ends[2];
    if (s->state != SESSION_NEW || s->own_fds)
        return provium_fail(&s->error, PROVIUM_E_STATE, 0, "provium_session_spawn: the session was used already");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return provium_fail(&s->error, PROVIUM_E_SYSTEM, errno, "provium_session_spawn: socketpair: %s", strerror(errno));
    int error = spawn(s, argv, ends[1]);
    close(ends[1]);
    s->own_fds = true;
    s->rfd = s->wfd = ends[0];
    if (error != 0)
        return provium_fail(&s->error, PROVIUM_E_SYSTEM, error, "provium_session_spawn: %s: %s", argv[0],
                            strerror(error));
    return provium_session_open(s, ends[0], ends[0], timeout_ms);
}

enum provium_status provium_session_connect(struct provium_session *s, const char *path, unsigned timeout_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (s->state != SESSION_NEW || s->own_fds)
        return provium_fail(&s->error, PROVIUM_E_STATE, 0, "provium_session_connect: the session was used already");
    if (strlen(path) >= sizeof address.sun_path)
        return provium_fail(&s->error, PROVIUM_E_ARGUMENT, 0, "provium_session_connect: %s: path too long", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    s->own_fds = fd >= 0;
    s->rfd = s->wfd = fd;
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return provium_fail(&s->error, PROVIUM_E_SYSTEM, errno, "provium_session_connect: %s: %s", path, strerror(errno));
    return provium_session_open(s, fd, fd, timeout_ms);
}
