/* SPDX-License-Identifier: MIT
 *
 * The list of failures that an agent's author knows of: an id or a glob per
 * line, and behind # why. */
#ifndef CONFORMANCE_KNOWN_H
#define CONFORMANCE_KNOWN_H

#include <stdbool.h>

#include "text.h"

struct known {
    struct pool pool;
    const char **globs;
    size_t count;
};

bool known_read(struct known *known, const char *path, struct bytes *fault);
bool known_lists(const struct known *known, const char *id);
void known_free(struct known *known);

#endif
