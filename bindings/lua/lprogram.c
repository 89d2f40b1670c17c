/* SPDX-License-Identifier: MIT
 *
 * The C side of vm:program: provium/program.lua notes steps and moves as tables, here they become
 * one struct provium_program, and what came back becomes one table.
 */
#include <stdlib.h>
#include <string.h>

#include "lprovium.h"

#define LPROVIUM_BOX "provium.box"

/* ---- fields of the tables that program.lua makes ---- */

/* Push the field of the table at `at`; is it there? */
static bool push_field(lua_State *L, int at, const char *name)
{
    return lua_getfield(L, at, name) != LUA_TNIL;
}

static lua_Integer integer_field(lua_State *L, int at, const char *name)
{
    lua_getfield(L, at, name);
    lua_Integer value = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return value;
}

static bool flag_field(lua_State *L, int at, const char *name)
{
    lua_getfield(L, at, name);
    bool value = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return value;
}

/* ---- a step ---- */

static void check_args(lua_State *L, int at, struct lprovium_call *c)
{
    push_field(L, at, "args");
    const int table = lua_gettop(L);
    const lua_Integer count = (lua_Integer)lua_rawlen(L, table);
    luaL_checkstack(L, PROVIUM_ARGS_MAX + LUA_MINSTACK, c->call.caller);
    for (lua_Integer i = 1; i <= count && i <= PROVIUM_ARGS_MAX + 1; i++)
        lua_rawgeti(L, table, i);
    lprovium_check_args(L, table + 1, c);
    lua_settop(L, table - 1);
}

/* The table at `at` as a call; leaves on the stack what the call points at.  The session's handle is at 1. */
static void check_step(lua_State *L, int at, struct lprovium_call *c, const char *caller)
{
    static const struct lprovium_spec_rules plain = {.list = "ptrs", .has_buf_idx = true};
    static const struct lprovium_spec_rules ioctl = {.list = "specs", .buf_idx = 2};
    struct lprovium_handle *h = lprovium_begin(L, c, caller);
    push_field(L, at, "nr");
    lprovium_check_nr(L, lua_gettop(L), c, h);
    check_args(L, at, c);
    const bool has_bufs = push_field(L, at, "bufs");
    const int bufs_at = has_bufs ? lua_gettop(L) : 0;
    if (has_bufs)
        lprovium_check_bufs(L, bufs_at, c);
    const bool has_ptrs = push_field(L, at, "ptrs"), is_ioctl = flag_field(L, at, "specs");
    const int ptrs_at = has_ptrs ? lua_gettop(L) : 0;
    c->call.list = is_ioctl ? ioctl.list : NULL;
    if (has_ptrs)
        lprovium_check_ptrs(L, ptrs_at, c, is_ioctl ? &ioctl : &plain);
    lprovium_expand_lists(L, bufs_at, ptrs_at, c);
}

/* Does the result have a place for it? */
static bool is_shown(const struct provium_ptr *p)
{
    return p->output || p->place.dir == PROVIUM_DIR_OUT || p->place.dir == PROVIUM_DIR_INOUT;
}

/* Append owners[count] unless it is the output of a list's element: those stand last. */
static void push_owner(lua_State *L, lua_Integer *count, lua_Integer owner)
{
    lua_pushinteger(L, owner);
    lua_rawseti(L, -2, ++*count);
}

/* core.check_step(vm, step, where): raises, or returns whose the outputs are: 0 to 5 of an argument, from 8 on of a
 * pointer, -1 a list. */
static int core_check_step(lua_State *L)
{
    struct lprovium_call c;
    lua_Integer count = 0;
    lua_settop(L, 3);
    check_step(L, 2, &c, luaL_checkstring(L, 3));
    lua_newtable(L);
    for (unsigned arg = 0; arg < PROVIUM_ARGS_MAX; arg++)
        for (size_t i = 0; i < c.call.buf_count; i++)
            if (c.call.bufs[i].arg == arg)
                push_owner(L, &count, arg);
    for (size_t i = 0; i < c.call.ptr_count; i++)
        if (is_shown(&c.call.ptrs[i]))
            push_owner(L, &count, (lua_Integer)i + 8);
    for (; c.hidden > 0; c.hidden--, count--) {
        lua_pushnil(L);
        lua_rawseti(L, -2, count);
    }
    for (size_t i = 0; i < c.list_count; i++)
        if (c.all_lists[i].place != SIZE_MAX) {
            lua_pushinteger(L, -1);
            lua_rawseti(L, -2, (lua_Integer)c.all_lists[i].place + 1);
        }
    return 1;
}

/* ---- the program ---- */

/* One while it is run.  Everything that it points at is on the stack, or in the table at `anchor`. */
struct run {
    struct provium_program program;
    struct provium_program_result result;
    struct lprovium_call *calls;
    int anchor;
    enum provium_status status; /* of provium_program */
};

/* What has been pushed since `top` lives as long as the anchor. */
static void anchor_above(lua_State *L, const struct run *r, int top)
{
    while (lua_gettop(L) > top)
        lua_rawseti(L, r->anchor, (lua_Integer)lua_rawlen(L, r->anchor) + 1);
}

/* A field of the description, which is a list: pushed, and its count. */
static size_t push_list(lua_State *L, const char *name)
{
    push_field(L, 2, name);
    return lua_rawlen(L, -1);
}

static void *new_array(lua_State *L, const struct run *r, size_t count, size_t size)
{
    void *items = lua_newuserdatauv(L, (count + 1) * size, 0);
    memset(items, 0, (count + 1) * size);
    lua_rawseti(L, r->anchor, (lua_Integer)lua_rawlen(L, r->anchor) + 1);
    return items;
}

static size_t fail_field(lua_State *L, int at)
{
    enum { END_ROUND = -1, STOP = -2 }; /* as program.lua has them */
    const lua_Integer fail = integer_field(L, at, "fail");
    return fail == END_ROUND ? PROVIUM_END_ROUND
           : fail == STOP    ? PROVIUM_STOP
           : fail > 0        ? (size_t)fail - 1
                             : PROVIUM_GO_ON;
}

static void take_steps(lua_State *L, struct run *r)
{
    const size_t count = push_list(L, "steps");
    const int list = lua_gettop(L);
    struct provium_step *steps = new_array(L, r, count, sizeof *steps);
    r->calls = new_array(L, r, count, sizeof *r->calls);
    for (size_t i = 0; i < count; i++) {
        const int top = lua_gettop(L);
        luaL_checkstack(L, LUA_MINSTACK, "program");
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        check_step(L, top + 1, &r->calls[i], "program");
        r->calls[i].call.caller = NULL;
        steps[i] = (struct provium_step){
            .call = r->calls[i].call, .fail = fail_field(L, top + 1), .keep = flag_field(L, top + 1, "keep")};
        anchor_above(L, r, top);
    }
    r->program.steps = steps;
    r->program.step_count = count;
}

static void take_memory(lua_State *L, struct run *r)
{
    const struct lprovium_place place = {.caller = "program", .field = "memory"};
    const size_t count = push_list(L, "memory");
    const int list = lua_gettop(L);
    struct provium_buffer *bufs = new_array(L, r, count, sizeof *bufs);
    for (size_t i = 0; i < count; i++) {
        const int top = lua_gettop(L);
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        lprovium_check_buffer(L, top + 1, &place, &bufs[i], NULL);
        anchor_above(L, r, top);
    }
    r->program.bufs = bufs;
    r->program.buf_count = count;
}

/* The memory that is the field `name` of the move on top of the stack. */
static struct provium_where where_field(lua_State *L, const char *name, const char *offset)
{
    const int move = lua_gettop(L);
    struct provium_where w = {.offset = (uint64_t)integer_field(L, move, offset)};
    push_field(L, move, name);
    w.of = (enum provium_of)integer_field(L, move + 1, "of");
    w.step = (size_t)integer_field(L, move + 1, "step") - 1;
    w.index = (size_t)integer_field(L, move + 1, "index") - (w.of == PROVIUM_OF_ARG ? 0 : 1);
    lua_pop(L, 1);
    return w;
}

/* The move on top of the stack. */
static struct provium_move take_move(lua_State *L)
{
    const int at = lua_gettop(L);
    struct provium_move m = {.step = (size_t)integer_field(L, at, "step") - 1,
                             .arg = (unsigned)integer_field(L, at, "arg"),
                             .width = (unsigned)integer_field(L, at, "width"),
                             .is_signed = flag_field(L, at, "signed"),
                             .value = (enum provium_value)integer_field(L, at, "value"),
                             .ret = (size_t)integer_field(L, at, "ret") - 1,
                             .plus = integer_field(L, at, "plus")};
    m.into_memory = push_field(L, at, "to");
    lua_pop(L, 1);
    if (m.into_memory)
        m.to = where_field(L, "to", "offset");
    if (m.value == PROVIUM_VALUE_BYTES || m.value == PROVIUM_VALUE_ADDRESS)
        m.from = where_field(L, "from", "at");
    return m;
}

static void take_moves(lua_State *L, struct run *r)
{
    const size_t count = push_list(L, "moves");
    const int list = lua_gettop(L);
    struct provium_move *moves = new_array(L, r, count, sizeof *moves);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        moves[i] = take_move(L);
        lua_pop(L, 1);
    }
    r->program.moves = moves;
    r->program.move_count = count;
}

/* ---- keeping what came back ---- */

/* Results borrow the session until its next call, and a finalizer may make that while Lua makes values of them.  So
 * they are copied to memory that Lua frees. */
static int box_free(lua_State *L)
{
    void **box = lua_touserdata(L, 1);
    free(*box);
    *box = NULL;
    return 0;
}

static void **push_box(lua_State *L)
{
    void **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    if (luaL_newmetatable(L, LPROVIUM_BOX)) {
        lua_pushcfunction(L, box_free);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return box;
}

/* Copy len bytes to *to and move that on; from may be NULL for none. */
static void *keep_bytes(uint8_t **to, const void *from, size_t len)
{
    void *kept = *to;
    if (len > 0)
        memcpy(kept, from, len);
    *to += (len + 7) / 8 * 8;
    return kept;
}

static bool keep(struct run *r, void **box)
{
    struct provium_program_result *p = &r->result;
    const size_t bits = p->skipped != NULL ? (p->ret_count + 7) / 8 : 0, steps = r->program.step_count;
    size_t len = p->ret_count * sizeof *p->rets + p->out_count * sizeof *p->outs + (steps + 1) * sizeof *p->first_out +
                 bits + 64;
    for (size_t i = 0; i < p->out_count; i++)
        len += p->outs[i].ptr != NULL ? p->outs[i].len + 8 : 0;
    uint8_t *to = *box = malloc(len);
    if (to == NULL)
        return false;
    p->rets = keep_bytes(&to, p->rets, p->ret_count * sizeof *p->rets);
    p->first_out = keep_bytes(&to, p->first_out, (steps + 1) * sizeof *p->first_out);
    struct provium_bytes *outs = keep_bytes(&to, p->outs, p->out_count * sizeof *p->outs);
    p->outs = outs;
    if (bits > 0)
        p->skipped = keep_bytes(&to, p->skipped, bits);
    for (size_t i = 0; i < p->out_count; i++)
        if (outs[i].ptr != NULL)
            outs[i].ptr = keep_bytes(&to, outs[i].ptr, outs[i].len);
    return true;
}

/* ---- pushing ---- */

static bool is_skipped(const struct run *r, size_t slot)
{
    return slot >= r->result.ret_count ||
           (r->result.skipped != NULL && (r->result.skipped[slot / 8] >> slot % 8 & 1) != 0);
}

/* Results of every round, false where the step was skipped. */
static void set_rets(lua_State *L, const struct run *r, size_t slot, size_t kept)
{
    lua_newtable(L);
    for (lua_Integer round = 1; slot < r->result.ret_count; slot += kept, round++) {
        if (is_skipped(r, slot))
            lua_pushboolean(L, 0);
        else
            lua_pushinteger(L, r->result.rets[slot]);
        lua_rawseti(L, -2, round);
    }
    lua_setfield(L, -2, "rets");
}

static void set_flag(lua_State *L, const char *name)
{
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, name);
}

/* Push the result of step i, whose values stand at `slot` of each round's; SIZE_MAX: they were not asked for. */
static void push_step(lua_State *L, const struct run *r, size_t i, size_t slot, size_t kept)
{
    const struct provium_program_result *p = &r->result;
    const size_t first = p->first_out[i], count = p->first_out[i + 1] - first - r->calls[i].hidden;
    const bool ended = p->ended != PROVIUM_RETURNED;
    const size_t last = p->ret_count >= kept ? p->ret_count - kept + slot : 0;
    lua_createtable(L, 0, 4);
    lprovium_set_outs(L, &r->calls[i], p->outs + first, count);
    if (slot == SIZE_MAX || (ended && (p->ret_count == 0 || i == p->step)))
        return;
    if (is_skipped(r, last))
        set_flag(L, "skipped");
    else
        lprovium_set_ret(L, p->rets[last]);
    if (r->program.every_round)
        set_rets(L, r, slot, kept);
}

static void push_steps(lua_State *L, const struct run *r)
{
    size_t kept = 0, slot = 0;
    for (size_t i = 0; i < r->program.step_count; i++)
        kept += !r->program.only_kept || r->program.steps[i].keep;
    for (size_t i = 0; i < r->program.step_count; i++) {
        const bool asked = !r->program.only_kept || r->program.steps[i].keep;
        push_step(L, r, i, asked ? slot : SIZE_MAX, kept);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
        slot += asked;
    }
}

static void set_memory(lua_State *L, const struct run *r)
{
    lua_createtable(L, (int)r->program.buf_count, 0);
    for (size_t i = 0; i < r->program.buf_count; i++) {
        const struct provium_bytes *out = &r->result.outs[i];
        if (i >= r->result.out_count || out->ptr == NULL)
            continue;
        lua_pushlstring(L, (const char *)out->ptr, out->len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "memory");
}

static void set_ended(lua_State *L, const struct run *r)
{
    const struct provium_program_result *p = &r->result;
    const struct provium_result how = {
        .ended = p->ended, .status = p->status, .signal = p->signal, .executed = p->executed};
    lprovium_push_ended(L, &how);
    if (p->executed) {
        lua_pushinteger(L, (lua_Integer)p->step + 1);
        lua_setfield(L, -2, "step");
    }
    lua_setfield(L, -2, "ended");
}

/* ---- watching ---- */

/* Push the name of memory: "step[1].buf[2]", "memory[1]". */
static void push_memory_name(lua_State *L, const struct provium_where *w)
{
    if (w->of == PROVIUM_OF_PROGRAM)
        lua_pushfstring(L, "memory[%I]", (LUAI_UACINT)w->index + 1);
    else
        lua_pushfstring(L, "step[%I].%s[%I]", (LUAI_UACINT)w->step + 1, w->of == PROVIUM_OF_ARG ? "buf" : "sub",
                        (LUAI_UACINT)w->index + (w->of == PROVIUM_OF_PTR));
    if (w->offset != 0) {
        lua_pushfstring(L, "+%I", (LUAI_UACINT)w->offset);
        lua_concat(L, 2);
    }
}

/* Push what a move gives, as C would say it. */
static void push_value(lua_State *L, const struct provium_move *m)
{
    lua_pushstring(L, m->value == PROVIUM_VALUE_BYTES ? "*(" : m->value == PROVIUM_VALUE_ADDRESS ? "&" : "");
    if (m->value == PROVIUM_VALUE_RET)
        lua_pushfstring(L, "step[%I]", (LUAI_UACINT)m->ret + 1);
    else if (m->value == PROVIUM_VALUE_NUMBER)
        lua_pushinteger(L, m->plus);
    else
        push_memory_name(L, &m->from);
    lua_pushstring(L, m->value == PROVIUM_VALUE_BYTES ? ")" : "");
    if (m->value == PROVIUM_VALUE_NUMBER || m->plus == 0)
        lua_pushliteral(L, "");
    else
        lua_pushfstring(L, m->plus > 0 ? "+%I" : "%I", (LUAI_UACINT)m->plus);
    lua_concat(L, 4);
}

/* Into the event on top: which arguments of step i come from elsewhere, and whether memory does. */
static void set_moved(lua_State *L, const struct run *r, size_t i)
{
    lua_newtable(L);
    for (size_t k = 0; k < r->program.move_count; k++) {
        const struct provium_move *m = &r->program.moves[k];
        if (m->step != i)
            continue;
        if (m->into_memory) {
            set_flag(L, "memory");
        } else {
            push_value(L, m);
            lua_rawseti(L, -2, (lua_Integer)m->arg + 1);
        }
    }
    lua_setfield(L, -2, "moved");
}

/* Into the event on top: what step i did, in the last round. */
static void set_step_result(lua_State *L, const struct run *r, size_t i, size_t slot, size_t kept)
{
    const struct provium_program_result *p = &r->result;
    const bool ended = p->ended != PROVIUM_RETURNED && (!p->executed || i == p->step);
    const bool known = slot != SIZE_MAX && p->ret_count >= kept;
    const size_t last = known ? p->ret_count - kept + slot : 0;
    const size_t first = p->first_out[i];
    const struct provium_result result = {.ret = known ? p->rets[last] : 0,
                                          .outs = p->outs != NULL ? p->outs + first : NULL,
                                          .out_count = p->first_out[i + 1] - first,
                                          .ended = ended ? p->ended : PROVIUM_RETURNED,
                                          .status = p->status,
                                          .signal = p->signal,
                                          .executed = p->executed,
                                          .elapsed_ns = -1};
    lprovium_add_result(L, &r->calls[i].call, &result);
    lua_pushinteger(L, p->rounds);
    lua_setfield(L, -2, "rounds");
    if (ended || (known && !is_skipped(r, last)))
        return;
    lua_pushnil(L);
    lua_setfield(L, -2, "ret");
    if (known)
        set_flag(L, "skipped");
}

/* Push step i as an event. */
static void push_event(lua_State *L, const struct run *r, size_t i, const struct provium_info *info)
{
    lprovium_push_call(L, &r->calls[i].call, info);
    lua_pushliteral(L, "program");
    lua_setfield(L, -2, "call");
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_setfield(L, -2, "step");
    set_moved(L, r, i);
}

/* Tell whoever watches of every step; `error` is the index of the text of a program that failed, or 0. */
static void tell_steps(lua_State *L, struct lprovium_handle *h, const struct run *r, int error)
{
    const int top = lua_gettop(L);
    size_t kept = 0, slot = 0;
    for (size_t i = 0; i < r->program.step_count; i++)
        kept += !r->program.only_kept || r->program.steps[i].keep;
    for (size_t i = 0; i < r->program.step_count && h->watch->on; i++) {
        const struct provium_session *session = h->vm != NULL ? provium_vm_session(h->vm) : h->session;
        const bool asked = !r->program.only_kept || r->program.steps[i].keep;
        if (session == NULL) /* whoever watches has closed it */
            return;
        push_event(L, r, i, provium_session_info(session));
        if (error != 0) {
            lua_pushvalue(L, error);
            lua_setfield(L, -2, "error");
            lua_pushboolean(L, r->status == PROVIUM_E_ARGUMENT || r->status == PROVIUM_E_LIMIT);
            lua_setfield(L, -2, "malformed");
        } else {
            set_step_result(L, r, i, asked ? slot : SIZE_MAX, kept);
        }
        lprovium_tell(L, h->watch, top + 1);
        lua_settop(L, top);
        slot += asked;
    }
}

static int raise_failure(lua_State *L, struct lprovium_handle *h, const struct run *r)
{
    lua_pushstring(L, lprovium_error(h)->text);
    const char *text = lua_tostring(L, -1);
    tell_steps(L, h, r, lua_gettop(L));
    return luaL_error(L, "%s", text);
}

/* core.program(vm, description): the table of results. */
static int core_program(lua_State *L)
{
    struct run r = {.program = {.caller = "program", .first = 1}};
    struct lprovium_handle *h = lprovium_check_handle(L, "program");
    lua_settop(L, 2);
    lua_newtable(L);
    r.anchor = lua_gettop(L);
    r.program.repeat = (uint32_t)integer_field(L, 2, "times");
    r.program.timeout_ms = (unsigned)integer_field(L, 2, "timeout");
    r.program.every_round = flag_field(L, 2, "each");
    r.program.only_kept = flag_field(L, 2, "only_kept");
    take_steps(L, &r);
    take_memory(L, &r);
    take_moves(L, &r);
    void **box = push_box(L);
    struct provium_session *session = lprovium_check_session(L, h, "program");
    r.status = provium_program(session, &r.program, &r.result);
    if (r.status != PROVIUM_OK)
        return raise_failure(L, h, &r);
    if (!keep(&r, box))
        return luaL_error(L, "program: out of memory");
    tell_steps(L, h, &r, 0);
    lua_createtable(L, (int)r.program.step_count, 3);
    push_steps(L, &r);
    set_memory(L, &r);
    lua_pushinteger(L, r.result.rounds);
    lua_setfield(L, -2, "rounds");
    if (r.result.ended != PROVIUM_RETURNED)
        set_ended(L, &r);
    free(*box);
    *box = NULL;
    return 1;
}

const luaL_Reg lprovium_program_functions[] = {
    {"check_step", core_check_step}, {"program", core_program}, {NULL, NULL}};
