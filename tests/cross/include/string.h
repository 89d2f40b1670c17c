/* SPDX-License-Identifier: MIT
 *
 * All of string.h that the tests of other machines have: start.c.
 */
#ifndef CROSS_STRING_H
#define CROSS_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *p, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

#endif
