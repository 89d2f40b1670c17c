/* SPDX-License-Identifier: MIT
 *
 * What a buffer may be in Lua: a string, a size, a table that says more; and the options
 * that buffers and pointer specs share.
 */
#include <string.h>

#include "lprovium.h"

/* ---- words ---- */

unsigned lprovium_check_name(lua_State *L, int at, const char *const words[], const struct lprovium_place *place)
{
    const char *value = lua_type(L, at) == LUA_TSTRING ? lua_tostring(L, at) : "";
    luaL_Buffer expected;
    at = lua_absindex(L, at);
    for (unsigned i = 0; words[i] != NULL; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    luaL_buffinit(L, &expected);
    for (unsigned i = 0; words[i] != NULL; i++) {
        luaL_addstring(&expected, i == 0 ? "\"" : words[i + 1] != NULL ? ", \"" : " or \"");
        luaL_addstring(&expected, words[i]);
        luaL_addchar(&expected, '"');
    }
    luaL_pushresult(&expected);
    const char *all = lua_tostring(L, -1); /* luaL_tolstring pushes */
    lprovium_raise(L, place, "%s expected, got %s", all, luaL_tolstring(L, at, NULL));
}

bool lprovium_check_flag(lua_State *L, int at, const struct lprovium_place *place)
{
    if (!lua_isboolean(L, at))
        lprovium_raise(L, place, "boolean expected, got %s", luaL_typename(L, at));
    return lua_toboolean(L, at) != 0;
}

/* ---- placement ---- */

static const char *const place_keys[] = {"dir", "guard", "align", "low", NULL};
static const char *const dirs[] = {"in", "out", "inout", "none", NULL};
static const char *const guards[] = {"end", "start", "both", "none", NULL};

bool lprovium_check_placement(lua_State *L, int at, const char *key, const struct lprovium_place *place,
                              struct provium_place *out)
{
    unsigned which = 0;
    while (place_keys[which] != NULL && strcmp(place_keys[which], key) != 0)
        which++;
    switch (which) {
    case 0:
        out->dir = (enum provium_dir)(lprovium_check_name(L, at, dirs, place) + PROVIUM_DIR_IN);
        return true;
    case 1:
        out->guard = (enum provium_guard)lprovium_check_name(L, at, guards, place);
        return true;
    case 2: {
        uint64_t align = lprovium_check_size(L, at, place);
        if (align == 0 || align > 1 << 20 || (align & (align - 1)) != 0)
            lprovium_raise(L, place, "%I is not a power of two up to 1048576", (LUAI_UACINT)align);
        out->align = (uint32_t)align;
        return true;
    }
    case 3:
        out->low = lprovium_check_flag(L, at, place);
        return true;
    default:
        return false;
    }
}

/* ---- one buffer ---- */

/* A table while it is read. */
struct table {
    struct provium_buffer *buffer;
    struct lprovium_list *list; /* NULL: no list is allowed here */
    bool has_len, has_data;
    unsigned count; /* of its keys */
};

/* The value on top of the stack is that of `key`. */
static void check_field(lua_State *L, const char *key, const struct lprovium_place *place, struct table *t)
{
    t->count++;
    if (strcmp(key, "data") == 0) {
        struct provium_bytes bytes = lprovium_check_bytes(L, -1, place);
        t->has_data = true;
        t->buffer->data = bytes.len > 0 ? bytes.ptr : NULL;
        t->buffer->data_size = bytes.len;
    } else if (strcmp(key, "len") == 0) {
        t->has_len = true;
        t->buffer->len = (size_t)lprovium_check_size(L, -1, place);
    } else if (t->list != NULL && lprovium_list_kind(key) != LPROVIUM_NO_LIST) {
        *t->list = lprovium_check_list(L, -1, lprovium_list_kind(key), place);
    } else if (!lprovium_check_placement(L, -1, key, place, &t->buffer->place)) {
        lprovium_raise(L, place, "unknown key");
    }
}

/* All fields of the table at `at`.  A field's place is that of the buffer, and the field's name. */
static void check_fields(lua_State *L, int at, const struct lprovium_place *where, struct table *t)
{
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1)) {
        struct lprovium_place place = *where;
        int top = lua_gettop(L);
        if (lua_type(L, -2) != LUA_TSTRING)
            lprovium_raise(L, where, "key [%s] is not a field's name", luaL_tolstring(L, -2, NULL));
        const char *key = lua_tostring(L, -2);
        place.field = key;
        if (where->field != NULL) {
            place.field = lua_pushfstring(L, "%s.%s", where->field, key);
            lua_pushvalue(L, -2);
        }
        check_field(L, key, &place, t);
        lua_settop(L, top);
    }
}

static void check_table(lua_State *L, int at, const struct lprovium_place *where, struct table *t)
{
    check_fields(L, at, where, t);
    if (t->list != NULL && t->list->kind != LPROVIUM_NO_LIST) {
        if (t->count > 1)
            lprovium_raise(L, where, "%s excludes every other field", lprovium_list_name(t->list->kind));
        t->buffer->len = t->list->len;
        t->buffer->place.dir = PROVIUM_DIR_IN;
        return;
    }
    if (!t->has_len && !t->has_data)
        lprovium_raise(L, where, "neither data nor len");
    if (!t->has_len)
        t->buffer->len = t->buffer->data_size;
    if (t->buffer->data_size > t->buffer->len)
        lprovium_raise(L, where, "data: %I bytes exceed its length of %I", (LUAI_UACINT)t->buffer->data_size,
                       (LUAI_UACINT)t->buffer->len);
}

void lprovium_check_buffer(lua_State *L, int at, const struct lprovium_place *place, struct provium_buffer *b,
                           struct lprovium_list *list)
{
    struct table table = {.buffer = b, .list = list};
    struct provium_bytes bytes;
    at = lua_absindex(L, at);
    switch (lua_type(L, at)) {
    case LUA_TSTRING:
        bytes = lprovium_check_bytes(L, at, place);
        b->data = bytes.ptr;
        b->len = bytes.len;
        break;
    case LUA_TNUMBER:
        b->len = (size_t)lprovium_check_size(L, at, place);
        break;
    case LUA_TTABLE:
        check_table(L, at, place, &table);
        break;
    default:
        lprovium_raise(L, place, "string, size or table expected, got %s", luaL_typename(L, at));
    }
}
