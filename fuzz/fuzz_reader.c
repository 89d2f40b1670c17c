/* SPDX-License-Identifier: MIT
 *
 * Any bytes as msgpack: skip agrees with msgpack-c about where a value ends, at most
 * one type reads a value, and what was read can be written and read again.
 */
#include <msgpack.h>
#include <string.h>

#include "../libwire/wire_impl.h"
#include "fuzz.h"

static void must_be_sane(const struct wire_reader *r)
{
    must(r->p >= r->start && r->p <= r->end);
    must(r->at <= (size_t)(r->end - r->start));
    must(r->status == WIRE_OK || r->p == r->end);
}

/* What skip passes over is a value for msgpack-c too.  (Not asked otherwise: it sizes memory by unchecked counts.) */
static void skip_like_msgpack_c(const uint8_t *data, size_t len)
{
    static msgpack_zone *zone;
    struct wire_reader r;
    msgpack_object theirs;
    size_t off = 0;
    wire_reader_init(&r, data, len);
    wire_skip(&r);
    must_be_sane(&r);
    if (r.status != WIRE_OK)
        return;
    if (zone == NULL)
        zone = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    must(zone != NULL);
    msgpack_unpack_return ret = msgpack_unpack((const char *)data, len, &off, zone, &theirs);
    must(ret == MSGPACK_UNPACK_SUCCESS || ret == MSGPACK_UNPACK_EXTRA_BYTES);
    must(off == (size_t)(r.p - data));
    msgpack_zone_clear(zone);
}

static bool same_bytes(struct wire_bytes a, struct wire_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ---- write what was read, read it again ---- */

static uint8_t out[1 << 17];

static struct wire_reader read_back(const struct wire_writer *w)
{
    struct wire_reader r;
    must(w->status == WIRE_OK);
    wire_reader_init(&r, w->buf, w->len);
    return r;
}

static bool try_integer(struct wire_reader *r)
{
    bool below, below_again;
    struct wire_writer w;
    uint64_t value = wire_get_integer(r, &below);
    if (r->status != WIRE_OK)
        return false;
    wire_writer_init(&w, out, sizeof out);
    if (below)
        wire_put_int(&w, (int64_t)value);
    else
        wire_put_uint(&w, value);
    struct wire_reader again = read_back(&w);
    must(wire_get_integer(&again, &below_again) == value && below_again == below);
    must(wire_reader_end(&again) == WIRE_OK);
    return true;
}

static bool try_bytes(struct wire_reader *r, bool text)
{
    struct wire_bytes value, twin;
    struct wire_writer w;
    (text ? wire_get_str : wire_get_bin)(r, &value);
    if (r->status != WIRE_OK || value.len > UINT16_MAX)
        return r->status == WIRE_OK;
    wire_writer_init(&w, out, sizeof out);
    (text ? wire_put_str : wire_put_bin)(&w, value);
    struct wire_reader again = read_back(&w);
    (text ? wire_get_str : wire_get_bin)(&again, &twin);
    must(same_bytes(value, twin) && wire_reader_end(&again) == WIRE_OK);
    return true;
}

static bool try_container(struct wire_reader *r, bool map)
{
    uint32_t count = (map ? wire_get_map : wire_get_array)(r);
    if (r->status != WIRE_OK)
        return false;
    must((uint64_t)count * (map ? 2 : 1) <= (uint64_t)(r->end - r->p));
    return true;
}

/* Read one value in each of the five ways; the one that works moves *r on. */
static unsigned take(struct wire_reader *r)
{
    unsigned taken = 0;
    struct wire_reader next = *r;
    for (unsigned way = 0; way < 5; way++) {
        struct wire_reader probe = *r;
        bool ok = way == 0  ? try_integer(&probe)
                  : way < 3 ? try_bytes(&probe, way == 1)
                            : try_container(&probe, way == 3);
        must_be_sane(&probe);
        must(ok == (probe.status == WIRE_OK));
        if (!ok)
            continue;
        must(probe.p > r->p);
        next = probe;
        taken++;
    }
    *r = next;
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct wire_reader r;
    struct wire_envelope e;
    size_t at;
    skip_like_msgpack_c(data, len);
    wire_reader_init(&r, data, len);
    for (unsigned taken = 1; taken > 0;) {
        taken = take(&r);
        must(taken <= 1);
    }
    if (wire_get_envelope(data, len, &e, &at) == WIRE_OK)
        must(e.kind <= WIRE_GOODBYE && e.body.ptr + e.body.len == data + len);
    else
        must(at <= len);
    return 0;
}
