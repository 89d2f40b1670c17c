/* SPDX-License-Identifier: MIT
 *
 * The six calls of a VM or session: syscall, syscall_buf, syscall_bufs, syscall_ptr,
 * ioctl, ioctl_buf.  Each is a way to write down one struct provium_call.
 */
#include <string.h>

#include "lprovium.h"

struct lprovium_handle *lprovium_begin(lua_State *L, struct lprovium_call *c, const char *caller)
{
    struct lprovium_handle *h = lprovium_check_handle(L, caller);
    c->call = (struct provium_call){.caller = caller, .first = 1};
    c->handle = h;
    c->list_count = c->element_count = c->hidden = 0;
    return h;
}

/* The same, its number at index 2. */
static struct lprovium_handle *begin(lua_State *L, struct lprovium_call *c, const char *caller)
{
    struct lprovium_handle *h = lprovium_begin(L, c, caller);
    lprovium_check_nr(L, 2, c, h);
    return h;
}

static int call_syscall(lua_State *L)
{
    struct lprovium_call c;
    if (lprovium_has_structs(L, 3, lua_gettop(L)))
        return lprovium_call_structs(L, "syscall");
    struct lprovium_handle *h = begin(L, &c, "syscall");
    lprovium_check_args(L, 3, &c);
    return lprovium_execute(L, h, &c);
}

static int call_syscall_buf(lua_State *L)
{
    const struct lprovium_place idx = {.caller = "syscall_buf", .field = "idx"};
    const struct lprovium_place data = {.caller = "syscall_buf", .field = "data"};
    struct lprovium_call c;
    if (lprovium_has_structs(L, 4, 4))
        return lprovium_call_structs(L, "syscall_buf");
    struct lprovium_handle *h = begin(L, &c, "syscall_buf");
    unsigned arg = lprovium_check_index(L, 3, &idx);
    c.bufs[0] = (struct provium_buffer){.arg = arg};
    lprovium_check_buffer(L, 4, &data, &c.bufs[0], NULL);
    lprovium_check_args(L, 5, &c);
    c.call.buffer = data.field;
    c.call.bufs = c.bufs;
    c.call.buf_count = 1;
    return lprovium_execute(L, h, &c);
}

static int call_syscall_bufs(lua_State *L)
{
    struct lprovium_call c;
    if (lprovium_has_structs(L, 3, 3))
        return lprovium_call_structs(L, "syscall_bufs");
    struct lprovium_handle *h = begin(L, &c, "syscall_bufs");
    lprovium_check_bufs(L, 3, &c);
    lprovium_check_args(L, 4, &c);
    lprovium_expand_lists(L, 3, 0, &c);
    return lprovium_execute(L, h, &c);
}

static int call_syscall_ptr(lua_State *L)
{
    static const struct lprovium_spec_rules rules = {.list = "ptrs", .has_buf_idx = true};
    struct lprovium_call c;
    if (lprovium_has_structs(L, 3, 4))
        return lprovium_call_structs(L, "syscall_ptr");
    struct lprovium_handle *h = begin(L, &c, "syscall_ptr");
    lprovium_check_args(L, 5, &c);
    lprovium_check_bufs(L, 3, &c);
    lprovium_check_ptrs(L, 4, &c, &rules);
    lprovium_expand_lists(L, 3, 4, &c);
    return lprovium_execute(L, h, &c);
}

/* ---- ioctl ---- */

enum { IOCTL_DATA = 2 }; /* the argument that an ioctl's buffer is */

/* What cmd says of itself, by the encoding that most architectures share. */
static bool cmd_returns(int64_t cmd)
{
    enum { NONE = 0, READ = 2 };
    unsigned direction = (unsigned)((uint64_t)cmd >> 30) & 3;
    return direction == NONE || (direction & READ) != 0;
}

static size_t cmd_size(int64_t cmd)
{
    return (size_t)((uint64_t)cmd >> 16) & 0x3fff;
}

/* Begin an ioctl: fd at index 2, cmd at index 3. */
static struct lprovium_handle *begin_ioctl(lua_State *L, struct lprovium_call *c, const char *caller)
{
    const struct lprovium_place fd = {.caller = caller, .field = "fd"};
    const struct lprovium_place cmd = {.caller = caller, .field = "cmd"};
    struct lprovium_handle *h = lprovium_begin(L, c, caller);
    c->call.list = "specs";
    c->call.length = "buf_len";
    c->call.args = c->args;
    c->call.arg_count = 3;
    c->args[0] = lprovium_check_word(L, 2, &fd);
    c->args[1] = lprovium_check_word(L, 3, &cmd);
    c->args[2] = 0;
    return h;
}

/* The string at `at` becomes the buffer, with zeros up to the size that cmd states. */
static void check_ioctl_data(lua_State *L, int at, struct lprovium_call *c, const char *name)
{
    const struct lprovium_place place = {.caller = c->call.caller, .field = name};
    struct provium_bytes bytes = lprovium_check_bytes(L, at, &place);
    size_t size = cmd_size(c->args[1]);
    if (bytes.len < size) {
        char *longer = lua_newuserdatauv(L, size, 0);
        memset(longer, 0, size);
        memcpy(longer, bytes.ptr, bytes.len);
        bytes = (struct provium_bytes){(uint8_t *)longer, size};
    }
    c->bufs[0] = (struct provium_buffer){.arg = IOCTL_DATA, .data = bytes.ptr, .len = bytes.len};
    c->call.buffer = name;
    c->call.bufs = c->bufs;
    c->call.buf_count = 1;
}

/* Execute; the second value is the buffer if cmd says that it is read, else nil. */
static int execute_ioctl(lua_State *L, struct lprovium_handle *h, struct lprovium_call *c)
{
    struct provium_session *session = lprovium_check_session(L, h, c->call.caller);
    c->call.nr = provium_session_nr(session, "ioctl");
    if (c->call.nr < 0)
        return luaL_error(L, "%s: its number on %s is not known", c->call.caller, provium_session_info(session)->arch);
    int count = lprovium_execute(L, h, c);
    int out = lua_gettop(L) - count + 2; /* index of the second value */
    lua_pushnil(L);
    if (c->call.buf_count == 0) {
        lua_insert(L, out);
        return count + 1;
    }
    if (cmd_returns(c->args[1]))
        lua_pop(L, 1);
    else
        lua_replace(L, out);
    return count;
}

static int call_ioctl(lua_State *L)
{
    const struct lprovium_place data = {.caller = "ioctl", .field = "data"};
    struct lprovium_call c;
    if (lprovium_has_structs(L, 4, 4))
        return lprovium_call_structs(L, "ioctl");
    struct lprovium_handle *h = begin_ioctl(L, &c, "ioctl");
    if (lua_gettop(L) > 4)
        return luaL_error(L, "ioctl: arguments: fd, cmd and data expected, got more");
    switch (lua_type(L, 4)) {
    case LUA_TNONE:
    case LUA_TNIL:
        break;
    case LUA_TNUMBER:
        c.args[2] = lprovium_check_word(L, 4, &data);
        break;
    case LUA_TUSERDATA:
        c.args[2] = lprovium_check_address(L, 4, &data, h);
        break;
    case LUA_TSTRING:
        check_ioctl_data(L, 4, &c, "data");
        break;
    default:
        lprovium_raise(L, &data, "string or integer expected, got %s", luaL_typename(L, 4));
    }
    return execute_ioctl(L, h, &c);
}

static int call_ioctl_buf(lua_State *L)
{
    static const struct lprovium_spec_rules rules = {.list = "specs", .buf_idx = IOCTL_DATA};
    struct lprovium_call c;
    if (lprovium_has_structs(L, 4, 5))
        return lprovium_call_structs(L, "ioctl_buf");
    struct lprovium_handle *h = begin_ioctl(L, &c, "ioctl_buf");
    if (lua_gettop(L) > 5)
        return luaL_error(L, "ioctl_buf: arguments: fd, cmd, struct and specs expected, got more");
    lua_settop(L, 5);
    check_ioctl_data(L, 4, &c, "struct");
    lprovium_check_ptrs(L, 5, &c, &rules);
    lprovium_expand_lists(L, 0, 5, &c);
    return execute_ioctl(L, h, &c);
}

const luaL_Reg lprovium_call_methods[] = {
    {"syscall", call_syscall},
    {"syscall_buf", call_syscall_buf},
    {"syscall_bufs", call_syscall_bufs},
    {"syscall_ptr", call_syscall_ptr},
    {"ioctl", call_ioctl},
    {"ioctl_buf", call_ioctl_buf},
    {"call", lprovium_call_table},
    {NULL, NULL},
};
