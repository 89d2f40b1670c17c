/* SPDX-License-Identifier: MIT
 *
 * Sample requests; whether two codecs do the same work.  Knows nothing of time.
 */
#include "codec_sample.h"

#include <string.h>

#include "bench.h"

static uint8_t payload[256];

/* Numbers as system calls have them: descriptors, lengths, flags, addresses, errors. */
static int64_t number(unsigned variant, unsigned i)
{
    static const int64_t numbers[] = {3,   0,      4096, 0x7ffd12345678, -1,   64,        32768,   -100,
                                      127, 524288, 1,    0xffff88810000, 2000, -1000000, 255,     INT64_MAX};
    return numbers[(variant * 5 + i * 3) % 16];
}

static struct wire_buffer buffer(uint32_t len, const uint8_t *data, uint8_t dir)
{
    struct wire_buffer b = {.has = WIRE_HAS(buffer, len) | WIRE_HAS(buffer, dir), .len = len, .dir = dir};
    if (data != NULL) {
        b.data = (struct wire_bytes){data, len};
        b.has |= WIRE_HAS(buffer, data);
    }
    return b;
}

static struct wire_spec spec_arg(uint32_t target, uint8_t arg)
{
    return (struct wire_spec){.has = WIRE_HAS(spec, target) | WIRE_HAS(spec, arg), .target = target, .arg = arg};
}

static struct wire_spec spec_place(uint32_t target, uint32_t in, uint32_t offset)
{
    return (struct wire_spec){.has = WIRE_HAS(spec, target) | WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset),
                              .target = target,
                              .buffer = in,
                              .offset = offset};
}

/* Two buffers that arguments point at, two that the first of them points at. */
static void fill(struct codec_message *m, unsigned variant)
{
    static const uint32_t ids[] = {7, 300, 70000, 0x80000001};
    m->envelope = (struct wire_envelope){
        .kind = WIRE_REQUEST, .id = ids[variant % 4] + variant, .code = WIRE_OP_call, .generation = variant / 4};
    m->buffers[0] = buffer(96, payload, 1);
    m->buffers[1] = buffer(32, payload + variant, 3);
    m->buffers[2] = buffer(128, payload + 2 * variant, 1);
    m->buffers[3] = buffer(64, NULL, 2);
    m->specs[0] = spec_arg(0, 1);
    m->specs[1] = spec_arg(1, 2);
    m->specs[2] = spec_place(2, 0, 8);
    m->specs[3] = spec_place(3, 0, 16);
    codec_prepare(m);
    m->call.nr = 17 + 21 * (int64_t)variant;
    m->call.args.count = WIRE_ARGS_MAX;
    for (unsigned i = 0; i < WIRE_ARGS_MAX; i++)
        m->call.args.at[i] = number(variant, i);
    m->call.buffers.count = CODEC_BUFFERS;
    m->call.specs.count = CODEC_SPECS;
    m->call.has = WIRE_HAS(call_request, nr) | WIRE_HAS(call_request, args) | WIRE_HAS(call_request, buffers) |
                  WIRE_HAS(call_request, specs);
}

static size_t keep(const struct codec *codec, const struct codec_message *m, uint8_t *out)
{
    struct wire_bytes frame = codec->encode(m, out, CODEC_LEN_MAX);
    if (frame.len == 0)
        bench_fail("%s: no room for a sample", codec->name);
    return frame.len;
}

void codec_samples(struct codec_sample samples[CODEC_SAMPLES])
{
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 31 + 7);
    for (unsigned i = 0; i < CODEC_SAMPLES; i++) {
        struct codec_sample *s = &samples[i];
        memset(s, 0, sizeof *s);
        fill(&s->message, i);
        s->map_len = keep(&codec_ours, &s->message, s->map);
        s->array_len = keep(&codec_hand_array, &s->message, s->array);
    }
}

/* ---- the same work ---- */

static bool same_bytes(struct wire_bytes a, struct wire_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Fields that no sample has and most codecs do not know count where they are there. */
static bool same_rare_buffer(const struct wire_buffer *x, const struct wire_buffer *y)
{
    return ((x->has & WIRE_HAS(buffer, guard)) == 0 || x->guard == y->guard) &&
           ((x->has & WIRE_HAS(buffer, align)) == 0 || x->align == y->align) &&
           ((x->has & WIRE_HAS(buffer, low)) == 0 || x->low == y->low);
}

static bool same_rare_spec(const struct wire_spec *x, const struct wire_spec *y)
{
    return ((x->has & WIRE_HAS(spec, plus)) == 0 || x->plus == y->plus) &&
           ((x->has & WIRE_HAS(spec, width)) == 0 || x->width == y->width) &&
           ((x->has & WIRE_HAS(spec, bad)) == 0 || x->bad == y->bad) &&
           ((x->has & WIRE_HAS(spec, step)) == 0 || x->step == y->step);
}

static bool same_lists(const struct wire_call_request *a, const struct wire_call_request *b)
{
    if (a->buffers.count != b->buffers.count || a->specs.count != b->specs.count)
        return false;
    for (uint32_t i = 0; i < a->buffers.count; i++) {
        const struct wire_buffer *x = &a->buffers.items[i], *y = &b->buffers.items[i];
        if (x->has != y->has || x->len != y->len || x->dir != y->dir || !same_bytes(x->data, y->data) || !same_rare_buffer(x, y))
            return false;
    }
    for (uint32_t i = 0; i < a->specs.count; i++) {
        const struct wire_spec *x = &a->specs.items[i], *y = &b->specs.items[i];
        if (x->has != y->has || x->target != y->target || x->arg != y->arg || x->buffer != y->buffer ||
            x->offset != y->offset || !same_rare_spec(x, y))
            return false;
    }
    return true;
}

static bool same(const struct codec_message *a, const struct codec_message *b)
{
    const struct wire_envelope *x = &a->envelope, *y = &b->envelope;
    const struct wire_words *v = &a->call.args, *w = &b->call.args;
    return x->kind == y->kind && ((a->call.has & WIRE_HAS(call_request, want)) == 0 || a->call.want == b->call.want) &&
           x->id == y->id && x->code == y->code && x->worker == y->worker &&
           x->generation == y->generation && a->call.has == b->call.has && a->call.nr == b->call.nr &&
           v->count == w->count && memcmp(v->at, w->at, v->count * sizeof v->at[0]) == 0 &&
           same_lists(&a->call, &b->call);
}

static void agree_on_one(const struct codec *codec, const struct codec_sample *s)
{
    bool array = codec == &codec_hand_array;
    const uint8_t *bytes = array ? s->array : s->map;
    size_t len = array ? s->array_len : s->map_len;
    uint8_t out[CODEC_LEN_MAX];
    struct codec_message m;
    if (!same_bytes(codec->encode(&s->message, out, sizeof out), (struct wire_bytes){bytes, len}))
        bench_fail("%s does not encode a sample to the same bytes", codec->name);
    bytes += WIRE_FRAME_HEADER;
    len -= WIRE_FRAME_HEADER;
    if (!codec->decode(bytes, len, &m) || !same(&m, &s->message))
        bench_fail("%s does not decode a sample to the same values", codec->name);
    for (size_t cut = 0; cut < len; cut++) {
        if (codec->decode(bytes, cut, &m))
            bench_fail("%s accepts a sample that was cut at byte %zu", codec->name, cut);
    }
    memcpy(out, bytes, len);
    out[len] = 0;
    if (codec->decode(out, len + 1, &m))
        bench_fail("%s accepts a sample with a byte behind it", codec->name);
}

void codec_agree(const struct codec *codec, const struct codec_sample samples[CODEC_SAMPLES])
{
    for (unsigned i = 0; i < CODEC_SAMPLES; i++)
        agree_on_one(codec, &samples[i]);
}

/* One byte, altered in every way. */
static void agree_at(const struct codec *codec, uint8_t *bytes, size_t len, size_t at)
{
    struct codec_message a, b;
    for (unsigned flip = 1; flip < 256; flip++) {
        bytes[at] ^= (uint8_t)flip;
        bool taken = codec_ours.decode(bytes, len, &a);
        if (codec->decode(bytes, len, &b) != taken || (taken && !same(&a, &b)))
            bench_fail("%s and libwire differ on a sample whose byte %zu is altered", codec->name, at);
        bytes[at] ^= (uint8_t)flip;
    }
}

void codec_agree_on_damage(const struct codec *codec, const struct codec_sample samples[CODEC_SAMPLES])
{
    uint8_t bytes[CODEC_LEN_MAX];
    for (unsigned i = 0; i < CODEC_SAMPLES; i++) {
        size_t len = samples[i].map_len - WIRE_FRAME_HEADER;
        memcpy(bytes, samples[i].map + WIRE_FRAME_HEADER, len);
        for (size_t at = 0; at < len; at++)
            agree_at(codec, bytes, len, at);
    }
}
