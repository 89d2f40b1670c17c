/* SPDX-License-Identifier: MIT
 *
 * vm:alloc, vm:peek, vm:poke and the objects that alloc returns.
 *
 * A region that Lua collects is not freed at once: a finalizer runs at any moment, and must
 * not wait for an agent.  It waits in its handle for the next alloc.
 */
#include <stdlib.h>

#include "lprovium.h"

#define LPROVIUM_REGION "provium.region"

struct lprovium_node {
    struct provium_region region;
    struct lprovium_node *next; /* among those that wait to be freed */
};

/* The userdata; its user value is the handle. */
struct lregion {
    struct lprovium_node *node; /* NULL once freed */
    struct lprovium_handle *handle;
};

/* The kernel's answer where a byte cannot be touched. */
enum { FAULT = -14 };

static struct provium_session *session_of(const struct lprovium_handle *h)
{
    return h->vm != NULL ? provium_vm_session(h->vm) : h->session;
}

_Noreturn static void raise_error(lua_State *L, const struct lprovium_handle *h, const char *caller)
{
    luaL_where(L, 1);
    lprovium_push_error(L, lprovium_error(h), caller);
    lua_concat(L, 2);
    for (;;)
        lua_error(L); /* a longjmp */
}

/* ---- garbage ---- */

void lprovium_forget_regions(struct lprovium_handle *h)
{
    while (h->garbage != NULL) {
        struct lprovium_node *node = h->garbage;
        h->garbage = node->next;
        free(node);
    }
}

/* Free what was collected, as far as the agent answers. */
static void sweep(struct lprovium_handle *h, struct provium_session *session)
{
    enum provium_status status = PROVIUM_OK;
    while (h->garbage != NULL && status == PROVIUM_OK) {
        struct lprovium_node *node = h->garbage;
        h->garbage = node->next;
        if (!provium_region_is_lost(session, &node->region))
            status = provium_region_free(session, &node->region);
        free(node);
    }
}

static int region_gc(lua_State *L)
{
    struct lregion *r = lua_touserdata(L, 1);
    struct lprovium_node *node = r->node;
    r->node = NULL;
    if (node == NULL)
        return 0;
    if (r->handle->vm == NULL && r->handle->session == NULL) {
        free(node);
        return 0;
    }
    node->next = r->handle->garbage;
    r->handle->garbage = node;
    return 0;
}

/* ---- objects ---- */

static struct lregion *check_region(lua_State *L, const char *caller)
{
    struct lregion *r = luaL_testudata(L, 1, LPROVIUM_REGION);
    if (r == NULL)
        luaL_error(L, "%s: not called on a region: write region:%s(...), with a colon", caller, caller);
    return r;
}

/* The region itself, which must still be there. */
static const struct provium_region *check_alive(lua_State *L, const struct lregion *r,
                                                const struct lprovium_place *place)
{
    if (r->node == NULL)
        lprovium_raise(L, place, "the region was freed");
    if (provium_region_is_lost(session_of(r->handle), &r->node->region))
        lprovium_raise(L, place, "the region was lost with its executor (generation %I)",
                       (LUAI_UACINT)r->node->region.generation);
    return &r->node->region;
}

bool lprovium_is_region(lua_State *L, int at)
{
    return lua_type(L, at) == LUA_TUSERDATA && luaL_testudata(L, at, LPROVIUM_REGION) != NULL;
}

int64_t lprovium_check_address(lua_State *L, int at, const struct lprovium_place *place,
                               const struct lprovium_handle *h)
{
    if (!lprovium_is_region(L, at))
        return lprovium_check_word(L, at, place);
    const struct lregion *r = lua_touserdata(L, at);
    if (r->handle != h)
        lprovium_raise(L, place, "the region is another VM's");
    return (int64_t)check_alive(L, r, place)->address;
}

/* ---- vm:alloc(n, {guard =, low =}) ---- */

static void check_options(lua_State *L, int at, struct provium_place *out)
{
    struct lprovium_place place = {.caller = "alloc", .field = "options"};
    if (lua_isnoneornil(L, at))
        return;
    if (!lua_istable(L, at))
        lprovium_raise(L, &place, "table expected, got %s", luaL_typename(L, at));
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            lprovium_raise(L, &place, "key [%s] is not a field's name", luaL_tolstring(L, -2, NULL));
        place.field = lua_tostring(L, -2);
        if (!lprovium_check_placement(L, -1, place.field, &place, out))
            lprovium_raise(L, &place, "unknown key");
    }
}

static int region_alloc(lua_State *L)
{
    const struct lprovium_place len_place = {.caller = "alloc", .field = "len"};
    struct provium_place place = {.low = false};
    struct lprovium_handle *h = lprovium_check_handle(L, "alloc");
    if (lua_gettop(L) > 3)
        return luaL_error(L, "alloc: arguments: len and options expected, got more");
    uint64_t len = lprovium_check_size(L, 2, &len_place);
    check_options(L, 3, &place);
    struct lregion *r = lua_newuserdatauv(L, sizeof *r, 1);
    *r = (struct lregion){.handle = h};
    luaL_setmetatable(L, LPROVIUM_REGION);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    struct provium_session *session = lprovium_check_session(L, h, "alloc");
    struct provium_region region;
    sweep(h, session);
    if (provium_region_alloc(session, len, &place, &region) != PROVIUM_OK)
        raise_error(L, h, "alloc");
    r->node = malloc(sizeof *r->node);
    if (r->node == NULL) {
        provium_region_free(session, &region);
        return luaL_error(L, "alloc: out of memory");
    }
    *r->node = (struct lprovium_node){.region = region};
    return 1;
}

/* ---- reading and writing ---- */

/* Push what could be read, and the fault if that is not all. */
static int read_memory(lua_State *L, struct lprovium_handle *h, const struct provium_memory *m, const char *caller)
{
    struct provium_bytes bytes;
    if (provium_memory_read(lprovium_check_session(L, h, caller), m, &bytes) != PROVIUM_OK)
        raise_error(L, h, caller);
    bool whole = bytes.len == m->len;
    lua_pushlstring(L, bytes.len > 0 ? (const char *)bytes.ptr : "", bytes.len);
    if (whole)
        return 1;
    lua_pushinteger(L, FAULT);
    return 2;
}

static int write_memory(lua_State *L, struct lprovium_handle *h, const struct provium_memory *m, const char *caller)
{
    size_t written;
    if (provium_memory_write(lprovium_check_session(L, h, caller), m, &written) != PROVIUM_OK)
        raise_error(L, h, caller);
    lua_pushinteger(L, (lua_Integer)written);
    if (written == m->len)
        return 1;
    lua_pushinteger(L, FAULT);
    return 2;
}

static int peek(lua_State *L)
{
    const struct lprovium_place address = {.caller = "peek", .field = "address"};
    const struct lprovium_place len = {.caller = "peek", .field = "len"};
    struct lprovium_handle *h = lprovium_check_handle(L, "peek");
    struct provium_memory m = {.at = (uint64_t)lprovium_check_address(L, 2, &address, h)};
    m.len = lprovium_check_size(L, 3, &len);
    return read_memory(L, h, &m, "peek");
}

static int poke(lua_State *L)
{
    const struct lprovium_place address = {.caller = "poke", .field = "address"};
    const struct lprovium_place data = {.caller = "poke", .field = "data"};
    struct lprovium_handle *h = lprovium_check_handle(L, "poke");
    struct provium_memory m = {.at = (uint64_t)lprovium_check_address(L, 2, &address, h)};
    struct provium_bytes bytes = lprovium_check_bytes(L, 3, &data);
    m.data = bytes.ptr;
    m.len = bytes.len;
    return write_memory(L, h, &m, "poke");
}

/* region:read(offset, n): from its start, to its end, if left out. */
static int region_read(lua_State *L)
{
    const struct lprovium_place whole = {.caller = "read", .field = "region"};
    const struct lprovium_place offset = {.caller = "read", .field = "offset"};
    const struct lprovium_place len = {.caller = "read", .field = "len"};
    struct lregion *r = check_region(L, "read");
    struct provium_memory m = {.region = check_alive(L, r, &whole)};
    m.at = lua_isnoneornil(L, 2) ? 0 : lprovium_check_size(L, 2, &offset);
    if (!lua_isnoneornil(L, 3))
        m.len = lprovium_check_size(L, 3, &len);
    else
        m.len = m.at < m.region->len ? m.region->len - (size_t)m.at : 0;
    return read_memory(L, r->handle, &m, "read");
}

static int region_write(lua_State *L)
{
    const struct lprovium_place whole = {.caller = "write", .field = "region"};
    const struct lprovium_place offset = {.caller = "write", .field = "offset"};
    const struct lprovium_place data = {.caller = "write", .field = "data"};
    struct lregion *r = check_region(L, "write");
    struct provium_memory m = {.region = check_alive(L, r, &whole), .at = lprovium_check_size(L, 2, &offset)};
    struct provium_bytes bytes = lprovium_check_bytes(L, 3, &data);
    m.data = bytes.ptr;
    m.len = bytes.len;
    return write_memory(L, r->handle, &m, "write");
}

/* ---- the end ---- */

/* A lost region has nothing to give back; cleaning up must work after an executor's end. */
static void free_now(lua_State *L, struct lregion *r, const char *caller)
{
    struct lprovium_node *node = r->node;
    struct provium_session *session = session_of(r->handle);
    r->node = NULL;
    enum provium_status status =
        provium_region_is_lost(session, &node->region) ? PROVIUM_OK : provium_region_free(session, &node->region);
    free(node);
    if (status != PROVIUM_OK && caller != NULL)
        raise_error(L, r->handle, caller);
}

static int region_free(lua_State *L)
{
    const struct lprovium_place whole = {.caller = "free", .field = "region"};
    struct lregion *r = check_region(L, "free");
    if (r->node == NULL)
        lprovium_raise(L, &whole, "the region was freed");
    free_now(L, r, "free");
    return 0;
}

/* The end of a to-be-closed variable raises nothing. */
static int region_close(lua_State *L)
{
    struct lregion *r = lua_touserdata(L, 1);
    if (r->node != NULL)
        free_now(L, r, NULL);
    return 0;
}

/* ---- as a value ---- */

/* region.address, or a method. */
static int region_index(lua_State *L)
{
    const struct lprovium_place place = {.caller = "region", .field = "address"};
    if (lua_type(L, 2) == LUA_TSTRING && lua_rawequal(L, 2, lua_upvalueindex(2))) {
        lua_pushinteger(L, (lua_Integer)check_alive(L, lua_touserdata(L, 1), &place)->address);
        return 1;
    }
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
    return 1;
}

/* region + k or k + region: an address. */
static int region_add(lua_State *L)
{
    const struct lprovium_place place = {.caller = "region", .field = "+"};
    int self = lprovium_is_region(L, 1) ? 1 : 2;
    uint64_t plus = (uint64_t)lprovium_check_word(L, 3 - self, &place);
    lua_pushinteger(L, (lua_Integer)(check_alive(L, lua_touserdata(L, self), &place)->address + plus));
    return 1;
}

static int region_len(lua_State *L)
{
    const struct lprovium_place place = {.caller = "region", .field = "#"};
    lua_pushinteger(L, check_alive(L, lua_touserdata(L, 1), &place)->len);
    return 1;
}

static int region_tostring(lua_State *L)
{
    const struct lregion *r = lua_touserdata(L, 1);
    if (r->node == NULL)
        lua_pushliteral(L, "provium.region (freed)");
    else if (provium_region_is_lost(session_of(r->handle), &r->node->region))
        lua_pushliteral(L, "provium.region (lost)");
    else
        lua_pushfstring(L, "provium.region (%I bytes at %p)", (LUAI_UACINT)r->node->region.len,
                        (void *)(uintptr_t)r->node->region.address);
    return 1;
}

static const luaL_Reg region_methods[] = {
    {"read", region_read}, {"write", region_write}, {"free", region_free}, {NULL, NULL}};

static const luaL_Reg region_meta[] = {
    {"__gc", region_gc},   {"__close", region_close},       {"__add", region_add},
    {"__len", region_len}, {"__tostring", region_tostring}, {NULL, NULL},
};

const luaL_Reg lprovium_region_methods[] = {{"alloc", region_alloc}, {"peek", peek}, {"poke", poke}, {NULL, NULL}};

void lprovium_make_region_type(lua_State *L)
{
    luaL_newmetatable(L, LPROVIUM_REGION);
    luaL_setfuncs(L, region_meta, 0);
    luaL_newlib(L, region_methods);
    lua_pushliteral(L, "address");
    lua_pushcclosure(L, region_index, 2);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0); /* as for VMs */
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
