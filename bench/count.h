/* SPDX-License-Identifier: MIT
 *
 * What the QEMU plugin count_plugin.c shares with the benchmark, in a mapped file.
 */
#ifndef BENCH_COUNT_H
#define BENCH_COUNT_H

#include <stdint.h>

/* Instructions that the guest's one processor executed since its start. */
struct guest_counts {
    uint64_t user, kernel;
};

#endif
