/* SPDX-License-Identifier: MIT
 *
 * SPEC.md and the case files, as they were when this program was built. */
#ifndef CONFORMANCE_SPEC_H
#define CONFORMANCE_SPEC_H

#include "text.h"

const char *builtin_cases(size_t *len);

/* "FRAME-1: the sentence", a line for each id in the list (parted by blanks),
 * each after the indentation. */
void spec_print(struct bytes *out, const char *ids, const char *indent);

#endif
