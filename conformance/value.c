/* SPDX-License-Identifier: MIT
 *
 * msgpack for judging: walks, checks the canonical form, prints.  Knows
 * nothing of envelopes or fields. */
#include "value.h"

#include <inttypes.h>

enum { DEEPEST = 32, SHOWN_BYTES = 32 };

static uint64_t big_endian(const uint8_t *ptr, size_t width)
{
    uint64_t number = 0;

    while (width-- > 0)
        number = number << 8 | *ptr++;
    return number;
}

/* What the first byte of a long form announces: kind, bytes of its number, and
 * whether that number is a length of content. */
static bool long_form(uint8_t first, enum value_kind *kind, size_t *width)
{
    static const struct {
        uint8_t from, to;
        enum value_kind kind;
    } forms[] = {
        {0xc4, 0xc6, VALUE_BIN}, {0xcc, 0xcf, VALUE_INT},   {0xd0, 0xd3, VALUE_INT},
        {0xd9, 0xdb, VALUE_STR}, {0xdc, 0xdd, VALUE_ARRAY}, {0xde, 0xdf, VALUE_MAP},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (first >= forms[i].from && first <= forms[i].to) {
            *kind = forms[i].kind;
            *width = (size_t)1 << (first - forms[i].from + (first >= 0xdc));
            return true;
        }
    return false;
}

static bool read_short(struct value *value)
{
    uint8_t first = *value->start;

    value->content = value->start + 1;
    if (first < 0x80 || first >= 0xe0) {
        value->kind = VALUE_INT;
        value->negative = first >= 0xe0;
        value->number = (uint64_t)(int64_t)(int8_t)first;
    } else if (first < 0xa0) {
        value->kind = first < 0x90 ? VALUE_MAP : VALUE_ARRAY;
        value->number = first & 15;
    } else {
        value->kind = VALUE_STR;
        value->len = first & 31;
    }
    return true;
}

static void take_number(struct value *value, uint64_t number)
{
    uint8_t first = *value->start;

    if (value->kind == VALUE_BIN || value->kind == VALUE_STR)
        value->len = (size_t)number;
    else
        value->number = number;
    if (first >= 0xd0 && first <= 0xd3) {
        unsigned unused_bits = 64 - (8u << (first - 0xd0));

        value->number = (uint64_t)((int64_t)(number << unused_bits) >> unused_bits);
        value->negative = value->number >> 63;
    }
}

/* nil, bool, float, ext: never looked into. */
static bool read_other(struct value *value)
{
    static const uint8_t fixed[] = {[0xca - 0xca] = 4, [0xcb - 0xca] = 8};
    uint8_t first = *value->start;
    size_t width;

    value->kind = VALUE_OTHER;
    if (first == 0xc0 || first == 0xc2 || first == 0xc3)
        return true;
    if (first == 0xca || first == 0xcb) {
        value->len = fixed[first - 0xca];
        return true;
    }
    if (first >= 0xd4 && first <= 0xd8) {
        value->len = 1 + ((size_t)1 << (first - 0xd4));
        return true;
    }
    if (first < 0xc7 || first > 0xc9)
        return false;
    width = (size_t)1 << (first - 0xc7);
    if ((size_t)(value->end - value->content) < width)
        return false;
    value->len = 1 + (size_t)big_endian(value->content, width);
    value->content += width;
    return true;
}

bool value_read(struct value *value, const uint8_t *ptr, const uint8_t *end)
{
    size_t width = 0;

    *value = (struct value){.start = ptr, .content = ptr + 1, .end = end};
    if (ptr >= end)
        return false;
    if (*ptr < 0xc0 || *ptr >= 0xe0) {
        read_short(value);
    } else if (!long_form(*ptr, &value->kind, &width)) {
        if (!read_other(value))
            return false;
    } else {
        if ((size_t)(end - value->content) < width)
            return false;
        take_number(value, big_endian(value->content, width));
        value->content += width;
    }
    return value->len <= (size_t)(end - value->content);
}

static const uint8_t *skip(const struct value *value, unsigned depth)
{
    const uint8_t *at = value->content + value->len;
    uint64_t left = 0;

    if (value->kind == VALUE_ARRAY || value->kind == VALUE_MAP)
        left = value->number << (value->kind == VALUE_MAP);
    if (depth > DEEPEST)
        return NULL;
    for (; left > 0 && at; left--) {
        struct value element;

        if (!value_read(&element, at, value->end))
            return NULL;
        at = skip(&element, depth + 1);
    }
    return at;
}

const uint8_t *value_skip(const struct value *value)
{
    return skip(value, 1);
}

/* Bytes that the shortest head of a value takes: `inside` is the largest
 * number that the first byte itself can hold. */
static size_t shortest(uint64_t number, uint64_t inside, size_t least)
{
    size_t width = least;

    if (number <= inside)
        return 1;
    while (width < 8 && number >> (8 * width))
        width *= 2;
    return 1 + width;
}

static bool int_is_shortest(const struct value *value)
{
    size_t head = (size_t)(value->content - value->start);
    int64_t number = (int64_t)value->number;
    size_t width = 1;

    if (!value->negative)
        return (*value->start < 0xd0 || *value->start > 0xd3) && head == shortest(value->number, 127, 1);
    if (number >= -32)
        return head == 1;
    while (width < 8 && number < -((int64_t)1 << (8 * width - 1)))
        width *= 2;
    return head == 1 + width;
}

static bool is_shortest(const struct value *value)
{
    size_t head = (size_t)(value->content - value->start);

    switch (value->kind) {
    case VALUE_INT:
        return int_is_shortest(value);
    case VALUE_BIN:
        return head == (value->len > 0 ? shortest(value->len, 0, 1) : 2);
    case VALUE_STR:
        return head == shortest(value->len, 31, 1);
    case VALUE_ARRAY:
    case VALUE_MAP:
        return head == shortest(value->number, 15, 2);
    case VALUE_OTHER:
        break;
    }
    return true;
}

static const char *fault_of(const struct value *value, unsigned depth);

/* The keys of a map of integers ascend. */
static const char *key_fault(const struct value *key, const struct value *before)
{
    if (!before || key->kind != VALUE_INT || before->kind != VALUE_INT)
        return NULL;
    if (key->negative != before->negative)
        return key->negative ? "the keys of a map do not ascend (ENC-2)" : NULL;
    if (key->number == before->number)
        return "a key is given twice (ENC-5)";
    return key->number < before->number ? "the keys of a map do not ascend (ENC-2)" : NULL;
}

static const char *fault_inside(const struct value *value, unsigned depth)
{
    bool is_map = value->kind == VALUE_MAP;
    const uint8_t *at = value->content;
    struct value element, before = {0};

    for (uint64_t i = 0; i < value->number << is_map; i++) {
        const char *fault;

        if (!value_read(&element, at, value->end))
            return "the body ends inside a value, or has byte c1 (FRAME-2)";
        fault = fault_of(&element, depth);
        if (!fault && is_map && i % 2 == 0) {
            fault = key_fault(&element, i ? &before : NULL);
            before = element;
        }
        if (fault)
            return fault;
        at = value_skip(&element);
        if (!at)
            return "nested too deeply (ENC-7)";
    }
    return NULL;
}

static const char *fault_of(const struct value *value, unsigned depth)
{
    if (depth > DEEPEST)
        return "nested too deeply (ENC-7)";
    if (!is_shortest(value))
        return "an integer, length or count is not in its shortest form (ENC-2)";
    if (value->kind != VALUE_ARRAY && value->kind != VALUE_MAP)
        return NULL;
    return fault_inside(value, depth + 1);
}

const char *value_fault(const uint8_t *ptr, size_t len)
{
    struct value value;
    const char *fault;

    if (!value_read(&value, ptr, ptr + len))
        return "the body ends inside a value, or has byte c1 (FRAME-2)";
    fault = fault_of(&value, 1);
    if (!fault && value_skip(&value) != ptr + len)
        return "bytes behind the value (FRAME-2)";
    return fault;
}

void print_hex(struct bytes *out, const uint8_t *ptr, size_t len)
{
    size_t shown = len < SHOWN_BYTES * 3 ? len : SHOWN_BYTES * 3;

    for (size_t i = 0; i < shown; i++)
        bytes_print(out, "%s%02x", i ? " " : "", ptr[i]);
    if (shown < len)
        bytes_print(out, " ... (%zu bytes)", len);
}

static void print_bytes(struct bytes *out, const struct value *value)
{
    size_t shown = value->len < SHOWN_BYTES ? value->len : SHOWN_BYTES;

    bytes_print(out, "<");
    for (size_t i = 0; i < shown; i++)
        bytes_print(out, "%s%02x", i ? " " : "", value->content[i]);
    bytes_print(out, shown < value->len ? " ... %zu bytes>" : ">", value->len);
}

static void print_text(struct bytes *out, const struct value *value)
{
    bytes_byte(out, '"');
    for (size_t i = 0; i < value->len; i++) {
        uint8_t byte = value->content[i];

        bytes_print(out, byte < ' ' || byte == 0x7f ? "\\x%02x" : "%c", byte);
    }
    bytes_byte(out, '"');
}

static void print_elements(struct bytes *out, const struct value *value)
{
    bool is_map = value->kind == VALUE_MAP;
    const uint8_t *at = value->content;
    struct value element;

    bytes_byte(out, is_map ? '{' : '[');
    for (uint64_t i = 0; i < value->number << is_map; i++) {
        if (i > 0)
            bytes_print(out, is_map && i % 2 ? ": " : ", ");
        if (!at || !value_read(&element, at, value->end)) {
            bytes_print(out, "?");
            break;
        }
        value_print(out, &element);
        at = value_skip(&element);
    }
    bytes_byte(out, is_map ? '}' : ']');
}

void value_print(struct bytes *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_INT:
        if (value->negative)
            bytes_print(out, "%" PRId64, (int64_t)value->number);
        else
            bytes_print(out, "%" PRIu64, value->number);
        break;
    case VALUE_BIN:
        print_bytes(out, value);
        break;
    case VALUE_STR:
        print_text(out, value);
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        print_elements(out, value);
        break;
    case VALUE_OTHER:
        bytes_print(out, *value->start == 0xc0 ? "nil" : *value->start < 0xc4 ? "bool" : "other(%02x)", *value->start);
        break;
    }
}
