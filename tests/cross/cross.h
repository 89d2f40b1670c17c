/* SPDX-License-Identifier: MIT
 *
 * Tests of libwire that need no libc, for machines whose libc is not at hand: tests/embed/cross.sh.
 */
#ifndef CROSS_H
#define CROSS_H

#include <stdbool.h>

#include "../support/vectors.h"

/* Count a check; say which one failed. */
void expect_at(bool ok, const char *what, const char *text, int line);
#define expect(what, condition) expect_at(condition, what, #condition, __LINE__)

enum { CROSS_ALIGNMENTS = 8, CROSS_MAX = 70000 };

/* A copy of the bytes that begins `offset` bytes behind an address divisible by 16. */
struct wire_bytes misplaced(struct wire_bytes bytes, unsigned offset);

/* The tests. */
void test_messages(void); /* messages.c: tests/vectors */
void test_values(void);   /* values.c: the generic layer */

#endif
