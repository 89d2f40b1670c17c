/* SPDX-License-Identifier: MIT
 *
 * Trees to bytes, and the canonical order of maps.
 */
#include <string.h>

#include "../wire_value.h"

/* ---- put ---- */

static void put_items(struct wire_writer *w, const struct wire_value *items, size_t count)
{
    for (size_t i = 0; i < count && w->status == WIRE_OK; i++)
        wire_value_put(w, &items[i]);
}

/* It calls itself as deep as the writer lets containers be nested. */
void wire_value_put(struct wire_writer *w, const struct wire_value *v)
{
    switch (v->type) {
    case WIRE_TYPE_nil:
        wire_put_nil(w);
        break;
    case WIRE_TYPE_bool:
        wire_put_bool(w, v->boolean);
        break;
    case WIRE_TYPE_int:
        if (v->negative)
            wire_put_int(w, (int64_t)v->integer);
        else
            wire_put_uint(w, v->integer);
        break;
    case WIRE_TYPE_f32:
        wire_put_f32(w, v->f32);
        break;
    case WIRE_TYPE_f64:
        wire_put_f64(w, v->f64);
        break;
    case WIRE_TYPE_str:
        wire_put_str(w, v->bytes);
        break;
    case WIRE_TYPE_bin:
        wire_put_bin(w, v->bytes);
        break;
    case WIRE_TYPE_ext:
        wire_put_ext(w, v->ext_type, v->bytes);
        break;
    case WIRE_TYPE_array:
        wire_put_array(w, v->items.count);
        put_items(w, v->items.at, v->items.count);
        break;
    case WIRE_TYPE_map:
        wire_put_map(w, v->items.count);
        put_items(w, v->items.at, 2 * (size_t)v->items.count);
        break;
    default:
        if (w->status == WIRE_OK)
            w->status = WIRE_E_TYPE;
    }
}

/* ---- the order of keys ---- */

/* The first bytes of a value: its head at least.  What follows the head may not fit and is
 * left out then. */
struct start {
    uint8_t bytes[24];
    size_t len;
};

static struct start start_of(const struct wire_value *v)
{
    struct start s;
    struct wire_writer w;
    wire_writer_init(&w, s.bytes, sizeof s.bytes);
    if (v->type == WIRE_TYPE_array)
        wire_put_array(&w, v->items.count);
    else if (v->type == WIRE_TYPE_map)
        wire_put_map(&w, v->items.count);
    else
        wire_value_put(&w, v);
    s.len = w.len;
    return s;
}

/* As memcmp() of the encoded values, neither of which can be the beginning of the other: equal
 * starts are those of one type and one length. */
static int compare(const struct wire_value *a, const struct wire_value *b)
{
    struct start sa = start_of(a), sb = start_of(b);
    int order = memcmp(sa.bytes, sb.bytes, sa.len < sb.len ? sa.len : sb.len);
    bool list = a->type == WIRE_TYPE_array || a->type == WIRE_TYPE_map;
    bool bytes = a->type == WIRE_TYPE_str || a->type == WIRE_TYPE_bin || a->type == WIRE_TYPE_ext;
    if (order == 0 && bytes && a->bytes.len > 0)
        return memcmp(a->bytes.ptr, b->bytes.ptr, a->bytes.len);
    size_t count = list ? (size_t)a->items.count * (a->type == WIRE_TYPE_map ? 2 : 1) : 0;
    for (size_t i = 0; order == 0 && i < count; i++)
        order = compare(&a->items.at[i], &b->items.at[i]);
    return order;
}

/* ---- heap sort: no memory, and no input that makes it slow ---- */

struct entry {
    struct wire_value key, value;
};

static void swap(struct entry *a, struct entry *b)
{
    struct entry old = *a;
    *a = *b;
    *b = old;
}

/* Let the entry at `top` sink to where no larger one is below it. */
static void sink(struct entry *e, size_t top, size_t count)
{
    for (size_t below; (below = 2 * top + 1) < count; top = below) {
        if (below + 1 < count && compare(&e[below].key, &e[below + 1].key) < 0)
            below++;
        if (compare(&e[top].key, &e[below].key) >= 0)
            return;
        swap(&e[top], &e[below]);
    }
}

static void heap_sort(struct entry *e, size_t count)
{
    for (size_t top = count / 2; top-- > 0;)
        sink(e, top, count);
    for (size_t end = count; end-- > 1;) {
        swap(&e[0], &e[end]);
        sink(e, 0, end);
    }
}

/* How the entries stand: below 0 in order, 0 with equal keys, above 0 not in order. */
static int standing(const struct entry *e, size_t count)
{
    int worst = -1;
    for (size_t i = 1; i < count && worst <= 0; i++) {
        int order = compare(&e[i - 1].key, &e[i].key);
        worst = order > worst ? order : worst;
    }
    return worst;
}

/* Can the keys be written at all?  If so none is nested without end. */
static enum wire_status check_keys(const struct entry *e, size_t count)
{
    struct wire_writer w;
    wire_writer_measure(&w);
    for (size_t i = 0; i < count && w.status == WIRE_OK; i++)
        wire_value_put(&w, &e[i].key);
    return w.status;
}

enum wire_status wire_value_sort(struct wire_value *map)
{
    size_t count = map->items.count;
    struct entry *e = (struct entry *)(void *)map->items.at;
    if (map->type != WIRE_TYPE_map)
        return WIRE_E_TYPE;
    enum wire_status status = check_keys(e, count);
    if (status != WIRE_OK)
        return status;
    int order = standing(e, count);
    if (order > 0) {
        heap_sort(e, count);
        order = standing(e, count);
    }
    return order == 0 ? WIRE_E_DUPLICATE : WIRE_OK;
}
