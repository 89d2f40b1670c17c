// SPDX-License-Identifier: MIT
#include "judge.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>

enum { READ = LANDLOCK_ACCESS_FS_READ_FILE };

static int ruleset;

static int create(const char *name, const char *bytes, size_t room, size_t size)
{
    char *copy = at_end(bytes, room);
    int fd = (int)see(name, call(SYS_landlock_create_ruleset, copy, size, 0));
    show(copy, room);
    return fd;
}

static void add(const char *name, uint64_t access, int folder, size_t room)
{
    struct landlock_path_beneath_attr attr = {access, folder};
    char *copy = at_end(&attr, room);
    see(name, call(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, copy, 0));
    show(copy, room);
}

static int open_file(const char *name, const char *path, int flags)
{
    return (int)see(name, call(SYS_openat, AT_FDCWD, path, flags, 0));
}

static void sizes(void)
{
    char attr[72] = {READ};
    ruleset = create("8 bytes", attr, 8, 8);
    create("7 bytes", attr, 8, 7);
    create("8 of 7", attr, 7, 8);
    create("longer, zero", attr, 72, 72);
    attr[71] = 1;
    create("longer", attr, 72, 72);
    create("unknown right", (char[8]){[7] = 0x40}, 8, 8);
    create("no right", (char[8]){0}, 8, 8);
}

CASE(landlock)
{
    mkdir("in", 0700);
    make_file("in/file", "in");
    mkdir("out", 0700);
    make_file("out/file", "out");
    see("version", call(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
    sizes();

    int folder = open_file("folder", "in", O_PATH | O_DIRECTORY);
    add("eleven bytes", READ, folder, 11);
    add("no folder", READ, -1, 12);
    add("a ruleset for a folder", READ, ruleset, 12);
    add("unhandled right", READ << 1, folder, 12);
    add("rule", READ, folder, 12);

    open_file("before", "out/file", O_RDONLY);
    see("landlock_restrict_self", call(SYS_landlock_restrict_self, ruleset, 0));
    open_file("inside", "in/file", O_RDONLY);
    open_file("outside", "out/file", O_RDONLY);
    open_file("not handled", "out/file", O_WRONLY);
}
