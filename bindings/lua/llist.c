/* SPDX-License-Identifier: MIT
 *
 * Arrays of pointers in one line: {argv = {...}} and {iovec = {...}} are buffers whose
 * content is written from their elements, which become pointer specs behind the script's own.
 */
#include <string.h>

#include "lprovium.h"

static const char *const names[] = {"", "argv", "iovec"};

const char *lprovium_list_name(enum lprovium_list_kind kind)
{
    return names[kind];
}

enum lprovium_list_kind lprovium_list_kind(const char *key)
{
    return strcmp(key, "argv") == 0 ? LPROVIUM_ARGV : strcmp(key, "iovec") == 0 ? LPROVIUM_IOVEC : LPROVIUM_NO_LIST;
}

struct lprovium_list lprovium_check_list(lua_State *L, int at, enum lprovium_list_kind kind,
                                         const struct lprovium_place *place)
{
    if (!lua_istable(L, at))
        lprovium_raise(L, place, "table expected, got %s", luaL_typename(L, at));
    struct lprovium_list list = {.kind = kind, .count = lua_rawlen(L, at)};
    at = lua_absindex(L, at);
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1)) {
        if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 || (size_t)lua_tointeger(L, -2) > list.count)
            lprovium_raise(L, place, "key %s does not belong to a list of %I", luaL_tolstring(L, -2, NULL),
                           (LUAI_UACINT)list.count);
    }
    return list;
}

/* What the guest's pointers look like; without a session nothing will be sent. */
static unsigned pointer_width(const struct lprovium_call *c, bool *big_endian)
{
    const struct lprovium_handle *h = c->handle;
    const struct provium_session *session = h->vm != NULL ? provium_vm_session(h->vm) : h->session;
    const struct provium_info *info = session != NULL ? provium_session_info(session) : NULL;
    *big_endian = info != NULL && info->big_endian;
    return info != NULL ? info->pointer_width : 8;
}

void lprovium_size_list(struct lprovium_list *list, const struct lprovium_call *c)
{
    bool big_endian;
    unsigned width = pointer_width(c, &big_endian);
    list->len = list->kind == LPROVIUM_ARGV ? (list->count + 1) * width : list->count * 2 * width;
}

/* ---- elements become pointer specs ---- */

/* What is being expanded. */
struct expansion {
    struct lprovium_call *c;
    unsigned width; /* of a pointer */
    bool big_endian;
    struct provium_ptr *ptrs;
    size_t count;                /* of ptrs so far */
    struct lprovium_list *lists; /* all lists, in the order of their places in the result */
    size_t list_count;
    size_t elements; /* of those so far: their outputs stand behind all others */
};

/* An integer of the guest's pointer width. */
static void put_width(uint8_t *to, const struct expansion *x, uint64_t value)
{
    for (unsigned i = 0; i < x->width; i++)
        to[i] = (uint8_t)(value >> 8 * (x->big_endian ? x->width - 1 - i : i));
}

/* The element on top of the stack, which `place` names. */
static void check_element(lua_State *L, const struct lprovium_list *list, const struct lprovium_place *place,
                          struct provium_ptr *p)
{
    struct provium_buffer b = {.arg = 0};
    if (list->kind == LPROVIUM_ARGV) {
        struct provium_bytes bytes = lprovium_check_bytes(L, -1, place);
        b = (struct provium_buffer){.data = bytes.ptr, .data_size = bytes.len, .len = bytes.len + 1};
        p->place.dir = PROVIUM_DIR_IN;
    } else {
        lprovium_check_buffer(L, -1, place, &b, NULL);
        p->place = b.place;
        p->output = true;
    }
    p->data = b.data;
    p->data_size = b.data == NULL ? 0 : b.data_size != 0 || list->kind == LPROVIUM_ARGV ? b.data_size : b.len;
    p->data_len = b.len;
}

/* The elements of the list on top of the stack, whose pointers lie where `holder` lies.  Returns the array's content:
 * the lengths, or NULL where there are none.  Pushes one value, which holds it. */
static const uint8_t *expand(lua_State *L, struct expansion *x, const struct lprovium_list *list,
                             const struct provium_ptr *holder, const struct lprovium_place *where)
{
    const unsigned width = x->width, stride = list->kind == LPROVIUM_IOVEC ? 2 * width : width;
    const int at = lua_gettop(L);
    uint8_t *array = lua_newuserdatauv(L, list->len + 1, 0);
    memset(array, 0, list->len + 1);
    for (size_t i = 0; i < list->count; i++) {
        struct provium_ptr *p = &x->ptrs[x->count++];
        struct lprovium_place place = *where;
        *p = *holder;
        p->ptr_offset = stride * i;
        place.field = lua_pushfstring(L, "%s%s%s[%I]", where->field != NULL ? where->field : "",
                                      where->field != NULL ? "." : "", names[list->kind], (LUAI_UACINT)(i + 1));
        lua_rawgeti(L, at, (lua_Integer)i + 1);
        check_element(L, list, &place, p);
        if (list->kind == LPROVIUM_IOVEC)
            put_width(array + stride * i + width, x, p->data_len);
        lua_pop(L, 2);
    }
    return list->kind == LPROVIUM_IOVEC && list->len > 0 ? array : NULL;
}

/* Note where a list will stand in the result. */
static void note(struct expansion *x, struct lprovium_list list, size_t place)
{
    list.place = place;
    list.first = x->elements;
    x->elements += list.kind == LPROVIUM_IOVEC ? list.count : 0;
    x->lists[x->list_count++] = list;
}

/* The list under the field of its kind in the table on top of the stack. */
static void push_list(lua_State *L, const struct lprovium_list *list)
{
    lua_pushstring(L, names[list->kind]);
    lua_rawget(L, -2);
}

static void expand_bufs(lua_State *L, struct expansion *x, int at)
{
    struct lprovium_call *c = x->c;
    size_t place = 0;
    for (unsigned arg = 0; arg < PROVIUM_ARGS_MAX; arg++) {
        struct provium_buffer *b = NULL;
        for (size_t i = 0; i < c->call.buf_count; i++)
            b = c->bufs[i].arg == arg ? &c->bufs[i] : b;
        if (b != NULL && c->lists[arg].kind != LPROVIUM_NO_LIST) {
            const struct provium_ptr holder = {.buf_idx = arg};
            const struct lprovium_place where = {.caller = c->call.caller, .list = "bufs", .item = arg};
            lua_rawgeti(L, at, arg);
            push_list(L, &c->lists[arg]);
            b->data = expand(L, x, &c->lists[arg], &holder, &where);
            lua_insert(L, -3); /* keep the array */
            lua_pop(L, 2);
            note(x, c->lists[arg], place);
        }
        place += b != NULL;
    }
}

/* Only called when there are some: the specs' tables are read a second time. */
static void expand_ptrs(lua_State *L, struct expansion *x, int at, const char *list_name)
{
    struct lprovium_call *c = x->c;
    size_t place = c->call.buf_count;
    for (size_t i = 0; i < c->call.ptr_count; i++) {
        struct provium_ptr *p = &x->ptrs[i];
        const struct provium_ptr holder = {.has_parent = true, .parent = i};
        const struct lprovium_place where = {.caller = c->call.caller, .list = list_name, .item = (lua_Integer)i + 1};
        bool shown = p->output || p->place.dir == PROVIUM_DIR_OUT || p->place.dir == PROVIUM_DIR_INOUT;
        lua_rawgeti(L, at, (lua_Integer)i + 1);
        for (enum lprovium_list_kind kind = LPROVIUM_ARGV; kind <= LPROVIUM_IOVEC; kind++) {
            struct lprovium_list list = {.kind = kind};
            push_list(L, &list);
            if (lua_isnil(L, -1)) {
                lua_pop(L, 1);
                continue;
            }
            list.count = lua_rawlen(L, -1);
            lprovium_size_list(&list, c);
            p->data = expand(L, x, &list, &holder, &where);
            p->data_size = p->data != NULL ? list.len : 0;
            note(x, list, shown ? place : SIZE_MAX);
            lua_insert(L, -3);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
        place += shown;
    }
}

void lprovium_expand_lists(lua_State *L, int bufs_at, int ptrs_at, struct lprovium_call *c)
{
    struct expansion x = {.c = c, .count = c->call.ptr_count};
    if (c->list_count == 0)
        return;
    x.width = pointer_width(c, &x.big_endian);
    x.ptrs = lua_newuserdatauv(L, (c->call.ptr_count + c->element_count + 1) * sizeof *x.ptrs, 0);
    x.lists = lua_newuserdatauv(L, c->list_count * sizeof *x.lists, 0);
    luaL_checkstack(L, (int)c->list_count + LUA_MINSTACK, "lists");
    if (c->call.ptr_count > 0)
        memcpy(x.ptrs, c->call.ptrs, c->call.ptr_count * sizeof *x.ptrs);
    if (bufs_at != 0)
        expand_bufs(L, &x, bufs_at);
    if (ptrs_at != 0)
        expand_ptrs(L, &x, ptrs_at, c->call.list != NULL ? c->call.list : "ptrs");
    c->call.ptrs = x.ptrs;
    c->call.ptr_count = x.count;
    c->all_lists = x.lists;
    c->hidden = x.elements;
}
