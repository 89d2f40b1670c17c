// SPDX-License-Identifier: MIT
#include "judge.h"

#include <signal.h>
#include <time.h>

struct inner {
    void *mask;
    size_t size;
};

static int ends[2];

static void wait(void *mask, size_t size, long seconds)
{
    unsigned long set[16] = {1ul << ends[0]};
    struct timespec timeout = {seconds, 0};
    struct inner inner = {mask, size};
    see("pselect6", call(SYS_pselect6, ends[0] + 1, set, NULL, NULL, &timeout, &inner));
    show(set, sizeof set);
    show(&timeout, sizeof timeout);
    show(&inner, sizeof inner);
}

static void *no_signal(void)
{
    return at_end(NULL, 8);
}

static void let_in(void)
{
    kill(getpid(), SIGUSR1); // what is pending stays with the parent
    wait(no_signal(), 8, 5);
}

CASE(pselect6)
{
    uint64_t usr1 = 1u << (SIGUSR1 - 1);
    char byte = 0;
    see("pipe2", call(SYS_pipe2, ends, 0));
    show(ends, sizeof ends);
    wait(no_signal(), 8, 0);
    if (write(ends[1], "x", 1) != 1)
        _exit(3);
    wait(no_signal(), 8, 0);

    wait(no_signal(), 7, 0);
    wait(unmapped(), 8, 0);
    wait((char *)no_signal() + 1, 8, 0);
    wait(NULL, 8, 0);
    wait(no_signal(), 8, 0); // readonly memory, to a script: zeros that are only read

    see("rt_sigprocmask", call(SYS_rt_sigprocmask, SIG_BLOCK, &usr1, NULL, 8));
    show(&usr1, sizeof usr1);
    kill(getpid(), SIGUSR1);
    see("read", call(SYS_read, ends[0], &byte, 1));
    show(&byte, 1);
    wait(&usr1, 8, 0);
    see_child("pselect6", let_in);
}
