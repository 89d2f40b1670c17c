// SPDX-License-Identifier: MIT
#include "judge.h"

#include <fcntl.h>
#include <sys/stat.h>

CASE(getdents64)
{
    char path[64] = "dents";
    long n;
    mkdir(path, 0777);
    for (size_t i = 1; i <= 40; i++) {
        path[5] = '/';
        memset(path + 6, 'n', i);
        mkdir(path, 0777);
    }
    int fd = (int)see("openat", call(SYS_openat, AT_FDCWD, "dents", O_DIRECTORY));
    char *small = at_end(NULL, 20);
    see("no room", call(SYS_getdents64, fd, small, 20));
    show(small, 20);
    do {
        char *list = at_end(NULL, 200);
        n = see("getdents64", call(SYS_getdents64, fd, list, 200));
        show(list, 200);
    } while (n > 0);
}
