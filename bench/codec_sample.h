/* SPDX-License-Identifier: MIT
 *
 * The requests that the group `codec` encodes and decodes, and the proof that its
 * contestants do the same work.
 */
#ifndef CODEC_SAMPLE_H
#define CODEC_SAMPLE_H

#include "codec.h"

enum { CODEC_SAMPLES = 16 };

/* A request and its encoded forms, each with a frame's header in front. */
struct codec_sample {
    struct codec_message message;
    uint8_t map[CODEC_LEN_MAX], array[CODEC_LEN_MAX];
    size_t map_len, array_len;
};

/* Fill in the samples: the same content, numbers of many sizes. */
void codec_samples(struct codec_sample samples[CODEC_SAMPLES]);

/* Ends the program unless this codec encodes the samples to the same bytes, decodes them to the same
 * structs, refuses each of their beginnings, and has no use for what follows. */
void codec_agree(const struct codec *codec, const struct codec_sample samples[CODEC_SAMPLES]);

/* The same for every sample with each of its bytes set to each other value: this codec takes
 * and refuses what libwire takes and refuses. */
void codec_agree_on_damage(const struct codec *codec, const struct codec_sample samples[CODEC_SAMPLES]);

#endif
