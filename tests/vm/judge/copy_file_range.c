// SPDX-License-Identifier: MIT
#include "judge.h"

static int memfd(const char *content)
{
    int fd = (int)see("memfd_create", call(SYS_memfd_create, "x", 0));
    if (write(fd, content, strlen(content)) < 0)
        _exit(3);
    return fd;
}

static void copy(const char *name, int from, int to, const int64_t at[2], size_t len)
{
    int64_t in = at[0], out = at[1];
    see(name, call(SYS_copy_file_range, from, &in, to, &out, len, 0));
    show(&in, sizeof in);
    show(&out, sizeof out);
}

CASE(copy_file_range)
{
    char text[11];
    int from = memfd("0123456789"), to = memfd("...........");
    copy("copy_file_range", from, to, (int64_t[]){2, 5}, 4);
    see("pread64", call(SYS_pread64, to, text, 11, 0));
    show(text, 11);
    copy("to the end", from, to, (int64_t[]){8, 0}, 100);
}
