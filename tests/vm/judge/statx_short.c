// SPDX-License-Identifier: MIT
#include "judge.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <time.h>

static void stat_into(const char *name, const char *path, size_t room)
{
    char *buffer = at_end(NULL, room);
    see(name, call(SYS_statx, AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_BTIME, buffer));
    show(buffer, room);
}

CASE(statx_short)
{
    struct timespec times[] = {{1000000000, 1}, {2000000000, 999999999}};
    make_file("file", "content");
    see("utimensat", call(SYS_utimensat, AT_FDCWD, "file", times, 0));
    stat_into("whole", "file", 256);
    stat_into("short", "file", 255);
    stat_into("none", "file", 0);
    stat_into("no file", "other", 255);
    see("reserved", call(SYS_statx, AT_FDCWD, "file", 0, STATX__RESERVED, at_end(NULL, 256)));
}
