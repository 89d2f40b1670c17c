// SPDX-License-Identifier: MIT
#include "judge.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct rights {
    uint64_t len;
    int32_t level, type, fd, pad;
};

static int near, far;

static struct msghdr *message(struct iovec *iov, size_t count, struct rights *rights, size_t len)
{
    struct msghdr *m = at_end(NULL, sizeof *m);
    m->msg_iov = iov;
    m->msg_iovlen = count;
    m->msg_control = rights;
    m->msg_controllen = len;
    return m;
}

static void send_file(int file)
{
    struct iovec iov[] = {{at_end("hello ", 6), 6}, {NULL, 0}, {at_end("world", 5), 5}};
    struct rights rights = {20, SOL_SOCKET, SCM_RIGHTS, file, 0};
    see("sendmsg", call(SYS_sendmsg, near, message(iov, 3, &rights, sizeof rights), 0));
}

static int receive_file(void)
{
    char *first = at_end(NULL, 4), *second = at_end(NULL, 100);
    struct iovec iov[] = {{first, 4}, {second, 100}};
    struct rights rights = {0};
    struct msghdr *m = message(iov, 2, &rights, sizeof rights);
    see("recvmsg", call(SYS_recvmsg, far, m, 0));
    show(m, sizeof *m);
    show(first, 4);
    show(second, 100);
    show(iov, sizeof iov);
    show(&rights, sizeof rights);
    return rights.fd;
}

CASE(scm_rights)
{
    int pair[2];
    char text[6] = "", byte = 0;
    see("socketpair", call(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair));
    show(pair, sizeof pair);
    near = pair[0], far = pair[1];
    int file = (int)see("memfd_create", call(SYS_memfd_create, "passed", 0));
    see("write", call(SYS_write, file, "inside", 6));
    send_file(file);
    int received = receive_file();
    see("pread64", call(SYS_pread64, received, text, 6, 0));
    show(text, 6);

    struct iovec one = {&byte, 1};
    struct rights bad = {20, SOL_SOCKET, SCM_RIGHTS, 999, 0};
    see("bad descriptor", call(SYS_sendmsg, near, message(&one, 1, &bad, sizeof bad), 0));
    see("nothing came", call(SYS_recvmsg, far, message(&one, 1, NULL, 0), MSG_DONTWAIT));
}
