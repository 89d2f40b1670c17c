/* SPDX-License-Identifier: MIT
 *
 * Writes cpio archives of format newc (the kernel's Documentation/driver-api/early-userspace/
 * buffer-format.rst).  Does not know what stands in them, only that nothing stands there twice.
 */
#include "cpio_impl.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct name {
    bool directory;
    char path[];
};

/* ---- bytes ---- */

static enum provium_status put(struct provium_cpio *c, const void *bytes, size_t len)
{
    const char *p = bytes;
    while (len) {
        ssize_t n = write(c->fd, p, len);
        if (n < 0 && errno != EINTR)
            return provium_fail(c->e, PROVIUM_E_SYSTEM, errno, "cannot write the initramfs: %s", strerror(errno));
        if (n > 0) {
            p += n;
            len -= (size_t)n;
            c->len += (uint64_t)n;
        }
    }
    return PROVIUM_OK;
}

static enum provium_status pad(struct provium_cpio *c)
{
    return put(c, "\0\0\0", (4 - c->len % 4) % 4);
}

static enum provium_status copy_bytes(struct provium_cpio *c, int from, uint64_t left, const char *host)
{
    char chunk[16384];
    while (left) {
        ssize_t n = read(from, chunk, left < sizeof chunk ? left : sizeof chunk);
        if (n <= 0)
            return provium_fail(c->e, PROVIUM_E_CONFIG, n ? errno : 0, "cannot read %s: %s", host,
                                n ? strerror(errno) : "it became shorter meanwhile");
        enum provium_status status = put(c, chunk, (size_t)n);
        if (status)
            return status;
        left -= (uint64_t)n;
    }
    return PROVIUM_OK;
}

/* ---- items ---- */

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct name *)left)->path, ((const struct name *)right)->path);
}

/* Remember an item's path.  *fresh tells whether it is to be written. */
static enum provium_status take_name(struct provium_cpio *c, const struct provium_cpio_item *item, bool *fresh)
{
    size_t len = strlen(item->path) + 1;
    struct name *name = malloc(sizeof *name + len);
    if (!name)
        return provium_fail(c->e, PROVIUM_E_SYSTEM, ENOMEM, "no memory for the initramfs");
    name->directory = S_ISDIR(item->mode);
    memcpy(name->path, item->path, len);
    struct name **found = tsearch(name, &c->names, compare_names);
    *fresh = found && *found == name;
    if (*fresh)
        return PROVIUM_OK;
    bool merge = found && name->directory && (*found)->directory;
    free(name);
    if (!found)
        return provium_fail(c->e, PROVIUM_E_SYSTEM, ENOMEM, "no memory for the initramfs");
    return merge ? PROVIUM_OK
                 : provium_fail(c->e, PROVIUM_E_CONFIG, EEXIST, "/%s is in the initramfs already", item->path);
}

/* The header's fields: magic, inode, mode, owner, group, links, time, size, the device that it is on and the one that
 * it is (major and minor each), length of the name, checksum.  No time and no owner: same content, same archive. */
static enum provium_status put_header(struct provium_cpio *c, const struct provium_cpio_item *item)
{
    char header[128];
    size_t name_len = strlen(item->path) + 1;
    int n = snprintf(header, sizeof header, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", ++c->inode,
                     (unsigned)item->mode, 0U, 0U, S_ISDIR(item->mode) ? 2U : 1U, 0U, item->size, 0U, 0U, item->major,
                     item->minor, (unsigned)name_len, 0U);
    enum provium_status status = put(c, header, (size_t)n);
    if (!status)
        status = put(c, item->path, name_len);
    return status ? status : pad(c);
}

void provium_cpio_init(struct provium_cpio *c, int fd, struct provium_error *e)
{
    *c = (struct provium_cpio){.fd = fd, .e = e};
}

enum provium_status provium_cpio_put(struct provium_cpio *c, const struct provium_cpio_item *item, const void *content)
{
    bool fresh = false;
    enum provium_status status = take_name(c, item, &fresh);
    if (status || !fresh)
        return status;
    status = put_header(c, item);
    if (!status)
        status = put(c, content, item->size);
    return status ? status : pad(c);
}

enum provium_status provium_cpio_copy(struct provium_cpio *c, const struct provium_cpio_item *item, int from,
                                      const char *host)
{
    bool fresh = false;
    enum provium_status status = take_name(c, item, &fresh);
    if (!status)
        status = put_header(c, item);
    return status ? status : provium_cpio_raw(c, from, item->size, host);
}

enum provium_status provium_cpio_raw(struct provium_cpio *c, int from, uint64_t len, const char *host)
{
    enum provium_status status = copy_bytes(c, from, len, host);
    return status ? status : pad(c);
}

enum provium_status provium_cpio_end(struct provium_cpio *c)
{
    return put_header(c, &(struct provium_cpio_item){.path = "TRAILER!!!"});
}

void provium_cpio_reset(struct provium_cpio *c)
{
    tdestroy(c->names, free);
    c->names = NULL;
}
