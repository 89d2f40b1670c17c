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
void lprovium_push_ranges(lua_State *L, const struct provium_call *call, const struct provium_range *ranges,
                          size_t count)
{
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        const struct provium_range *r = &ranges[i];
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, (lua_Integer)(r->index + (r->is_ptr ? call->first : 0)));
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
    lprovium_push_ranges(L, &c->call, ranges, count);
    lua_pushstring(L, "damaged");
    lua_setfield(L, -2, "what");
}

/* ---- both forms of a result ---- */

/* What is kept of a result while Lua makes values of it. */
struct kept {
    struct provium_result result;
    const struct provium_bytes *outs;
    struct provium_range *ranges; /* changed, then damage */
    int event;                    /* index of the call as a table, if it is watched; else 0 */
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

/* Put what came back into the event on top.  That may not run finalizers: a call of theirs would end the loan. */
static void note_result(lua_State *L, const struct lprovium_call *c, const struct kept *k, enum provium_status status)
{
    int running = lua_gc(L, LUA_GCISRUNNING);
    lua_gc(L, LUA_GCSTOP);
    if (status == PROVIUM_OK) {
        lprovium_add_result(L, &c->call, &k->result);
    } else {
        lua_pushstring(L, lprovium_error(c->handle)->text);
        lua_setfield(L, -2, "error");
        lua_pushboolean(L, status == PROVIUM_E_ARGUMENT || status == PROVIUM_E_LIMIT);
        lua_setfield(L, -2, "malformed");
    }
    if (running)
        lua_gc(L, LUA_GCRESTART);
}

/* The same call, watched: it is timed, and an event is left on the stack. */
static enum provium_status execute_watched(lua_State *L, const struct lprovium_call *c, struct kept *k)
{
    struct provium_session *session = lprovium_check_session(L, c->handle, c->call.caller);
    struct provium_call timed = c->call;
    lprovium_push_call(L, &c->call, provium_session_info(session));
    k->event = lua_gettop(L);
    session = lprovium_check_session(L, c->handle, c->call.caller);
    timed.want_elapsed = provium_session_can_measure(session);
    enum provium_status status = provium_call(session, &timed, &k->result);
    note_result(L, c, k, status);
    return status;
}

static enum provium_status execute(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c,
                                   struct kept *k, struct room *room)
{
    struct provium_session *session = lprovium_check_session(L, h, c->call.caller);
    k->result = (struct provium_result){0};
    k->event = 0;
    reserve(L, room, &c->call, provium_session_info(session));
    if (h->watch->on)
        return execute_watched(L, c, k);
    /* Allocating may have run a finalizer, and that may have ended the session. */
    session = lprovium_check_session(L, h, c->call.caller);
    return provium_call(session, &c->call, &k->result);
}

/* Tell whoever watches. */
static void tell(lua_State *L, struct lprovium_handle *h, const struct kept *k)
{
    if (k->event != 0)
        lprovium_tell(L, h->watch, k->event);
}

/* Was the session lost in this call?  Errors of later ones begin otherwise (libprovium/call.c, check_open). */
static bool was_lost(const struct lprovium_handle *h, const struct provium_session *s, const char *caller)
{
    const char *text = lprovium_error(h)->text + strlen(caller);
    return !provium_session_is_open(s) && strncmp(text, ": the VM is gone: ", 18) != 0 &&
           strncmp(text, ": the agent is gone: ", 21) != 0;
}

/* Push the error's text; where the guest is no more, its first line is followed by the call that was running. */
static void push_failure(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c)
{
    struct provium_session *session = h->vm != NULL ? provium_vm_session(h->vm) : h->session;
    lua_pushstring(L, lprovium_error(h)->text);
    if (session == NULL || !was_lost(h, session, c->call.caller))
        return;
    const char *text = lua_tostring(L, -1), *rest = text + strcspn(text, "\n");
    lprovium_push_call(L, &c->call, provium_session_info(session));
    lprovium_push_words(L, -1);
    const char *words = lua_tostring(L, -1);
    lua_pushlstring(L, text, (size_t)(rest - text));
    lua_pushfstring(L, "%s\nthe call was: %s%s", lua_tostring(L, -1), words, rest);
}

static int raise_failure(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c, const struct kept *k)
{
    push_failure(L, h, c);
    const char *text = lua_tostring(L, -1);
    tell(L, h, k);
    return luaL_error(L, "%s", text);
}

int lprovium_execute(lua_State *L, struct lprovium_handle *h, const struct lprovium_call *c)
{
    struct room room;
    struct kept k;
    if (execute(L, h, c, &k, &room) != PROVIUM_OK)
        return raise_failure(L, h, c, &k);
    int count = push_result(L, c, &k, &room);
    tell(L, h, &k);
    return count;
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
        lprovium_push_ranges(L, &c->call, k->ranges, r->changed_count);
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
        return raise_failure(L, h, c, &k);
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
    tell(L, h, &k);
    return 1;
}
