// SPDX-License-Identifier: MIT
#include "judge.h"

#include <sys/epoll.h>

static void add(const char *name, int ep, int fd, struct epoll_event event)
{
    see(name, call(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, fd, &event));
    show(&event, sizeof event);
}

static void wait(const char *name, int ep, size_t room)
{
    struct epoll_event *events = at_end(NULL, room * sizeof *events);
    see(name, call(SYS_epoll_wait, ep, events, 2, 0));
    show(events, room * sizeof *events);
}

CASE(epoll_packed)
{
    int ends[2];
    see("pipe2", call(SYS_pipe2, ends, 0));
    show(ends, sizeof ends);
    int ep = (int)see("epoll_create1", call(SYS_epoll_create1, 0));
    add("add r", ep, ends[0], (struct epoll_event){EPOLLIN, {.u64 = 0x1122334455667788}});
    add("add w", ep, ends[1], (struct epoll_event){EPOLLOUT, {.u64 = (uint64_t)-2}});
    if (write(ends[1], "x", 1) != 1)
        _exit(3);
    wait("epoll_wait", ep, 2);
    wait("room for one", ep, 1);
}
