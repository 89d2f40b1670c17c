/* SPDX-License-Identifier: MIT
 *
 * Random values and msgpack-c's view of them.
 */
#include "generic.h"

#include <msgpack.h>
#include <string.h>

#include "random.h"

/* ---- random values ---- */

/* Any number of bits, so that every width comes up. */
static uint64_t random_bits(uint64_t *state)
{
    uint64_t bits = (uint64_t)random_next(state) << 33 ^ (uint64_t)random_next(state) << 11 ^ random_next(state);
    return bits >> random_next(state) % 64;
}

/* Mostly short; now and then as long as a borrowed one. */
static struct wire_bytes random_bytes(uint64_t *state)
{
    static uint8_t pool[WIRE_BORROW_MIN + 1000];
    static const size_t maxima[] = {4, 33, 33, 300};
    size_t max = maxima[random_next(state) % 4];
    size_t len = random_next(state) % max;
    if (random_next(state) % 64 == 0)
        len = WIRE_BORROW_MIN + random_next(state) % 1000;
    for (size_t i = 0; i < sizeof pool && pool[1] == 0; i++)
        pool[i] = (uint8_t)('a' + i % 26);
    return (struct wire_bytes){pool, len};
}

/* No signalling NaN among the narrow ones: msgpack-c keeps them as double, which quiets them. */
static void put_float(struct wire_writer *w, uint64_t *state)
{
    uint64_t wide = random_bits(state) << random_next(state) % 64;
    uint32_t narrow = (uint32_t)wide;
    if (narrow << 1 > UINT32_C(0xff000000))
        narrow |= 0x00400000;
    double f64;
    float f32;
    memcpy(&f64, &wide, sizeof f64);
    memcpy(&f32, &narrow, sizeof f32);
    if (random_next(state) % 2 == 0)
        wire_put_f64(w, f64);
    else
        wire_put_f32(w, f32);
}

static void put_leaf(struct wire_writer *w, uint64_t *state)
{
    switch (random_next(state) % 9) {
    case 0:
        wire_put_nil(w);
        break;
    case 1:
        wire_put_bool(w, random_next(state) % 2 == 0);
        break;
    case 2:
        wire_put_uint(w, random_bits(state));
        break;
    case 3:
        wire_put_int(w, (int64_t)(0 - random_bits(state)));
        break;
    case 4:
        put_float(w, state);
        break;
    case 5:
        wire_put_bin(w, random_bytes(state));
        break;
    case 6:
        wire_put_str(w, random_bytes(state));
        break;
    case 7:
        wire_put_ext(w, (int8_t)random_next(state), random_bytes(state));
        break;
    default:
        wire_put_time(w, (int64_t)(random_bits(state) << random_next(state) % 30),
                      random_next(state) % 2 == 0 ? 0 : random_next(state) % 1000000000);
    }
}

static void put_head(struct wire_writer *w, bool map, bool open, uint32_t count)
{
    if (open)
        (map ? wire_open_map : wire_open_array)(w);
    else
        (map ? wire_put_map : wire_put_array)(w, count);
}

void generic_put(struct wire_writer *w, uint64_t *state, unsigned levels, bool open)
{
    uint32_t what = levels > 0 ? random_next(state) % 4 : 0;
    bool map = what == 3;
    if (what < 2) {
        put_leaf(w, state);
        return;
    }
    uint32_t count = random_next(state) % (random_next(state) % 16 == 0 ? 20 : 5);
    put_head(w, map, open, count);
    for (uint32_t i = 0; i < count * (map ? 2 : 1); i++)
        generic_put(w, state, levels - 1, open);
    if (open)
        wire_close(w);
}

/* ---- copy ---- */

static void copy_container(struct wire_reader *r, struct wire_writer *w, bool map, bool open)
{
    uint32_t count = (map ? wire_get_map : wire_get_array)(r);
    put_head(w, map, open, count);
    for (uint64_t i = 0; i < (uint64_t)count * (map ? 2 : 1) && r->status == WIRE_OK; i++)
        generic_copy(r, w, open);
    if (open)
        wire_close(w);
}

static void copy_integer(struct wire_reader *r, struct wire_writer *w)
{
    bool negative;
    uint64_t bits = wire_get_integer(r, &negative);
    if (negative)
        wire_put_int(w, (int64_t)bits);
    else
        wire_put_uint(w, bits);
}

/* A timestamp as one, if it is one; another ext as it is. */
static void copy_ext(struct wire_reader *r, struct wire_writer *w)
{
    struct wire_reader probe = *r;
    struct wire_ext ext;
    struct wire_time time;
    wire_get_time(&probe, &time);
    wire_get_ext(r, &ext);
    if (probe.status == WIRE_OK)
        wire_put_time(w, time.seconds, time.nanoseconds);
    else
        wire_put_ext(w, ext.type, ext.data);
}

static void copy_bytes(struct wire_reader *r, struct wire_writer *w, bool text)
{
    struct wire_bytes bytes;
    (text ? wire_get_str : wire_get_bin)(r, &bytes);
    (text ? wire_put_str : wire_put_bin)(w, bytes);
}

void generic_copy(struct wire_reader *r, struct wire_writer *w, bool open)
{
    enum wire_type type = wire_peek(r);
    switch (type) {
    case WIRE_TYPE_bool:
        wire_put_bool(w, wire_get_bool(r));
        break;
    case WIRE_TYPE_int:
        copy_integer(r, w);
        break;
    case WIRE_TYPE_f32:
        wire_put_f32(w, wire_get_f32(r));
        break;
    case WIRE_TYPE_f64:
        wire_put_f64(w, wire_get_f64(r));
        break;
    case WIRE_TYPE_str:
    case WIRE_TYPE_bin:
        copy_bytes(r, w, type == WIRE_TYPE_str);
        break;
    case WIRE_TYPE_array:
    case WIRE_TYPE_map:
        copy_container(r, w, type == WIRE_TYPE_map, open);
        break;
    case WIRE_TYPE_ext:
        copy_ext(r, w);
        break;
    default: /* nil; or nothing, which is the reader's error */
        wire_get_nil(r);
        wire_put_nil(w);
    }
}

/* ---- msgpack-c ---- */

/* Could one of these bytes be the head of an array or map with a count beyond them? */
static bool asks_for_too_much(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 5 <= len; i++) {
        if ((bytes[i] == 0xdd || bytes[i] == 0xdf) &&
            ((size_t)bytes[i + 1] << 24 | (size_t)bytes[i + 2] << 16 | (size_t)bytes[i + 3] << 8 | bytes[i + 4]) > len)
            return true;
    }
    return false;
}

size_t generic_their_len(const uint8_t *bytes, size_t len)
{
    static msgpack_zone *zone;
    msgpack_object theirs;
    size_t off = 0;
    enum wire_status ours = wire_check((struct wire_bytes){bytes, len}, 0, &off);
    if (ours != WIRE_OK && ours != WIRE_E_TRAILING && asks_for_too_much(bytes, len))
        return SIZE_MAX;
    off = 0;
    if (zone == NULL)
        zone = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    msgpack_unpack_return ret = msgpack_unpack((const char *)bytes, len, &off, zone, &theirs);
    msgpack_zone_clear(zone);
    return ret == MSGPACK_UNPACK_SUCCESS || ret == MSGPACK_UNPACK_EXTRA_BYTES ? off : 0;
}

bool generic_theirs(struct wire_bytes bytes)
{
    msgpack_unpacked theirs;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_unpacked_init(&theirs);
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    bool read = msgpack_unpack_next(&theirs, (const char *)bytes.ptr, bytes.len, NULL) == MSGPACK_UNPACK_SUCCESS;
    bool same = read && msgpack_pack_object(&packer, theirs.data) == 0 && buffer.size == bytes.len &&
                memcmp(buffer.data, bytes.ptr, bytes.len) == 0;
    msgpack_sbuffer_destroy(&buffer);
    msgpack_unpacked_destroy(&theirs);
    return same;
}
