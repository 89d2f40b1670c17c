/* SPDX-License-Identifier: MIT
 *
 * What libwire's files share beside the cursor.
 */
#ifndef WIRE_IMPL_H
#define WIRE_IMPL_H

#include "wire_cursor.h"

/* ---- writer.c: checked to the byte, without regard to what is open ---- */

WIRE_COLD void wire_fail_put(struct wire_writer *w, enum wire_status status);

/* Append all of it or nothing. */
void wire_append(struct wire_writer *w, const void *ptr, size_t len);

/* The same for what a raw function wrote at the start of `head`. */
void wire_append_head(struct wire_writer *w, const uint8_t *head, const uint8_t *end);

/* A head that gives the length in 1, 2 or 4 bytes: first, first + 1, first + 2. */
void wire_append_length(struct wire_writer *w, uint8_t first, size_t len);

void wire_append_bin(struct wire_writer *w, struct wire_bytes value);
void wire_append_str(struct wire_writer *w, struct wire_bytes value);

/* Bytes behind a head, borrowed where that pays. */
void wire_append_bytes(struct wire_writer *w, struct wire_bytes value);

/* ---- reader.c ---- */

/* Not of the type that is asked for. */
WIRE_COLD void wire_mismatch(struct wire_reader *r, uint8_t first);

/* The first byte of the next value; 0xc1, which is none, when there is no byte. */
uint8_t wire_first(struct wire_reader *r);

/* Take 1 + len bytes, len being 1, 2, 4 or 8; returns the number in the last len of them. */
uint64_t wire_take_tagged(struct wire_reader *r, unsigned len);

/* `len` bytes behind a head that began at `at`. */
struct wire_bytes wire_take_bytes(struct wire_reader *r, uint64_t len, const uint8_t *at);

uint64_t wire_take_integer(struct wire_reader *r, bool *negative);
uint64_t wire_take_uint(struct wire_reader *r, uint64_t max);
uint32_t wire_take_array(struct wire_reader *r);

/* Is it text as RFC 3629 wants it? */
bool wire_utf8_valid(const uint8_t *p, const uint8_t *end);

/* ---- scan.c ---- */

/* A value begins: of the innermost container that is not complete one less is to come. */
void wire_nest_value(struct wire_nest *nest);

/* Those that are complete are left. */
void wire_nest_settle(struct wire_nest *nest);

/* A container begins; `around` are open outside the nest.  False when that is too deep. */
bool wire_nest_open(struct wire_nest *nest, uint32_t around, uint64_t values);

#endif
