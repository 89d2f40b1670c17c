/* SPDX-License-Identifier: MIT
 *
 * What the fuzz targets share.  A target is one function; libFuzzer or main.c calls it.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A property that must hold; where it does not, the input is a finding. */
static inline void must(bool holds)
{
    if (!holds)
        __builtin_trap();
}

#endif
