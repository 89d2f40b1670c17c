/* SPDX-License-Identifier: MIT
 *
 * Numbers that look random and are the same in every run.
 */
#ifndef SUPPORT_RANDOM_H
#define SUPPORT_RANDOM_H

#include <stdint.h>

/* 31 bits; *state is any number to begin with. */
static inline uint32_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

#endif
