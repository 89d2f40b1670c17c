/* SPDX-License-Identifier: MIT
 *
 * Reads the list of known failures. */
#include "known.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_line(struct known *known, const char *line)
{
    size_t blanks = strspn(line, " \t"), len = strcspn(line + blanks, "# \t\r\n");

    if (len == 0)
        return;
    known->globs = grow(known->globs, (known->count + 1) * sizeof(*known->globs));
    known->globs[known->count++] = pool_text(&known->pool, line + blanks, len);
}

bool known_read(struct known *known, const char *path, struct bytes *fault)
{
    FILE *file = fopen(path, "r");
    char line[512];

    if (!file) {
        bytes_print(fault, "%s: %s", path, strerror(errno));
        return false;
    }
    while (fgets(line, sizeof(line), file))
        add_line(known, line);
    fclose(file);
    return true;
}

bool known_lists(const struct known *known, const char *id)
{
    for (size_t i = 0; i < known->count; i++)
        if (fnmatch(known->globs[i], id, 0) == 0)
            return true;
    return false;
}

void known_free(struct known *known)
{
    free(known->globs);
    pool_free(&known->pool);
    *known = (struct known){0};
}
