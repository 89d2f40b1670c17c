/* SPDX-License-Identifier: MIT
 *
 * The cases as data: what the case files say.  README.md describes the
 * notation. */
#ifndef CONFORMANCE_SUITE_H
#define CONFORMANCE_SUITE_H

#include "env.h"

struct verb; /* steps.c */

struct step {
    const struct verb *verb;
    const char *word, *args;
    const char *file;
    unsigned line;
};

struct scenario { /* a case, or a macro */
    const char *id, *title, *proves, *level, *arch, *capability;
    const char *file;
    unsigned line;
    bool should; /* proves a SHOULD: without --strict its failure is a warning */
    bool macro;
    const char *source; /* its lines as they stand in the file */
    size_t source_len;
    struct step *steps;
    size_t count;
};

struct suite {
    struct scenario *list;
    size_t count;
    struct names names;
    struct pool pool;
};

/* Read text, in which a line "file NAME" opens each file.  false: *fault has
 * the sentence. */
bool suite_read(struct suite *suite, const char *text, size_t len, struct bytes *fault);
/* All *.case files of a folder as such a text. */
bool suite_gather(const char *folder, struct bytes *text, struct bytes *fault);
const struct scenario *suite_find(const struct suite *suite, const char *id, bool macro);
void suite_free(struct suite *suite);

#endif
