/* SPDX-License-Identifier: MIT
 *
 * vm:call{...}: the table form of every call, whose result is a table too.
 */
#include <limits.h>
#include <string.h>

#include "lprovium.h"

static const char caller[] = "call";

/* ---- fields ---- */

/* Push the field; is it there? */
static bool push_field(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    return lua_rawget(L, 2) != LUA_TNIL;
}

static void check_keys(lua_State *L)
{
    static const char *const known[] = {"nr", "args", "bufs", "ptrs", "timeout", "changed"};
    for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1)) {
        struct lprovium_place place = {.caller = caller, .field = "arguments"};
        bool found = false;
        if (lua_type(L, -2) != LUA_TSTRING)
            lprovium_raise(L, &place, "key [%s] is not a field's name", luaL_tolstring(L, -2, NULL));
        place.field = lua_tostring(L, -2);
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            found |= strcmp(known[i], place.field) == 0;
        if (!found)
            lprovium_raise(L, &place, "unknown key");
    }
}

static void check_args(lua_State *L, struct lprovium_call *c)
{
    const struct lprovium_place whole = {.caller = caller, .field = "args"};
    c->call.args = c->args;
    if (push_field(L, "args")) {
        if (!lua_istable(L, -1))
            lprovium_raise(L, &whole, "table expected, got %s", luaL_typename(L, -1));
        size_t count = lua_rawlen(L, -1);
        if (count > PROVIUM_ARGS_MAX)
            lprovium_raise(L, &whole, "%I given, a system call takes at most 6", (LUAI_UACINT)count);
        for (size_t i = 0; i < count; i++) {
            const struct lprovium_place place = {.caller = caller, .list = "args", .item = (lua_Integer)i + 1};
            lua_rawgeti(L, -1, (lua_Integer)i + 1);
            c->args[i] = lprovium_check_address(L, -1, &place, c->handle);
            lua_pop(L, 1);
        }
        c->call.arg_count = count;
    }
    lua_pop(L, 1);
}

/* Milliseconds of "500ms", "2s", "5m" or a number of seconds. */
static unsigned check_duration(lua_State *L, int at, const struct lprovium_place *place)
{
    static const struct {
        const char *unit;
        lua_Number ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
    lua_Number ms = -1;
    if (lua_type(L, at) == LUA_TNUMBER) {
        ms = lua_tonumber(L, at) * 1000;
    } else if (lua_type(L, at) == LUA_TSTRING) {
        const char *text = lua_tostring(L, at);
        size_t digits = strspn(text, "0123456789.");
        lua_pushlstring(L, text, digits);
        int is_number;
        lua_Number value = lua_tonumberx(L, -1, &is_number);
        for (size_t i = 0; is_number && i < sizeof units / sizeof units[0]; i++)
            ms = strcmp(text + digits, units[i].unit) == 0 ? value * units[i].ms : ms;
        lua_pop(L, 1);
    }
    if (!(ms > 0 && ms < (lua_Number)INT_MAX))
        lprovium_raise(L, place, "a duration such as \"500ms\", \"2s\", \"5m\" or a number of seconds expected, got %s",
                       luaL_tolstring(L, at, NULL));
    return ms < 1 ? 1 : (unsigned)ms;
}

static void check_options(lua_State *L, struct lprovium_call *c)
{
    const struct lprovium_place timeout = {.caller = caller, .field = "timeout"};
    const struct lprovium_place changed = {.caller = caller, .field = "changed"};
    if (push_field(L, "timeout"))
        c->call.timeout_ms = check_duration(L, lua_gettop(L), &timeout);
    c->call.want_changed = push_field(L, "changed") && lprovium_check_flag(L, -1, &changed);
    lua_pop(L, 2);
}

/* ---- the call ---- */

int lprovium_call_table(lua_State *L)
{
    static const struct lprovium_spec_rules rules = {.list = "ptrs", .has_buf_idx = true};
    const struct lprovium_place whole = {.caller = caller, .field = "arguments"};
    struct lprovium_call c;
    struct lprovium_handle *h = lprovium_begin(L, &c, caller);
    if (lua_gettop(L) != 2 || !lua_istable(L, 2))
        lprovium_raise(L, &whole, "one table expected");
    check_keys(L);
    push_field(L, "nr");
    lprovium_check_nr(L, 3, &c, h);
    lua_settop(L, 2);
    check_args(L, &c);
    check_options(L, &c);
    bool has_bufs = push_field(L, "bufs"); /* at index 3, ptrs at 4 */
    if (has_bufs)
        lprovium_check_bufs(L, 3, &c);
    bool has_ptrs = push_field(L, "ptrs");
    if (has_ptrs)
        lprovium_check_ptrs(L, 4, &c, &rules);
    lprovium_expand_lists(L, has_bufs ? 3 : 0, has_ptrs ? 4 : 0, &c);
    struct provium_session *session = lprovium_check_session(L, h, caller);
    c.call.want_elapsed = provium_session_can_measure(session);
    return lprovium_execute_table(L, h, &c);
}
