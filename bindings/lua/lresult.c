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

/* Does memory with this direction come back, if it would without one? */
static bool comes_back(enum provium_dir dir, bool otherwise)
{
    return dir == PROVIUM_DIR_OUT || dir == PROVIUM_DIR_INOUT || (dir == PROVIUM_DIR_DEFAULT && otherwise);
}

/* How many outputs have a place in the result, and how many bytes they have together. */
static size_t count_outs(const struct provium_call *call, size_t limit, size_t *total)
{
    size_t count = call->buf_count;
    *total = 0;
    for (size_t i = 0; i < call->buf_count; i++)
        *total = add_len(*total, comes_back(call->bufs[i].place.dir, true) ? call->bufs[i].len : 0, limit);
    for (size_t i = 0; i < call->ptr_count; i++) {
        const struct provium_ptr *p = &call->ptrs[i];
        bool returned = comes_back(p->place.dir, p->output);
        count += returned || p->output;
        *total = add_len(*total, returned ? p->data_len : 0, limit);
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
        if (r->outs[i].ptr == NULL)
            kept[i].ptr = NULL;
        else if (kept[i].len > 0)
            memcpy(p, r->outs[i].ptr, kept[i].len);
        p += kept[i].len;
    }
    return kept;
}

/* ---- pushing ---- */

void lprovium_push_ended(lua_State *L, const struct provium_result *r)
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

/* An output, or nil where `dir` kept it from coming back. */
static void push_out(lua_State *L, const struct provium_bytes *out)
{
    if (out->ptr == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, (const char *)out->ptr, out->len);
}

/* The value of a list: its elements' outputs; nil of an argv, whose elements only go in. */
static void push_list(lua_State *L, const struct lprovium_list *list, const struct provium_bytes *hidden)
{
    if (list->kind != LPROVIUM_IOVEC) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, (int)list->count, 0);
    for (size_t i = 0; i < list->count; i++) {
        push_out(L, &hidden[list->first + i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* The next list whose value stands in the result. */
static const struct lprovium_list *next_list(const struct lprovium_call *c, size_t *at)
{
    while (*at < c->list_count && c->all_lists[*at].place == SIZE_MAX)
        ++*at;
    return *at < c->list_count ? &c->all_lists[*at] : NULL;
}

/* Push the outputs in the contract's order; returns how many. */
static int push_outs(lua_State *L, const struct lprovium_call *c, const struct provium_bytes *outs, size_t count)
{
    size_t at = 0;
    const struct lprovium_list *list = next_list(c, &at);
    for (size_t i = 0; i < count; i++) {
        if (list == NULL || list->place != i) {
            push_out(L, &outs[i]);
            continue;
        }
        push_list(L, list, outs + count);
        at++;
        list = next_list(c, &at);
    }
    return (int)count;
}

/* ---- ranges ---- */

/* {{buf = 1, offset = 0, len = 4}, ...}: buf is an argument's index, ptr a spec's place. */
static void push_ranges(lua_State *L, const struct lprovium_call *c, const struct provium_range *ranges, size_t count)
{
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        const struct provium_range *r = &ranges[i];
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, (lua_Integer)(r->index + (r->is_ptr ? c->call.first : 0)));
        lua_setfield(L, -2, r->is_ptr ? "ptr" : "buf");
        lua_pushinteger(L, r->offset);
        lua_setfield(L, -2, "offset");
        lua_pushinteger(L, (lua_Integer)r->len);
        lua_setfield(L, -2, "len");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* The last value where the kernel wrote beside a buffer. */
static void push_damage(lua_State *L, const struct lprovium_call *c, const struct provium_range *ranges, size_t count)
{
    push_ranges(L, c, ranges, count);
    lua_pushstring(L, "damaged");
    lua_setfield(L, -2, "what");
}

/* ---- both forms of a result ---- */

/* What is kept of a result while Lua makes values of it. */
struct kept {
    struct provium_result result;
    const struct provium_bytes *outs;
    struct provium_range *ranges; /* changed, then damage */
};

/* Ranges are copied for the same reason as outputs. */
static void keep(lua_State *L, struct kept *k, struct room *room)
{
    const struct provium_result *r = &k->result;
    size_t count = r->changed_count + r->damage_count;
    k->ranges = NULL;
    if (count > 0) {
        struct provium_range borrowed[2 * 512];
        if (count > sizeof borrowed / sizeof borrowed[0])
            luaL_error(L, "more ranges than a call can have");
        memcpy(borrowed, r->changed, r->changed_count * sizeof *borrowed);
        memcpy(borrowed + r->changed_count, r->damage, r->damage_count * sizeof *borrowed);
        k->outs = r->outs != NULL ? keep_outs(L, r, room) : NULL;
        k->ranges = lua_newuserdatauv(L, count * sizeof *borrowed, 0);
        memcpy(k->ranges, borrowed, count * sizeof *borrowed);
        return;
    }
    k->outs = r->outs != NULL ? keep_outs(L, r, room) : NULL;
}

static int push_result(lua_State *L, const struct lprovium_call *c, struct kept *k, struct room *room)
{
    const struct provium_result *r = &k->result;
    int count = (int)(r->out_count - c->hidden);
    if (r->ended != PROVIUM_RETURNED) {
        for (int i = 0; i < count + 1; i++)
            lua_pushnil(L);
        lprovium_push_ended(L, r);
        return count + 2;
    }
    keep(L, k, room);
    lua_pushinteger(L, r->ret);
    if (count > 0)
        push_outs(L, c, k->outs, (size_t)count);
    if (r->damage_count == 0)
        return count + 1;
    push_damage(L, c, k->ranges + r->changed_count, r->damage_count);
    return count + 2;
}

static enum provium_status execute(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c,
                                   struct kept *k, struct room *room)
{
    struct provium_session *session = lprovium_check_session(L, h, c->call.caller);
    k->result = (struct provium_result){0};
    reserve(L, room, &c->call, provium_session_info(session));
    /* Allocating may have run a finalizer, and that may have ended the session. */
    session = lprovium_check_session(L, h, c->call.caller);
    return provium_call(session, &c->call, &k->result);
}

int lprovium_execute(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c)
{
    struct room room;
    struct kept k;
    if (execute(L, h, c, &k, &room) != PROVIUM_OK)
        return luaL_error(L, "%s", lprovium_error(h)->text);
    return push_result(L, c, &k, &room);
}

/* ---- as a table ---- */

/* An error's name, or nothing where the host's libc knows none. */
static const char *errno_name(int64_t ret)
{
#if defined __GLIBC__ && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
    return strerrorname_np((int)-ret);
#else
    (void)ret;
    return NULL;
#endif
}

void lprovium_set_ret(lua_State *L, int64_t ret)
{
    lua_pushinteger(L, ret);
    lua_setfield(L, -2, "ret");
    if (ret >= 0 || ret < -4095)
        return;
    lua_pushinteger(L, -ret);
    lua_setfield(L, -2, "errno");
    lua_pushstring(L, errno_name(ret));
    lua_setfield(L, -2, "errname");
}

static void set_returned(lua_State *L, const struct lprovium_call *c, const struct kept *k)
{
    const struct provium_result *r = &k->result;
    lprovium_set_ret(L, r->ret);
    if (r->elapsed_ns >= 0) {
        lua_pushinteger(L, r->elapsed_ns);
        lua_setfield(L, -2, "elapsed_ns");
    }
    if (c->call.want_changed) {
        push_ranges(L, c, k->ranges, r->changed_count);
        lua_setfield(L, -2, "changed");
    }
    if (r->damage_count > 0) {
        push_damage(L, c, k->ranges + r->changed_count, r->damage_count);
        lua_setfield(L, -2, "damaged");
    }
}

/* outs = {n = places, ...}: nil where nothing came back. */
void lprovium_set_outs(lua_State *L, const struct lprovium_call *c, const struct provium_bytes *outs, size_t count)
{
    int top = lua_gettop(L);
    if (outs != NULL)
        push_outs(L, c, outs, count);
    lua_createtable(L, (int)count, 1);
    lua_insert(L, top + 1);
    for (int i = lua_gettop(L) - top - 1; i > 0; i--)
        lua_rawseti(L, top + 1, i);
    lua_pushinteger(L, (lua_Integer)count);
    lua_setfield(L, -2, "n");
    lua_setfield(L, -2, "outs");
}

int lprovium_execute_table(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c)
{
    struct room room;
    struct kept k = {.outs = NULL};
    enum provium_status status = execute(L, h, c, &k, &room);
    bool timed_out = status == PROVIUM_E_TIMEOUT && lprovium_is_open(h);
    if (status != PROVIUM_OK && !timed_out)
        return luaL_error(L, "%s", lprovium_error(h)->text);
    if (status == PROVIUM_OK && k.result.ended == PROVIUM_RETURNED)
        keep(L, &k, &room);
    lua_createtable(L, 0, 8);
    if (timed_out) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "timed_out");
    } else if (k.result.ended == PROVIUM_RETURNED) {
        set_returned(L, c, &k);
    } else {
        lprovium_push_ended(L, &k.result);
        lua_setfield(L, -2, "ended");
    }
    if (timed_out)
        k.result.out_count = c->hidden;
    lprovium_set_outs(L, c, k.outs, k.result.out_count - c->hidden);
    return 1;
}
