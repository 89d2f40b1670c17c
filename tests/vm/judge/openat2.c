// SPDX-License-Identifier: MIT
#include "judge.h"

#include <fcntl.h>
#include <linux/openat2.h>

// `room` bytes that begin with how, of which the kernel is told `size`.
static void open_sized(const char *name, struct open_how how, size_t room, size_t size)
{
    char bytes[8192] = "", *copy;
    memcpy(bytes, &how, sizeof how);
    if (strcmp(name, "32 and a bit") == 0)
        bytes[31] = (char)0x80;
    copy = at_end(bytes, room);
    see(name, call(SYS_openat2, AT_FDCWD, "file", copy, size));
    show(copy, room);
}

static void open_path(const char *name, const char *path, struct open_how how)
{
    see(name, call(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
    show(&how, sizeof how);
}

CASE(openat2)
{
    struct open_how none = {0};
    make_file("file", "content");
    open_sized("24", none, 24, 24);
    open_sized("23", none, 24, 23);
    open_sized("0", none, 24, 0);
    open_sized("32", none, 32, 32);
    open_sized("a page", none, 4096, 4096);
    open_sized("32 and a bit", none, 32, 32);
    open_sized("more than a page", none, 24 + 4096, 24 + 4096);
    open_sized("24 of 16", none, 16, 24);
    open_sized("32 of 24", none, 24, 32);
    open_path("flag", "file", (struct open_how){.flags = 1ull << 40});
    open_path("mode", "file", (struct open_how){.mode = 0600});
    open_path("resolve", "file", (struct open_how){.resolve = 1 << 30});
    open_path("create", "new", (struct open_how){.flags = O_CREAT | O_RDWR, .mode = 0600});
    open_path("beneath", "../judge", (struct open_how){.resolve = RESOLVE_BENEATH});
    open_path("in root", "../judge", (struct open_how){.resolve = RESOLVE_IN_ROOT});
}
