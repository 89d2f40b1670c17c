/* SPDX-License-Identifier: MIT
 *
 * Calls as tables, for whoever watches: provium.trace, vm:last_call, and the report of a guest
 * that died.  provium/trace.lua makes text of them, provium/reproducer.lua a C program.
 *
 * A call that is not made by lresult.c (a program's) is watched by the same three steps:
 * lprovium_push_call, lprovium_add_result, lprovium_tell.
 */
#include "lprovium.h"

/* ---- fields of the table on top ---- */

static void set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_bytes(lua_State *L, const char *name, const void *data, size_t len)
{
    lua_pushlstring(L, data != NULL ? data : "", data != NULL ? len : 0);
    lua_setfield(L, -2, name);
}

static void set_true(lua_State *L, const char *name, bool value)
{
    if (!value)
        return;
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, name);
}

/* ---- the call ---- */

/* What does not say otherwise comes back if `otherwise`, and goes in if it has data. */
static void set_place(lua_State *L, const struct provium_place *p, bool has_data, bool otherwise)
{
    static const char *const guards[] = {"end", "start", "both", "none"};
    static const char *const dirs[] = {"", "in", "out", "inout", "none"};
    const char *plain = has_data ? (otherwise ? "inout" : "in") : otherwise ? "out" : "none";
    set_string(L, "dir", p->dir == PROVIUM_DIR_DEFAULT ? plain : dirs[p->dir]);
    set_string(L, "guard", guards[p->guard]);
    if (p->align != 0)
        set_integer(L, "align", p->align);
    set_true(L, "low", p->low);
}

static void push_buffer(lua_State *L, const struct provium_buffer *b)
{
    size_t size = b->data_size != 0 ? b->data_size : b->len;
    lua_createtable(L, 0, 6);
    set_integer(L, "arg", b->arg);
    set_integer(L, "len", (lua_Integer)b->len);
    set_bytes(L, "data", b->data, size);
    set_place(L, &b->place, b->data != NULL, true);
}

static void set_target(lua_State *L, const struct provium_ptr *p)
{
    static const char *const bad[] = {"unmapped", "noncanonical", "kernel", "readonly"};
    switch (p->to) {
    case PROVIUM_TO_FRESH:
        set_integer(L, "len", (lua_Integer)p->data_len);
        set_bytes(L, "data", p->data, p->data_size);
        set_place(L, &p->place, p->data_size > 0, p->output);
        break;
    case PROVIUM_TO_SAME:
        set_integer(L, "same", (lua_Integer)p->same + 1);
        break;
    case PROVIUM_TO_NULL:
        set_true(L, "null", true);
        break;
    case PROVIUM_TO_BAD:
        set_string(L, "bad", bad[p->bad]);
        break;
    }
}

static void push_ptr(lua_State *L, const struct provium_ptr *p, unsigned native)
{
    lua_createtable(L, 0, 8);
    if (p->has_parent)
        set_integer(L, "parent", (lua_Integer)p->parent + 1);
    else
        set_integer(L, "buf_idx", p->buf_idx);
    set_integer(L, "offset", (lua_Integer)p->ptr_offset);
    set_integer(L, "width", p->width != 0 ? p->width : native);
    set_integer(L, "plus", p->plus);
    set_target(L, p);
}

/* The buffer of argument `arg`, or NULL. */
static const struct provium_buffer *find_buffer(const struct provium_call *call, unsigned arg)
{
    for (size_t i = 0; i < call->buf_count; i++)
        if (call->bufs[i].arg == arg)
            return &call->bufs[i];
    return NULL;
}

/* The list on top gets the buffers, by ascending argument. */
static void add_buffers(lua_State *L, const struct provium_call *call)
{
    lua_Integer n = 0;
    for (unsigned arg = 0; arg < PROVIUM_ARGS_MAX; arg++) {
        const struct provium_buffer *b = find_buffer(call, arg);
        if (b == NULL)
            continue;
        push_buffer(L, b);
        lua_rawseti(L, -2, ++n);
    }
}

void lprovium_push_call(lua_State *L, const struct provium_call *call, const struct provium_info *info)
{
    luaL_checkstack(L, LUA_MINSTACK, "trace");
    lua_createtable(L, 0, 12);
    set_string(L, "call", call->caller);
    set_string(L, "arch", info->arch);
    set_integer(L, "pointer_width", info->pointer_width);
    set_integer(L, "nr", call->nr);
    lua_createtable(L, (int)call->arg_count, 0);
    for (size_t i = 0; i < call->arg_count; i++) {
        lua_pushinteger(L, call->args[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "args");
    lua_createtable(L, (int)call->buf_count, 0);
    add_buffers(L, call);
    lua_setfield(L, -2, "bufs");
    lua_createtable(L, (int)call->ptr_count, 0);
    for (size_t i = 0; i < call->ptr_count; i++) {
        push_ptr(L, &call->ptrs[i], info->pointer_width);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "ptrs");
}

/* ---- what came back ---- */

/* Give the table at item `i` of the list on top its output. */
static void set_out(lua_State *L, size_t i, const struct provium_bytes *out)
{
    if (out->ptr == NULL)
        return;
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    set_bytes(L, "out", out->ptr, out->len);
    lua_pop(L, 1);
}

/* Has the result a place for this sub-buffer?  As in provium.h, struct provium_result. */
static bool is_shown(const struct provium_ptr *p)
{
    return p->output || p->place.dir == PROVIUM_DIR_OUT || p->place.dir == PROVIUM_DIR_INOUT;
}

static void set_outs(lua_State *L, const struct provium_call *call, const struct provium_result *r)
{
    size_t n = 0;
    lua_getfield(L, -1, "bufs");
    for (size_t i = 0; i < call->buf_count && n < r->out_count; i++)
        set_out(L, i, &r->outs[n++]);
    lua_pop(L, 1);
    lua_getfield(L, -1, "ptrs");
    for (size_t i = 0; i < call->ptr_count && n < r->out_count; i++)
        if (is_shown(&call->ptrs[i]))
            set_out(L, i, &r->outs[n++]);
    lua_pop(L, 1);
}

void lprovium_add_result(lua_State *L, const struct provium_call *call, const struct provium_result *r)
{
    if (r->ended != PROVIUM_RETURNED) {
        lprovium_push_ended(L, r);
        lua_setfield(L, -2, "ended");
        return;
    }
    set_integer(L, "ret", r->ret);
    if (r->elapsed_ns >= 0)
        set_integer(L, "elapsed_ns", r->elapsed_ns);
    if (r->outs != NULL)
        set_outs(L, call, r);
    if (r->damage_count > 0) {
        lprovium_push_ranges(L, call, r->damage, r->damage_count);
        lua_setfield(L, -2, "damaged");
    }
}

/* ---- who watches ---- */

static const char watch_key, function_key; /* their addresses are keys of the registry */

struct lprovium_watch *lprovium_watch_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &watch_key);
    struct lprovium_watch *watch = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (watch == NULL) {
        watch = lua_newuserdatauv(L, sizeof *watch, 0);
        *watch = (struct lprovium_watch){0};
        lua_rawsetp(L, LUA_REGISTRYINDEX, &watch_key);
    }
    return watch;
}

/* watch(fn or nil): fn(event, handle) is called after every call of this Lua state. */
int lprovium_set_watch(lua_State *L)
{
    struct lprovium_watch *watch = lprovium_watch_of(L);
    lua_settop(L, 1);
    watch->wanted = !lua_isnil(L, 1);
    watch->on = watch->wanted && !watch->busy;
    lua_rawsetp(L, LUA_REGISTRYINDEX, &function_key);
    return 0;
}

void lprovium_tell(lua_State *L, struct lprovium_watch *watch, int at)
{
    if (!watch->on) /* a finalizer may have ended it meanwhile */
        return;
    watch->busy = true;
    watch->on = false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &function_key);
    lua_pushvalue(L, at);
    lua_pushvalue(L, 1);
    int status = lua_pcall(L, 2, 0, 0);
    watch->busy = false;
    watch->on = watch->wanted;
    if (status != LUA_OK)
        lua_error(L);
}

/* ---- the report of a guest that died ---- */

void lprovium_push_words(lua_State *L, int at)
{
    at = lua_absindex(L, at);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "provium.trace");
    if (lua_pcall(L, 1, 1, 0) != LUA_OK || lua_getfield(L, -1, "words") != LUA_TFUNCTION) {
        lua_pushliteral(L, "");
        return;
    }
    lua_pushvalue(L, at);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK || lua_type(L, -1) != LUA_TSTRING)
        lua_pushliteral(L, "");
}
