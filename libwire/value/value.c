/* SPDX-License-Identifier: MIT
 *
 * Bytes to trees.  The bytes are checked and counted before msgpack-c sees them: it would
 * size memory by what they claim.
 */
#include <assert.h>
#include <msgpack.h>
#include <stdalign.h>
#include <string.h>

#include "../wire_value.h"

/* What wire_value_new() gives is the root, hence the whole. */
struct tree {
    struct wire_value root;
    msgpack_zone zone;
};

/* A value takes the place of msgpack-c's object for it. */
static_assert(sizeof(struct wire_value) <= sizeof(msgpack_object), "no larger");
static_assert(alignof(struct wire_value) <= alignof(msgpack_object), "nor in need of another place");
static_assert(sizeof(msgpack_object_kv) == 2 * sizeof(msgpack_object), "an entry is two objects");
static_assert(WIRE_DEPTH_MAX <= 32, "msgpack-c's own limit");

/* ---- memory ---- */

/* How many values there are, containers counted themselves; the bytes are known to be good. */
static size_t count_values(struct wire_bytes encoded)
{
    struct wire_reader r;
    size_t count = 0;
    wire_reader_init(&r, encoded.ptr, encoded.len);
    for (; r.p < r.end; count++) {
        switch (wire_peek(&r)) {
        case WIRE_TYPE_array:
            wire_get_array(&r);
            break;
        case WIRE_TYPE_map:
            wire_get_map(&r);
            break;
        default:
            wire_skip(&r);
        }
    }
    return count;
}

/* One chunk with room for `count` objects, so that the zone never asks for another: it would
 * double its size.  On some 32-bit machines a chunk begins where no object may. */
static bool zone_init(msgpack_zone *zone, size_t count)
{
    if (count > SIZE_MAX / sizeof(msgpack_object) - 2)
        return false;
    if (!msgpack_zone_init(zone, count * sizeof(msgpack_object) + alignof(msgpack_object)))
        return false;
    size_t beyond = (uintptr_t)zone->chunk_list.ptr % alignof(msgpack_object);
    if (beyond > 0)
        msgpack_zone_malloc_no_align(zone, alignof(msgpack_object) - beyond);
    return true;
}

static struct tree *tree_new(size_t count)
{
    struct tree *t = malloc(sizeof *t);
    if (t != NULL && zone_init(&t->zone, count - 1))
        return t;
    free(t);
    return NULL;
}

/* ---- msgpack-c's objects to values, each in its place ---- */

static void translate(struct wire_value *to, const void *object);

/* Values are not larger than objects, so that none is written before it has been read. */
static struct wire_value *translate_all(void *objects, size_t count)
{
    struct wire_value *items = objects;
    for (size_t i = 0; i < count; i++)
        translate(&items[i], (char *)objects + i * sizeof(msgpack_object));
    return items;
}

static struct wire_bytes borrow(const char *ptr, uint32_t len)
{
    return (struct wire_bytes){(const uint8_t *)ptr, len};
}

/* It calls itself as deep as the check lets values be nested. */
static void translate(struct wire_value *to, const void *object)
{
    msgpack_object o;
    struct wire_value v = {.type = WIRE_TYPE_nil};
    memcpy(&o, object, sizeof o);
    switch (o.type) {
    case MSGPACK_OBJECT_NIL:
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        v.type = WIRE_TYPE_bool, v.boolean = o.via.boolean;
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        v.type = WIRE_TYPE_int, v.integer = o.via.u64, v.negative = o.type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
        break;
    case MSGPACK_OBJECT_FLOAT32:
        v.type = WIRE_TYPE_f32, v.f32 = (float)o.via.f64;
        break;
    case MSGPACK_OBJECT_FLOAT64:
        v.type = WIRE_TYPE_f64, v.f64 = o.via.f64;
        break;
    case MSGPACK_OBJECT_STR:
        v.type = WIRE_TYPE_str, v.bytes = borrow(o.via.str.ptr, o.via.str.size);
        break;
    case MSGPACK_OBJECT_BIN:
        v.type = WIRE_TYPE_bin, v.bytes = borrow(o.via.bin.ptr, o.via.bin.size);
        break;
    case MSGPACK_OBJECT_EXT:
        v.type = WIRE_TYPE_ext, v.ext_type = o.via.ext.type, v.bytes = borrow(o.via.ext.ptr, o.via.ext.size);
        break;
    case MSGPACK_OBJECT_ARRAY:
        v.type = WIRE_TYPE_array, v.items.count = o.via.array.size;
        v.items.at = translate_all(o.via.array.ptr, o.via.array.size);
        break;
    case MSGPACK_OBJECT_MAP:
        v.type = WIRE_TYPE_map, v.items.count = o.via.map.size;
        v.items.at = translate_all(o.via.map.ptr, 2 * (size_t)o.via.map.size);
        break;
    }
    *to = v;
}

/* ---- new and free ---- */

enum wire_status wire_value_new(struct wire_value **value, struct wire_bytes encoded, unsigned flags, size_t *at)
{
    msgpack_object root;
    size_t off = 0;
    *value = NULL;
    enum wire_status status = wire_check(encoded, flags, at);
    if (status != WIRE_OK)
        return status;
    *at = 0;
    struct tree *t = tree_new(count_values(encoded));
    if (t == NULL)
        return WIRE_E_MEMORY;
    if (msgpack_unpack((const char *)encoded.ptr, encoded.len, &off, &t->zone, &root) != MSGPACK_UNPACK_SUCCESS) {
        wire_value_free(&t->root);
        return WIRE_E_MEMORY;
    }
    translate(&t->root, &root);
    *value = &t->root;
    return WIRE_OK;
}

void wire_value_free(struct wire_value *value)
{
    struct tree *t = (struct tree *)value;
    if (t == NULL)
        return;
    msgpack_zone_destroy(&t->zone);
    free(t);
}

/* ---- queries ---- */

const struct wire_value *wire_value_find(const struct wire_value *map, const char *key)
{
    size_t len = strlen(key);
    if (map->type != WIRE_TYPE_map)
        return NULL;
    for (size_t i = 0; i < map->items.count; i++) {
        const struct wire_value *k = &map->items.at[2 * i];
        if (k->type == WIRE_TYPE_str && k->bytes.len == len && memcmp(k->bytes.ptr, key, len) == 0)
            return k + 1;
    }
    return NULL;
}

bool wire_value_time(const struct wire_value *v, struct wire_time *time)
{
    enum { TIME_MAX = 12, HEAD_MAX = 3 };
    uint8_t encoded[HEAD_MAX + TIME_MAX];
    struct wire_writer w;
    struct wire_reader r;
    if (v->type != WIRE_TYPE_ext || v->bytes.len > TIME_MAX)
        return false;
    wire_writer_init(&w, encoded, sizeof encoded);
    wire_value_put(&w, v);
    wire_reader_init(&r, encoded, w.len);
    wire_get_time(&r, time);
    return wire_reader_end(&r) == WIRE_OK;
}
