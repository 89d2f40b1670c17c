/* SPDX-License-Identifier: MIT
 *
 * msgpack out: sticky status, shortest forms, large bins borrowed as slices.
 * Knows nothing of messages except the envelope in front of them.
 */
#include "wire_impl.h"

void wire_fail_put(struct wire_writer *w)
{
    if (w->status == WIRE_OK)
        w->status = WIRE_E_SPACE;
}

void wire_writer_init(struct wire_writer *w, void *buf, size_t cap)
{
    memset(w, 0, sizeof *w);
    w->buf = buf;
    w->cap = cap;
}

void wire_writer_borrow(struct wire_writer *w, struct wire_slice *slices, uint32_t cap)
{
    w->slices = slices;
    w->slice_cap = cap;
}

/* `first`, then the low `len` bytes of value, most significant first. */
static void put_tagged(struct wire_writer *w, uint8_t first, uint64_t value, unsigned len)
{
    if (!wire_room(w, len + 1))
        return;
    uint8_t *p = w->buf + w->len;
    *p++ = first;
    for (unsigned shift = len * 8; shift > 0; shift -= 8)
        *p++ = (uint8_t)(value >> (shift - 8));
    w->len += len + 1;
}

void wire_put_uint_long(struct wire_writer *w, uint64_t value)
{
    if (value <= UINT8_MAX)
        put_tagged(w, 0xcc, value, 1);
    else if (value <= UINT16_MAX)
        put_tagged(w, 0xcd, value, 2);
    else if (value <= UINT32_MAX)
        put_tagged(w, 0xce, value, 4);
    else
        put_tagged(w, 0xcf, value, 8);
}

void wire_put_int_negative(struct wire_writer *w, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    if (value >= -32) {
        if (wire_room(w, 1))
            w->buf[w->len++] = (uint8_t)bits;
    } else if (value >= INT8_MIN) {
        put_tagged(w, 0xd0, bits, 1);
    } else if (value >= INT16_MIN) {
        put_tagged(w, 0xd1, bits, 2);
    } else if (value >= INT32_MIN) {
        put_tagged(w, 0xd2, bits, 4);
    } else {
        put_tagged(w, 0xd3, bits, 8);
    }
}

void wire_put_head(struct wire_writer *w, uint8_t fix, uint8_t long_form, uint32_t count)
{
    if (count > UINT16_MAX) {
        put_tagged(w, long_form + 1, count, 4);
    } else if (count > 15) {
        put_tagged(w, long_form, count, 2);
    } else if (wire_room(w, 1)) {
        w->buf[w->len++] = (uint8_t)(fix | count);
    }
}

/* ---- bytes ---- */

/* Close the slice of buf that is open. */
static void close_slice(struct wire_writer *w)
{
    if (w->len == w->slice_from)
        return;
    if (w->slice_count == w->slice_cap) {
        wire_fail_put(w);
        return;
    }
    w->slices[w->slice_count++] = (struct wire_slice){w->buf + w->slice_from, w->len - w->slice_from};
    w->slice_from = w->len;
}

/* Borrow when it pays and a slice is left for what follows. */
static bool borrow(struct wire_writer *w, struct wire_bytes value)
{
    if (value.len < WIRE_BORROW_MIN || w->slice_cap - w->slice_count < 3 || w->status != WIRE_OK)
        return false;
    close_slice(w);
    w->slices[w->slice_count++] = (struct wire_slice){value.ptr, value.len};
    w->borrowed += value.len;
    return true;
}

static void put_bytes(struct wire_writer *w, struct wire_bytes value)
{
    if (borrow(w, value) || !wire_room(w, value.len) || value.len == 0)
        return;
    memcpy(w->buf + w->len, value.ptr, value.len);
    w->len += value.len;
}

void wire_put_bin(struct wire_writer *w, struct wire_bytes value)
{
    if (value.len <= UINT8_MAX)
        put_tagged(w, 0xc4, value.len, 1);
    else if (value.len <= UINT16_MAX)
        put_tagged(w, 0xc5, value.len, 2);
    else if (value.len <= UINT32_MAX)
        put_tagged(w, 0xc6, value.len, 4);
    else
        wire_fail_put(w);
    put_bytes(w, value);
}

void wire_put_str(struct wire_writer *w, struct wire_bytes value)
{
    if (value.len <= 31) {
        if (wire_room(w, 1))
            w->buf[w->len++] = (uint8_t)(0xa0 | value.len);
    } else if (value.len <= UINT8_MAX) {
        put_tagged(w, 0xd9, value.len, 1);
    } else if (value.len <= UINT16_MAX) {
        put_tagged(w, 0xda, value.len, 2);
    } else {
        wire_fail_put(w);
    }
    put_bytes(w, value);
}

void wire_put_words(struct wire_writer *w, const struct wire_words *value)
{
    if (value->count > WIRE_ARGS_MAX) {
        wire_fail_put(w);
        return;
    }
    wire_put_array(w, value->count);
    for (uint32_t i = 0; i < value->count; i++)
        wire_put_int(w, value->at[i]);
}

void wire_put_bins(struct wire_writer *w, const struct wire_list *value)
{
    wire_put_array(w, value->count);
    for (uint32_t i = 0; i < value->count; i++)
        wire_put_bin(w, value->items[i]);
}

void wire_put_strs(struct wire_writer *w, const struct wire_list *value)
{
    wire_put_array(w, value->count);
    for (uint32_t i = 0; i < value->count; i++)
        wire_put_str(w, value->items[i]);
}

void wire_put_nothing(struct wire_writer *w)
{
    wire_put_map(w, 0);
}

/* ---- frames ---- */

void wire_begin(struct wire_writer *w, const struct wire_envelope *e)
{
    w->frame_at = w->len;
    w->frame_borrowed = w->borrowed;
    if (!wire_room(w, WIRE_FRAME_HEADER))
        return;
    w->len += WIRE_FRAME_HEADER;
    wire_put_array(w, 6);
    wire_put_uint(w, (uint64_t)e->kind);
    wire_put_uint(w, e->id);
    wire_put_uint(w, e->code);
    wire_put_uint(w, e->worker);
    wire_put_uint(w, e->generation);
}

enum wire_status wire_end(struct wire_writer *w)
{
    size_t len = w->len - w->frame_at - WIRE_FRAME_HEADER + w->borrowed - w->frame_borrowed;
    if (w->status == WIRE_OK && len > INT32_MAX)
        wire_fail_put(w);
    if (w->status != WIRE_OK)
        return w->status;
    for (unsigned i = 0; i < WIRE_FRAME_HEADER; i++)
        w->buf[w->frame_at + i] = (uint8_t)(len >> (24 - 8 * i));
    return WIRE_OK;
}

uint32_t wire_writer_slices(struct wire_writer *w)
{
    close_slice(w);
    return w->slice_count;
}

size_t wire_writer_total(const struct wire_writer *w)
{
    return w->len + w->borrowed;
}
