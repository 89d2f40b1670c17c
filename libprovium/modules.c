/* SPDX-License-Identifier: MIT
 *
 * Which modules make the channel work, in which order.  Knows modules.dep and
 * modules.builtin as depmod(8) writes them; does not know what becomes of the answer.
 */
#include "qemu_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LIST_MAX = 64,              /* modules in all: more is not a sane modules.dep */
    DEPTH_MAX = 16,             /* of dependencies: a cycle ends here */
    TEXT_MAX = 16 * 1024 * 1024 /* bytes of modules.dep */
};

/* A part of a file's text, without a NUL. */
struct text {
    const char *ptr;
    size_t len;
};

struct search {
    const char *directory;
    struct text dep;
    struct provium_modules *found;
    struct provium_error *e;
};

/* ---- reading the two lists ---- */

static enum provium_status read_all(int fd, const char *path, char *out, struct provium_error *e)
{
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, out + len, TEXT_MAX - len)) > 0)
        len += (size_t)n;
    if (n < 0)
        return provium_fail(e, PROVIUM_E_CONFIG, errno, "cannot read %s: %s", path, strerror(errno));
    out[len] = 0;
    return PROVIUM_OK;
}

/* The text of a file; the caller frees it.  A file that is absent is empty when `optional`. */
static enum provium_status load(const struct search *s, const char *name, bool optional, char **out)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", s->directory, name) >= (int)sizeof path)
        return provium_fail(s->e, PROVIUM_E_CONFIG, ENAMETOOLONG, "path too long: %s", s->directory);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && !(optional && errno == ENOENT))
        return provium_fail(s->e, PROVIUM_E_CONFIG, errno, "cannot read %s: %s", path, strerror(errno));
    *out = malloc(TEXT_MAX + 1);
    if (!*out) {
        if (fd >= 0)
            close(fd);
        return provium_fail(s->e, PROVIUM_E_SYSTEM, ENOMEM, "no memory for %s", path);
    }
    **out = 0;
    enum provium_status status = fd < 0 ? PROVIUM_OK : read_all(fd, path, *out, s->e);
    if (fd >= 0)
        close(fd);
    return status;
}

/* Cut the next line off *rest; false at the end. */
static bool next_line(struct text *rest, struct text *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *line = (struct text){rest->ptr, len};
    rest->ptr += end ? len + 1 : len;
    rest->len -= end ? len + 1 : len;
    return true;
}

/* Cut the next word, ended by a space or a colon, off *rest; false at the end. */
static bool next_word(struct text *rest, struct text *word)
{
    while (rest->len && (*rest->ptr == ' ' || *rest->ptr == ':'))
        rest->ptr++, rest->len--;
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != ':')
        len++;
    *word = (struct text){rest->ptr, len};
    rest->ptr += len;
    rest->len -= len;
    return len > 0;
}

static bool same(struct text a, struct text b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* Is this path that of the module `name`?  File names may have - where names have _. */
static bool is_module(struct text path, const char *name)
{
    const char *slash = memrchr(path.ptr, '/', path.len);
    struct text base = slash ? (struct text){slash + 1, path.len - (size_t)(slash + 1 - path.ptr)} : path;
    size_t len = strlen(name);
    if (base.len < len + 3 || memcmp(base.ptr + len, ".ko", 3) != 0)
        return false;
    for (size_t i = 0; i < len; i++)
        if (base.ptr[i] != name[i] && !(base.ptr[i] == '-' && name[i] == '_'))
            return false;
    return true;
}

/* ---- the search ---- */

static bool found_already(const struct provium_modules *m, struct text path)
{
    for (size_t i = 0; i < m->count; i++)
        if (same((struct text){m->paths[i], strlen(m->paths[i])}, path))
            return true;
    return false;
}

static enum provium_status append(const struct search *s, struct text path)
{
    struct provium_modules *m = s->found;
    if (path.len < 3 || memcmp(path.ptr + path.len - 3, ".ko", 3) != 0)
        return provium_fail(s->e, PROVIUM_E_CONFIG, 0,
                            "%s/%.*s is compressed: unpack it and run depmod (docs/kernels.md)", s->directory,
                            (int)path.len, path.ptr);
    if (!m->paths)
        m->paths = calloc(LIST_MAX, sizeof *m->paths);
    char *copy = m->paths && m->count < LIST_MAX ? strndup(path.ptr, path.len) : NULL;
    if (!copy)
        return provium_fail(s->e, PROVIUM_E_SYSTEM, ENOMEM, "too many modules in %s/modules.dep", s->directory);
    m->paths[m->count++] = copy;
    return PROVIUM_OK;
}

/* The line of modules.dep that begins with this path, behind the path. */
static bool find_line(const struct search *s, struct text path, struct text *deps)
{
    struct text rest = s->dep, line, word;
    while (next_line(&rest, &line))
        if (next_word(&line, &word) && same(word, path)) {
            *deps = line;
            return true;
        }
    return false;
}

/* Append a module behind everything that it needs. */
static enum provium_status add(const struct search *s, struct text path, int depth)
{
    struct text deps, word;
    if (found_already(s->found, path))
        return PROVIUM_OK;
    if (depth > DEPTH_MAX || !find_line(s, path, &deps))
        return provium_fail(s->e, PROVIUM_E_CONFIG, 0, "%s/modules.dep is broken at %.*s", s->directory, (int)path.len,
                            path.ptr);
    while (next_word(&deps, &word)) {
        enum provium_status status = add(s, word, depth + 1);
        if (status)
            return status;
    }
    return append(s, path);
}

static bool find_module(struct text list, const char *name, struct text *path)
{
    struct text line;
    while (next_line(&list, &line))
        if (next_word(&line, path) && is_module(*path, name))
            return true;
    return false;
}

static enum provium_status find_all(const struct search *s, struct text builtin)
{
    static const char *const needed[] = {"virtio_pci", "virtio_console"};
    struct text path;
    enum provium_status status = PROVIUM_OK;
    for (size_t i = 0; i < sizeof needed / sizeof *needed && !status; i++) {
        if (find_module(s->dep, needed[i], &path))
            status = add(s, path, 0);
        else if (!find_module(builtin, needed[i], &path))
            status =
                provium_fail(s->e, PROVIUM_E_CONFIG, 0, "%s has no %s, neither in modules.dep nor in modules.builtin",
                             s->directory, needed[i]);
    }
    return status;
}

enum provium_status provium_modules_find(struct provium_modules *m, const char *directory, struct provium_error *e)
{
    struct search s = {.directory = directory, .found = m, .e = e};
    char *dep = NULL, *builtin = NULL;
    *m = (struct provium_modules){0};
    enum provium_status status = load(&s, "modules.dep", false, &dep);
    if (!status)
        status = load(&s, "modules.builtin", true, &builtin);
    if (!status) {
        s.dep = (struct text){dep, strlen(dep)};
        status = find_all(&s, (struct text){builtin, strlen(builtin)});
    }
    free(dep);
    free(builtin);
    if (status)
        provium_modules_reset(m);
    return status;
}

void provium_modules_reset(struct provium_modules *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->paths[i]);
    free(m->paths);
    *m = (struct provium_modules){0};
}
