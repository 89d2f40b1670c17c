/* SPDX-License-Identifier: MIT
 *
 * libmpack as a contestant, by its token functions.
 */
#include "codec.h"

#if !__has_include(<mpack.h>)
const struct codec codec_libmpack = {"libmpack", "libmpack-dev", NULL, NULL};
#else
#include <mpack.h>

/* The first failed write stays. */
struct push {
    mpack_tokbuf_t tokens;
    char *p;
    size_t room;
    int status;
};

static inline void push_token(struct push *o, mpack_token_t token)
{
    if (o->status == MPACK_OK)
        o->status = mpack_write(&o->tokens, &o->p, &o->room, &token);
}

static inline void push_map(struct push *o, uint32_t count)
{
    push_token(o, mpack_pack_map(count));
}

static inline void push_array(struct push *o, uint32_t count)
{
    push_token(o, mpack_pack_array(count));
}

static inline void push_uint(struct push *o, uint64_t value)
{
    push_token(o, mpack_pack_uint(value));
}

static inline void push_int(struct push *o, int64_t value)
{
    push_token(o, mpack_pack_sint(value));
}

static inline void push_bin(struct push *o, struct wire_bytes value)
{
    push_token(o, mpack_pack_bin((uint32_t)value.len));
    if (value.len > 0)
        push_token(o, mpack_pack_chunk((const char *)value.ptr, (uint32_t)value.len));
}

struct pull {
    mpack_tokbuf_t tokens;
    const char *p;
    size_t left;
};

static inline bool pull_token(struct pull *in, mpack_token_t *token)
{
    return mpack_read(&in->tokens, &in->p, &in->left, token) == MPACK_OK;
}

static inline bool pull_map(struct pull *in, uint32_t *count)
{
    mpack_token_t token;
    if (!pull_token(in, &token) || token.type != MPACK_TOKEN_MAP || token.length > in->left / 2)
        return false;
    *count = token.length;
    return true;
}

static inline bool pull_array(struct pull *in, uint32_t *count)
{
    mpack_token_t token;
    if (!pull_token(in, &token) || token.type != MPACK_TOKEN_ARRAY || token.length > in->left)
        return false;
    *count = token.length;
    return true;
}

static inline bool pull_uint(struct pull *in, uint64_t max, uint64_t *value)
{
    mpack_token_t token;
    if (!pull_token(in, &token) || token.type != MPACK_TOKEN_UINT)
        return false;
    *value = mpack_unpack_uint(token);
    return *value <= max;
}

static inline bool pull_int(struct pull *in, int64_t *value)
{
    mpack_token_t token;
    if (!pull_token(in, &token))
        return false;
    if (token.type == MPACK_TOKEN_UINT)
        *value = (int64_t)mpack_unpack_uint(token);
    else if (token.type == MPACK_TOKEN_SINT)
        *value = mpack_unpack_sint(token);
    else
        return false;
    return true;
}

static inline bool pull_bin(struct pull *in, struct wire_bytes *value)
{
    mpack_token_t token, chunk;
    if (!pull_token(in, &token) || token.type != MPACK_TOKEN_BIN || token.length > in->left)
        return false;
    *value = (struct wire_bytes){(const uint8_t *)in->p, token.length};
    return token.length == 0 || (pull_token(in, &chunk) && chunk.length == token.length);
}

#include "codec_pull.h"

static struct wire_bytes encode(const struct codec_message *m, uint8_t *buf, size_t cap)
{
    if (cap < WIRE_FRAME_HEADER)
        return (struct wire_bytes){buf, 0};
    struct push o = {.p = (char *)buf + WIRE_FRAME_HEADER, .room = cap - WIRE_FRAME_HEADER, .status = MPACK_OK};
    mpack_tokbuf_init(&o.tokens);
    push_message(&o, m);
    return o.status == MPACK_OK ? finish_frame(buf, cap - o.room) : (struct wire_bytes){buf, 0};
}

static bool decode(const uint8_t *ptr, size_t len, struct codec_message *m)
{
    struct pull in = {.p = (const char *)ptr, .left = len};
    mpack_tokbuf_init(&in.tokens);
    return pull_message(&in, m) && in.left == 0;
}

const struct codec codec_libmpack = {"libmpack", NULL, encode, decode};
#endif
