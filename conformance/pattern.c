/* SPDX-License-Identifier: MIT
 *
 * Reads a pattern and compares at the same time, without a tree.  A NULL value
 * is one that is not there: the pattern is read over and does not match. */
#include "pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"

enum { DEEPEST_PATTERN = 24 };

struct match {
    const char *at;
    const char *fault; /* of the pattern's own text; the first one stays */
    struct env *env;
    unsigned depth;
};

static bool either(struct match *match, const struct value *value);

static bool broken(struct match *match, const char *fault)
{
    if (!match->fault)
        match->fault = fault;
    match->at = ""; /* nothing more is read */
    return false;
}

static char peek(struct match *match)
{
    while (*match->at == ' ')
        match->at++;
    return *match->at;
}

static bool take(struct match *match, const char *token)
{
    size_t len = strlen(token);

    peek(match);
    if (strncmp(match->at, token, len) != 0)
        return false;
    match->at += len;
    return true;
}

/* ---- integers ---- */

struct number {
    bool negative;
    uint64_t number;
};

static int compare(const struct value *value, struct number other)
{
    if (value->negative != other.negative)
        return value->negative ? -1 : 1;
    return value->number < other.number ? -1 : value->number > other.number;
}

static bool read_number(struct match *match, struct number *number)
{
    char *end;

    number->negative = *match->at == '-';
    if (!isdigit((unsigned char)match->at[number->negative]))
        return false;
    number->number = number->negative ? (uint64_t)strtoll(match->at, &end, 0) : strtoull(match->at, &end, 0);
    match->at = end;
    return true;
}

static bool range(struct match *match, const struct value *value)
{
    struct number low = {true, (uint64_t)INT64_MIN}, high = {false, UINT64_MAX};
    bool has_low = read_number(match, &low);

    if (strncmp(match->at, "..", 2) == 0) {
        match->at += 2;
        read_number(match, &high);
    } else if (!has_low) {
        return broken(match, "not a pattern");
    } else {
        high = low;
    }
    return value && value->kind == VALUE_INT && compare(value, low) >= 0 && compare(value, high) <= 0;
}

/* ---- bytes and texts ---- */

static bool same_text(const struct value *value, enum value_kind kind, const char *text, size_t len)
{
    return value && value->kind == kind && value->len == len && memcmp(value->content, text, len) == 0;
}

static bool quoted(struct match *match, const struct value *value)
{
    const char *start = ++match->at;
    const char *end = strchr(start, '"');

    if (!end)
        return broken(match, "a text has no end");
    match->at = end + 1;
    return same_text(value, VALUE_STR, start, (size_t)(end - start));
}

static bool hex_run(struct match *match, const struct value *value, size_t *offset)
{
    uint8_t byte, mask;
    size_t times;
    bool same = true;

    if (!hex_pair(match->at, &byte, &mask))
        return broken(match, "not two hexadecimal digits or ?");
    match->at += 2;
    times = hex_times(&match->at);
    if (times == 0)
        return broken(match, "not a number of times");
    for (; times > 0; times--, (*offset)++)
        same = same && value && *offset < value->len && (value->content[*offset] & mask) == byte;
    return same;
}

static bool hex(struct match *match, const struct value *value)
{
    bool same = value && value->kind == VALUE_BIN;
    size_t len = 0;

    match->at++;
    while (!take(match, ">") && !match->fault)
        same = hex_run(match, same ? value : NULL, &len) && same;
    return same && len == value->len;
}

/* ---- arrays and maps ---- */

static bool array(struct match *match, const struct value *value)
{
    const uint8_t *next = value && value->kind == VALUE_ARRAY ? value->content : NULL;
    bool same = next != NULL;
    uint64_t count = 0;

    match->at++;
    while (!take(match, "]") && !match->fault) {
        struct value element;
        bool there = next && count < value->number && value_read(&element, next, value->end);

        if (take(match, "...")) {
            count = value && value->kind == VALUE_ARRAY ? value->number : 0;
            next = NULL;
        } else {
            same = either(match, there ? &element : NULL) && same;
            next = there ? value_skip(&element) : NULL;
            count++;
        }
        if (!take(match, ",") && peek(match) != ']')
            return broken(match, "an array needs , or ]");
    }
    return same && count == value->number;
}

/* The value of a key; false when the map lacks it. */
static bool look_up(const struct value *map, struct number key, struct value *out)
{
    const uint8_t *at = map->content;

    for (uint64_t i = 0; i < map->number && at; i++) {
        struct value name;

        if (!value_read(&name, at, map->end))
            return false;
        at = value_skip(&name);
        if (!at || !value_read(out, at, map->end))
            return false;
        if (name.kind == VALUE_INT && compare(&name, key) == 0)
            return true;
        at = value_skip(out);
    }
    return false;
}

static bool entry(struct match *match, const struct value *map)
{
    bool absent = take(match, "!");
    struct number key;
    struct value element;
    bool there, optional, same;

    peek(match);
    if (!read_number(match, &key))
        return broken(match, "a key is a number");
    there = map && look_up(map, key, &element);
    if (absent)
        return map && !there;
    optional = take(match, "?");
    if (!take(match, ":"))
        return broken(match, "a key needs a colon");
    same = either(match, there ? &element : NULL);
    return same || (optional && map && !there);
}

static bool map_of(struct match *match, const struct value *value)
{
    const struct value *map = value && value->kind == VALUE_MAP ? value : NULL;
    bool same = map != NULL;

    match->at++;
    while (!take(match, "}") && !match->fault) {
        same = entry(match, map) && same;
        if (!take(match, ",") && peek(match) != '}')
            return broken(match, "a map needs , or }");
    }
    return same;
}

/* ---- words ---- */

static bool capture(struct match *match, const struct value *value)
{
    const struct bytes *known;
    char word[24];
    size_t len;

    match->at++;
    if (!env_word(&match->at, word, sizeof(word)))
        return broken(match, "no name follows $");
    len = value ? (size_t)(value_skip(value) - value->start) : 0;
    if (*match->at == '=') {
        match->at++;
        if (!either(match, value))
            return false;
        env_keep(match->env, word, value->start, len);
        return true;
    }
    known = env_capture(match->env, word);
    if (!known)
        return broken(match, "this $capture is not known");
    return value && known->len == len && memcmp(known->ptr, value->start, len) == 0;
}

static bool named(struct match *match, const struct value *value)
{
    char word[24];
    int64_t number;

    match->at++;
    if (!env_word(&match->at, word, sizeof(word)) || !env_number(match->env, word, &number))
        return broken(match, "this %name is not known");
    return value && value->kind == VALUE_INT && compare(value, (struct number){number < 0, (uint64_t)number}) == 0;
}

static bool kind(struct match *match, const struct value *value)
{
    static const struct {
        const char *word;
        enum value_kind kind;
    } kinds[] = {{"int", VALUE_INT}, {"str", VALUE_STR}, {"bin", VALUE_BIN}};
    struct number len;
    char word[24] = "";

    if (!env_word(&match->at, word, sizeof(word)))
        return broken(match, "not a pattern");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(word, kinds[i].word) != 0)
            continue;
        if (!take(match, ":"))
            return value && value->kind == kinds[i].kind;
        if (!read_number(match, &len))
            return broken(match, "a length is a number");
        return value && value->kind == kinds[i].kind && value->len == len.number;
    }
    return broken(match, "not a pattern");
}

static bool group(struct match *match, const struct value *value)
{
    bool same;

    match->at++;
    same = either(match, value);
    return take(match, ")") ? same : broken(match, "a group needs )");
}

static bool other_than(struct match *match, const struct value *value);

static bool one(struct match *match, const struct value *value)
{
    char first = peek(match);

    switch (first) {
    case '*':
        match->at++;
        return value != NULL;
    case '!':
        return other_than(match, value);
    case '(':
        return group(match, value);
    case '$':
        return capture(match, value);
    case '%':
        return named(match, value);
    case '"':
        return quoted(match, value);
    case '<':
        return hex(match, value);
    case '[':
        return array(match, value);
    case '{':
        return map_of(match, value);
    default:
        return isalpha((unsigned char)first) ? kind(match, value) : range(match, value);
    }
}

static bool other_than(struct match *match, const struct value *value)
{
    match->at++;
    return !one(match, value) && value;
}

static bool either(struct match *match, const struct value *value)
{
    bool same;

    if (++match->depth > DEEPEST_PATTERN)
        return broken(match, "nested too deeply");
    same = one(match, value);
    while (take(match, "|"))
        same = one(match, same ? NULL : value) || same;
    match->depth--;
    return same;
}

static bool whole(struct match *match, const struct value *value)
{
    bool same = either(match, value);

    if (!match->fault && peek(match) != 0)
        broken(match, "something follows the pattern");
    return same;
}

const char *pattern_check(const char *text, const struct env *env)
{
    struct env copy = *env;
    struct match match = {text, NULL, &copy, 0};

    whole(&match, NULL);
    return match.fault;
}

bool pattern_match(const char *text, const struct value *value, struct env *env)
{
    struct match match = {text, NULL, env, 0};

    return whole(&match, value) && !match.fault;
}
