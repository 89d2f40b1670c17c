/* SPDX-License-Identifier: MIT
 *
 * What libprovium's files share with each other; no other folder includes it.
 */
#ifndef PROVIUM_IMPL_H
#define PROVIUM_IMPL_H

#include "../libwire/wire.h"
#include "provium.h"

/* ---- error.c ---- */

/* Fill in an error and return its code.  The text is cut at PROVIUM_ERROR_MAX. */
enum provium_status provium_fail(struct provium_error *e, enum provium_status code, int sys_errno, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t provium_now_ms(void);

/* ---- session.c ---- */

/* Who owns the machine behind a session. */
struct provium_owner {
    const char *name; /* of the machine, in error texts */
    void *context;
    /* Called once when the channel is lost, or its deadline passed while the session was being
     * opened: may replace the error by a better explanation (QEMU's end, a panic). */
    void (*explain)(void *context, struct provium_error *e);
    /* Called now and then while bytes are awaited, or NULL: may end a machine that will send none. */
    void (*watch)(void *context);
};
void provium_session_set_owner(struct provium_session *s, const struct provium_owner *owner);

/* ---- initramfs.c ---- */

struct provium_initramfs {
    const char *modules; /* /lib/modules/RELEASE, or NULL: none are carried */
    const char *agent;   /* path, or NULL: the built-in one */
    const struct provium_file *files;
    size_t file_count;
};

/* Write the archive to fd, from its current position.  E_CONFIG names the file at fault. */
enum provium_status provium_initramfs_write(int fd, const struct provium_initramfs *what, struct provium_error *e);

/* ---- what a VM needs besides: qemu_impl.h ---- */

/* The built-in agent: build/provium-agent as it stood when the library was linked. */
extern const uint8_t provium_agent_start[], provium_agent_end[];

#endif
