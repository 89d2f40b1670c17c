/* SPDX-License-Identifier: MIT
 *
 * The few functions of a libc that the agent needs.  The mem* family is left out
 * where a libc has it (AGENT_HOSTED).
 */
#include <stdarg.h>
#include <string.h>

#include "agent.h"
#include "sys.h"

#ifndef AGENT_HOSTED
/* Words of eight at a time: under emulation a string instruction costs as much a byte. */
typedef uint64_t unaligned_word __attribute__((aligned(1), may_alias));

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    for (; len >= 8; len -= 8, t += 8, f += 8)
        *(unaligned_word *)t = *(const unaligned_word *)f;
    while (len-- > 0)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if (t <= f) {
        for (; len >= 8; len -= 8, t += 8, f += 8) /* a word is read before its bytes are overwritten */
            *(unaligned_word *)t = *(const unaligned_word *)f;
        while (len-- > 0)
            *t++ = *f++;
    } else {
        while (len-- > 0)
            t[len] = f[len];
    }
    return to;
}

void *memset(void *to, int value, size_t len)
{
    uint8_t *t = to;
    uint64_t word = UINT64_C(0x0101010101010101) * (uint8_t)value;
    for (; len >= 8; len -= 8, t += 8)
        *(unaligned_word *)t = word;
    while (len-- > 0)
        *t++ = (uint8_t)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a, *y = b;
    for (; len > 0; len--, x++, y++) {
        if (*x != *y)
            return *x - *y;
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t len = 0;
    while (s[len] != '\0')
        len++;
    return len;
}
#endif

void agent_log(const char *text, ...)
{
    va_list list;
    va_start(list, text);
    for (const char *s = text; s != NULL; s = va_arg(list, const char *))
        sys3(__NR_write, 2, sys_ptr(s), (long)strlen(s));
    va_end(list);
}

char *agent_append(char *out, size_t cap, const char *text)
{
    size_t have = strlen(out);
    size_t len = strlen(text);
    if (len > cap - have - 1)
        len = cap - have - 1;
    memcpy(out + have, text, len);
    out[have + len] = '\0';
    return out;
}

char *agent_append_uint(char *out, size_t cap, uint64_t value)
{
    char digits[21];
    char *p = digits + sizeof digits - 1;
    *p = '\0';
    do
        *--p = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    return agent_append(out, cap, p);
}

struct wire_bytes agent_bytes(const char *text)
{
    return (struct wire_bytes){(const uint8_t *)text, strlen(text)};
}

bool agent_same(const char *a, const char *b)
{
    size_t len = strlen(a);
    return len == strlen(b) && memcmp(a, b, len) == 0;
}
