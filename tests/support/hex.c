/* SPDX-License-Identifier: MIT
 *
 * Hexadecimal into bytes.
 */
#include "hex.h"

#include <ctype.h>
#include <string.h>

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *p = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return p != NULL ? (int)(p - digits) : -1;
}

size_t hex_parse(const char *text, uint8_t *out, size_t cap)
{
    size_t len = 0;
    for (; *text != '\0'; text++) {
        if (isspace((unsigned char)*text))
            continue;
        int high = digit(text[0]);
        int low = high >= 0 ? digit(text[1]) : -1;
        if (low < 0 || len == cap)
            return SIZE_MAX;
        out[len++] = (uint8_t)(high << 4 | low);
        text++;
    }
    return len;
}
