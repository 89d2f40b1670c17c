/* SPDX-License-Identifier: MIT
 *
 * The contestants of the group `codec`: each encodes one request into a frame and
 * decodes a frame's body into validated structs whose bytes borrow the input.
 */
#ifndef CODEC_H
#define CODEC_H

#include "../libwire/wire.h"

enum { CODEC_BUFFERS = 4, CODEC_SPECS = 4, CODEC_LEN_MAX = 1024 };

/* A call, whole: what a decoder fills in, and what an encoder is given. */
struct codec_message {
    struct wire_envelope envelope;
    struct wire_call_request call; /* its lists lie in the members below */
    struct wire_buffer buffers[CODEC_BUFFERS];
    struct wire_spec specs[CODEC_SPECS];
};

/* A codec.  Each is a translation unit of its own. */
struct codec {
    const char *name;
    const char *missing; /* the Debian package that was not there, or NULL */
    /* A frame with its header, in buf or in a buffer of its own; length 0: no room. */
    struct wire_bytes (*encode)(const struct codec_message *m, uint8_t *buf, size_t cap);
    /* A frame's body, without its header. */
    bool (*decode)(const uint8_t *ptr, size_t len, struct codec_message *m);
};

extern const struct codec codec_ours;       /* libwire as it is installed */
extern const struct codec codec_ours_small; /* libwire at -Os, freestanding */
extern const struct codec codec_hand;       /* the same bytes, written by hand */
extern const struct codec codec_hand_array; /* arrays instead of maps, written by hand */
extern const struct codec codec_msgpack_c, codec_libmpack, codec_msgpuck;

/* Decoding starts here: empty lists with their room. */
static inline void codec_prepare(struct codec_message *m)
{
    m->call.buffers.items = m->buffers;
    m->call.buffers.cap = CODEC_BUFFERS;
    m->call.specs.items = m->specs;
    m->call.specs.cap = CODEC_SPECS;
}

#endif
