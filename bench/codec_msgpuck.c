/* SPDX-License-Identifier: MIT
 *
 * msgpuck as a contestant: its checker passes over the message, then its unchecked readers do.
 */
#include "codec.h"

#if !__has_include(<msgpuck.h>)
const struct codec codec_msgpuck = {"msgpuck", "libmsgpuck-dev", NULL, NULL};
#else

#ifndef NDEBUG
#define NDEBUG 1 /* its assertions are for its own tests */
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#include <msgpuck.h>
#pragma GCC diagnostic pop

/* It checks no room: its caller has to know that there is enough. */
struct push {
    char *p;
};

static inline void push_map(struct push *o, uint32_t count)
{
    o->p = mp_encode_map(o->p, count);
}

static inline void push_array(struct push *o, uint32_t count)
{
    o->p = mp_encode_array(o->p, count);
}

static inline void push_uint(struct push *o, uint64_t value)
{
    o->p = mp_encode_uint(o->p, value);
}

static inline void push_int(struct push *o, int64_t value)
{
    o->p = value < 0 ? mp_encode_int(o->p, value) : mp_encode_uint(o->p, (uint64_t)value);
}

static inline void push_bin(struct push *o, struct wire_bytes value)
{
    o->p = mp_encode_bin(o->p, (const char *)value.ptr, (uint32_t)value.len);
}

/* mp_check has passed over it: only types and ranges are left to be checked. */
struct pull {
    const char *p;
};

static inline bool pull_map(struct pull *in, uint32_t *count)
{
    if (mp_typeof(*in->p) != MP_MAP)
        return false;
    *count = mp_decode_map(&in->p);
    return true;
}

static inline bool pull_array(struct pull *in, uint32_t *count)
{
    if (mp_typeof(*in->p) != MP_ARRAY)
        return false;
    *count = mp_decode_array(&in->p);
    return true;
}

static inline bool pull_uint(struct pull *in, uint64_t max, uint64_t *value)
{
    if (mp_typeof(*in->p) != MP_UINT)
        return false;
    *value = mp_decode_uint(&in->p);
    return *value <= max;
}

static inline bool pull_int(struct pull *in, int64_t *value)
{
    enum mp_type type = mp_typeof(*in->p);
    if (type == MP_UINT)
        *value = (int64_t)mp_decode_uint(&in->p);
    else if (type == MP_INT)
        *value = mp_decode_int(&in->p);
    else
        return false;
    return true;
}

static inline bool pull_bin(struct pull *in, struct wire_bytes *value)
{
    uint32_t len;
    if (mp_typeof(*in->p) != MP_BIN)
        return false;
    value->ptr = (const uint8_t *)mp_decode_bin(&in->p, &len);
    value->len = len;
    return true;
}

#include "codec_pull.h"

static struct wire_bytes encode(const struct codec_message *m, uint8_t *buf, size_t cap)
{
    struct push o = {(char *)buf + WIRE_FRAME_HEADER};
    if (cap < CODEC_LEN_MAX)
        return (struct wire_bytes){buf, 0};
    push_message(&o, m);
    return finish_frame(buf, (size_t)(o.p - (char *)buf));
}

static bool decode(const uint8_t *ptr, size_t len, struct codec_message *m)
{
    const char *end = (const char *)ptr + len, *p = (const char *)ptr;
    struct pull in = {(const char *)ptr};
    return len > 0 && mp_check(&p, end) == 0 && p == end && pull_message(&in, m);
}

const struct codec codec_msgpuck = {"msgpuck", NULL, encode, decode};
#endif
