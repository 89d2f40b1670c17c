/* SPDX-License-Identifier: MIT
 *
 * Read-only view of msgpack bytes that an agent sent, written for this suite
 * from SPEC.md: no code is shared with the agents that it judges.
 *
 * First value_fault() over a whole body; after that the other functions may
 * walk it without fear. */
#ifndef CONFORMANCE_VALUE_H
#define CONFORMANCE_VALUE_H

#include <stdbool.h>

#include "text.h"

enum value_kind { VALUE_INT, VALUE_BIN, VALUE_STR, VALUE_ARRAY, VALUE_MAP, VALUE_OTHER };

struct value {
    enum value_kind kind;
    bool negative;   /* an int: number holds the two's complement */
    uint64_t number; /* an int, or the count of elements (of a map: pairs) */
    const uint8_t *start;
    const uint8_t *content; /* bin, str: len bytes; array, map: the first element */
    size_t len;
    const uint8_t *end; /* of the bytes that may be read */
};

/* The value's head at ptr.  false: it does not fit before end, or is 0xc1. */
bool value_read(struct value *value, const uint8_t *ptr, const uint8_t *end);
/* Where the value ends; NULL when it does not fit. */
const uint8_t *value_skip(const struct value *value);
/* NULL, or the sentence that says why these bytes are not one value in the
 * form that a sender must use. */
const char *value_fault(const uint8_t *ptr, size_t len);
/* One line in the notation of patterns, of a value that value_skip() accepts. */
void value_print(struct bytes *out, const struct value *value);
void print_hex(struct bytes *out, const uint8_t *ptr, size_t len);

#endif
