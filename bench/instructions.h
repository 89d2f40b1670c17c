/* SPDX-License-Identifier: MIT
 *
 * Instructions that a guest executes for a call.
 */
#ifndef BENCH_INSTRUCTIONS_H
#define BENCH_INSTRUCTIONS_H

#include <stdio.h>

/* Print and append the rows, or say why there are none. */
void count_instructions(FILE *json, const char *echo_guest, const char *plugin);

#endif
