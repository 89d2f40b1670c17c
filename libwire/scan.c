/* SPDX-License-Identifier: MIT
 *
 * Values that nobody decodes: where they end, and whether they are well formed, in
 * constant memory and without recursion.
 */
#include "wire_impl.h"

/* ---- nesting ---- */

void wire_nest_settle(struct wire_nest *nest)
{
    while (nest->depth > 0 && nest->level[nest->depth - 1].left == 0)
        nest->depth--;
}

void wire_nest_value(struct wire_nest *nest)
{
    wire_nest_settle(nest);
    if (nest->depth > 0)
        nest->level[nest->depth - 1].left--;
}

bool wire_nest_open(struct wire_nest *nest, uint32_t around, uint64_t values)
{
    if (around + nest->depth >= WIRE_DEPTH_MAX)
        return false;
    nest->level[nest->depth].left = values;
    nest->level[nest->depth].at = nest->level[nest->depth].from = 0;
    nest->depth++;
    return true;
}

/* ---- one head ---- */

/* What a first byte says: the bytes of the length or number behind it, then what follows. */
struct head {
    enum wire_type type;
    unsigned width; /* bytes of the number behind the first byte */
    bool map;
    uint64_t number; /* without such bytes: the length or count */
};

static struct head head_of(uint8_t first)
{
    static const uint8_t ext_len[] = {1, 2, 4, 8, 16};
    if (first <= 0x7f || first >= 0xe0)
        return (struct head){WIRE_TYPE_int, 0, false, 0};
    if (first <= 0x8f)
        return (struct head){WIRE_TYPE_map, 0, true, first & 15u};
    if (first <= 0x9f)
        return (struct head){WIRE_TYPE_array, 0, false, first & 15u};
    if (first <= 0xbf)
        return (struct head){WIRE_TYPE_str, 0, false, first & 31u};
    if (first >= 0xc4 && first <= 0xc6)
        return (struct head){WIRE_TYPE_bin, 1u << (first - 0xc4), false, 0};
    if (first >= 0xc7 && first <= 0xc9)
        return (struct head){WIRE_TYPE_ext, 1u << (first - 0xc7), false, 0};
    if (first == 0xca || first == 0xcb)
        return (struct head){first == 0xca ? WIRE_TYPE_f32 : WIRE_TYPE_f64, 4u << (first - 0xca), false, 0};
    if (first >= 0xcc && first <= 0xd3)
        return (struct head){WIRE_TYPE_int, 1u << (first & 3), false, 0};
    if (first >= 0xd4 && first <= 0xd8)
        return (struct head){WIRE_TYPE_ext, 0, false, ext_len[first - 0xd4]};
    if (first >= 0xd9 && first <= 0xdb)
        return (struct head){WIRE_TYPE_str, 1u << (first - 0xd9), false, 0};
    if (first >= 0xdc)
        return (struct head){first >= 0xde ? WIRE_TYPE_map : WIRE_TYPE_array, 2u << (first & 1), first >= 0xde, 0};
    return (struct head){first == 0xc0 ? WIRE_TYPE_nil : first == 0xc1 ? WIRE_TYPE_none : WIRE_TYPE_bool, 0, false, 0};
}

/* ---- one value ---- */

/* The value at s->pos, without what is in it. */
struct item {
    struct head head;
    uint64_t number;        /* what the head says: a length, a count, an integer's bits */
    uint64_t bytes, values; /* that follow the head */
    size_t after;           /* offset behind the head */
};

/* Take a look at the next value; it may not be whole. */
static enum wire_status look(const struct wire_scan *s, const uint8_t *buf, size_t len, struct item *item)
{
    if (s->pos == len)
        return WIRE_E_SHORT;
    struct head h = head_of(buf[s->pos]);
    if (h.type == WIRE_TYPE_none)
        return WIRE_E_RESERVED;
    if (len - s->pos <= h.width)
        return WIRE_E_SHORT;
    uint64_t number = h.number;
    for (unsigned i = 1; i <= h.width; i++)
        number = number << 8 | buf[s->pos + i];
    bool bytes = h.type == WIRE_TYPE_str || h.type == WIRE_TYPE_bin || h.type == WIRE_TYPE_ext;
    bool values = h.type == WIRE_TYPE_array || h.type == WIRE_TYPE_map;
    *item = (struct item){.head = h, .number = number, .after = s->pos + 1 + h.width};
    if (bytes)
        item->bytes = number + (h.type == WIRE_TYPE_ext);
    if (values)
        item->values = h.map ? 2 * number : number;
    return WIRE_OK;
}

/* Could the bytes of this int have been fewer? */
static bool int_shortest(uint8_t first, uint64_t bits, unsigned width)
{
    if (width == 0)
        return true;
    int64_t value = (int64_t)(bits << (64 - 8 * width)) >> (64 - 8 * width);
    bool below = first >= 0xd0 && value < 0;
    return (first < 0xd0 || below) && 1 + width == (below ? wire_size_int(value) : wire_size_uint(bits));
}

/* A timestamp has forms of 4, 8 and 12 bytes; is this the shortest that holds it? */
static bool time_shortest(const uint8_t *value, const struct item *i)
{
    struct wire_reader r;
    struct wire_time t;
    size_t len = 1 + i->head.width + (size_t)i->bytes;
    wire_reader_init(&r, value, len);
    wire_get_time(&r, &t);
    return r.status != WIRE_OK || wire_size_time(t.seconds, t.nanoseconds) == len;
}

/* Has the value its shortest form?  It is whole, so its length is a size. */
static bool shortest(const uint8_t *value, const struct item *i)
{
    uint8_t first = *value;
    unsigned len = 1 + i->head.width;
    size_t number = (size_t)i->number;
    switch (i->head.type) {
    case WIRE_TYPE_int:
        return int_shortest(first, i->number, i->head.width);
    case WIRE_TYPE_str:
        return wire_size_str(number) == len + number;
    case WIRE_TYPE_bin:
        return wire_size_bin(number) == len + number;
    case WIRE_TYPE_ext:
        return wire_size_ext(number) == len + 1 + number && time_shortest(value, i);
    case WIRE_TYPE_array:
    case WIRE_TYPE_map:
        return wire_size_head((uint32_t)i->number) == len;
    default:
        return true;
    }
}

/* ---- the keys of a map ----
 *
 * Of the map at `level`, at is where the key before the last one began, from where the
 * last one did, each plus one.  No encoded value is the beginning of another, so that
 * comparing two needs the length of one of them only. */

static bool is_map(const struct wire_scan *s)
{
    return s->nest.depth > 0 && (s->maps >> (s->nest.depth - 1) & 1) != 0;
}

/* A value begins at s->pos, which is counted already: a key is noted; when it is what the key
 * stands for, the key is compared with the one before. */
static enum wire_status follow_keys(struct wire_scan *s, const uint8_t *buf)
{
    size_t *before = &s->nest.level[s->nest.depth - 1].at, *last = &s->nest.level[s->nest.depth - 1].from;
    if (s->nest.level[s->nest.depth - 1].left % 2 != 0) {
        *before = *last;
        *last = s->pos + 1;
        return WIRE_OK;
    }
    if (*before == 0 || memcmp(buf + *before - 1, buf + *last - 1, s->pos - (*last - 1)) < 0)
        return WIRE_OK;
    s->pos = *last - 1;
    return WIRE_E_CANONICAL;
}

/* ---- the scan ---- */

void wire_scan_init(struct wire_scan *s, size_t limit, unsigned flags)
{
    s->pos = 0;
    s->limit = limit;
    s->flags = flags;
    s->around = s->maps = 0;
    s->nest.depth = 0;
}

/* What the flags ask of a value that is whole. */
static enum wire_status examine(struct wire_scan *s, const uint8_t *buf, const struct item *i)
{
    const uint8_t *text = buf + i->after;
    if ((s->flags & WIRE_SCAN_UTF8) && i->head.type == WIRE_TYPE_str && !wire_utf8_valid(text, text + i->bytes))
        return WIRE_E_UTF8;
    if ((s->flags & WIRE_SCAN_CANONICAL) == 0)
        return WIRE_OK;
    return shortest(buf + s->pos, i) ? WIRE_OK : WIRE_E_CANONICAL;
}

/* Pass one value, or the head of a container. */
static enum wire_status step(struct wire_scan *s, const uint8_t *buf, size_t len)
{
    struct item i;
    enum wire_status status = look(s, buf, len, &i);
    if (status != WIRE_OK)
        return status;
    if (i.after > s->limit || i.bytes > s->limit - i.after || i.values > s->limit - i.after)
        return WIRE_E_LIMIT;
    if (i.bytes > len - i.after)
        return WIRE_E_SHORT;
    status = examine(s, buf, &i);
    if (status != WIRE_OK)
        return status;
    wire_nest_value(&s->nest);
    if ((s->flags & WIRE_SCAN_CANONICAL) && is_map(s))
        status = follow_keys(s, buf);
    if (status != WIRE_OK)
        return status;
    bool container = i.head.type == WIRE_TYPE_array || i.head.type == WIRE_TYPE_map;
    if (container && !wire_nest_open(&s->nest, s->around, i.values))
        return WIRE_E_DEPTH;
    if (container)
        s->maps = (s->maps & ~(1u << (s->nest.depth - 1))) | (uint32_t)i.head.map << (s->nest.depth - 1);
    s->pos = i.after + (size_t)i.bytes;
    return WIRE_OK;
}

/* Could all that is open still end within the limit?  Each value to come takes a byte or more. */
static bool may_end(const struct wire_scan *s, const uint8_t *buf, size_t len)
{
    struct item i = {.after = s->pos + 1 + (s->pos < len ? head_of(buf[s->pos]).width : 0)};
    look(s, buf, len, &i);
    uint64_t due = i.bytes;
    for (uint32_t level = 0; level < s->nest.depth; level++)
        due += s->nest.level[level].left;
    due -= s->nest.depth > 0; /* the value that begins here */
    return i.after <= s->limit && due <= s->limit - i.after;
}

enum wire_status wire_scan(struct wire_scan *s, const void *buf, size_t len)
{
    enum wire_status status;
    do {
        status = step(s, buf, len);
        wire_nest_settle(&s->nest);
    } while (status == WIRE_OK && s->nest.depth > 0);
    return status == WIRE_E_SHORT && !may_end(s, buf, len) ? WIRE_E_LIMIT : status;
}

/* What is there is all there is: a count or length beyond it means that bytes are missing. */
static enum wire_status scan_whole(struct wire_scan *s, const uint8_t *buf, size_t len)
{
    enum wire_status status = wire_scan(s, buf, len);
    return status == WIRE_E_LIMIT ? WIRE_E_SHORT : status;
}

enum wire_status wire_check(struct wire_bytes encoded, unsigned flags, size_t *at)
{
    struct wire_scan s;
    wire_scan_init(&s, encoded.len, flags);
    enum wire_status status = scan_whole(&s, encoded.ptr, encoded.len);
    *at = s.pos;
    return status == WIRE_OK && s.pos < encoded.len ? WIRE_E_TRAILING : status;
}

void wire_take_any(struct wire_reader *r)
{
    struct wire_scan s;
    size_t room = (size_t)(r->end - r->p);
    wire_scan_init(&s, room, 0);
    s.around = r->depth + r->nest.depth;
    enum wire_status status = scan_whole(&s, r->p, room);
    r->p += s.pos;
    if (status != WIRE_OK)
        wire_fail_get(r, status, r->p);
}
