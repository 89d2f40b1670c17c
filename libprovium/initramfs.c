/* SPDX-License-Identifier: MIT
 *
 * What lies where in the guest's initramfs: the agent, the channel's modules, the caller's
 * files.  Does not know the archive's format (cpio.c) and does not know QEMU.
 */
#include "cpio_impl.h"
#include "qemu_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MAX = 8192 }; /* bytes of the list of modules */

static enum provium_status refuse(const struct provium_cpio *c, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* E_CONFIG, with errno's text behind the sentence if there is one. */
static enum provium_status refuse(const struct provium_cpio *c, int err, const char *fmt, ...)
{
    char text[2 * PATH_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return provium_fail(c->e, PROVIUM_E_CONFIG, err, "%s%s%s", text, err ? ": " : "", err ? strerror(err) : "");
}

static enum provium_status add_directory(struct provium_cpio *c, const char *path, mode_t mode)
{
    return provium_cpio_put(c, &(struct provium_cpio_item){.path = path, .mode = S_IFDIR | (mode & 07777)}, NULL);
}

/* The directories above path. */
static enum provium_status add_parents(struct provium_cpio *c, const char *path)
{
    char parent[PATH_MAX];
    enum provium_status status = PROVIUM_OK;
    for (const char *slash = strchr(path, '/'); slash && !status; slash = strchr(slash + 1, '/')) {
        snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
        status = add_directory(c, parent, 0755);
    }
    return status;
}

/* ---- from the host ---- */

static enum provium_status copy_file(struct provium_cpio *c, int fd, const char *guest, const char *host)
{
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return refuse(c, errno, "cannot read %s", host);
    if (!S_ISREG(st.st_mode))
        return refuse(c, 0, "%s is neither a file, a directory nor a symbolic link", host);
    if ((uint64_t)st.st_size > UINT32_MAX)
        return refuse(c, 0, "%s is larger than 4 GiB, more than an initramfs takes", host);
    struct provium_cpio_item item = {
        .path = guest, .mode = S_IFREG | (st.st_mode & 07777), .size = (uint32_t)st.st_size};
    return provium_cpio_copy(c, &item, fd, host);
}

static enum provium_status add_file(struct provium_cpio *c, const char *guest, const char *host)
{
    /* O_NONBLOCK: a fifo is to be refused, not waited for */
    int fd = open(host, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum provium_status status = copy_file(c, fd, guest, host);
    if (fd >= 0)
        close(fd);
    return status;
}

static enum provium_status add_link(struct provium_cpio *c, const char *guest, const char *host)
{
    char target[PATH_MAX];
    ssize_t n = readlink(host, target, sizeof target);
    if (n < 0)
        return refuse(c, errno, "cannot read %s", host);
    struct provium_cpio_item item = {.path = guest, .mode = S_IFLNK | 0777, .size = (uint32_t)n};
    return provium_cpio_put(c, &item, target);
}

/* A directory that is being copied: both paths, which grow and shrink with the depth. */
struct tree {
    struct provium_cpio *cpio;
    char guest[PATH_MAX], host[PATH_MAX];
};

static enum provium_status add_tree(struct tree *t, mode_t mode);

/* What both paths name; links stay links. */
static enum provium_status add_child(struct tree *t)
{
    struct stat st;
    if (lstat(t->host, &st) != 0)
        return refuse(t->cpio, errno, "cannot read %s", t->host);
    if (S_ISDIR(st.st_mode))
        return add_tree(t, st.st_mode);
    if (S_ISLNK(st.st_mode))
        return add_link(t->cpio, t->guest, t->host);
    return add_file(t->cpio, t->guest, t->host);
}

/* The entry `name` of the directory that both paths name. */
static enum provium_status add_entry(struct tree *t, const char *name)
{
    size_t guest_len = strlen(t->guest), host_len = strlen(t->host), len = strlen(name);
    if (guest_len + len + 2 > PATH_MAX || host_len + len + 2 > PATH_MAX)
        return refuse(t->cpio, 0, "files: the path of %s below %s is too long", name, t->host);
    snprintf(t->guest + guest_len, PATH_MAX - guest_len, "/%s", name);
    snprintf(t->host + host_len, PATH_MAX - host_len, "/%s", name);
    enum provium_status status = add_child(t);
    t->guest[guest_len] = t->host[host_len] = 0;
    return status;
}

static int compare_entries(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

static int is_entry(const struct dirent *d)
{
    return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

/* A directory and all below it, in the order of the names.  The depth ends where PATH_MAX does. */
static enum provium_status add_tree(struct tree *t, mode_t mode)
{
    struct dirent **list;
    enum provium_status status = add_directory(t->cpio, t->guest, mode);
    if (status)
        return status;
    int count = scandir(t->host, &list, is_entry, compare_entries);
    if (count < 0)
        return refuse(t->cpio, errno, "cannot read %s", t->host);
    for (int i = 0; i < count; i++) {
        if (!status)
            status = add_entry(t, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return status;
}

/* ---- files= ---- */

/* Is path `top` or below it? */
static bool is_below(const char *path, const char *top)
{
    size_t len = strlen(top);
    return strncmp(path, top, len) == 0 && (path[len] == 0 || path[len] == '/');
}

/* Refuse paths that would replace what the guest needs, or that its mounts would hide. */
static enum provium_status check_reserved(const struct provium_cpio *c, const char *path)
{
    static const char *const mounts[] = {"dev", "proc", "sys"};
    if (is_below(path, "init") || is_below(path, ".provium"))
        return refuse(c, 0, "files: /%s: /init and /.provium are the agent's", path);
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++)
        if (is_below(path, mounts[i]))
            return refuse(c, 0, "files: /%s would be hidden by the guest's mount on /%s", path, mounts[i]);
    return PROVIUM_OK;
}

/* "/a//./b/" becomes "a/b". */
static enum provium_status clean_path(const struct provium_cpio *c, const char *guest, char out[PATH_MAX])
{
    size_t len = 0;
    if (*guest != '/')
        return refuse(c, 0, "files: the guest's path %s is not absolute", guest);
    if (strlen(guest) >= PATH_MAX)
        return refuse(c, 0, "files: the guest's path %.64s... is too long", guest);
    for (const char *p = guest; *p;) {
        size_t part = strcspn(p, "/");
        if (part == 2 && memcmp(p, "..", 2) == 0)
            return refuse(c, 0, "files: the guest's path %s contains ..", guest);
        if (part > 1 || (part == 1 && *p != '.')) {
            if (len)
                out[len++] = '/';
            memcpy(out + len, p, part);
            len += part;
        }
        p += part + (p[part] == '/');
    }
    out[len] = 0;
    return PROVIUM_OK;
}

static enum provium_status check_guest(const struct provium_cpio *c, const char *guest, char out[PATH_MAX])
{
    enum provium_status status = clean_path(c, guest, out);
    if (!status && !*out)
        return refuse(c, 0, "files: / is no name for a file in the guest");
    return status ? status : check_reserved(c, out);
}

static enum provium_status add_host(struct provium_cpio *c, const struct provium_file *file)
{
    struct tree t = {.cpio = c};
    struct stat st;
    if (!file->guest || !file->host)
        return refuse(c, 0, "files: a path is missing");
    enum provium_status status = check_guest(c, file->guest, t.guest);
    if (status)
        return status;
    if (stat(file->host, &st) != 0 || strlen(file->host) >= sizeof t.host)
        return refuse(c, errno, "files: cannot read %s", file->host);
    snprintf(t.host, sizeof t.host, "%s", file->host);
    status = add_parents(c, t.guest);
    if (status)
        return status;
    return S_ISDIR(st.st_mode) ? add_tree(&t, st.st_mode) : add_file(c, t.guest, t.host);
}

/* ---- what every guest has ---- */

static enum provium_status add_base(struct provium_cpio *c)
{
    static const struct {
        const char *path;
        mode_t mode;
    } dirs[] = {{"dev", 0755}, {"proc", 0755}, {"sys", 0755},  {"tmp", 01777},
                {"run", 0755}, {"etc", 0755},  {"root", 0700}, {".provium", 0700}};
    /* the kernel opens it for init's descriptors 0 to 2 */
    struct provium_cpio_item console = {.path = "dev/console", .mode = S_IFCHR | 0600, .major = 5, .minor = 1};
    enum provium_status status = PROVIUM_OK;
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs && !status; i++)
        status = add_directory(c, dirs[i].path, dirs[i].mode);
    return status ? status : provium_cpio_put(c, &console, NULL);
}

static enum provium_status add_agent(struct provium_cpio *c, const char *path)
{
    if (path) {
        struct stat st;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 0111))
            return refuse(c, 0, "the agent %s is not executable", path);
        return add_file(c, "init", path);
    }
    size_t len = (size_t)(provium_agent_end - provium_agent_start);
    struct provium_cpio_item item = {.path = "init", .mode = S_IFREG | 0755, .size = (uint32_t)len};
    return provium_cpio_put(c, &item, provium_agent_start);
}

/* One module; its guest path is appended to list. */
static enum provium_status add_module(struct provium_cpio *c, const char *directory, const char *path,
                                      char list[LIST_MAX])
{
    char host[PATH_MAX], guest[128];
    const char *slash = strrchr(path, '/');
    size_t len = strlen(list);
    int g = snprintf(guest, sizeof guest, ".provium/%s", slash ? slash + 1 : path);
    int h = snprintf(host, sizeof host, "%s/%s", directory, path);
    if (g >= (int)sizeof guest || h >= (int)sizeof host || len + sizeof guest + 2 > LIST_MAX)
        return refuse(c, 0, "the paths of the modules in %s are too long", directory);
    snprintf(list + len, LIST_MAX - len, "/%s\n", guest);
    return add_file(c, guest, host);
}

/* The modules, and their list in the order of loading. */
static enum provium_status add_modules(struct provium_cpio *c, const char *directory)
{
    struct provium_modules m = {0};
    char list[LIST_MAX] = "";
    enum provium_status status = directory ? provium_modules_find(&m, directory, c->e) : PROVIUM_OK;
    for (size_t i = 0; i < m.count && !status; i++)
        status = add_module(c, directory, m.paths[i], list);
    provium_modules_reset(&m);
    struct provium_cpio_item item = {
        .path = ".provium/modules", .mode = S_IFREG | 0644, .size = (uint32_t)strlen(list)};
    return status ? status : provium_cpio_put(c, &item, list);
}

enum provium_status provium_initramfs_write(int fd, const struct provium_initramfs *what, struct provium_error *e)
{
    struct provium_cpio c;
    provium_cpio_init(&c, fd, e);
    enum provium_status status = add_base(&c);
    if (!status)
        status = add_agent(&c, what->agent);
    if (!status)
        status = add_modules(&c, what->modules);
    for (size_t i = 0; i < what->file_count && !status; i++)
        status = add_host(&c, &what->files[i]);
    if (!status)
        status = provium_cpio_end(&c);
    provium_cpio_reset(&c);
    return status;
}

static enum provium_status copy_initrd(struct provium_cpio *c, int from, const char *path)
{
    struct stat st;
    if (from < 0 || fstat(from, &st) != 0)
        return refuse(c, errno, "cannot read the initrd %s", path);
    if (!S_ISREG(st.st_mode))
        return refuse(c, 0, "the initrd %s is not a file", path);
    return provium_cpio_raw(c, from, (uint64_t)st.st_size, path);
}

enum provium_status provium_initramfs_prepend(int fd, const char *path, struct provium_error *e)
{
    struct provium_cpio c;
    provium_cpio_init(&c, fd, e);
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum provium_status status = copy_initrd(&c, from, path);
    if (from >= 0)
        close(from);
    return status;
}
