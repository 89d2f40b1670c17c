/* SPDX-License-Identifier: MIT
 *
 * Programs against loops in C in the same guest (loop_guest.c).
 */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include <stdio.h>

#define LOOP_PROGRAM "/loop" /* where the guest has it */
#define LOOP_RESULT "/loop.result"

enum { LOOP_READ_LEN = 64 }; /* bytes of each of the two buffers of a readv */

/* The rows of programs.  loop_guest: the floor's binary. */
void measure_programs(FILE *json, const char *loop_guest);

#endif
