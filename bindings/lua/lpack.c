/* SPDX-License-Identifier: MIT
 *
 * provium.pack and provium.unpack: integers and bytes in a row, without padding.
 * It knows nothing of calls or guests.
 */
#include <string.h>

#include "lprovium.h"

enum kind { UNSIGNED, SIGNED, BYTES, PAD, CSTR };

struct type {
    const char *name;
    enum kind kind;
    unsigned width; /* bytes of an integer */
};

static const struct type types[] = {
    {"u8", UNSIGNED, 1},  {"i8", SIGNED, 1},  {"u16", UNSIGNED, 2}, {"i16", SIGNED, 2},
    {"u32", UNSIGNED, 4}, {"i32", SIGNED, 4}, {"u64", UNSIGNED, 8}, {"i64", SIGNED, 8},
    {"ptr", UNSIGNED, 8}, {"cstr", CSTR, 0},  {"bytes", BYTES, 0},  {"pad", PAD, 0},
};

enum { COUNT_MAX = 1 << 30 }; /* of bytes[n] and pad[n] */

/* A token as it was read. */
struct token {
    const char *text; /* as the format has it, len characters */
    size_t len;
    enum kind kind;
    size_t size; /* bytes; 0 for a cstr */
};

/* Where a format is being read. */
struct format {
    const char *p, *end;
    const char *caller;
    bool big; /* byte order from here on */
};

static struct format check_format(lua_State *L, const char *caller)
{
    const struct lprovium_place place = {.caller = caller, .field = "format"};
    struct provium_bytes bytes = lprovium_check_bytes(L, 1, &place);
    return (struct format){(const char *)bytes.ptr, (const char *)bytes.ptr + bytes.len, caller, false};
}

static const char *push_token(lua_State *L, const struct token *t)
{
    return lua_pushlstring(L, t->text, t->len);
}

/* ---- reading a format ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Skip blanks, and byte orders, which may stand alone or before a token. */
static void skip(struct format *f)
{
    for (; f->p < f->end && (is_blank(*f->p) || *f->p == '<' || *f->p == '>'); f->p++)
        if (!is_blank(*f->p))
            f->big = *f->p == '>';
}

static const struct type *find_type(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strlen(types[i].name) == len && memcmp(types[i].name, name, len) == 0)
            return &types[i];
    return NULL;
}

/* The n of "[n]" behind bytes and pad. */
static size_t check_count(lua_State *L, const struct token *t, size_t at, const struct lprovium_place *place)
{
    size_t n = 0, i = at + 1;
    for (; i < t->len && t->text[i] >= '0' && t->text[i] <= '9' && n <= COUNT_MAX; i++)
        n = 10 * n + (size_t)(t->text[i] - '0');
    if (n > COUNT_MAX)
        lprovium_raise(L, place, "\"%s\": more than %d bytes", push_token(L, t), COUNT_MAX);
    if (i == at + 1 || i != t->len - 1 || t->text[i] != ']')
        lprovium_raise(L, place, "\"%s\": a number of bytes expected, such as [16]", push_token(L, t));
    return n;
}

/* What the text of a token says; raises when there is no such token. */
static void check_token(lua_State *L, struct token *t, const struct lprovium_place *place)
{
    const char *bracket = memchr(t->text, '[', t->len);
    size_t name_len = bracket != NULL ? (size_t)(bracket - t->text) : t->len;
    const struct type *type = find_type(t->text, name_len);
    if (type == NULL || (bracket != NULL && type->kind != BYTES && type->kind != PAD))
        lprovium_raise(L, place,
                       "unknown token \"%s\" (known: u8 i8 u16 i16 u32 i32 u64 i64 ptr bytes[n] cstr pad[n] < >)",
                       push_token(L, t));
    t->kind = type->kind;
    t->size = type->width;
    if (t->kind == BYTES || t->kind == PAD)
        t->size = check_count(L, t, name_len, place);
}

/* The next token; false at the end. */
static bool next_token(lua_State *L, struct format *f, struct token *t)
{
    const struct lprovium_place place = {.caller = f->caller, .field = "format"};
    skip(f);
    t->text = f->p;
    while (f->p < f->end && !is_blank(*f->p))
        f->p++;
    t->len = (size_t)(f->p - t->text);
    if (t->len == 0)
        return false;
    check_token(L, t, &place);
    return true;
}

/* ---- integers ---- */

/* Does the value fit?  A u64 is any 64-bit pattern: Lua writes 2^64 - 1 as -1. */
static bool in_range(const struct token *t, int64_t value)
{
    unsigned bits = 8 * (unsigned)t->size;
    if (bits == 64)
        return true;
    int64_t half = INT64_C(1) << (bits - 1);
    return t->kind == SIGNED ? value >= -half && value < half : value >= 0 && value < 2 * half;
}

/* Bit position of byte i of an integer. */
static unsigned shift(const struct format *f, size_t size, size_t i)
{
    return 8 * (unsigned)(f->big ? size - 1 - i : i);
}

static void put(luaL_Buffer *b, const struct format *f, size_t size, uint64_t bits)
{
    for (size_t i = 0; i < size; i++)
        luaL_addchar(b, (char)(uint8_t)(bits >> shift(f, size, i)));
}

static int64_t get(const uint8_t *p, const struct format *f, const struct token *t)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < t->size; i++)
        bits |= (uint64_t)p[i] << shift(f, t->size, i);
    uint64_t sign = UINT64_C(1) << (8 * t->size - 1);
    return (int64_t)(t->kind == SIGNED ? (bits ^ sign) - sign : bits);
}

/* ---- packing ---- */

static void put_zeros(luaL_Buffer *b, size_t count)
{
    memset(luaL_prepbuffsize(b, count), 0, count);
    luaL_addsize(b, count);
}

/* The string at `at`, with its zero byte or the zeros up to its size. */
static void pack_string(lua_State *L, luaL_Buffer *b, const struct token *t, const struct lprovium_place *place)
{
    struct provium_bytes bytes = lprovium_check_bytes(L, (int)place->item + 1, place);
    const uint8_t *zero = bytes.len > 0 ? memchr(bytes.ptr, 0, bytes.len) : NULL;
    if (t->kind == CSTR && zero != NULL)
        lprovium_raise(L, place, "a cstr ends at its first zero byte, and byte %I is one",
                       (LUAI_UACINT)(zero - bytes.ptr));
    if (t->kind == BYTES && bytes.len > t->size)
        lprovium_raise(L, place, "%I bytes exceed %s", (LUAI_UACINT)bytes.len, push_token(L, t));
    luaL_addlstring(b, (const char *)bytes.ptr, bytes.len);
    put_zeros(b, t->kind == CSTR ? 1 : t->size - bytes.len);
}

static void pack_value(lua_State *L, luaL_Buffer *b, const struct format *f, const struct token *t,
                       const struct lprovium_place *place)
{
    if (t->kind == BYTES || t->kind == CSTR) {
        pack_string(L, b, t, place);
        return;
    }
    int64_t value = lprovium_check_word(L, (int)place->item + 1, place);
    if (!in_range(t, value))
        lprovium_raise(L, place, "%I is out of range of %s", (LUAI_UACINT)value, push_token(L, t));
    put(b, f, t->size, (uint64_t)value);
}

int lprovium_pack(lua_State *L)
{
    struct format f = check_format(L, "pack");
    struct token t;
    int top = lua_gettop(L);
    struct lprovium_place place = {.caller = "pack", .list = "value", .item = 1};
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    while (next_token(L, &f, &t)) {
        if (t.kind == PAD) {
            put_zeros(&b, t.size);
            continue;
        }
        if (place.item >= top)
            lprovium_raise(L, &place, "missing: the format asks for %s", push_token(L, &t));
        pack_value(L, &b, &f, &t, &place);
        place.item++;
    }
    if (place.item < top)
        lprovium_raise(L, &place, "left over: the format has %d token%s", (int)place.item - 1,
                       place.item == 2 ? "" : "s");
    luaL_pushresult(&b);
    return 1;
}

/* ---- unpacking ---- */

/* Bytes of the token's value in the data from `at` on; raises when they end before it does. */
static size_t check_size(lua_State *L, const struct token *t, struct provium_bytes data, size_t at)
{
    const struct lprovium_place place = {.caller = "unpack", .field = "data"};
    size_t left = data.len - at;
    const uint8_t *zero = t->kind == CSTR && left > 0 ? memchr(data.ptr + at, 0, left) : NULL;
    if (t->kind == CSTR && zero == NULL)
        lprovium_raise(L, &place, "cstr at byte %I has no zero byte that ends it", (LUAI_UACINT)at);
    if (left < t->size)
        lprovium_raise(L, &place, "%s at byte %I needs %I, only %I left", push_token(L, t), (LUAI_UACINT)at,
                       (LUAI_UACINT)t->size, (LUAI_UACINT)left);
    return zero != NULL ? (size_t)(zero - data.ptr) - at : t->size;
}

int lprovium_unpack(lua_State *L)
{
    struct format f = check_format(L, "unpack");
    const struct lprovium_place place = {.caller = "unpack", .field = "data"};
    struct provium_bytes data = lprovium_check_bytes(L, 2, &place);
    struct token t;
    size_t at = 0;
    int top = lua_gettop(L);
    while (next_token(L, &f, &t)) {
        size_t size = check_size(L, &t, data, at);
        luaL_checkstack(L, 1, "unpack");
        if (t.kind == BYTES || t.kind == CSTR)
            lua_pushlstring(L, (const char *)data.ptr + at, size);
        else if (t.kind != PAD)
            lua_pushinteger(L, get(data.ptr + at, &f, &t));
        at += size + (t.kind == CSTR);
    }
    return lua_gettop(L) - top;
}
