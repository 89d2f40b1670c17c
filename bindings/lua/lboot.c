/* SPDX-License-Identifier: MIT
 *
 * Booting a VM and attaching to an agent.  provium/config.lua has checked names and
 * units; here only C types are checked.  Failures are values here: nil and a text.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lprovium.h"

/* Push nil, the text, and whether the VM could not be had (rather than was asked for wrongly). */
static int push_failure(lua_State *L, const struct provium_error *e, const char *caller)
{
    lua_pushnil(L);
    lprovium_push_error(L, e, caller);
    lua_pushboolean(L, e->code != PROVIUM_E_ARGUMENT && e->code != PROVIUM_E_STATE);
    return 3;
}

/* The field of the table at index 2.  Strings stay alive with the table. */
static const char *string_field(lua_State *L, const char *name)
{
    const char *value = NULL;
    if (lua_getfield(L, 2, name) != LUA_TNIL)
        value = luaL_checkstring(L, -1);
    lua_pop(L, 1);
    return value;
}

static uint64_t number_field(lua_State *L, const char *name, uint64_t max)
{
    lua_Integer value = 0;
    if (lua_getfield(L, 2, name) != LUA_TNIL)
        value = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    if (value < 0 || (uint64_t)value > max)
        luaL_error(L, "boot: %s: %I is out of range", name, (LUAI_UACINT)value);
    return (uint64_t)value;
}

static size_t count_entries(lua_State *L, int at)
{
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1))
        count++;
    return count;
}

/* files = {[guest] = host}.  Leaves the table and one userdata on the stack. */
static void check_files(lua_State *L, struct provium_boot *boot)
{
    if (lua_getfield(L, 2, "files") == LUA_TNIL)
        return;
    int at = lua_gettop(L);
    luaL_checktype(L, at, LUA_TTABLE);
    size_t count = count_entries(L, at), i = 0;
    struct provium_file *files = lua_newuserdatauv(L, (count + 1) * sizeof *files, 0);
    for (lua_pushnil(L); i < count && lua_next(L, at) != 0; lua_pop(L, 1), i++) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "boot: files: a string for each string expected");
        files[i] = (struct provium_file){lua_tostring(L, -2), lua_tostring(L, -1)};
    }
    boot->files = files;
    boot->file_count = i;
}

static void check_boot(lua_State *L, struct provium_boot *boot)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    boot->kernel = string_field(L, "kernel");
    boot->modules = string_field(L, "modules");
    boot->initrd = string_field(L, "initrd");
    boot->cmdline = string_field(L, "cmdline");
    boot->machine = string_field(L, "machine");
    boot->accel = string_field(L, "accel");
    boot->qemu = string_field(L, "qemu");
    boot->agent = string_field(L, "agent");
    boot->memory = number_field(L, "memory", INT64_MAX);
    boot->cpus = (unsigned)number_field(L, "cpus", UINT_MAX);
    boot->timeout_ms = (unsigned)number_field(L, "timeout", UINT_MAX);
    check_files(L, boot);
}

int lprovium_boot(lua_State *L)
{
    struct lprovium_handle *h = luaL_checkudata(L, 1, LPROVIUM_VM);
    struct provium_boot boot = {0};
    check_boot(L, &boot);
    unsigned call_timeout_ms = (unsigned)number_field(L, "call_timeout", UINT_MAX);
    if (h->vm == NULL)
        return luaL_error(L, "boot: the VM is closed");
    if (provium_vm_boot(h->vm, &boot) != PROVIUM_OK)
        return push_failure(L, provium_vm_error(h->vm), "boot");
    h->booted = true;
    h->stopped = false;
    if (call_timeout_ms != 0)
        provium_session_set_timeout(provium_vm_session(h->vm), call_timeout_ms);
    lua_settop(L, 1);
    return 1;
}

/* ---- attach ---- */

/* A handle with a session that is not open yet, pushed. */
static struct lprovium_handle *push_session(lua_State *L)
{
    struct lprovium_handle *h = lprovium_push_handle(L, LPROVIUM_SESSION);
    h->session = provium_session_new();
    if (h->session == NULL)
        luaL_error(L, "attach: out of memory");
    return h;
}

/* Close the handle again if the session could not be opened. */
static int push_opened(lua_State *L, struct lprovium_handle *h, enum provium_status status)
{
    if (status == PROVIUM_OK)
        return 1;
    int count = push_failure(L, provium_session_error(h->session), "attach");
    provium_session_free(h->session);
    h->session = NULL;
    return count;
}

static unsigned timeout_argument(lua_State *L, int at)
{
    lua_Integer value = luaL_checkinteger(L, at);
    luaL_argcheck(L, value >= 0 && value <= INT_MAX, at, "out of range");
    return (unsigned)value;
}

/* spawn({program, argument...}, timeout_ms) */
int lprovium_spawn(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    unsigned timeout_ms = timeout_argument(L, 2);
    size_t count = lua_rawlen(L, 1);
    const char **argv = lua_newuserdatauv(L, (count + 1) * sizeof *argv, 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "list of strings expected");
        argv[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    luaL_argcheck(L, count > 0, 1, "program expected");
    argv[count] = NULL;
    struct lprovium_handle *h = push_session(L);
    return push_opened(L, h, provium_session_spawn(h->session, argv, timeout_ms));
}

/* connect(path, timeout_ms) */
int lprovium_connect(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    unsigned timeout_ms = timeout_argument(L, 2);
    struct lprovium_handle *h = push_session(L);
    return push_opened(L, h, provium_session_connect(h->session, path, timeout_ms));
}
