/* SPDX-License-Identifier: MIT
 *
 * The values of msgpack one by one, for those who bring no table: put, size, get.  Each
 * keeps account of what is open, so that no container is left short or nested too deeply.
 */
#include "wire_impl.h"

enum { TIME_TYPE = -1, NANOSECONDS = 1000000000, HEAD_MAX = 5 };

/* What stands in level.left of a container whose count is open before its first value. */
#define UNCOUNTED UINT64_MAX

/* ---- put ---- */

void wire_put_in(struct wire_writer *w, uint32_t levels)
{
    wire_nest_value(&w->nest);
    if (w->depth + w->nest.depth + levels > WIRE_DEPTH_MAX)
        wire_fail_put(w, WIRE_E_DEPTH);
}

/* One value that is all head. */
static void put_head(struct wire_writer *w, const uint8_t *head, const uint8_t *end)
{
    wire_nest_value(&w->nest);
    wire_append_head(w, head, end);
}

static void put_byte(struct wire_writer *w, uint8_t byte)
{
    put_head(w, &byte, &byte + 1);
}

void wire_put_nil(struct wire_writer *w)
{
    put_byte(w, 0xc0);
}

void wire_put_bool(struct wire_writer *w, bool value)
{
    put_byte(w, value ? 0xc3 : 0xc2);
}

void wire_put_uint(struct wire_writer *w, uint64_t value)
{
    uint8_t head[WIRE_MAX_word];
    put_head(w, head, wire_raw_uint(head, value));
}

void wire_put_int(struct wire_writer *w, int64_t value)
{
    uint8_t head[WIRE_MAX_word];
    put_head(w, head, wire_raw_word(head, value));
}

void wire_put_f32(struct wire_writer *w, float value)
{
    uint8_t head[5];
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint8_t *end = wire_raw32(head, 0xca, bits);
    put_head(w, head, end);
}

void wire_put_f64(struct wire_writer *w, double value)
{
    uint8_t head[WIRE_MAX_f64];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint8_t *end = wire_raw64(head, 0xcb, bits);
    put_head(w, head, end);
}

void wire_put_bin(struct wire_writer *w, struct wire_bytes value)
{
    wire_nest_value(&w->nest);
    wire_append_bin(w, value);
}

void wire_put_str(struct wire_writer *w, struct wire_bytes value)
{
    wire_nest_value(&w->nest);
    wire_append_str(w, value);
}

/* The first byte of an ext whose length needs no byte of its own, or 0. */
static uint8_t ext_first(size_t len)
{
    return len == 1 ? 0xd4 : len == 2 ? 0xd5 : len == 4 ? 0xd6 : len == 8 ? 0xd7 : len == 16 ? 0xd8 : 0;
}

void wire_put_ext(struct wire_writer *w, int8_t type, struct wire_bytes value)
{
    uint8_t first = ext_first(value.len);
    wire_nest_value(&w->nest);
    if (first != 0)
        wire_append(w, &first, 1);
    else
        wire_append_length(w, 0xc7, value.len);
    wire_append(w, &type, 1);
    wire_append_bytes(w, value);
}

/* The data of a timestamp into data[12]; returns its length. */
static size_t time_data(uint8_t *data, int64_t seconds, uint32_t nanoseconds)
{
    uint64_t bits = (uint64_t)seconds;
    if (bits >> 34 != 0) {
        wire_store32(data, nanoseconds);
        wire_store64(data + 4, bits);
        return 12;
    }
    if (nanoseconds > 0 || bits > UINT32_MAX) {
        wire_store64(data, (uint64_t)nanoseconds << 34 | bits);
        return 8;
    }
    wire_store32(data, (uint32_t)bits);
    return 4;
}

void wire_put_time(struct wire_writer *w, int64_t seconds, uint32_t nanoseconds)
{
    uint8_t data[12];
    if (nanoseconds >= NANOSECONDS)
        wire_fail_put(w, WIRE_E_RANGE);
    wire_put_ext(w, TIME_TYPE, (struct wire_bytes){data, time_data(data, seconds, nanoseconds)});
}

void wire_put_raw(struct wire_writer *w, struct wire_bytes encoded)
{
    wire_nest_value(&w->nest);
    wire_append_bytes(w, encoded);
}

/* ---- put: containers ---- */

/* A head of one of them: fix is 0x90 or 0x80. */
static void put_container(struct wire_writer *w, uint8_t fix, uint32_t count)
{
    uint8_t head[HEAD_MAX];
    put_head(w, head, wire_raw_head(head, fix, count));
    if (!wire_nest_open(&w->nest, w->depth, (uint64_t)count * (fix == 0x80 ? 2 : 1)))
        wire_fail_put(w, WIRE_E_DEPTH);
}

void wire_put_array(struct wire_writer *w, uint32_t count)
{
    put_container(w, 0x90, count);
}

void wire_put_map(struct wire_writer *w, uint32_t count)
{
    put_container(w, 0x80, count);
}

/* The shortest head; wire_close() makes room for a longer one. */
static void open_container(struct wire_writer *w, uint8_t fix)
{
    size_t at = w->len;
    put_byte(w, fix);
    if (!wire_nest_open(&w->nest, w->depth, UNCOUNTED)) {
        wire_fail_put(w, WIRE_E_DEPTH);
        return;
    }
    w->nest.level[w->nest.depth - 1].at = at;
    w->nest.level[w->nest.depth - 1].from = fix;
}

void wire_open_array(struct wire_writer *w)
{
    open_container(w, 0x90);
}

void wire_open_map(struct wire_writer *w)
{
    open_container(w, 0x80);
}

/* What stands in buf from `from` on moves `by` bytes towards the end, and the slices of it. */
static void move_down(struct wire_writer *w, size_t from, size_t by)
{
    memmove(w->buf + from + by, w->buf + from, w->len - from);
    w->len += by;
    for (uint32_t i = 0; i < w->slice_count; i++) {
        struct wire_slice *s = &w->slices[i];
        size_t at = (size_t)((uintptr_t)s->ptr - (uintptr_t)w->buf);
        if (at >= w->cap)
            continue; /* a borrowed one */
        if (at >= from)
            s->ptr = (const uint8_t *)s->ptr + by;
        else if (at + s->len >= from)
            s->len += by;
    }
    if (w->slice_from >= from)
        w->slice_from += by;
}

/* The head at `at`, one byte until now, becomes this one. */
static void replace_head(struct wire_writer *w, size_t at, const uint8_t *head, size_t len)
{
    if (w->measures)
        w->borrowed += len - 1;
    else if (w->cap - w->len < len - 1)
        wire_fail_put(w, WIRE_E_SPACE);
    if (w->measures || w->status != WIRE_OK)
        return;
    if (len > 1)
        move_down(w, at + 1, len - 1);
    memcpy(w->buf + at, head, len);
}

void wire_close(struct wire_writer *w)
{
    uint8_t head[HEAD_MAX];
    wire_nest_settle(&w->nest);
    uint32_t top = w->nest.depth - 1; /* none: no level, as none is counted there */
    if (w->nest.depth == 0 || w->nest.level[top].from == 0) {
        wire_fail_put(w, WIRE_E_OPEN);
        return;
    }
    uint8_t fix = (uint8_t)w->nest.level[top].from;
    uint64_t values = UNCOUNTED - w->nest.level[top].left, count = fix == 0x80 ? values / 2 : values;
    w->nest.depth = top;
    if (fix == 0x80 && values % 2 != 0)
        wire_fail_put(w, WIRE_E_OPEN);
    if (count > UINT32_MAX)
        wire_fail_put(w, WIRE_E_RANGE);
    const uint8_t *end = wire_raw_head(head, fix, (uint32_t)count);
    replace_head(w, w->nest.level[top].at, head, (size_t)(end - head));
}

enum wire_status wire_writer_end(struct wire_writer *w)
{
    wire_nest_settle(&w->nest);
    if (w->nest.depth > 0)
        wire_fail_put(w, WIRE_E_OPEN);
    return w->status;
}

/* ---- size ---- */

size_t wire_size_uint(uint64_t value)
{
    uint8_t head[WIRE_MAX_word];
    return (size_t)(wire_raw_uint(head, value) - head);
}

size_t wire_size_int(int64_t value)
{
    uint8_t head[WIRE_MAX_word];
    return (size_t)(wire_raw_word(head, value) - head);
}

/* A head whose length takes 1, 2 or 4 bytes. */
static size_t size_length(size_t len)
{
    return len <= UINT8_MAX ? 2 : len <= UINT16_MAX ? 3 : 5;
}

size_t wire_size_bin(size_t len)
{
    return size_length(len) + len;
}

size_t wire_size_str(size_t len)
{
    return (len <= 31 ? 1 : size_length(len)) + len;
}

size_t wire_size_ext(size_t len)
{
    return (ext_first(len) != 0 ? 1 : size_length(len)) + 1 + len;
}

size_t wire_size_time(int64_t seconds, uint32_t nanoseconds)
{
    uint8_t data[12];
    return wire_size_ext(time_data(data, seconds, nanoseconds));
}

size_t wire_size_head(uint32_t count)
{
    uint8_t head[HEAD_MAX];
    return (size_t)(wire_raw_head(head, 0x90, count) - head);
}

/* ---- get ---- */

/* A record that could be too deep is passed over first, to see whether it is. */
void wire_get_in(struct wire_reader *r, uint32_t levels)
{
    struct wire_reader probe = *r;
    wire_nest_value(&r->nest);
    wire_nest_value(&probe.nest);
    if (r->depth + r->nest.depth + levels <= WIRE_DEPTH_MAX)
        return;
    wire_take_any(&probe);
    if (probe.status == WIRE_E_DEPTH)
        wire_fail_get(r, WIRE_E_DEPTH, probe.start + probe.at);
}

enum wire_type wire_peek(const struct wire_reader *r)
{
    static const uint8_t types[] = {/* 0xc0 to 0xdf */
                                    WIRE_TYPE_nil, WIRE_TYPE_none, WIRE_TYPE_bool, WIRE_TYPE_bool,
                                    WIRE_TYPE_bin, WIRE_TYPE_bin, WIRE_TYPE_bin, WIRE_TYPE_ext,
                                    WIRE_TYPE_ext, WIRE_TYPE_ext, WIRE_TYPE_f32, WIRE_TYPE_f64,
                                    WIRE_TYPE_int, WIRE_TYPE_int, WIRE_TYPE_int, WIRE_TYPE_int,
                                    WIRE_TYPE_int, WIRE_TYPE_int, WIRE_TYPE_int, WIRE_TYPE_int,
                                    WIRE_TYPE_ext, WIRE_TYPE_ext, WIRE_TYPE_ext, WIRE_TYPE_ext,
                                    WIRE_TYPE_ext, WIRE_TYPE_str, WIRE_TYPE_str, WIRE_TYPE_str,
                                    WIRE_TYPE_array, WIRE_TYPE_array, WIRE_TYPE_map, WIRE_TYPE_map};
    if (r->p == r->end)
        return WIRE_TYPE_none;
    uint8_t first = *r->p;
    if (first <= 0x7f || first >= 0xe0)
        return WIRE_TYPE_int;
    if (first >= 0xc0)
        return (enum wire_type)types[first - 0xc0];
    return first >= 0xa0 ? WIRE_TYPE_str : first >= 0x90 ? WIRE_TYPE_array : WIRE_TYPE_map;
}

void wire_get_nil(struct wire_reader *r)
{
    uint8_t first = wire_first(r);
    wire_nest_value(&r->nest);
    if (first == 0xc0)
        r->p++;
    else
        wire_mismatch(r, first);
}

bool wire_get_bool(struct wire_reader *r)
{
    bool value;
    wire_nest_value(&r->nest);
    wire_take_bool(r, &value);
    return value;
}

uint64_t wire_get_integer(struct wire_reader *r, bool *negative)
{
    wire_nest_value(&r->nest);
    return wire_take_integer(r, negative);
}

uint64_t wire_get_uint(struct wire_reader *r, uint64_t max)
{
    wire_nest_value(&r->nest);
    return wire_take_uint(r, max);
}

int64_t wire_get_int(struct wire_reader *r, int64_t min, int64_t max)
{
    const uint8_t *at = r->p;
    int64_t value;
    wire_nest_value(&r->nest);
    wire_take_i64(r, &value);
    if (r->status != WIRE_OK || (value >= min && value <= max))
        return value;
    wire_fail_get(r, WIRE_E_RANGE, at);
    return 0;
}

float wire_get_f32(struct wire_reader *r)
{
    uint8_t first = wire_first(r);
    float value = 0;
    wire_nest_value(&r->nest);
    if (first != 0xca) {
        wire_mismatch(r, first);
        return 0;
    }
    uint32_t bits = (uint32_t)wire_take_tagged(r, 4);
    memcpy(&value, &bits, sizeof value);
    return value;
}

double wire_get_f64(struct wire_reader *r)
{
    double value;
    wire_nest_value(&r->nest);
    wire_take_f64(r, &value);
    return value;
}

void wire_get_bin(struct wire_reader *r, struct wire_bytes *value)
{
    wire_nest_value(&r->nest);
    wire_take_bin(r, value);
}

void wire_get_str(struct wire_reader *r, struct wire_bytes *value)
{
    wire_nest_value(&r->nest);
    wire_take_str(r, value);
}

/* ---- get: ext ---- */

/* Take the head of an ext: the length of its data. */
static uint64_t take_ext_head(struct wire_reader *r)
{
    uint8_t first = wire_first(r);
    if (first >= 0xc7 && first <= 0xc9)
        return wire_take_tagged(r, 1u << (first - 0xc7));
    if (first >= 0xd4 && first <= 0xd8) {
        r->p++;
        return 1u << (first - 0xd4);
    }
    wire_mismatch(r, first);
    return 0;
}

void wire_get_ext(struct wire_reader *r, struct wire_ext *value)
{
    const uint8_t *at = r->p;
    wire_nest_value(&r->nest);
    uint64_t len = take_ext_head(r);
    struct wire_bytes all = wire_take_bytes(r, len + 1, at);
    *value = (struct wire_ext){0, {NULL, 0}};
    if (r->status != WIRE_OK)
        return;
    value->type = (int8_t)all.ptr[0];
    value->data = (struct wire_bytes){all.ptr + 1, all.len - 1};
}

void wire_get_time(struct wire_reader *r, struct wire_time *value)
{
    const uint8_t *at = r->p;
    struct wire_ext ext;
    *value = (struct wire_time){0, 0};
    wire_get_ext(r, &ext);
    if (r->status != WIRE_OK)
        return;
    const uint8_t *p = ext.data.ptr;
    if (ext.type != TIME_TYPE) {
        wire_fail_get(r, WIRE_E_TYPE, at);
        return;
    }
    struct wire_time t = {0, NANOSECONDS}; /* of another length: out of range */
    if (ext.data.len == 4)
        t = (struct wire_time){wire_load32(p), 0};
    else if (ext.data.len == 8)
        t = (struct wire_time){(int64_t)(wire_load64(p) & 0x3ffffffff), (uint32_t)(wire_load64(p) >> 34)};
    else if (ext.data.len == 12)
        t = (struct wire_time){(int64_t)wire_load64(p + 4), wire_load32(p)};
    if (t.nanoseconds < NANOSECONDS)
        *value = t;
    else
        wire_fail_get(r, WIRE_E_RANGE, at);
}

/* ---- get: containers ---- */

static uint32_t begin_container(struct wire_reader *r, bool map)
{
    const uint8_t *at = r->p;
    wire_nest_value(&r->nest);
    uint32_t count = map ? wire_take_map(r) : wire_take_array(r);
    if (r->status != WIRE_OK)
        return 0;
    if (wire_nest_open(&r->nest, r->depth, (uint64_t)count * (map ? 2 : 1)))
        return count;
    wire_fail_get(r, WIRE_E_DEPTH, at);
    return 0;
}

uint32_t wire_get_array(struct wire_reader *r)
{
    return begin_container(r, false);
}

uint32_t wire_get_map(struct wire_reader *r)
{
    return begin_container(r, true);
}

void wire_skip(struct wire_reader *r)
{
    wire_nest_value(&r->nest);
    wire_take_any(r);
}

struct wire_bytes wire_get_raw(struct wire_reader *r)
{
    const uint8_t *at = r->p;
    wire_skip(r);
    if (r->status != WIRE_OK)
        return (struct wire_bytes){NULL, 0};
    return (struct wire_bytes){at, (size_t)(r->p - at)};
}
