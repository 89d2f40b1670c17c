/* SPDX-License-Identifier: MIT
 *
 * msgpack-c as a contestant: packs into an sbuffer that is kept, unpacks with
 * msgpack_unpack_next into its objects, which are then walked.
 */
#include "codec.h"

#if !__has_include(<msgpack.h>)
const struct codec codec_msgpack_c = {"msgpack-c", "libmsgpack-dev", NULL, NULL};
#else
#include <msgpack.h>

struct push {
    msgpack_packer packer;
    int failed;
};

static inline void push_map(struct push *o, uint32_t count)
{
    o->failed |= msgpack_pack_map(&o->packer, count);
}

static inline void push_array(struct push *o, uint32_t count)
{
    o->failed |= msgpack_pack_array(&o->packer, count);
}

static inline void push_uint(struct push *o, uint64_t value)
{
    o->failed |= msgpack_pack_uint64(&o->packer, value);
}

static inline void push_int(struct push *o, int64_t value)
{
    o->failed |= msgpack_pack_int64(&o->packer, value);
}

static inline void push_bin(struct push *o, struct wire_bytes value)
{
    o->failed |= msgpack_pack_bin_with_body(&o->packer, value.ptr, value.len);
}

enum { DEPTH = 6 };

/* The objects that are still to be taken, one array of keys and values or of elements inside another. */
struct pull {
    const msgpack_object *next;
    const msgpack_object *outer[DEPTH]; /* where it goes on when an array or map ends */
    uint32_t left[DEPTH], depth;
};

/* The next object: maps lie in memory as key, value, key, value. */
static inline const msgpack_object *pull_object(struct pull *in)
{
    while (in->left[in->depth] == 0) {
        in->depth--;
        in->next = in->outer[in->depth];
    }
    in->left[in->depth]--;
    return in->next++;
}

static inline void pull_enter(struct pull *in, const msgpack_object *first, uint32_t count)
{
    in->outer[in->depth++] = in->next;
    in->next = first;
    in->left[in->depth] = count;
}

_Static_assert(sizeof(msgpack_object_kv) == 2 * sizeof(msgpack_object), "a map's items are pairs of objects");

static inline bool pull_map(struct pull *in, uint32_t *count)
{
    const msgpack_object *o = pull_object(in);
    if (o->type != MSGPACK_OBJECT_MAP || in->depth == DEPTH - 1)
        return false;
    *count = o->via.map.size;
    pull_enter(in, o->via.map.size > 0 ? &o->via.map.ptr->key : NULL, 2 * o->via.map.size);
    return true;
}

static inline bool pull_array(struct pull *in, uint32_t *count)
{
    const msgpack_object *o = pull_object(in);
    if (o->type != MSGPACK_OBJECT_ARRAY || in->depth == DEPTH - 1)
        return false;
    *count = o->via.array.size;
    pull_enter(in, o->via.array.ptr, o->via.array.size);
    return true;
}

static inline bool pull_uint(struct pull *in, uint64_t max, uint64_t *value)
{
    const msgpack_object *o = pull_object(in);
    if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return false;
    *value = o->via.u64;
    return *value <= max;
}

static inline bool pull_int(struct pull *in, int64_t *value)
{
    const msgpack_object *o = pull_object(in);
    *value = o->via.i64;
    return o->type == MSGPACK_OBJECT_POSITIVE_INTEGER || o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
}

static inline bool pull_bin(struct pull *in, struct wire_bytes *value)
{
    const msgpack_object *o = pull_object(in);
    if (o->type != MSGPACK_OBJECT_BIN)
        return false;
    *value = (struct wire_bytes){(const uint8_t *)o->via.bin.ptr, o->via.bin.size};
    return true;
}

#include "codec_pull.h"

/* Into one sbuffer that is kept, so that it grows once. */
static struct wire_bytes encode(const struct codec_message *m, uint8_t *buf, size_t cap)
{
    static msgpack_sbuffer out;
    struct push o = {.failed = 0};
    msgpack_sbuffer_clear(&out);
    msgpack_packer_init(&o.packer, &out, msgpack_sbuffer_write);
    o.failed = msgpack_sbuffer_write(&out, "\0\0\0", WIRE_FRAME_HEADER);
    push_message(&o, m);
    return o.failed == 0 && out.size <= cap ? finish_frame((uint8_t *)out.data, out.size) : (struct wire_bytes){buf, 0};
}

static bool decode(const uint8_t *ptr, size_t len, struct codec_message *m)
{
    size_t off = 0;
    msgpack_unpacked u;
    msgpack_unpacked_init(&u);
    bool good = msgpack_unpack_next(&u, (const char *)ptr, len, &off) == MSGPACK_UNPACK_SUCCESS && off == len;
    if (good) {
        struct pull in = {.next = &u.data, .left = {1}};
        good = pull_message(&in, m);
    }
    msgpack_unpacked_destroy(&u);
    return good;
}

const struct codec codec_msgpack_c = {"msgpack-c", NULL, encode, decode};
#endif
