/* SPDX-License-Identifier: MIT
 *
 * What a libc would do: the start, the end, one line of output, and mem*.  With a libc (the
 * native run, for the sanitizers) only the output.
 */
#include <string.h>

#include "cross.h"

static unsigned passed, failed;

static int run(void);

#if __STDC_HOSTED__

#include <unistd.h>

int main(void)
{
    return run();
}

static void say(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        failed++;
}

#else

#if defined(__i386__)
__asm__(".globl _start\n_start:\n xorl %ebp, %ebp\n andl $-16, %esp\n call cross_start\n");
static long call(long nr, long a, long b, long c)
{
    long ret;
    __asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
    return ret;
}
#elif defined(__s390x__)
__asm__(".globl _start\n_start:\n lghi %r11, 0\n aghi %r15, -160\n brasl %r14, cross_start\n");
static long call(long nr, long a, long b, long c)
{
    register long r1 __asm__("r1") = nr;
    register long r2 __asm__("r2") = a;
    register long r3 __asm__("r3") = b;
    register long r4 __asm__("r4") = c;
    __asm__ volatile("svc 0" : "+r"(r2) : "r"(r1), "r"(r3), "r"(r4) : "memory");
    return r2;
}
#endif

enum { NR_EXIT = 1, NR_WRITE = 4 }; /* on both */

__attribute__((noreturn)) void cross_start(void);
void cross_start(void)
{
    int status = run();
    for (;;)
        call(NR_EXIT, status, 0, 0);
}

static void say(const char *text)
{
    call(NR_WRITE, 1, (long)text, (long)strlen(text));
}

void *memmove(void *to, const void *from, size_t len)
{
    volatile unsigned char *t = to; /* or the compiler makes a call of memmove of it */
    const unsigned char *f = from;
    if (t < f) {
        for (size_t i = 0; i < len; i++)
            t[i] = f[i];
    } else {
        while (len-- > 0)
            t[len] = f[len];
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    return memmove(to, from, len);
}

void *memset(void *p, int byte, size_t len)
{
    volatile unsigned char *t = p;
    while (len-- > 0)
        t[len] = (unsigned char)byte;
    return p;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;
    while (len > 0 && *x == *y)
        x++, y++, len--;
    return len > 0 ? *x - *y : 0;
}

size_t strlen(const char *text)
{
    const volatile char *end = text;
    while (*end != '\0')
        end++;
    return (size_t)(end - text);
}

int strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a - *b;
}

#endif

static void say_number(unsigned value)
{
    char digits[12];
    unsigned at = sizeof digits - 1;
    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    say(digits + at);
}

void expect_at(bool ok, const char *what, const char *text, int line)
{
    passed += ok;
    failed += !ok;
    if (ok)
        return;
    say(what);
    say(", line ");
    say_number((unsigned)line);
    say(": ");
    say(text);
    say("\n");
}

struct wire_bytes misplaced(struct wire_bytes bytes, unsigned offset)
{
    static _Alignas(16) uint8_t room[CROSS_MAX + CROSS_ALIGNMENTS];
    memcpy(room + offset, bytes.ptr, bytes.len);
    return (struct wire_bytes){room + offset, bytes.len};
}

static int run(void)
{
    test_messages();
    test_values();
    say_number(passed);
    say(" passed, ");
    say_number(failed);
    say(" failed\n");
    return failed > 0 || passed == 0;
}
