/* SPDX-License-Identifier: MIT
 *
 * Executing a call and pushing what came back, in the order of the contract.
 */
#include <string.h>

#include "lprovium.h"

/* ---- keeping outputs ---- */

/* Bytes of one output more, or SIZE_MAX when there are more than a session can carry. */
static size_t add_len(size_t sum, uint64_t len, size_t limit)
{
    return sum > limit || len > limit - sum ? SIZE_MAX : sum + (size_t)len;
}

/* How many values come back, and how many bytes they have together. */
static size_t count_outs(const struct provium_call *call, size_t limit, size_t *total)
{
    size_t count = call->buf_count;
    *total = 0;
    for (size_t i = 0; i < call->buf_count; i++)
        *total = add_len(*total, call->bufs[i].len, limit);
    for (size_t i = 0; i < call->ptr_count; i++) {
        if (!call->ptrs[i].output)
            continue;
        count++;
        *total = add_len(*total, call->ptrs[i].data_len, limit);
    }
    return count;
}

/* Memory for outputs, see keep_outs: on the C stack when they are small, else in userdata. */
struct room {
    struct provium_bytes small[64];
    void *at;
    size_t len; /* bytes at `at` */
};

static void reserve(lua_State *L, struct room *room, const struct provium_call *call, const struct provium_info *info)
{
    size_t total, count = count_outs(call, info->memory_limit, &total);
    room->at = room->small;
    room->len = sizeof room->small;
    if (count > info->buffer_limit || total > info->memory_limit)
        return; /* the call will be refused */
    luaL_checkstack(L, (int)count + LUA_MINSTACK, "outputs");
    size_t len = total + count * sizeof room->small[0];
    if (count > 1 && len > room->len) {
        room->at = lua_newuserdatauv(L, len, 0);
        room->len = len;
    }
}

/* Outputs borrow the session until its next call, and a finalizer that Lua runs while a
 * string is made may make that call.  So they are copied, all but the first. */
static const struct provium_bytes *keep_outs(lua_State *L, const struct provium_result *r, struct room *room)
{
    struct provium_bytes *kept = room->at;
    uint8_t *p = (uint8_t *)(kept + r->out_count), *end = (uint8_t *)room->at + room->len;
    if (r->out_count > room->len / sizeof *kept)
        luaL_error(L, "more outputs than were asked for");
    kept[0] = r->outs[0];
    for (size_t i = 1; i < r->out_count; i++) {
        if (r->outs[i].len > (size_t)(end - p))
            luaL_error(L, "longer outputs than were asked for");
        kept[i] = (struct provium_bytes){p, r->outs[i].len};
        if (kept[i].len > 0)
            memcpy(p, r->outs[i].ptr, kept[i].len);
        p += kept[i].len;
    }
    return kept;
}

/* ---- pushing ---- */

static void push_ended(lua_State *L, const struct provium_result *r)
{
    static const char *const what[] = {"returned", "exited", "execed", "killed", "stopped"};
    lua_createtable(L, 0, 4);
    lua_pushstring(L, what[r->ended]);
    lua_setfield(L, -2, "what");
    if (r->signal != 0) {
        lua_pushinteger(L, r->signal);
        lua_setfield(L, -2, "signal");
    } else {
        lua_pushinteger(L, r->status);
        lua_setfield(L, -2, "status");
    }
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "fresh");
    if (!r->executed) {
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "executed");
    }
}

static int push_result(lua_State *L, const struct provium_result *r, struct room *room)
{
    int count = (int)r->out_count;
    if (r->ended != PROVIUM_RETURNED) {
        for (int i = 0; i < count + 1; i++)
            lua_pushnil(L);
        push_ended(L, r);
        return count + 2;
    }
    lua_pushinteger(L, r->ret);
    if (count > 0) {
        const struct provium_bytes *outs = keep_outs(L, r, room);
        for (int i = 0; i < count; i++)
            lua_pushlstring(L, (const char *)outs[i].ptr, outs[i].len);
    }
    return count + 1;
}

int lprovium_execute(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c)
{
    struct provium_session *session = lprovium_check_session(L, h, c->call.caller);
    struct provium_result result = {0};
    struct room room;
    reserve(L, &room, &c->call, provium_session_info(session));
    /* Allocating may have run a finalizer, and that may have ended the session. */
    session = lprovium_check_session(L, h, c->call.caller);
    if (provium_call(session, &c->call, &result) != PROVIUM_OK)
        return luaL_error(L, "%s", lprovium_error(h)->text);
    return push_result(L, &result, &room);
}
