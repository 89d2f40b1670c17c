/* SPDX-License-Identifier: MIT
 *
 * libwire as a contestant.  Built twice, under two names: for speed, and small.
 */
#include "codec.h"

#ifndef CODEC_OURS
#define CODEC_OURS codec_ours
#define CODEC_OURS_NAME "libwire"
#endif

static struct wire_bytes encode(const struct codec_message *m, uint8_t *buf, size_t cap)
{
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    wire_begin(&w, &m->envelope);
    wire_put_call_request(&w, &m->call);
    return (struct wire_bytes){buf, wire_end(&w) == WIRE_OK ? w.len : 0};
}

static bool decode(const uint8_t *ptr, size_t len, struct codec_message *m)
{
    size_t at;
    codec_prepare(m);
    return wire_get_envelope(ptr, len, &m->envelope, &at) == WIRE_OK &&
           wire_decode_call_request(m->envelope.body, &m->call, &at) == WIRE_OK;
}

const struct codec CODEC_OURS = {CODEC_OURS_NAME, NULL, encode, decode};
