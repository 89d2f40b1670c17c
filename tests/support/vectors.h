/* SPDX-License-Identifier: MIT
 *
 * tests/vectors/messages.json, and the same messages as C structs.
 */
#ifndef SUPPORT_VECTORS_H
#define SUPPORT_VECTORS_H

#include "any.h"

enum { VECTOR_MAX = 1024, VECTORS_MAX = 128 };

struct vector {
    char name[48], record[24], text[1024];
    uint8_t bytes[VECTOR_MAX]; /* of a message: the frame with its length */
    size_t len;
};

struct vectors {
    int version;
    char digest[17];
    struct vector streams[8], messages[VECTORS_MAX];
    size_t stream_count, message_count;
};

/* The file, read once; NULL when it is not there or not what it should be. */
const struct vectors *vectors_load(void);

/* One message or stream by its name, or NULL. */
const struct vector *vector_find(const char *name);

/* A message without its length. */
struct wire_bytes vector_body(const struct vector *v);

/* The digest that tests/vectors/history has for a version; "" when it has none. */
void vectors_history(int version, char digest[17]);

/* ---- samples.c: the same messages as structs ---- */

struct sample {
    const char *name;
    struct any_message message;
};

/* Ended by a row without a name. */
const struct sample *samples(void);
const struct sample *sample_find(const char *name);

#endif
