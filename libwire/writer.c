/* SPDX-License-Identifier: MIT
 *
 * msgpack out: sticky status, bytes in the caller's buffer, large bins borrowed as
 * slices, the table's cursor where it leaves the usual way, frames.
 */
#include "wire_impl.h"

void wire_fail_put(struct wire_writer *w, enum wire_status status)
{
    if (w->status == WIRE_OK)
        w->status = status;
}

void wire_writer_init(struct wire_writer *w, void *buf, size_t cap)
{
    memset(w, 0, offsetof(struct wire_writer, nest));
    w->buf = buf;
    w->cap = cap;
    w->nest.depth = 0;
}

void wire_writer_measure(struct wire_writer *w)
{
    wire_writer_init(w, NULL, 0);
    w->measures = true;
}

void wire_writer_borrow(struct wire_writer *w, struct wire_slice *slices, uint32_t cap)
{
    w->slices = slices;
    w->slice_cap = cap;
}

uint8_t *wire_raw_long_uint(uint8_t *p, uint64_t value)
{
    return wire_raw_tagged(p, value);
}

void wire_append(struct wire_writer *w, const void *ptr, size_t len)
{
    if (w->measures)
        w->borrowed += len;
    else if (w->cap - w->len < len)
        wire_fail_put(w, WIRE_E_SPACE);
    if (len == 0 || w->measures || w->status != WIRE_OK)
        return;
    memcpy(w->buf + w->len, ptr, len);
    w->len += len;
}

void wire_append_head(struct wire_writer *w, const uint8_t *head, const uint8_t *end)
{
    wire_append(w, head, (size_t)(end - head));
}

/* ---- bytes ---- */

/* Close the slice of buf that is open. */
static void close_slice(struct wire_writer *w)
{
    if (w->len == w->slice_from)
        return;
    if (w->slice_count == w->slice_cap) {
        wire_fail_put(w, WIRE_E_SPACE);
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

/* A head that gives the length in 1, 2 or 4 bytes: first, first + 1, first + 2. */
void wire_append_length(struct wire_writer *w, uint8_t first, size_t len)
{
    uint8_t head[WIRE_MAX_bin];
    if (len <= UINT8_MAX)
        wire_append_head(w, head, wire_raw8(head, first, (uint8_t)len));
    else if (len <= UINT16_MAX)
        wire_append_head(w, head, wire_raw16(head, first + 1, (uint16_t)len));
    else if (len <= UINT32_MAX)
        wire_append_head(w, head, wire_raw32(head, first + 2, (uint32_t)len));
    else
        wire_fail_put(w, WIRE_E_RANGE);
}

void wire_append_bytes(struct wire_writer *w, struct wire_bytes value)
{
    if (!borrow(w, value))
        wire_append(w, value.ptr, value.len);
}

void wire_append_bin(struct wire_writer *w, struct wire_bytes value)
{
    wire_append_length(w, 0xc4, value.len);
    wire_append_bytes(w, value);
}

void wire_append_str(struct wire_writer *w, struct wire_bytes value)
{
    uint8_t head = (uint8_t)(0xa0 | value.len);
    if (value.len <= 31)
        wire_append(w, &head, 1);
    else
        wire_append_length(w, 0xd9, value.len);
    wire_append_bytes(w, value);
}

/* ---- the cursor, where a run does not fit ---- */

void wire_out_settle(struct wire_out o)
{
    if (o.spilled)
        wire_append(o.w, o.scratch, (size_t)(o.p - o.scratch));
    else
        o.w->len = (size_t)(o.p - o.w->buf);
}

struct wire_out wire_out_spill(struct wire_out o)
{
    wire_out_settle(o);
    o.p = o.end = o.scratch; /* no run fits behind this end */
    o.spilled = true;
    return o;
}

struct wire_out wire_out_fail(struct wire_out o)
{
    wire_fail_put(o.w, WIRE_E_RANGE);
    return wire_out_spill(o);
}

/* Back into the buffer, when it has room. */
static struct wire_out resume(struct wire_out o, size_t run)
{
    o = wire_out_open(o.w, o.scratch);
    wire_out_reserve(&o, run);
    return o;
}

struct wire_out wire_out_long_bin(struct wire_out o, struct wire_bytes value, size_t run)
{
    wire_out_settle(o);
    wire_append_bin(o.w, value);
    return resume(o, run);
}

struct wire_out wire_out_long_str(struct wire_out o, struct wire_bytes value, size_t run)
{
    wire_out_settle(o);
    wire_append_str(o.w, value);
    return resume(o, run);
}

/* ---- frames ---- */

void wire_begin(struct wire_writer *w, const struct wire_envelope *e)
{
    uint8_t scratch[WIRE_FRAME_HEADER + 1 + 5 * WIRE_MAX_u32];
    struct wire_out o = wire_out_open(w, scratch);
    if (w->nest.depth > 0)
        wire_writer_end(w);
    w->depth = 1;
    w->frame_at = w->len;
    w->frame_borrowed = w->borrowed;
    wire_out_reserve(&o, sizeof scratch);
    wire_store32(o.p, 0);
    o.p[WIRE_FRAME_HEADER] = 0x96;
    o.p = wire_raw_uint(o.p + WIRE_FRAME_HEADER + 1, (uint64_t)e->kind);
    o.p = wire_raw_uint(o.p, e->id);
    o.p = wire_raw_uint(o.p, e->code);
    o.p = wire_raw_uint(o.p, e->worker);
    o.p = wire_raw_uint(o.p, e->generation);
    wire_out_close(&o);
}

enum wire_status wire_end(struct wire_writer *w)
{
    size_t len = w->len - w->frame_at - WIRE_FRAME_HEADER + w->borrowed - w->frame_borrowed;
    if (len > INT32_MAX)
        wire_fail_put(w, WIRE_E_SPACE);
    if (w->nest.depth > 0)
        wire_writer_end(w);
    w->depth = 0;
    if (w->measures || w->status != WIRE_OK)
        return w->status;
    wire_store32(w->buf + w->frame_at, (uint32_t)len);
    return WIRE_OK;
}

void wire_put_nothing(struct wire_writer *w)
{
    wire_put_map(w, 0);
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
