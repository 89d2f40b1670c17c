/* SPDX-License-Identifier: MIT
 *
 * libwire-value: msgpack whose shape is not known beforehand, as a tree.
 *
 * wire.h reads and writes value by value; this library is for those who want the whole of
 * it at once.  The bytes are checked first (wire_check), so that neither depth nor a count
 * nor a length is believed; then msgpack-c unpacks them.  What is decoded borrows the bytes.
 *
 *     struct wire_value *v;
 *     size_t at;
 *     if (wire_value_new(&v, bytes, WIRE_SCAN_UTF8, &at) != WIRE_OK) return at;
 *     const struct wire_value *name = wire_value_find(v, "name");
 *     if (name != NULL && name->type == WIRE_TYPE_str) fwrite(name->bytes.ptr, 1, name->bytes.len, stdout);
 *     wire_value_free(v);
 *
 * Limits: WIRE_DEPTH_MAX containers inside each other; memory as wire_value_new() says.
 * Functions are safe to call from several threads on different trees.
 * Link with -lwire-value -lwire -lmsgpackc.
 */
#ifndef WIRE_VALUE_H
#define WIRE_VALUE_H

#include "wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is in an array or a map. */
struct wire_items {
    struct wire_value *at; /* of an array its elements; of a map key, value, key, value */
    uint32_t count;        /* elements of an array, entries of a map */
};

/* One value.  A tree that is to be written may as well be put together by hand, of values that
 * stand anywhere: {.type = WIRE_TYPE_str, .bytes = {"x", 1}}. */
struct wire_value {
    enum wire_type type; /* none: not a value */
    int8_t ext_type;     /* of an ext */
    bool negative;       /* of an int: the bits are those of a number below 0 */
    union {
        bool boolean;
        uint64_t integer; /* the bits: all of int64 and of uint64, exactly */
        float f32;
        double f64;
        struct wire_bytes bytes; /* str, bin, ext; borrowed */
        struct wire_items items; /* array, map */
    };
};

/* Decode bytes that are exactly one value; flags are WIRE_SCAN_.  n bytes take at most 24 n + 128
 * bytes of memory, whatever they are.  Returns WIRE_OK, and in *value the tree, which borrows the
 * bytes and which wire_value_free() frees as a whole.  Otherwise *value is NULL, and the offset of
 * the fault is in *at; WIRE_E_MEMORY is the answer when there is none, and for an array of
 * more than 178 million elements, a map of more than 89 million entries. */
WIRE_API enum wire_status wire_value_new(struct wire_value **value, struct wire_bytes encoded, unsigned flags,
                                         size_t *at);

/* Free what wire_value_new() gave: the root, not a part of it.  NULL is nothing to free. */
WIRE_API void wire_value_free(struct wire_value *value);

/* What stands for a str key in a map; NULL when nothing does, or it is no map.  Of equal keys
 * the first counts.  Looks at one key after the other. */
WIRE_API const struct wire_value *wire_value_find(const struct wire_value *map, const char *key);

/* Is it a timestamp (ext type -1)?  If so, *time is which. */
WIRE_API bool wire_value_time(const struct wire_value *v, struct wire_time *time);

/* Write a tree, every value in its shortest form and maps in the order in which they stand.
 * Faults stick to the writer: WIRE_E_TYPE where there is no value, WIRE_E_DEPTH beyond
 * WIRE_DEPTH_MAX.  With wire_writer_measure() it counts. */
WIRE_API void wire_value_put(struct wire_writer *w, const struct wire_value *v);

/* Put the entries of one map in canonical order: keys ascending as encoded bytes.  Sort a map that
 * is inside a key before.  Returns WIRE_E_DUPLICATE when two keys are equal, or what
 * wire_value_put() finds wrong with a key.  In place; n log n comparisons at most. */
WIRE_API enum wire_status wire_value_sort(struct wire_value *map);

#ifdef __cplusplus
}
#endif
#endif
