/* SPDX-License-Identifier: MIT
 *
 * The program: PID 1 of a guest, or any process of a host that asked for it.
 */
#include <string.h>

#include "agent.h"
#include "sys.h"

static const char usage[] =
    "usage: provium-agent --execute-here [--listen PATH]\n"
    "  Executes the system calls that a Provium host asks for, on this machine, as this user.\n"
    "  Speaks on standard input and output, or on the unix socket that it makes at PATH.\n"
    "  As process 1 it takes no options: it serves the virtio-serial port named provium.\n";

int agent_move_up(int fd)
{
    static const int floors[] = {1000, 200, 50, 0};
    for (unsigned i = 0; i < sizeof floors / sizeof floors[0]; i++) {
        long up = sys3(__NR_fcntl, fd, 1030 /* F_DUPFD_CLOEXEC */, floors[i]);
        if (!sys_failed(up)) {
            sys1(__NR_close, fd);
            return (int)up;
        }
    }
    return fd;
}

/* ---- set-up ---- */

static uint8_t *map_shared(size_t len)
{
    long p = sys6(__NR_mmap, 0, (long)len, SYS_PROT_RW, SYS_MAP_SHARED | 0x4020, -1, 0);
    return sys_failed(p) ? NULL : (uint8_t *)(uintptr_t)p;
}

bool agent_init(struct agent *a, uint32_t page, const uint8_t random[WIRE_INSTANCE_LEN])
{
    struct sys_utsname name;
    a->page = page;
    a->invoke = agent_syscall6;
    a->move = region_move;
    arena_init(&a->arena, page);
    a->shared = (struct shared *)(void *)map_shared(sizeof *a->shared);
    a->rx = map_shared(AGENT_CHANNEL_CAP);
    a->tx = map_shared(AGENT_CHANNEL_CAP);
    a->results = (int64_t *)(void *)map_shared(AGENT_RESULT_LIMIT * sizeof a->results[0]);
    a->skips = map_shared(AGENT_RESULT_LIMIT);
    if (a->shared == NULL || a->rx == NULL || a->tx == NULL || a->results == NULL || a->skips == NULL ||
        sys_failed(sys1(__NR_uname, sys_ptr(&name))))
        return false;
    memcpy(a->arch, name.machine, sizeof a->arch);
    memcpy(a->kernel, name.release, sizeof a->kernel);
    memcpy(a->instance, random, sizeof a->instance);
    wire_stream_init(&a->shared->stream, a->rx, AGENT_CHANNEL_CAP, WIRE_SYNC_HOST);
    return true;
}

/* ---- where the channel is ---- */

/* Standard input becomes empty and standard output standard error: what scripts do
 * with 0 and 1 must not reach the channel. */
static void use_stdio(struct agent *a)
{
    a->rfd = agent_move_up(0);
    a->wfd = agent_move_up(1);
    sys4(__NR_openat, SYS_AT_FDCWD, sys_ptr("/dev/null"), SYS_O_RDWR, 0);
    sys3(__NR_fcntl, 2, 0 /* F_DUPFD */, 1);
}

/* Make the socket, wait for one host. */
static bool use_listen(struct agent *a, const char *path)
{
    struct {
        uint16_t family;
        char path[108];
    } address = {1 /* AF_UNIX */, ""};
    if (strlen(path) >= sizeof address.path)
        return false;
    memcpy(address.path, path, strlen(path) + 1);
    long fd = sys3(__NR_socket, 1, 1 | SYS_O_CLOEXEC, 0);
    if (sys_failed(fd) || sys_failed(sys3(__NR_bind, fd, sys_ptr(&address), sizeof address)) ||
        sys_failed(sys2(__NR_listen, fd, 1)))
        return false;
    long host = sys4(__NR_accept4, fd, 0, 0, SYS_O_CLOEXEC);
    sys1(__NR_close, fd);
    sys3(__NR_unlinkat, SYS_AT_FDCWD, sys_ptr(path), 0);
    if (sys_failed(host))
        return false;
    a->rfd = a->wfd = agent_move_up((int)host);
    return true;
}

static int run_here(struct agent *a, int argc, char **argv)
{
    bool listen = argc == 4 && agent_same(argv[2], "--listen");
    if (argc < 2 || !agent_same(argv[1], "--execute-here") || (argc != 2 && !listen)) {
        agent_log(usage, NULL);
        return 2;
    }
    if (listen && !use_listen(a, argv[3])) {
        agent_log("provium-agent: cannot listen on ", argv[3], "\n", NULL);
        return 1;
    }
    if (!listen)
        use_stdio(a);
    return supervisor_run(a);
}

static int run_guest(struct agent *a)
{
    int fd = init_guest();
    if (fd < 0)
        return 1;
    a->guest = true;
    a->channel = AGENT_PORT;
    a->rfd = a->wfd = agent_move_up(fd);
    return supervisor_run(a);
}

static int agent_main(int argc, char **argv, const long *auxv)
{
    enum { AT_PAGESZ = 6, AT_RANDOM = 25, PAGE_DEFAULT = 4096 };
    static const uint8_t zero[WIRE_INSTANCE_LEN];
    static struct agent agent;
    const uint8_t *random = zero;
    uint32_t page = PAGE_DEFAULT;
    for (; auxv[0] != 0; auxv += 2) {
        if (auxv[0] == AT_PAGESZ)
            page = (uint32_t)auxv[1];
        else if (auxv[0] == AT_RANDOM)
            random = (const uint8_t *)(uintptr_t)auxv[1];
    }
    if (!agent_init(&agent, page, random)) {
        agent_log("provium-agent: not enough memory\n", NULL);
        return 1;
    }
    return sys1(__NR_getpid, 0) == 1 ? run_guest(&agent) : run_here(&agent, argc, argv);
}

/* Entered from _start with the stack as the kernel laid it: argc, argv, 0, envp, 0, auxv. */
__attribute__((noreturn)) void agent_start(const long *stack);

void agent_start(const long *stack)
{
    long argc = stack[0];
    char **argv = (char **)(uintptr_t)(stack + 1);
    const long *auxv = stack + argc + 2;
    while (*auxv++ != 0)
        continue;
    sys1(__NR_exit_group, agent_main((int)argc, argv, auxv));
    __builtin_unreachable();
}
