/* SPDX-License-Identifier: MIT
 *
 * Reads the notation of bytes.  Knows nothing of frames. */
#include "hex.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TIMES = 1 << 26, DEEPEST_GROUP = 4 };

struct cursor {
    const char *at;
    const struct env *env;
    struct bytes *out;
    unsigned depth;
};

static bool digit(char c, uint8_t *value, uint8_t *mask)
{
    *mask = 15;
    if (c == '?') {
        *value = *mask = 0;
        return true;
    }
    if (!isxdigit((unsigned char)c))
        return false;
    *value = (uint8_t)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
    return true;
}

bool hex_pair(const char *text, uint8_t *byte, uint8_t *mask)
{
    uint8_t high, low, high_mask, low_mask;

    if (!digit(text[0], &high, &high_mask) || !digit(text[1], &low, &low_mask))
        return false;
    *byte = (uint8_t)(high << 4 | low);
    if (mask)
        *mask = (uint8_t)(high_mask << 4 | low_mask);
    return mask || (high_mask && low_mask);
}

size_t hex_times(const char **at)
{
    unsigned long times;
    char *end;

    if (**at != '*')
        return 1;
    times = strtoul(*at + 1, &end, 10);
    if (end == *at + 1 || times > MOST_TIMES)
        return 0;
    *at = end;
    return times;
}

/* msgpack's shortest form of a number that a name stands for. */
static void put_number(struct bytes *out, int64_t number)
{
    uint64_t pattern = (uint64_t)number;
    unsigned width = 0; /* as a power of two */

    if (number >= -32 && number <= 127) {
        bytes_byte(out, (uint8_t)number);
        return;
    }
    while (width < 3 && (number < 0 ? number < -((int64_t)1 << ((8u << width) - 1)) : pattern >> (8u << width) != 0))
        width++;
    bytes_byte(out, (uint8_t)((number < 0 ? 0xd0 : 0xcc) + width));
    for (unsigned byte = 1u << width; byte-- > 0;)
        bytes_byte(out, (uint8_t)(pattern >> 8 * byte));
}

static const char *read_word(struct cursor *cursor)
{
    const struct bytes *capture;
    char sigil = *cursor->at++;
    char word[24];
    int64_t number;

    if (!env_word(&cursor->at, word, sizeof(word)))
        return "no name follows % or $";
    if (sigil == '%') {
        if (!env_number(cursor->env, word, &number))
            return "this %name is not known";
        put_number(cursor->out, number);
        return NULL;
    }
    capture = env_capture(cursor->env, word);
    if (!capture)
        return "this $capture is not known";
    bytes_put(cursor->out, capture->ptr, capture->len);
    return NULL;
}

static const char *read_text(struct cursor *cursor)
{
    const char *end = strchr(cursor->at + 1, '"');

    if (!end)
        return "a text has no end";
    bytes_put(cursor->out, cursor->at + 1, (size_t)(end - cursor->at - 1));
    cursor->at = end + 1;
    return NULL;
}

static const char *read_items(struct cursor *cursor);

static const char *read_group(struct cursor *cursor)
{
    const char *fault;

    cursor->at++;
    if (++cursor->depth > DEEPEST_GROUP)
        return "groups are nested too deeply";
    fault = read_items(cursor);
    cursor->depth--;
    if (!fault && *cursor->at++ != ')')
        return "a group has no end";
    return fault;
}

static const char *read_item(struct cursor *cursor)
{
    uint8_t byte;

    if (*cursor->at == '"')
        return read_text(cursor);
    if (*cursor->at == '(')
        return read_group(cursor);
    if (*cursor->at == '%' || *cursor->at == '$')
        return read_word(cursor);
    if (!hex_pair(cursor->at, &byte, NULL))
        return "not two hexadecimal digits";
    bytes_byte(cursor->out, byte);
    cursor->at += 2;
    return NULL;
}

static const char *read_items(struct cursor *cursor)
{
    for (;;) {
        size_t before = cursor->out->len;
        struct bytes once = {0};
        const char *fault;
        size_t times;

        while (*cursor->at == ' ')
            cursor->at++;
        if (*cursor->at == 0 || *cursor->at == ')')
            return NULL;
        fault = read_item(cursor);
        if (fault)
            return fault;
        times = hex_times(&cursor->at);
        if (times == 0)
            return "not a number of times";
        bytes_put(&once, cursor->out->ptr + before, cursor->out->len - before);
        while (--times > 0)
            bytes_put(cursor->out, once.ptr, once.len);
        bytes_free(&once);
    }
}

const char *hex_read(struct bytes *out, const char *text, const struct env *env)
{
    struct cursor cursor = {text, env, out, 0};
    const char *fault = read_items(&cursor);

    if (!fault && *cursor.at)
        return "a ')' without '('";
    return fault;
}
