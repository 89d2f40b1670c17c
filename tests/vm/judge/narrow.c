// SPDX-License-Identifier: MIT
#include "judge.h"

#include <asm/ldt.h>
#include <sys/mman.h>
#include <sys/uio.h>

// As at_end, below 2 GiB.
static char *low_at_end(const void *data, size_t len)
{
    enum { PAGE = 4096 };
    char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (at == MAP_FAILED || mprotect(at + PAGE, PAGE, PROT_NONE) != 0)
        _exit(3);
    return data ? memcpy(at + PAGE - len, data, len) : at + PAGE - len;
}

CASE(narrow)
{
    char *copy = at_end(NULL, 11);
    struct iovec here = {copy, 11}, there = {low_at_end("narrow data", 11), 11};
    see("process_vm_readv", call(SYS_process_vm_readv, getpid(), &here, 1, &there, 1, 0));
    show(&here, sizeof here);
    show(&there, sizeof there);
    show(copy, 11);

    int fd = (int)see("memfd_create", call(SYS_memfd_create, "x", 0));
    for (int i = 0; i < 3; i++) {
        struct iovec one = {low_at_end("narrow data", 11) + (int[]){0, 10, 11}[i], 1};
        see("writev", call(SYS_writev, fd, &one, 1));
        show(&one, sizeof one);
    }

    struct user_desc desc = {.base_addr = (unsigned)(uintptr_t)low_at_end(NULL, 4096), .limit = 0xfff,
        .seg_32bit = 1, .useable = 1};
    char entry[8] = "";
    see("write an entry", call(SYS_modify_ldt, 0x11, &desc, sizeof desc));
    show(&desc, sizeof desc);
    see("read it", call(SYS_modify_ldt, 0, entry, sizeof entry));
    show(entry, sizeof entry);
}
