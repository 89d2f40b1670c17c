/* SPDX-License-Identifier: MIT
 *
 * provium.pack and provium.unpack: integers as little-endian bytes without padding.
 * It knows nothing of calls or guests.
 */
#include <string.h>

#include "lprovium.h"

struct token {
    const char *name;
    unsigned width; /* bytes */
    bool is_signed;
};

static const struct token tokens[] = {
    {"u8", 1, false},  {"i8", 1, true},  {"u16", 2, false}, {"i16", 2, true},
    {"u32", 4, false}, {"i32", 4, true}, {"u64", 8, false}, {"i64", 8, true},
};

/* Where a format is being read. */
struct format {
    const char *p, *end;
    const char *caller;
};

static struct format check_format(lua_State *L, const char *caller)
{
    const struct lprovium_place place = {.caller = caller, .field = "format"};
    struct provium_bytes bytes = lprovium_check_bytes(L, 1, &place);
    return (struct format){(const char *)bytes.ptr, (const char *)bytes.ptr + bytes.len, caller};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next token, or NULL at the end; raises when there is no such token. */
static const struct token *next_token(lua_State *L, struct format *f)
{
    const struct lprovium_place place = {.caller = f->caller, .field = "format"};
    while (f->p < f->end && is_blank(*f->p))
        f->p++;
    const char *start = f->p;
    while (f->p < f->end && !is_blank(*f->p))
        f->p++;
    size_t len = (size_t)(f->p - start);
    if (len == 0)
        return NULL;
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        if (strlen(tokens[i].name) == len && memcmp(tokens[i].name, start, len) == 0)
            return &tokens[i];
    lua_pushlstring(L, start, len);
    lprovium_raise(L, &place, "unknown token \"%s\" (known: u8 i8 u16 i16 u32 i32 u64 i64)", lua_tostring(L, -1));
}

/* Does the value fit?  A u64 is any 64-bit pattern: Lua writes 2^64 - 1 as -1. */
static bool in_range(const struct token *t, int64_t value)
{
    unsigned bits = 8 * t->width;
    if (bits == 64)
        return true;
    int64_t half = INT64_C(1) << (bits - 1);
    return t->is_signed ? value >= -half && value < half : value >= 0 && value < 2 * half;
}

static void put(luaL_Buffer *b, uint64_t bits, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        luaL_addchar(b, (char)(uint8_t)(bits >> 8 * i));
}

static int64_t get(const uint8_t *p, const struct token *t)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < t->width; i++)
        bits |= (uint64_t)p[i] << 8 * i;
    if (t->is_signed && t->width < 8 && (p[t->width - 1] & 0x80) != 0)
        bits |= UINT64_MAX << 8 * t->width;
    return (int64_t)bits;
}

int lprovium_pack(lua_State *L)
{
    struct format f = check_format(L, "pack");
    int top = lua_gettop(L), at = 1;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (const struct token *t; (t = next_token(L, &f)) != NULL;) {
        const struct lprovium_place place = {.caller = "pack", .list = "value", .item = at};
        if (++at > top)
            lprovium_raise(L, &place, "missing: the format asks for %s", t->name);
        int64_t value = lprovium_check_word(L, at, &place);
        if (!in_range(t, value))
            lprovium_raise(L, &place, "%I is out of range of %s", (LUAI_UACINT)value, t->name);
        put(&b, (uint64_t)value, t->width);
    }
    if (at < top) {
        const struct lprovium_place place = {.caller = "pack", .list = "value", .item = at};
        lprovium_raise(L, &place, "left over: the format has %d token%s", at - 1, at == 2 ? "" : "s");
    }
    luaL_pushresult(&b);
    return 1;
}

int lprovium_unpack(lua_State *L)
{
    struct format f = check_format(L, "unpack");
    const struct lprovium_place place = {.caller = "unpack", .field = "data"};
    struct provium_bytes data = lprovium_check_bytes(L, 2, &place);
    size_t at = 0;
    int count = 0;
    for (const struct token *t; (t = next_token(L, &f)) != NULL; count++) {
        if (data.len - at < t->width)
            lprovium_raise(L, &place, "%s at byte %I needs %d, only %I left", t->name, (LUAI_UACINT)at, (int)t->width,
                           (LUAI_UACINT)(data.len - at));
        luaL_checkstack(L, 1, "unpack");
        lua_pushinteger(L, get(data.ptr + at, t));
        at += t->width;
    }
    return count;
}
