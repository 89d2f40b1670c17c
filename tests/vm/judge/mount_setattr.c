// SPDX-License-Identifier: MIT
#include "judge.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

enum { SHARED = 1 << 20, PRIVATE = 1 << 18 };

static void set_sized(const char *name, const void *bytes, size_t room, size_t size)
{
    char *copy = at_end(bytes, room);
    see(name, call(SYS_mount_setattr, AT_FDCWD, "point", 0, copy, size));
    show(copy, room);
}

static void set(const char *name, struct mount_attr attr)
{
    set_sized(name, &attr, sizeof attr, sizeof attr);
}

static int create(const char *name)
{
    return (int)see(name, call(SYS_openat, AT_FDCWD, "point/file", O_CREAT | O_WRONLY, 0600));
}

static void see_flags(void)
{
    struct statfs buffer;
    memset(&buffer, 0, sizeof buffer);
    see("statfs", call(SYS_statfs, "point", &buffer));
    show(&buffer, sizeof buffer);
}

static void there_and_back(void)
{
    set("set", (struct mount_attr){.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC});
    create("read-only");
    see_flags();
    set("clear", (struct mount_attr){.attr_clr = MOUNT_ATTR_RDONLY});
    int fd = create("writable");
    set("busy", (struct mount_attr){.attr_set = MOUNT_ATTR_RDONLY});
    close(fd);
    see_flags();
}

static void sizes(void)
{
    char longer[32 + 4096] = {MOUNT_ATTR_NOEXEC};
    set_sized("31", longer, 32, 31);
    set_sized("40", longer, 40, 40);
    longer[39] = 1;
    set_sized("40 and a bit", longer, 40, 40);
    longer[39] = 0;
    set_sized("more than a page", longer, sizeof longer, sizeof longer);
    set_sized("32 of 24", longer, 24, 32);
}

CASE(mount_setattr)
{
    struct mount_attr none = {0};
    mkdir("point", 0700);
    see("mount", call(SYS_mount, "judge", "point", "tmpfs", 0, "size=64k"));
    there_and_back();
    sizes();
    set("attribute", (struct mount_attr){.attr_set = 1ull << 40});
    set("propagation", (struct mount_attr){.propagation = SHARED | PRIVATE});
    see("flags", call(SYS_mount_setattr, AT_FDCWD, "point", 1 << 20, &none, sizeof none));
    show(&none, sizeof none);
    set("namespace", (struct mount_attr){.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = 999});
    see("umount2", call(SYS_umount2, "point", 0));
    set("no mount", (struct mount_attr){.attr_set = MOUNT_ATTR_NOEXEC});
}
