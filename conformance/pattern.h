/* SPDX-License-Identifier: MIT
 *
 * What a case expects of a msgpack value:
 *
 *   5  -14  3..  ..9  1..9   an integer; one in a range
 *   %call                    the number of that name
 *   "text"  str              that text; any text
 *   <00*8 ?f ??>  bin        those bytes, ? being any digit; any bytes
 *   bin:16                   any 16 bytes
 *   *  int                   anything; any integer
 *   [p, p]  [p, ...]         an array; its beginning
 *   {0: p, 1?: p, !2}        a map: has key 0; if it has key 1, then so; lacks
 *                            key 2; other keys do not matter (EXT-2)
 *   p | p   (p)   !p         either; a group; anything but
 *   $fd=p   $fd              matches p, and is remembered; equals what was remembered */
#ifndef CONFORMANCE_PATTERN_H
#define CONFORMANCE_PATTERN_H

#include "env.h"
#include "value.h"

/* NULL, or the sentence that says what is wrong with the pattern. */
const char *pattern_check(const char *text, const struct env *env);
bool pattern_match(const char *text, const struct value *value, struct env *env);

#endif
