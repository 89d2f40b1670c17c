/* SPDX-License-Identifier: MIT
 *
 * What a test wants to know about processes and descriptors.
 */
#ifndef SUPPORT_PROCESS_H
#define SUPPORT_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Open descriptors of this process. */
int count_descriptors(void);

/* Does this process have no child, dead or alive? */
bool no_children(void);

pid_t parent_of(pid_t pid);

/* Wait until a process has ended (a zombie has, too); false if it has not by then. */
bool gone_within(pid_t pid, unsigned ms);

#endif
