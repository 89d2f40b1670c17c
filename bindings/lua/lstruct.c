/* SPDX-License-Identifier: MIT
 *
 * Struct values among the arguments of a call.  What they are is provium/value.lua's; their
 * metatable has the function that makes the call (provium/graph.lua), with plain tables.
 */
#include "lprovium.h"

/* Is the value on top a struct value?  Then its function is pushed. */
static bool push_hook(lua_State *L)
{
    return lua_istable(L, -1) && luaL_getmetafield(L, -1, "__provium") != LUA_TNIL;
}

/* The same for the field `data` of the table on top: a spec's, or a buffer's. */
static bool push_hook_of_data(lua_State *L)
{
    if (!lua_istable(L, -1))
        return false;
    lua_pushliteral(L, "data");
    lua_rawget(L, -2);
    if (push_hook(L))
        return true;
    lua_pop(L, 1);
    return false;
}

/* The same for the values of the table on top. */
static bool push_hook_of_any(lua_State *L)
{
    if (!lua_istable(L, -1))
        return false;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
        if (push_hook(L) || push_hook_of_data(L))
            return true;
    return false;
}

bool lprovium_has_structs(lua_State *L, int first, int last)
{
    int top = lua_gettop(L);
    luaL_checkstack(L, LUA_MINSTACK, "arguments");
    for (int at = first; at <= last && at <= top; at++) {
        lua_pushvalue(L, at);
        if (push_hook(L) || push_hook_of_any(L)) {
            lua_replace(L, top + 1);
            lua_settop(L, top + 1);
            return true;
        }
        lua_settop(L, top);
    }
    return false;
}

int lprovium_call_structs(lua_State *L, const char *caller)
{
    lprovium_check_session(L, lprovium_check_handle(L, caller), caller);
    lua_insert(L, 1);
    lua_pushstring(L, caller);
    lua_insert(L, 2);
    if (lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0) == LUA_OK)
        return lua_gettop(L);
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
    return lua_error(L);
}
