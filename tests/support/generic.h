/* SPDX-License-Identifier: MIT
 *
 * Values of msgpack without a table: made at random, copied, compared with msgpack-c.
 * Used by the tests of the generic layer and by its fuzz target.
 */
#ifndef SUPPORT_GENERIC_H
#define SUPPORT_GENERIC_H

#include "../../libwire/wire.h"

/* Put one value, the same for the same state; `levels` containers deep at most.  With `open`
 * the counts of containers are filled in by wire_close(). */
void generic_put(struct wire_writer *w, uint64_t *state, unsigned levels, bool open);

/* Read one value by wire_peek() and wire_get_*, and put it. */
void generic_copy(struct wire_reader *r, struct wire_writer *w, bool open);

/* What msgpack-c says of bytes: the length of the value that they begin with, 0 if there is
 * none; SIZE_MAX if it was not asked, since it could allocate by a count beyond the bytes
 * (and wire_check() finds no value there). */
size_t generic_their_len(const uint8_t *bytes, size_t len);

/* Does msgpack-c read these bytes as one value, and write it as the same bytes? */
bool generic_theirs(struct wire_bytes bytes);

#endif
