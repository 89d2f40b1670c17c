// SPDX-License-Identifier: MIT
#include "judge.h"

#include <sys/uio.h>

static void copy(const char *name, long nr, struct iovec here[2], struct iovec there[2], unsigned long flags)
{
    see(name, call(nr, getpid(), here, 2, there, 2, flags));
    show(here, 2 * sizeof *here);
    show(there, 2 * sizeof *there);
}

static struct iovec piece(const char *data, size_t len)
{
    return (struct iovec){at_end(data, len), len};
}

static void see_pieces(const char *name, const struct iovec v[2])
{
    see(name, 0);
    show(v[0].iov_base, v[0].iov_len);
    show(v[1].iov_base, v[1].iov_len);
}

CASE(process_vm_readv)
{
    struct iovec here[] = {piece(NULL, 3), piece(NULL, 9)}, there[] = {piece("hello ", 6), piece("world!", 6)};
    copy("read", SYS_process_vm_readv, here, there, 0);
    see_pieces("read bytes", here);

    struct iovec from[] = {piece("abcd", 4), piece("efgh", 4)}, to[] = {piece(NULL, 1), piece(NULL, 7)};
    copy("write", SYS_process_vm_writev, from, to, 0);
    see_pieces("written bytes", to);

    struct iovec bad = {NULL, 6}, none[2] = {{NULL, 0}, {NULL, 0}};
    struct iovec first[] = {piece(NULL, 3), {NULL, 0}};
    copy("second is bad", SYS_process_vm_readv, here, (struct iovec[]){there[0], bad}, 0);
    copy("first is bad", SYS_process_vm_readv, first, (struct iovec[]){bad, there[0]}, 0);
    copy("flags", SYS_process_vm_readv, none, none, 1);
    copy("nothing", SYS_process_vm_readv, none, none, 0);
    see("no process", call(SYS_process_vm_readv, 0x7fffffff, here, 1, there, 1, 0));
}
