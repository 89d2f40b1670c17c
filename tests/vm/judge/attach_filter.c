// SPDX-License-Identifier: MIT
#include "judge.h"

#include <linux/filter.h>
#include <sys/socket.h>

static int near, far;

static void attach(int count, void *insns)
{
    struct sock_fprog *prog = at_end(NULL, sizeof *prog);
    prog->len = (unsigned short)count;
    prog->filter = insns;
    see("setsockopt", call(SYS_setsockopt, far, SOL_SOCKET, SO_ATTACH_FILTER, prog, sizeof *prog));
    show(prog, sizeof *prog);
}

static void *one(unsigned short code, unsigned k)
{
    struct sock_filter insn = {code, 0, 0, k};
    return at_end(&insn, sizeof insn);
}

static void send_and_receive(void)
{
    char *text = at_end(NULL, 10);
    see("sendto", call(SYS_sendto, near, "packet", 6, 0, NULL, 0));
    see("recvfrom", call(SYS_recvfrom, far, text, 10, MSG_DONTWAIT, NULL, NULL));
    show(text, 10);
}

CASE(attach_filter)
{
    int pair[2];
    see("socketpair", call(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair));
    show(pair, sizeof pair);
    near = pair[0], far = pair[1];
    attach(1, unmapped());
    attach(2, one(BPF_RET | BPF_K, 3));
    attach(1, one(0xffff, 0));
    attach(1, one(BPF_RET | BPF_K, 3));
    send_and_receive();
    attach(1, one(BPF_RET | BPF_K, 0));
    send_and_receive();
}
