/* SPDX-License-Identifier: MIT
 *
 * Growable bytes, and strings that live as long as a pool.  Running out of
 * memory ends the program: this is a tool, not a library. */
#ifndef CONFORMANCE_TEXT_H
#define CONFORMANCE_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *ptr; /* followed by a 0 that len does not count; NULL while empty */
    size_t len, cap;
};

void *grow(void *ptr, size_t size); /* realloc that does not fail */
void bytes_put(struct bytes *bytes, const void *ptr, size_t len);
void bytes_byte(struct bytes *bytes, uint8_t byte);
void bytes_print(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bytes_drop(struct bytes *bytes, size_t len); /* from the front */
void bytes_free(struct bytes *bytes);
const char *bytes_text(const struct bytes *bytes); /* "" when empty */

struct pool {
    struct pool_piece *pieces;
};

char *pool_text(struct pool *pool, const char *ptr, size_t len);
void pool_free(struct pool *pool);

#endif
