/* SPDX-License-Identifier: MIT
 *
 * Any stream, cut in two ways: the same things are found.  The first bytes pick the
 * limit and the sizes of the pieces.
 */
#include <string.h>

#include "../libwire/wire_impl.h"
#include "fuzz.h"

enum { CAP = 512 };

/* What a stream found, folded into one number; the sequence matters. */
struct trace {
    uint64_t hash;
    unsigned count;
};

static void note(struct trace *t, enum wire_found found, const uint8_t *p, size_t len)
{
    t->hash = (t->hash ^ (uint64_t)found) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < len; i++)
        t->hash = (t->hash ^ p[i]) * UINT64_C(0x100000001b3);
    t->count++;
}

static void drain(struct wire_stream *s, struct trace *t)
{
    struct wire_bytes frame;
    enum wire_found found;
    while ((found = wire_stream_next(s, &frame)) != WIRE_FOUND_nothing) {
        if (found == WIRE_FOUND_frame) {
            must(frame.len > 0 && frame.len <= s->limit);
            must(frame.ptr >= s->buf && frame.ptr + frame.len <= s->buf + s->cap);
            note(t, found, frame.ptr, frame.len);
        } else if (found == WIRE_FOUND_sync) {
            must(s->synced);
            note(t, found, s->nonce, sizeof s->nonce);
        } else {
            must(found == WIRE_FOUND_oversize || !s->synced);
            note(t, found, NULL, 0);
        }
        must(s->start <= s->end && s->end <= s->cap);
    }
}

static struct trace run(const uint8_t *data, size_t len, size_t step, uint32_t limit)
{
    static uint8_t buf[CAP];
    struct wire_stream s;
    struct trace t = {UINT64_C(0xcbf29ce484222325), 0};
    wire_stream_init(&s, buf, sizeof buf, WIRE_SYNC_HOST);
    s.limit = limit;
    while (len > 0) {
        size_t room;
        uint8_t *space = wire_stream_space(&s, &room);
        must(room > 0 && space >= buf && space + room <= buf + sizeof buf);
        size_t n = len < step ? len : step;
        n = n < room ? n : room;
        memcpy(space, data, n);
        wire_stream_fed(&s, n);
        drain(&s, &t);
        must(s.synced || s.end - s.start < WIRE_SYNC_LEN); /* a hunt keeps no more than half a sync */
        data += n;
        len -= n;
    }
    bool midway = wire_stream_midway(&s);
    must(midway || s.start == s.end);
    wire_stream_hunt(&s);
    must(!wire_stream_midway(&s) && !s.synced);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    uint32_t limit = 1 + 2u * data[0];
    size_t step = 1 + data[1] % 64u;
    struct trace one = run(data + 2, len - 2, 1, limit);
    struct trace some = run(data + 2, len - 2, step, limit);
    struct trace all = run(data + 2, len - 2, CAP, limit);
    must(one.hash == some.hash && one.count == some.count);
    must(one.hash == all.hash && one.count == all.count);
    return 0;
}
