/* SPDX-License-Identifier: MIT
 *
 * Memory for text and bytes.  Knows nothing of what they mean. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_piece {
    struct pool_piece *next;
    char text[];
};

void *grow(void *ptr, size_t size)
{
    void *more = realloc(ptr, size ? size : 1);

    if (!more) {
        fputs("provium-conformance: out of memory\n", stderr);
        exit(70);
    }
    return more;
}

static void bytes_room(struct bytes *bytes, size_t len)
{
    size_t need = bytes->len + len + 1;

    if (need <= bytes->cap)
        return;
    bytes->cap = need > 2 * bytes->cap ? need : 2 * bytes->cap;
    bytes->ptr = grow(bytes->ptr, bytes->cap);
}

void bytes_put(struct bytes *bytes, const void *ptr, size_t len)
{
    bytes_room(bytes, len);
    if (len > 0)
        memcpy(bytes->ptr + bytes->len, ptr, len);
    bytes->len += len;
    bytes->ptr[bytes->len] = 0;
}

void bytes_byte(struct bytes *bytes, uint8_t byte)
{
    bytes_put(bytes, &byte, 1);
}

void bytes_print(struct bytes *bytes, const char *format, ...)
{
    size_t room = 128;
    va_list args;
    int len;

    for (;;) {
        bytes_room(bytes, room);
        va_start(args, format);
        len = vsnprintf((char *)bytes->ptr + bytes->len, room + 1, format, args);
        va_end(args);
        if (len < 0 || (size_t)len <= room)
            break;
        room = (size_t)len;
    }
    bytes->len += len > 0 ? (size_t)len : 0;
}

void bytes_drop(struct bytes *bytes, size_t len)
{
    if (len == 0)
        return;
    bytes->len -= len;
    memmove(bytes->ptr, bytes->ptr + len, bytes->len + 1);
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->ptr);
    *bytes = (struct bytes){0};
}

const char *bytes_text(const struct bytes *bytes)
{
    return bytes->ptr ? (const char *)bytes->ptr : "";
}

char *pool_text(struct pool *pool, const char *ptr, size_t len)
{
    struct pool_piece *piece = grow(NULL, sizeof(*piece) + len + 1);

    memcpy(piece->text, ptr, len);
    piece->text[len] = 0;
    piece->next = pool->pieces;
    pool->pieces = piece;
    return piece->text;
}

void pool_free(struct pool *pool)
{
    while (pool->pieces) {
        struct pool_piece *next = pool->pieces->next;

        free(pool->pieces);
        pool->pieces = next;
    }
}
