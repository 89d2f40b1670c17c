// SPDX-License-Identifier: MIT
#include "judge.h"

#include <linux/futex.h>
#include <time.h>

enum { PRIVATE = FUTEX_32 | FUTEX_PRIVATE_FLAG };

static struct futex_waitv expect(uint64_t value, uint32_t held)
{
    return (struct futex_waitv){.val = value, .uaddr = (uintptr_t)at_end(&held, sizeof held), .flags = PRIVATE};
}

static void wait(const char *name, const struct futex_waitv *list, size_t count, unsigned flags)
{
    struct timespec past = {0, 1};
    struct futex_waitv *copy = at_end(list, count * sizeof *list);
    see(name, call(SYS_futex_waitv, copy, count, flags, &past, CLOCK_MONOTONIC));
    show(copy, count * sizeof *copy);
}

static void refused(void)
{
    struct futex_waitv one = {.val = 1, .flags = PRIVATE};
    wait("no address", &one, 1, 0);
    one.uaddr = 0x10001;
    wait("odd", &one, 1, 0);
    one = expect(1, 1);
    one.flags = 1;
    wait("size", &one, 1, 0);
    one = expect(1, 1);
    one.__reserved = 1;
    wait("reserved", &one, 1, 0);
    one = expect(1, 1);
    wait("flags", &one, 1, 1);
}

CASE(futex_waitv)
{
    wait("both", (struct futex_waitv[]){expect(1, 1), expect(2, 2)}, 2, 0);
    wait("first", (struct futex_waitv[]){expect(1, 7), expect(2, 2)}, 2, 0);
    wait("second", (struct futex_waitv[]){expect(1, 1), expect(2, 7)}, 2, 0);
    struct futex_waitv list[129];
    for (uint32_t i = 0; i < 129; i++)
        list[i] = expect(i + 1, i + 1);
    wait("129", list, 129, 0);
    wait("128", list, 128, 0);
    refused();
}
