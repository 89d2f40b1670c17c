/* SPDX-License-Identifier: MIT
 *
 * What Lua hands to C.  The first byte picks a function, the rest is a msgpack value for it:
 * unpacked it is packed again; or it is the list of arguments of a call, of pack or of unpack.
 * Whatever they are, there is a result or an error that is a text with the function's name.
 */
#include <stdlib.h>
#include <string.h>

#include "../bindings/lua/lprovium.h"
#include "../libwire/wire_value.h"
#include "fuzz.h"

#include <lualib.h>

enum { CORE = 1, SESSION, MSGPACK, TOP = MSGPACK, ARGUMENTS_MAX = 16, CLEAN_EVERY = 1024 };

static const char *const functions[] = {"syscall", "syscall_buf", "syscall_bufs", "syscall_ptr",
                                        "ioctl",   "ioctl_buf",   "pack",         "unpack"};
enum { METHODS = 6, FUNCTIONS = sizeof functions / sizeof functions[0] };

/* The module, a session that is closed (arguments are looked at first), provium.msgpack. */
static lua_State *new_state(void)
{
    lua_State *L = luaL_newstate();
    must(L != NULL);
    luaL_openlibs(L);
    luaL_requiref(L, "provium.core", luaopen_provium_core, 0);
    lprovium_push_handle(L, LPROVIUM_SESSION);
    lua_getfield(L, CORE, "msgpack");
    must(lua_gettop(L) == TOP);
    return L;
}

/* The error on top of the stack is "NAME: what", or "NAME what" where Lua ran out of something. */
static void must_be_error(lua_State *L, const char *name)
{
    size_t len = strlen(name);
    must(lua_type(L, -1) == LUA_TSTRING);
    const char *text = lua_tostring(L, -1);
    must(strncmp(text, name, len) == 0 || strstr(text, "not enough memory") != NULL);
}

/* Call provium.msgpack.NAME on the value on top of the stack, which goes; is there a result in its place? */
static bool convert(lua_State *L, const char *name)
{
    lua_getfield(L, MSGPACK, name);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK)
        return true;
    must_be_error(L, name);
    return false;
}

/* ---- what was unpacked is packed again ---- */

/* Forms that pack gives in another one, though wire_check calls them canonical: timestamps that
 * could be shorter, and NaN of 32 bits (or infinity). */
static bool is_settled(const uint8_t *data, size_t len)
{
    struct wire_reader r;
    wire_reader_init(&r, data, len);
    while (r.p < r.end) {
        struct wire_reader probe = r;
        struct wire_time time;
        enum wire_type type = wire_peek(&r);
        const uint8_t *from = r.p;
        wire_get_time(&probe, &time);
        if (type == WIRE_TYPE_array)
            wire_get_array(&r);
        else if (type == WIRE_TYPE_map)
            wire_get_map(&r);
        else
            wire_skip(&r);
        if (probe.status == WIRE_OK && wire_size_time(time.seconds, time.nanoseconds) != (size_t)(r.p - from))
            return false;
        if (type == WIRE_TYPE_f32 && (from[1] & 0x7f) == 0x7f && (from[2] & 0x80) != 0)
            return false;
    }
    return true;
}

static void must_be_string(lua_State *L, int at, const void *bytes, size_t len)
{
    size_t found;
    const char *text = lua_tolstring(L, at, &found);
    must(found == len && memcmp(text, bytes, len) == 0);
}

static void unpack_and_pack(lua_State *L, const uint8_t *data, size_t len)
{
    size_t at, packed_len;
    lua_pushlstring(L, (const char *)data, len);
    bool canonical = wire_check((struct wire_bytes){data, len}, WIRE_SCAN_UTF8 | WIRE_SCAN_CANONICAL, &at) == WIRE_OK;
    if (!convert(L, "unpack")) {
        must(!canonical || !is_settled(data, len));
        return;
    }
    must(convert(L, "pack"));
    const char *packed = lua_tolstring(L, -1, &packed_len);
    must(packed_len <= len);
    must(wire_check((struct wire_bytes){(const uint8_t *)packed, packed_len}, WIRE_SCAN_UTF8 | WIRE_SCAN_CANONICAL,
                    &at) == WIRE_OK);
    if (canonical && is_settled(data, len))
        must_be_string(L, -1, data, len);
    lua_pushvalue(L, -1);
    must(convert(L, "unpack") && convert(L, "pack"));
    must_be_string(L, -1, packed, packed_len);
}

/* ---- arguments ---- */

/* Push the elements of the array on top of the stack; false if it is none. */
static bool push_arguments(lua_State *L)
{
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) > ARGUMENTS_MAX)
        return false;
    int list = lua_gettop(L), count = (int)lua_rawlen(L, -1);
    for (int i = 1; i <= count; i++)
        lua_rawgeti(L, list, i);
    return true;
}

/* A method ends in an error: its session is closed. */
static void call(lua_State *L, unsigned which, const uint8_t *data, size_t len)
{
    lua_pushlstring(L, (const char *)data, len);
    if (!convert(L, "unpack"))
        return;
    int list = lua_gettop(L);
    lua_getfield(L, CORE, "session_methods");
    lua_getfield(L, which < METHODS ? -1 : CORE, functions[which]);
    lua_replace(L, -2);
    if (which < METHODS)
        lua_pushvalue(L, SESSION);
    lua_pushvalue(L, list);
    if (!push_arguments(L))
        return;
    lua_remove(L, list + (which < METHODS ? 3 : 2));
    if (lua_pcall(L, lua_gettop(L) - list - 1, LUA_MULTRET, 0) != LUA_OK)
        must_be_error(L, functions[which]);
    else
        must(which >= METHODS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static lua_State *L;
    static unsigned inputs;
    if (L == NULL)
        L = new_state();
    if (len == 0)
        return 0;
    unsigned which = data[0] % (FUNCTIONS + 1);
    if (which == FUNCTIONS)
        unpack_and_pack(L, data + 1, len - 1);
    else
        call(L, which, data + 1, len - 1);
    lua_settop(L, TOP);
    if (++inputs % CLEAN_EVERY == 0)
        lua_gc(L, LUA_GCCOLLECT);
    return 0;
}
