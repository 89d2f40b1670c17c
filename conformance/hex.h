/* SPDX-License-Identifier: MIT
 *
 * Bytes as a case writes them:
 *
 *   96 00 02          bytes            "abc"     the bytes of a text
 *   00*64             a byte 64 times  (94 01)*3 a group three times
 *   %getpid $fd       a name or a capture, as msgpack in its shortest form */
#ifndef CONFORMANCE_HEX_H
#define CONFORMANCE_HEX_H

#include "env.h"

/* Append to out.  NULL, or the sentence that says what is wrong. */
const char *hex_read(struct bytes *out, const char *text, const struct env *env);

/* Two hex digits at text, '?' standing for any digit if mask is given. */
bool hex_pair(const char *text, uint8_t *byte, uint8_t *mask);
/* "*N" at *at: moves behind it; 1 without it, 0 if it is wrong. */
size_t hex_times(const char **at);

#endif
