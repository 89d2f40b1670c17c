/* SPDX-License-Identifier: MIT
 *
 * provium.core: handles, their lifetime and their methods.  provium/init.lua makes
 * the public module of it.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lmsgpack.h"
#include "lprovium.h"

/* ---- handles ---- */

struct lprovium_handle *lprovium_push_handle(lua_State *L, const char *type)
{
    struct lprovium_handle *h = lua_newuserdatauv(L, sizeof *h, 0);
    *h = (struct lprovium_handle){.watch = lprovium_watch_of(L)};
    luaL_setmetatable(L, type);
    return h;
}

struct lprovium_handle *lprovium_check_handle(lua_State *L, const char *caller)
{
    struct lprovium_handle *h = luaL_testudata(L, 1, LPROVIUM_VM);
    if (h == NULL)
        h = luaL_testudata(L, 1, LPROVIUM_SESSION);
    if (h == NULL)
        luaL_error(L, "%s: not called on a VM: write vm:%s(...), with a colon", caller, caller);
    return h;
}

bool lprovium_is_open(const struct lprovium_handle *h)
{
    return (h->vm != NULL ? provium_vm_session(h->vm) : h->session) != NULL;
}

const struct provium_error *lprovium_error(const struct lprovium_handle *h)
{
    return h->vm != NULL ? provium_vm_error(h->vm) : provium_session_error(h->session);
}

/* The text of an error behind the name of the C function. */
static const char *reason_of(const struct provium_error *e)
{
    const char *colon = strstr(e->text, ": ");
    return colon != NULL ? colon + 2 : e->text;
}

void lprovium_push_error(lua_State *L, const struct provium_error *e, const char *caller)
{
    lua_pushfstring(L, "%s: %s", caller, reason_of(e));
}

static int raise_error(lua_State *L, const struct provium_error *e, const char *caller)
{
    return luaL_error(L, "%s: %s", caller, reason_of(e));
}

/* The VM could not be booted again: the first line says why. */
static int raise_gone(lua_State *L, const struct provium_error *e, const char *caller)
{
    const char *reason = reason_of(e);
    lua_pushlstring(L, reason, strcspn(reason, "\n"));
    return luaL_error(L, "%s: the VM is gone: %s", caller, lua_tostring(L, -1));
}

/* Why a handle has no session. */
static int raise_no_session(lua_State *L, const struct lprovium_handle *h, const char *caller)
{
    if (h->vm == NULL)
        return luaL_error(L, "%s: already closed", caller);
    if (!h->booted)
        return luaL_error(L, "%s: the VM is not booted yet: call vm:boot() first", caller);
    if (h->stopped)
        return luaL_error(L, "%s: the VM was shut down: call vm:boot() again", caller);
    return raise_gone(L, provium_vm_error(h->vm), caller);
}

struct provium_session *lprovium_check_session(lua_State *L, struct lprovium_handle *h, const char *caller)
{
    struct provium_session *session = h->vm != NULL ? provium_vm_session(h->vm) : h->session;
    if (session == NULL)
        raise_no_session(L, h, caller);
    return session;
}

/* Free what a handle holds; it may be asked twice. */
static int handle_free(lua_State *L)
{
    struct lprovium_handle *h = lua_touserdata(L, 1);
    struct lprovium_handle old = *h;
    h->vm = NULL;
    h->session = NULL;
    lprovium_forget_regions(h);
    provium_vm_free(old.vm);
    provium_session_free(old.session);
    return 0;
}

/* ---- what a VM and a session have in common ---- */

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static int handle_info(lua_State *L)
{
    struct lprovium_handle *h = lprovium_check_handle(L, "info");
    const struct provium_info info = *provium_session_info(lprovium_check_session(L, h, "info"));
    lua_createtable(L, 0, 11);
    set_string(L, "agent", info.agent);
    set_string(L, "arch", info.arch);
    set_string(L, "kernel", info.kernel);
    set_string(L, "byte_order", info.big_endian ? "big" : "little");
    set_integer(L, "version", info.version);
    set_integer(L, "frame_limit", info.frame_limit);
    set_integer(L, "buffer_limit", info.buffer_limit);
    set_integer(L, "spec_limit", info.spec_limit);
    set_integer(L, "memory_limit", info.memory_limit);
    set_integer(L, "page_size", info.page_size);
    set_integer(L, "pointer_width", info.pointer_width);
    return 1;
}

static int handle_ping(lua_State *L)
{
    struct lprovium_handle *h = lprovium_check_handle(L, "ping");
    if (provium_ping(lprovium_check_session(L, h, "ping")) != PROVIUM_OK)
        return raise_error(L, lprovium_error(h), "ping");
    return 0;
}

/* ---- VMs ---- */

static struct lprovium_handle *check_vm(lua_State *L, const char *caller)
{
    struct lprovium_handle *h = luaL_testudata(L, 1, LPROVIUM_VM);
    if (h == NULL)
        luaL_error(L, "%s: not called on a VM: write vm:%s(...), with a colon", caller, caller);
    if (h->vm == NULL)
        luaL_error(L, "%s: already closed", caller);
    return h;
}

static int vm_new(lua_State *L)
{
    struct lprovium_handle *h = lprovium_push_handle(L, LPROVIUM_VM);
    h->vm = provium_vm_new();
    if (h->vm == NULL)
        return luaL_error(L, "create: out of memory");
    return 1;
}

/* One that the collector has closed is still a key of weak tables for a while (shutdown_all): nothing is left to do. */
static int vm_shutdown(lua_State *L)
{
    struct lprovium_handle *closed = luaL_testudata(L, 1, LPROVIUM_VM);
    if (closed != NULL && closed->vm == NULL)
        return 0;
    struct lprovium_handle *h = check_vm(L, "shutdown");
    h->stopped = true;
    if (provium_vm_shutdown(h->vm) != PROVIUM_OK)
        return raise_error(L, provium_vm_error(h->vm), "shutdown");
    return 0;
}

static int vm_kill(lua_State *L)
{
    struct lprovium_handle *h = check_vm(L, "kill");
    h->stopped = true;
    provium_vm_kill(h->vm);
    return 0;
}

/* The end of a to-be-closed variable: as shutdown, but it raises nothing. */
static int vm_close(lua_State *L)
{
    struct lprovium_handle *h = lua_touserdata(L, 1);
    h->stopped = true;
    if (h->vm != NULL && provium_vm_shutdown(h->vm) != PROVIUM_OK)
        provium_vm_kill(h->vm);
    return 0;
}

static int vm_console(lua_State *L)
{
    enum { CONSOLE_MAX = 65536 };
    struct lprovium_handle *h = check_vm(L, "console");
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, CONSOLE_MAX);
    luaL_pushresultsize(&b, provium_vm_console(h->vm, out, CONSOLE_MAX));
    return 1;
}

/* Process id of QEMU, or nil. */
static int vm_pid(lua_State *L)
{
    long pid = provium_vm_pid(check_vm(L, "pid")->vm);
    if (pid == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, pid);
    return 1;
}

static int vm_tostring(lua_State *L)
{
    struct lprovium_handle *h = lua_touserdata(L, 1);
    bool up = h->vm != NULL && provium_vm_pid(h->vm) != 0;
    lua_pushfstring(L, "provium.vm (%s)", up ? "running" : "not running");
    return 1;
}

static int session_tostring(lua_State *L)
{
    struct lprovium_handle *h = lua_touserdata(L, 1);
    lua_pushfstring(L, "provium.session (%s)", h->session != NULL ? "open" : "closed");
    return 1;
}

static int session_close(lua_State *L)
{
    if (luaL_testudata(L, 1, LPROVIUM_SESSION) == NULL)
        return luaL_error(L, "close: not called on an agent: write agent:close(), with a colon");
    return handle_free(L);
}

/* ---- odds and ends for the Lua side ---- */

/* realpath(path): the absolute path, or nil and why not. */
static int core_realpath(lua_State *L)
{
    char path[PATH_MAX];
    if (realpath(luaL_checkstring(L, 1), path) == NULL)
        return luaL_fileresult(L, 0, lua_tostring(L, 1));
    lua_pushstring(L, path);
    return 1;
}

/* now(): seconds of a clock that never jumps. */
static int core_now(lua_State *L)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    lua_pushnumber(L, (lua_Number)ts.tv_sec + (lua_Number)ts.tv_nsec / 1e9);
    return 1;
}

/* ---- the module ---- */

static const luaL_Reg common_methods[] = {{"info", handle_info}, {"ping", handle_ping}, {NULL, NULL}};

static const luaL_Reg vm_methods[] = {
    {"shutdown", vm_shutdown}, {"kill", vm_kill}, {"console", vm_console}, {"pid", vm_pid}, {NULL, NULL},
};

static const luaL_Reg session_methods[] = {{"close", session_close}, {"kill", session_close}, {NULL, NULL}};

static const luaL_Reg vm_meta[] = {
    {"__gc", handle_free},
    {"__close", vm_close},
    {"__tostring", vm_tostring},
    {NULL, NULL},
};

static const luaL_Reg session_meta[] = {
    {"__gc", handle_free},
    {"__close", handle_free},
    {"__tostring", session_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"vm", vm_new},
    {"boot", lprovium_boot},
    {"spawn", lprovium_spawn},
    {"connect", lprovium_connect},
    {"pack", lprovium_pack},
    {"unpack", lprovium_unpack},
    {"watch", lprovium_set_watch},
    {"names_find", lprovium_names_find},
    {"names_next", lprovium_names_next},
    {"names_hint", lprovium_names_hint},
    {"realpath", core_realpath},
    {"now", core_now},
    {NULL, NULL},
};

/* Make a type and push its table of methods. */
static void push_type(lua_State *L, const char *type, const luaL_Reg *meta, const luaL_Reg *methods)
{
    luaL_newmetatable(L, type);
    luaL_setfuncs(L, meta, 0);
    lua_pushboolean(L, 0); /* getmetatable() from a script: __gc is not for sale */
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    luaL_setfuncs(L, lprovium_call_methods, 0);
    luaL_setfuncs(L, lprovium_region_methods, 0);
    luaL_setfuncs(L, common_methods, 0);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_remove(L, -2);
}

LUAMOD_API int luaopen_provium_core(lua_State *L)
{
    luaL_checkversion(L);
    lprovium_make_region_type(L);
    luaL_newlib(L, functions);
    luaL_setfuncs(L, lprovium_program_functions, 0);
    push_type(L, LPROVIUM_VM, vm_meta, vm_methods);
    lua_setfield(L, -2, "vm_methods");
    push_type(L, LPROVIUM_SESSION, session_meta, session_methods);
    lua_setfield(L, -2, "session_methods");
    lmsgpack_push_module(L);
    lua_setfield(L, -2, "msgpack");
    set_string(L, "version", provium_version());
    set_integer(L, "cpus_max", PROVIUM_CPUS_MAX);
    return 1;
}
