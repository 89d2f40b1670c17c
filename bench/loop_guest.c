/* SPDX-License-Identifier: MIT
 *
 * The floor of a program: the same system calls in a loop in C, in the same guest.  Arguments: which, how
 * often.  Leaves the nanoseconds that they took together in the file LOOP_RESULT, 8 bytes.
 */
#include <string.h>

#include "../agent/agent.h"
#include "../agent/sys.h"
#include "loops.h"

static int64_t now_ns(void)
{
    struct sys_timespec t = {0, 0};
    sys2(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, sys_ptr(&t));
    return t.sec * 1000000000 + t.nsec;
}

static long number_of(const char *text)
{
    long n = 0;
    while (*text >= '0' && *text <= '9')
        n = 10 * n + (*text++ - '0');
    return n;
}

static int64_t loop_getppid(long count)
{
    int64_t start = now_ns();
    for (long i = 0; i < count; i++)
        sys1(__NR_getppid, 0);
    return now_ns() - start;
}

static int64_t loop_readv(long count)
{
    static uint8_t first[LOOP_READ_LEN], second[LOOP_READ_LEN];
    struct sys_iovec iov[2] = {{first, sizeof first}, {second, sizeof second}};
    long fd = sys4(__NR_openat, SYS_AT_FDCWD, sys_ptr("/dev/zero"), 0, 0);
    int64_t start = now_ns();
    for (long i = 0; i < count; i++)
        sys3(__NR_readv, fd, sys_ptr(iov), 2);
    return now_ns() - start;
}

__attribute__((noreturn)) void agent_start(const long *stack);

void agent_start(const long *stack)
{
    char **argv = (char **)(uintptr_t)(stack + 1);
    long count = number_of(argv[2]);
    int64_t ns = argv[1][0] == 'r' ? loop_readv(count) : loop_getppid(count);
    long fd =
        sys4(__NR_openat, SYS_AT_FDCWD, sys_ptr(LOOP_RESULT), 01 | 0100 | 01000 /* O_WRONLY|O_CREAT|O_TRUNC */, 0600);
    sys3(__NR_write, fd, sys_ptr(&ns), sizeof ns);
    sys1(__NR_exit_group, 0);
    __builtin_unreachable();
}
