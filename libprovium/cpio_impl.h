/* SPDX-License-Identifier: MIT
 *
 * cpio.c: an archive of format newc, written to a descriptor from front to end.
 *
 *     struct provium_cpio c;
 *     provium_cpio_init(&c, fd, e);
 *     provium_cpio_put(&c, &(struct provium_cpio_item){.path = "etc", .mode = S_IFDIR | 0755}, NULL);
 *     provium_cpio_end(&c);
 */
#ifndef PROVIUM_CPIO_IMPL_H
#define PROVIUM_CPIO_IMPL_H

#include "provium_impl.h"

#include <sys/types.h>

struct provium_cpio {
    int fd;         /* borrowed */
    uint32_t inode; /* of the last item */
    uint64_t len;   /* bytes written */
    void *names;    /* what is in it so far, a tree of tsearch(3) */
    struct provium_error *e;
};

struct provium_cpio_item {
    const char *path;      /* without a leading slash */
    mode_t mode;           /* type and permissions */
    uint32_t size;         /* bytes of content */
    unsigned major, minor; /* of a device */
};

/* Errors go to e.  A second directory of one name is dropped, anything else that is
 * there already is E_CONFIG. */
void provium_cpio_init(struct provium_cpio *c, int fd, struct provium_error *e);

/* Put an item and its content; or one whose content is read from `from`, the file called `host`. */
enum provium_status provium_cpio_put(struct provium_cpio *c, const struct provium_cpio_item *item, const void *content);
enum provium_status provium_cpio_copy(struct provium_cpio *c, const struct provium_cpio_item *item, int from,
                                      const char *host);

/* Put `len` bytes of a ready archive as they are, padded. */
enum provium_status provium_cpio_raw(struct provium_cpio *c, int from, uint64_t len, const char *host);

/* Put the archive's end.  reset frees the names. */
enum provium_status provium_cpio_end(struct provium_cpio *c);
void provium_cpio_reset(struct provium_cpio *c);

#endif
