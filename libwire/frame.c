/* SPDX-License-Identifier: MIT
 *
 * A byte stream into frames: docs/state-machines.md, "Frame".  Knows lengths and
 * sync words, not what is in a frame.
 */
#include "wire_impl.h"

enum { WORD_LEN = 8 };
static const uint32_t LENGTH_END = UINT32_C(1) << 31; /* lengths from here on are none (SPEC [FRAME-5]) */

void wire_stream_init(struct wire_stream *s, void *buf, size_t cap, const char *word)
{
    memset(s, 0, sizeof *s);
    s->buf = buf;
    s->cap = cap;
    s->limit = WIRE_MIN_FRAME;
    memcpy(s->word, word, WORD_LEN);
}

static size_t waiting(const struct wire_stream *s)
{
    return s->end - s->start;
}

uint8_t *wire_stream_space(struct wire_stream *s, size_t *room)
{
    size_t have = waiting(s);
    size_t want = have < WIRE_FRAME_HEADER || !s->synced ? WIRE_SYNC_LEN
                                                         : WIRE_FRAME_HEADER + (size_t)wire_load32(s->buf + s->start);
    if (have == 0) {
        s->start = s->end = 0;
    } else if (s->end == s->cap || (want > s->cap - s->start && s->start > 0)) {
        memmove(s->buf, s->buf + s->start, have);
        s->start = 0;
        s->end = have;
    }
    *room = s->cap - s->end;
    return s->buf + s->end;
}

void wire_stream_fed(struct wire_stream *s, size_t n)
{
    s->end += n;
}

void wire_stream_hunt(struct wire_stream *s)
{
    s->start = s->end = 0;
    s->skip = 0;
    s->synced = false;
}

/* How many bytes at `at` agree with the word, as far as there are any; 0 if one does not. */
static size_t word_match(const struct wire_stream *s, size_t at)
{
    size_t n = s->end - at < WORD_LEN ? s->end - at : WORD_LEN;
    return memcmp(s->buf + at, s->word, n) == 0 ? n : 0;
}

/* The word stands at start; take it once its nonce is there too. */
static enum wire_found take_sync(struct wire_stream *s)
{
    if (waiting(s) < WIRE_SYNC_LEN)
        return WIRE_FOUND_nothing;
    memcpy(s->nonce, s->buf + s->start + WORD_LEN, sizeof s->nonce);
    s->start += WIRE_SYNC_LEN;
    s->synced = true;
    return WIRE_FOUND_sync;
}

static enum wire_found hunt(struct wire_stream *s)
{
    while (s->start < s->end && word_match(s, s->start) == 0)
        s->start++;
    return take_sync(s);
}

/* Drop what has come of a frame over the limit. */
static enum wire_found skip(struct wire_stream *s)
{
    size_t n = waiting(s) < s->skip ? waiting(s) : (size_t)s->skip;
    s->start += n;
    s->skip -= n;
    return s->skip == 0 ? WIRE_FOUND_oversize : WIRE_FOUND_nothing;
}

/* Four bytes that are no length: a sync word, perhaps not whole yet, or nonsense. */
static enum wire_found no_length(struct wire_stream *s)
{
    if (word_match(s, s->start) > 0)
        return take_sync(s);
    s->start++;
    s->synced = false;
    return WIRE_FOUND_broken;
}

enum wire_found wire_stream_next(struct wire_stream *s, struct wire_bytes *frame)
{
    if (!s->synced)
        return hunt(s);
    if (s->skip > 0)
        return skip(s);
    if (waiting(s) < WIRE_FRAME_HEADER)
        return WIRE_FOUND_nothing;
    uint32_t len = wire_load32(s->buf + s->start);
    if (len == 0 || len >= LENGTH_END)
        return no_length(s);
    if (len > s->limit || len > s->cap - WIRE_FRAME_HEADER) {
        s->start += WIRE_FRAME_HEADER;
        s->skip = len;
        return skip(s);
    }
    if (waiting(s) - WIRE_FRAME_HEADER < len)
        return WIRE_FOUND_nothing;
    *frame = (struct wire_bytes){s->buf + s->start + WIRE_FRAME_HEADER, len};
    s->start += WIRE_FRAME_HEADER + len;
    return WIRE_FOUND_frame;
}

bool wire_stream_midway(const struct wire_stream *s)
{
    return s->skip > 0 || waiting(s) > 0;
}
