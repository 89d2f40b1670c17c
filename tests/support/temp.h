/* SPDX-License-Identifier: MIT
 *
 * A directory of a test's own, with files in it.  One at a time in a process.
 */
#ifndef SUPPORT_TEMP_H
#define SUPPORT_TEMP_H

#include <stddef.h>
#include <sys/types.h>

/* Make it and enter it, so that relative names are in it; leave and delete it with all it holds. */
void temp_enter(void);
void temp_leave(void);

/* Its absolute path. */
const char *temp_path(void);

/* Make a file, and the directories above it. */
void temp_file(const char *name, const void *bytes, size_t len, mode_t mode);
void temp_text(const char *name, const char *text);

#endif
