/* SPDX-License-Identifier: MIT
 *
 * The initramfs, read back by a reader written from the kernel's description of the format.
 */
#include "../../libprovium/cpio_impl.h"
#include "../../libprovium/qemu_impl.h"
#include "../support/temp.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ITEMS_MAX = 256, HEADER = 110 };

struct item {
    const char *path;
    unsigned mode, size, device_major, device_minor;
    const char *data;
};

struct archive {
    char *bytes;
    size_t len, count;
    struct item items[ITEMS_MAX];
};

static struct archive archive;
static struct provium_error error;

static unsigned field(const char *header, int n)
{
    char hex[9] = "";
    memcpy(hex, header + 6 + 8 * n, 8);
    return (unsigned)strtoul(hex, NULL, 16);
}

/* Take one item apart; returns the offset of the next. */
static size_t read_item(size_t at)
{
    const char *header = archive.bytes + at;
    cr_assert(at + HEADER <= archive.len && at % 4 == 0);
    cr_assert_eq(memcmp(header, "070701", 6), 0);
    struct item item = {.path = header + HEADER,
                        .mode = field(header, 1),
                        .size = field(header, 6),
                        .device_major = field(header, 9),
                        .device_minor = field(header, 10)};
    cr_assert_eq(strlen(item.path) + 1, field(header, 11));
    size_t data = (at + HEADER + field(header, 11) + 3) & ~(size_t)3;
    item.data = archive.bytes + data;
    cr_assert(data + item.size <= archive.len && archive.count < ITEMS_MAX);
    archive.items[archive.count++] = item;
    return (data + item.size + 3) & ~(size_t)3;
}

static void read_archive(int fd, size_t from)
{
    off_t len = lseek(fd, 0, SEEK_END);
    archive.len = (size_t)len;
    free(archive.bytes);
    archive.bytes = malloc(archive.len);
    archive.count = 0;
    cr_assert_eq(pread(fd, archive.bytes, archive.len, 0), len);
    do
        from = read_item(from);
    while (strcmp(archive.items[archive.count - 1].path, "TRAILER!!!") != 0);
    cr_assert_eq(from, archive.len);
    archive.count--;
}

static enum provium_status write_archive(const struct provium_initramfs *what)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    error = (struct provium_error){0};
    enum provium_status status = provium_initramfs_write(fd, what, &error);
    cr_assert_eq(status, error.code);
    if (!status)
        read_archive(fd, 0);
    close(fd);
    return status;
}

static const struct item *find(const char *path)
{
    for (size_t i = 0; i < archive.count; i++)
        if (strcmp(archive.items[i].path, path) == 0)
            return &archive.items[i];
    return NULL;
}

static bool has_text(const char *path, const char *text)
{
    const struct item *item = find(path);
    return item && item->size == strlen(text) && memcmp(item->data, text, item->size) == 0;
}

static enum provium_status write_file(const char *guest, const char *host)
{
    struct provium_file file = {guest, host};
    return write_archive(&(struct provium_initramfs){.files = &file, .file_count = 1});
}

static void cr_assert_refused(const char *guest, const char *host, const char *words)
{
    cr_assert_eq(write_file(guest, host), PROVIUM_E_CONFIG, "%s was taken", guest ? guest : "NULL");
    cr_assert(strstr(error.text, words), "'%s' does not say '%s'", error.text, words);
}

static void enter(void)
{
    temp_enter();
    temp_file("agent", "an agent", 8, 0755);
    temp_text("file", "content\n");
}

static void leave(void)
{
    free(archive.bytes);
    temp_leave();
}

TestSuite(initramfs, .init = enter, .fini = leave);

/* ---- what every guest has ---- */

Test(initramfs, init_is_the_built_in_agent)
{
    size_t len = (size_t)(provium_agent_end - provium_agent_start);
    cr_assert_eq(write_archive(&(struct provium_initramfs){0}), PROVIUM_OK);
    const struct item *init = find("init");
    cr_assert(init && init->mode == (S_IFREG | 0755) && init->size == len);
    cr_assert_eq(memcmp(init->data, provium_agent_start, len), 0);
}

Test(initramfs, init_is_the_agent_that_was_asked_for)
{
    cr_assert_eq(write_archive(&(struct provium_initramfs){.agent = "agent"}), PROVIUM_OK);
    cr_assert(has_text("init", "an agent"));
    cr_assert_eq(find("init")->mode, S_IFREG | 0755);
}

Test(initramfs, an_agent_that_cannot_be_executed_is_refused)
{
    cr_assert_eq(write_archive(&(struct provium_initramfs){.agent = "file"}), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "file is not executable"));
    cr_assert_eq(write_archive(&(struct provium_initramfs){.agent = "absent"}), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "absent"));
}

Test(initramfs, the_usual_directories_and_a_console_are_there)
{
    static const char *const names[] = {"dev", "proc", "sys", "tmp", "run", "etc", "root"};
    cr_assert_eq(write_archive(&(struct provium_initramfs){0}), PROVIUM_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert(find(names[i]) && S_ISDIR(find(names[i])->mode), "no /%s", names[i]);
    cr_assert_eq(find("tmp")->mode, S_IFDIR | 01777);
    const struct item *console = find("dev/console");
    cr_assert(console && S_ISCHR(console->mode) && console->device_major == 5 && console->device_minor == 1);
}

Test(initramfs, the_same_content_is_the_same_archive)
{
    cr_assert_eq(write_file("/etc/file", "file"), PROVIUM_OK);
    struct archive first = archive;
    archive.bytes = NULL;
    cr_assert_eq(write_file("/etc/file", "file"), PROVIUM_OK);
    cr_assert(first.len == archive.len && memcmp(first.bytes, archive.bytes, first.len) == 0);
    free(first.bytes);
}

/* ---- modules ---- */

static void make_modules(const char *dep, const char *builtin)
{
    temp_text("m/modules.dep", dep);
    if (builtin)
        temp_text("m/modules.builtin", builtin);
    temp_text("m/kernel/a/virtio_ring.ko", "ring");
    temp_text("m/kernel/a/virtio.ko", "virtio");
    temp_text("m/kernel/a/virtio_pci.ko", "pci");
    temp_text("m/kernel/b/virtio_console.ko", "console");
}

static enum provium_status write_modules(void)
{
    return write_archive(&(struct provium_initramfs){.modules = "m"});
}

Test(initramfs, modules_are_listed_behind_all_that_they_need)
{
    make_modules("kernel/b/virtio_console.ko: kernel/a/virtio.ko kernel/a/virtio_ring.ko\n"
                 "kernel/a/virtio_pci.ko: kernel/a/virtio.ko kernel/a/virtio_ring.ko\n"
                 "kernel/c/unrelated.ko: kernel/c/absent.ko\n"
                 "kernel/a/virtio.ko: kernel/a/virtio_ring.ko\n"
                 "kernel/a/virtio_ring.ko:\n",
                 NULL);
    cr_assert_eq(write_modules(), PROVIUM_OK, "%s", error.text);
    cr_assert(has_text(".provium/modules", "/.provium/virtio_ring.ko\n/.provium/virtio.ko\n"
                                           "/.provium/virtio_pci.ko\n/.provium/virtio_console.ko\n"));
    cr_assert(has_text(".provium/virtio_ring.ko", "ring"));
    cr_assert(has_text(".provium/virtio_console.ko", "console"));
}

Test(initramfs, modules_that_are_built_in_are_not_carried)
{
    make_modules("kernel/b/virtio_console.ko:\n", "kernel/a/virtio-pci.ko\nkernel/a/virtio.ko\n");
    cr_assert_eq(write_modules(), PROVIUM_OK, "%s", error.text);
    cr_assert(has_text(".provium/modules", "/.provium/virtio_console.ko\n"));
}

Test(initramfs, without_modules_the_list_is_empty)
{
    cr_assert_eq(write_archive(&(struct provium_initramfs){0}), PROVIUM_OK);
    cr_assert(has_text(".provium/modules", ""));
}

Test(initramfs, a_kernel_without_the_channels_driver_is_refused)
{
    make_modules("kernel/a/virtio_pci.ko:\n", "kernel/x/xvirtio_console.ko\nkernel/x/virtio_consoles.ko\n");
    cr_assert_eq(write_modules(), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "m has no virtio_console"), "%s", error.text);
}

Test(initramfs, a_compressed_module_is_refused_by_its_name)
{
    make_modules("kernel/a/virtio_pci.ko.xz:\nkernel/b/virtio_console.ko:\n", NULL);
    cr_assert_eq(write_modules(), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "m/kernel/a/virtio_pci.ko.xz is compressed"), "%s", error.text);
}

Test(initramfs, a_modules_dep_that_is_missing_or_broken_is_named)
{
    make_modules("kernel/a/virtio_pci.ko: kernel/a/virtio_pci.ko\n", NULL);
    cr_assert_eq(write_modules(), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "m/modules.dep is broken at kernel/a/virtio_pci.ko"), "%s", error.text);
    make_modules("kernel/a/virtio_pci.ko: kernel/a/absent.ko\n", NULL);
    cr_assert_eq(write_modules(), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "broken at kernel/a/absent.ko"), "%s", error.text);
    unlink("m/modules.dep");
    cr_assert_eq(write_modules(), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "cannot read m/modules.dep"), "%s", error.text);
}

/* ---- files ---- */

Test(initramfs, a_file_arrives_with_content_and_mode_below_new_directories)
{
    temp_file("script", "#!/bin/sh\n", 10, 04751);
    cr_assert_eq(write_file("/opt/a/b/script", "script"), PROVIUM_OK, "%s", error.text);
    cr_assert(has_text("opt/a/b/script", "#!/bin/sh\n"));
    cr_assert_eq(find("opt/a/b/script")->mode, S_IFREG | 04751);
    cr_assert(find("opt/a/b") > find("opt/a") && find("opt/a") > find("opt") && find("opt"));
}

Test(initramfs, no_name_is_written_twice)
{
    struct provium_file files[] = {{"/etc/x/1", "file"}, {"/etc/x/2", "file"}, {"//etc/./x//3", "file"}};
    cr_assert_eq(write_archive(&(struct provium_initramfs){.files = files, .file_count = 3}), PROVIUM_OK);
    for (size_t i = 0; i < archive.count; i++)
        cr_assert_eq(find(archive.items[i].path), &archive.items[i], "%s", archive.items[i].path);
    cr_assert(find("etc/x/3"));
}

Test(initramfs, a_directory_is_copied_with_all_below_it)
{
    temp_text("tree/a/one", "1");
    temp_text("tree/b/c/two", "2");
    cr_assert_eq(symlink("a/one", "tree/link"), 0);
    cr_assert_eq(chmod("tree/b", 0700), 0);
    cr_assert_eq(write_file("/t", "tree"), PROVIUM_OK, "%s", error.text);
    cr_assert(has_text("t/a/one", "1") && has_text("t/b/c/two", "2"));
    cr_assert_eq(find("t/b")->mode, S_IFDIR | 0700);
    cr_assert(S_ISLNK(find("t/link")->mode) && has_text("t/link", "a/one"));
}

Test(initramfs, a_link_that_is_named_is_followed)
{
    cr_assert_eq(symlink("file", "link"), 0);
    cr_assert_eq(write_file("/f", "link"), PROVIUM_OK);
    cr_assert(S_ISREG(find("f")->mode) && has_text("f", "content\n"));
}

Test(initramfs, guest_paths_that_cannot_be_are_refused_by_name)
{
    cr_assert_refused("etc/x", "file", "etc/x is not absolute");
    cr_assert_refused("", "file", "is not absolute");
    cr_assert_refused("/a/../b", "file", "/a/../b contains ..");
    cr_assert_refused("/..", "file", "/.. contains ..");
    cr_assert_refused("/", "file", "/ is no name");
    cr_assert_refused("/init", "file", "/init");
    cr_assert_refused("//./init/x", "file", "/init/x");
    cr_assert_refused("/.provium/x", "file", "/.provium/x");
    cr_assert_refused("/proc/x", "file", "/proc/x would be hidden");
    cr_assert_refused("/tmp", "file", "/tmp is in the initramfs already");
    cr_assert_refused(NULL, "file", "a path is missing");
    cr_assert_eq(write_file("/initial", "file"), PROVIUM_OK);
    cr_assert_eq(write_file("/a..b/...", "file"), PROVIUM_OK);
}

Test(initramfs, overlong_guest_paths_are_refused)
{
    static char path[9000];
    memset(path, 'x', sizeof path - 1);
    path[0] = '/';
    cr_assert_refused(path, "file", "too long");
}

Test(initramfs, host_files_that_cannot_be_copied_are_refused_by_name)
{
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    temp_text("tree/plain", "");
    cr_assert_eq(mkfifo("tree/pipe", 0600), 0);
    cr_assert_refused("/x", "absent", "cannot read absent: No such file");
    cr_assert_refused("/x", "fifo", "fifo is neither a file");
    cr_assert_refused("/x", "tree", "tree/pipe is neither a file");
    cr_assert_refused("/x", NULL, "a path is missing");
}

Test(initramfs, a_file_larger_than_the_format_takes_is_refused)
{
    temp_text("large", "");
    cr_assert_eq(truncate("large", INT64_C(1) << 32), 0);
    cr_assert_refused("/x", "large", "large is larger than 4 GiB");
}

Test(initramfs, two_files_at_one_place_are_refused)
{
    struct provium_file twice[] = {{"/a/b", "file"}, {"/a/b", "file"}};
    struct provium_file through[] = {{"/a", "file"}, {"/a/b", "file"}};
    cr_assert_eq(write_archive(&(struct provium_initramfs){.files = twice, .file_count = 2}), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "/a/b is in the initramfs already"));
    cr_assert_eq(write_archive(&(struct provium_initramfs){.files = through, .file_count = 2}), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "/a is in the initramfs already"));
}

Test(initramfs, a_deep_tree_ends_in_an_error_and_not_in_a_crash)
{
    char name[200] = "";
    int at = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    memset(name, 'd', sizeof name - 1);
    for (int i = 0; i < 25; i++) {
        cr_assert_eq(mkdirat(at, name, 0755), 0);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = next;
    }
    close(at);
    cr_assert_refused("/x", name, "too long");
}

/* ---- a further initrd ---- */

Test(initramfs, a_further_initrd_stands_before_ours_and_is_padded)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    temp_text("initrd", "12345");
    cr_assert_eq(provium_initramfs_prepend(fd, "initrd", &error), PROVIUM_OK);
    cr_assert_eq(provium_initramfs_write(fd, &(struct provium_initramfs){0}, &error), PROVIUM_OK);
    read_archive(fd, 8);
    cr_assert_eq(memcmp(archive.bytes, "12345\0\0\0", 8), 0);
    cr_assert(find("init"));
    cr_assert_eq(provium_initramfs_prepend(fd, "absent", &error), PROVIUM_E_CONFIG);
    cr_assert(strstr(error.text, "cannot read the initrd absent"));
    cr_assert_eq(provium_initramfs_prepend(fd, ".", &error), PROVIUM_E_CONFIG);
    close(fd);
}

Test(initramfs, a_full_disk_is_an_error)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert_eq(provium_initramfs_write(fd, &(struct provium_initramfs){0}, &error), PROVIUM_E_SYSTEM);
    cr_assert(strstr(error.text, "cannot write the initramfs: No space left"));
    close(fd);
}
