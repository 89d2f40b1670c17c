/* SPDX-License-Identifier: MIT
 *
 * The process between the host and QEMU.  It starts QEMU, takes what QEMU prints into rings of bounded size, and
 * kills QEMU when the host is gone for whatever reason; when it dies itself, the kernel kills QEMU.
 * Knows processes, pipes and signals; does not know what QEMU is or says.
 *
 *     host --lifeline (socket)--> launcher --pipes (stdout, stderr)--> QEMU
 *       \------------------ QMP and channel (sockets) -----------------/
 */
#include "qemu_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CHUNK = 4096,      /* bytes read at once */
    DRAIN_MAX = 64,    /* chunks read after QEMU's end: more than a pipe holds */
    KILL_MS = 5000,    /* patience with a process that got SIGKILL */
    SLICE_MS = 50,     /* of waiting for its end */
    FD_ABOVE = 32,     /* where descriptors are parked while 0 to 8 are put in place */
    EXIT_NOT_RUN = 127 /* as a shell says that a program could not be run */
};

/* The launcher's descriptors, behind those that QEMU inherits. */
enum { FD_LIFELINE = QEMU_FD_COUNT, FD_CONSOLE, FD_STDERR, FD_COUNT };

/* What the launcher needs to know, in the memory that fork copies. */
struct plan {
    struct provium_launch_page *page;
    const struct provium_qemu *qemu;
    pid_t host;
    int qmp, channel, initrd, lifeline; /* the far ends */
};

/* ======== in the launcher: only what signal-safety(7) allows ======== */

static _Noreturn void give_up(const struct plan *p)
{
    p->page->start_errno = errno ? errno : EINVAL;
    p->page->state = LAUNCH_ENDED;
    _exit(EXIT_NOT_RUN);
}

/* An embedder's handlers and masks are nothing for us or QEMU. */
static void reset_signals(void)
{
    static const uint64_t default_action[8]; /* the kernel's struct sigaction; glibc's refuses 32 and 33 */
    sigset_t none;
    for (int n = 1; n < NSIG; n++)
        syscall(SYS_rt_sigaction, n, default_action, NULL, sizeof(uint64_t));
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Descriptors 0 to FD_COUNT - 1 become what the enums say, everything else is closed. */
static bool place_descriptors(const struct plan *p)
{
    int out[2], err[2], high[FD_COUNT];
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        return false;
    const int from[FD_COUNT] = {nothing, out[1], err[1], p->qmp, p->channel, p->initrd, p->lifeline, out[0], err[0]};
    for (int i = 0; i < FD_COUNT; i++)
        if ((high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FD_ABOVE)) < 0)
            return false;
    for (int i = 0; i < FD_COUNT; i++)
        if (dup3(high[i], i, i < QEMU_FD_COUNT ? 0 : O_CLOEXEC) < 0)
            return false;
    return syscall(SYS_close_range, FD_COUNT, ~0U, 0) == 0;
}

static _Noreturn void run_qemu(const struct plan *p, pid_t launcher)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != launcher) /* it died before the line above */
        _exit(EXIT_NOT_RUN);
    execve(p->qemu->program, p->qemu->argv, environ);
    p->page->start_errno = errno;
    _exit(EXIT_NOT_RUN);
}

/* Take one chunk of what QEMU prints; false at the end and when there is nothing. */
static bool take_output(struct provium_ring *ring, int fd)
{
    char chunk[CHUNK];
    ssize_t n = read(fd, chunk, sizeof chunk);
    uint64_t at = ring->total;
    for (ssize_t i = 0; i < n; i++)
        ring->bytes[(at + (uint64_t)i) % sizeof ring->bytes] = chunk[i];
    if (n > 0)
        ring->total = at + (uint64_t)n;
    return n > 0 || (n < 0 && errno == EINTR);
}

static int open_process(pid_t pid)
{
    return pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Take output until QEMU has ended; kill it when the host is gone or lets go of the lifeline (a child of the host
 * may hold the lifeline without knowing: both count). */
static void watch(const struct plan *p, pid_t qemu, const int pidfds[2])
{
    struct pollfd fds[] = {{.fd = FD_CONSOLE, .events = POLLIN},
                           {.fd = FD_STDERR, .events = POLLIN},
                           {.fd = FD_LIFELINE, .events = POLLIN},
                           {.fd = pidfds[1], .events = POLLIN},
                           {.fd = pidfds[0], .events = POLLIN}};
    while (!fds[4].revents) {
        if (poll(fds, 5, -1) < 0)
            continue;
        if (fds[0].revents && !take_output(&p->page->console, FD_CONSOLE))
            fds[0].fd = -1;
        if (fds[1].revents && !take_output(&p->page->errors, FD_STDERR))
            fds[1].fd = -1;
        if (fds[2].revents || fds[3].revents) {
            kill(qemu, SIGKILL);
            fds[2].fd = fds[3].fd = -1;
        }
    }
}

/* What was printed last, if the pipe was left with something in it. */
static void drain(struct provium_ring *ring, int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < DRAIN_MAX && take_output(ring, fd); i++)
        continue;
}

static _Noreturn void launcher_main(const struct plan *p)
{
    pid_t self = getpid();
    int status = 0;
    prctl(PR_SET_NAME, "provium-launch");
    setsid(); /* the terminal's Ctrl-C is for the host alone */
    reset_signals();
    if (!place_descriptors(p))
        give_up(p);
    pid_t qemu = _Fork();
    if (qemu == 0)
        run_qemu(p, self);
    const int pidfds[] = {open_process(qemu), open_process(p->host)};
    if (pidfds[0] < 0 || pidfds[1] < 0 || getppid() != p->host)
        give_up(p); /* and QEMU dies with us */
    p->page->qemu_pid = qemu;
    p->page->state = LAUNCH_RUNNING;
    syscall(SYS_close_range, 0, QEMU_FD_COUNT - 1, 0);
    watch(p, qemu, pidfds);
    while (waitpid(qemu, &status, 0) < 0 && errno == EINTR)
        continue;
    drain(&p->page->console, FD_CONSOLE);
    drain(&p->page->errors, FD_STDERR);
    p->page->wait_status = status;
    p->page->state = LAUNCH_ENDED;
    _exit(0);
}

/* ======== in the host ======== */

static void close_all(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

/* Fork without the handlers that the embedder gave to pthread_atfork(3), and with all signals blocked, so that none of
 * its signal handlers runs in the child either. */
static pid_t fork_launcher(const struct plan *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = _Fork();
    if (pid == 0)
        launcher_main(p);
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return pid;
}

/* Three pairs: ours are the even ones, non-blocking. */
static bool open_pairs(int fds[6])
{
    for (int i = 0; i < 6; i += 2)
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds + i) != 0 || fcntl(fds[i], F_SETFL, O_NONBLOCK) != 0)
            return false;
    return true;
}

static struct provium_launch_page *new_page(void)
{
    void *page =
        mmap(NULL, sizeof(struct provium_launch_page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

enum provium_status provium_launch_start(struct provium_launch *l, const struct provium_qemu *q, int initrd,
                                         struct provium_error *e)
{
    int fds[6] = {-1, -1, -1, -1, -1, -1};
    *l = (struct provium_launch){.page = new_page(), .lifeline = -1, .qmp = -1, .channel = -1};
    if (l->page && open_pairs(fds)) {
        struct plan p = {.page = l->page,
                         .qemu = q,
                         .host = getpid(),
                         .initrd = initrd,
                         .lifeline = fds[1],
                         .qmp = fds[3],
                         .channel = fds[5]};
        l->pid = fork_launcher(&p);
    }
    if (l->pid <= 0) {
        int failed = errno;
        close_all(fds, 6);
        l->pid = 0;
        provium_launch_reset(l);
        return provium_fail(e, PROVIUM_E_SYSTEM, failed, "cannot start QEMU's launcher: %s", strerror(failed));
    }
    l->lifeline = fds[0];
    l->qmp = fds[2];
    l->channel = fds[4];
    close_all((int[]){fds[1], fds[3], fds[5]}, 3);
    return PROVIUM_OK;
}

bool provium_launch_wait(const struct provium_launch *l, unsigned timeout_ms)
{
    int64_t now = provium_now_ms(), until = now + timeout_ms;
    struct pollfd lifeline = {.fd = l->lifeline, .events = POLLIN};
    for (;; now = provium_now_ms()) {
        /* in slices: a fork elsewhere in the host may have caught the far end before we closed it */
        int slice = until - now < SLICE_MS ? (int)(until - now) : SLICE_MS;
        if (poll(&lifeline, 1, slice > 0 ? slice : 0) > 0 || l->page->state == LAUNCH_ENDED)
            return true;
        if (now >= until)
            return false;
    }
}

bool provium_launch_kill(struct provium_launch *l)
{
    if (l->pid == 0)
        return true;
    shutdown(l->lifeline, SHUT_WR);
    bool ended = provium_launch_wait(l, KILL_MS);
    if (!ended)
        kill(l->pid, SIGKILL);
    while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    close_all((int[]){l->lifeline, l->qmp, l->channel}, 3);
    l->lifeline = l->qmp = l->channel = -1;
    l->pid = 0;
    return ended;
}

void provium_launch_reset(struct provium_launch *l)
{
    provium_launch_kill(l);
    if (l->page)
        munmap(l->page, sizeof *l->page);
    *l = (struct provium_launch){.lifeline = -1, .qmp = -1, .channel = -1};
}

size_t provium_ring_tail(const struct provium_ring *ring, char *out, size_t cap)
{
    /* the launcher may be writing the chunk behind the end: leave out what that chunk would overwrite */
    const uint64_t size = sizeof ring->bytes, keep = size - CHUNK;
    uint64_t end = ring->total, room = keep < cap - 1 ? keep : cap - 1;
    uint64_t from = end > room ? end - room : 0;
    for (uint64_t i = from; i < end; i++)
        out[i - from] = ring->bytes[i % size];
    uint64_t later = ring->total, first = later > keep && later - keep > from ? later - keep : from;
    size_t len = first < end ? (size_t)(end - first) : 0;
    memmove(out, out + (end - from - len), len);
    out[len] = 0;
    return len;
}
