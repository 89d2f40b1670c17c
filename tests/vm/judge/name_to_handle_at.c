// SPDX-License-Identifier: MIT
#include "judge.h"

#include <fcntl.h>

// A handle with room for `room` bytes that says `says`; at the end of memory.
static struct file_handle *handle(size_t room, unsigned says)
{
    struct file_handle head = {.handle_bytes = says}, *h = at_end(NULL, sizeof head + room);
    return memcpy(h, &head, sizeof head);
}

static struct file_handle *handle_of(const char *name, const char *path, size_t room, unsigned says)
{
    struct file_handle *h = handle(room, says);
    int *id = at_end(NULL, sizeof *id), flags = strcmp(name, "flags") == 0;
    see(name, call(SYS_name_to_handle_at, AT_FDCWD, path, h, id, flags));
    show(h, sizeof *h + room);
    show(id, sizeof *id);
    return h;
}

static void open_and_unlink(struct file_handle *h)
{
    char text[30] = "";
    int fd = (int)see("open_by_handle_at", call(SYS_open_by_handle_at, AT_FDCWD, h, O_RDONLY));
    see("read", call(SYS_read, fd, text, sizeof text));
    show(text, sizeof text);
    see("unlinkat", call(SYS_unlinkat, AT_FDCWD, "file", 0));
    close(fd);
    see("gone", call(SYS_open_by_handle_at, AT_FDCWD, h, O_RDONLY));
}

CASE(name_to_handle_at)
{
    make_file("file", "found by its handle");
    unsigned needed = handle_of("no room", "file", 0, 0)->handle_bytes;
    handle_of("little room", "file", 4, 4);
    handle_of("too much", "file", 129, 129);
    open_and_unlink(handle_of("handle", "file", needed, needed));

    make_file("other", "");
    handle_of("beyond the memory", "other", needed - 1, needed);
    handle_of("no file", "file", needed, needed);
    handle_of("flags", "other", needed, needed);
    struct file_handle *made_up = handle(needed, needed);
    made_up->handle_type = 0x1234;
    see("made up", call(SYS_open_by_handle_at, AT_FDCWD, made_up, O_RDONLY));
}
