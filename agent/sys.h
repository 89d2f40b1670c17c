/* SPDX-License-Identifier: MIT
 *
 * Raw system calls of the agent's own, without a libc: results are the kernel's,
 * -4095..-1 on failure.  Works in a hosted build too (tests, sanitizers).
 */
#ifndef AGENT_SYS_H
#define AGENT_SYS_H

#include <asm/unistd.h>
#include <stdint.h>

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#else
#error "no system call for this architecture: add it here and a sys_ARCH.S"
#endif
}

static inline long sys4(long nr, long a, long b, long c, long d)
{
    return sys6(nr, a, b, c, d, 0, 0);
}

static inline long sys3(long nr, long a, long b, long c)
{
    return sys6(nr, a, b, c, 0, 0, 0);
}

static inline long sys2(long nr, long a, long b)
{
    return sys6(nr, a, b, 0, 0, 0, 0);
}

static inline long sys1(long nr, long a)
{
    return sys6(nr, a, 0, 0, 0, 0, 0);
}

/* Did the kernel refuse? */
static inline int sys_failed(long ret)
{
    return ret < 0 && ret >= -4095;
}

/* A pointer as an argument. */
static inline long sys_ptr(const void *p)
{
    return (long)(intptr_t)p;
}

/* The numbers and layouts below are the same on every architecture that is built. */
enum {
    SYS_ENOENT = 2,
    SYS_EINTR = 4,
    SYS_EAGAIN = 11,
    SYS_ENOMEM = 12,
    SYS_EFAULT = 14,
    SYS_EEXIST = 17,
    SYS_O_RDWR = 2,
    SYS_O_NONBLOCK = 04000,
    SYS_O_CLOEXEC = 02000000,
    SYS_AT_FDCWD = -100,
    SYS_SIGKILL = 9,
    SYS_SIGCHLD = 17,
    SYS_SIG_SETMASK = 2,
    SYS_PROT_NONE = 0,
    SYS_PROT_READ = 1,
    SYS_PROT_RW = 3,
    SYS_MAP_SHARED = 1,
    SYS_MAP_PRIVATE = 2,
    SYS_MAP_FIXED = 0x10,
    SYS_MAP_FIXED_NOREPLACE = 0x100000,
    SYS_MAP_ANON_NORESERVE = 0x4020,
    SYS_MADV_DONTNEED = 4,
    SYS_MADV_REMOVE = 9,
    SYS_POLLIN = 1
};

struct sys_iovec {
    const void *ptr;
    uint64_t len;
};

struct sys_pollfd {
    int fd;
    short events, revents;
};

struct sys_timespec {
    int64_t sec, nsec;
};

struct sys_utsname {
    char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

#endif
