/* SPDX-License-Identifier: MIT
 *
 * Lua values to the structs of provium.h.  It checks types and shapes; whether buffers
 * and pointers fit together is libprovium's to say.
 */
#include <stdarg.h>
#include <string.h>

#include "lprovium.h"

/* ---- raising ---- */

static void push_place(lua_State *L, const struct lprovium_place *place)
{
    if (place->list == NULL)
        lua_pushfstring(L, "%s: %s: ", place->caller, place->field);
    else if (place->field == NULL)
        lua_pushfstring(L, "%s: %s[%I]: ", place->caller, place->list, (LUAI_UACINT)place->item);
    else
        lua_pushfstring(L, "%s: %s[%I].%s: ", place->caller, place->list, (LUAI_UACINT)place->item, place->field);
}

_Noreturn void lprovium_raise(lua_State *L, const struct lprovium_place *place, const char *fmt, ...)
{
    va_list args;
    luaL_where(L, 1);
    push_place(L, place);
    va_start(args, fmt);
    lua_pushvfstring(L, fmt, args);
    va_end(args);
    lua_concat(L, 3);
    for (;;)
        lua_error(L); /* a longjmp */
}

/* ---- single values ---- */

int64_t lprovium_check_word(lua_State *L, int at, const struct lprovium_place *place)
{
    if (lua_type(L, at) != LUA_TNUMBER) /* a string that looks like a number is a string */
        lprovium_raise(L, place, "integer expected, got %s", luaL_typename(L, at));
    int exact;
    lua_Integer value = lua_tointegerx(L, at, &exact);
    if (!exact)
        lprovium_raise(L, place, "%f is not a 64-bit integer", (LUAI_UACNUMBER)lua_tonumber(L, at));
    return value;
}

uint64_t lprovium_check_size(lua_State *L, int at, const struct lprovium_place *place)
{
    int64_t value = lprovium_check_word(L, at, place);
    if (value < 0)
        lprovium_raise(L, place, "%I is negative", (LUAI_UACINT)value);
    return (uint64_t)value;
}

unsigned lprovium_check_index(lua_State *L, int at, const struct lprovium_place *place)
{
    int64_t value = lprovium_check_word(L, at, place);
    if (value < 0 || value >= PROVIUM_ARGS_MAX)
        lprovium_raise(L, place, "%I is not an argument index (0 to 5)", (LUAI_UACINT)value);
    return (unsigned)value;
}

struct provium_bytes lprovium_check_bytes(lua_State *L, int at, const struct lprovium_place *place)
{
    size_t len = 0;
    if (lua_type(L, at) != LUA_TSTRING) /* lua_tolstring would turn a number into a string */
        lprovium_raise(L, place, "string expected, got %s", luaL_typename(L, at));
    const char *ptr = lua_tolstring(L, at, &len);
    return (struct provium_bytes){(const uint8_t *)ptr, len};
}

static void check_table(lua_State *L, int at, const struct lprovium_place *place)
{
    if (!lua_istable(L, at))
        lprovium_raise(L, place, "table expected, got %s", luaL_typename(L, at));
}

/* ---- the number and the arguments ---- */

/* The name at `at` as a number. */
static int64_t check_name(lua_State *L, int at, const struct lprovium_place *place, struct lprovium_handle *h)
{
    const char *arch = provium_session_info(lprovium_check_session(L, h, place->caller))->arch;
    struct provium_bytes name = lprovium_check_bytes(L, at, place);
    int64_t nr = 0;
    if (!lprovium_has_names(arch))
        lprovium_raise(L, place, "this build has no names for %s: give the number", arch);
    if (!lprovium_find_nr(arch, name, &nr)) {
        lprovium_push_hint(L, arch, "sys", name);
        lprovium_raise(L, place, "%s has no system call \"%s\"%s", arch, (const char *)name.ptr, lua_tostring(L, -1));
    }
    return nr;
}

/* A string that is no name, "1" say, is a wrong type. */
static bool is_name(lua_State *L, int at)
{
    const char *s = lua_type(L, at) == LUA_TSTRING ? lua_tostring(L, at) : "";
    return *s == '_' || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
}

void lprovium_check_nr(lua_State *L, int at, struct lprovium_call *c, struct lprovium_handle *h)
{
    const struct lprovium_place place = {.caller = c->call.caller, .field = "nr"};
    if (is_name(L, at)) {
        c->call.nr = check_name(L, at, &place, h);
        return;
    }
    if (lua_type(L, at) == LUA_TSTRING)
        lprovium_raise(L, &place,
                       "integer expected, got string: a system call goes by its number on the guest's "
                       "architecture or by its name, such as 39 or \"getpid\" on x86_64");
    c->call.nr = lprovium_check_word(L, at, &place);
}

void lprovium_check_args(lua_State *L, int from, struct lprovium_call *c)
{
    static const char *const names[PROVIUM_ARGS_MAX] = {"a0", "a1", "a2", "a3", "a4", "a5"};
    struct lprovium_place place = {.caller = c->call.caller, .field = "arguments"};
    int count = lua_gettop(L) - from + 1;
    if (count > PROVIUM_ARGS_MAX)
        lprovium_raise(L, &place, "%d given, a system call takes at most 6", count);
    for (int i = 0; i < count; i++) {
        place.field = names[i];
        if (lua_type(L, from + i) == LUA_TSTRING)
            lprovium_raise(L, &place, "integer expected, got string: bytes are given as a buffer, see syscall_buf");
        c->args[i] = lprovium_check_address(L, from + i, &place, c->handle);
    }
    c->call.args = c->args;
    c->call.arg_count = count > 0 ? (size_t)count : 0;
}

/* ---- buffers ---- */

/* The key on top of the stack, below the value, as an argument index. */
static unsigned check_buf_key(lua_State *L, struct lprovium_place *place)
{
    if (!lua_isinteger(L, -2)) { /* Lua has turned integral floats into integers: what is left is no index */
        bool name = lua_type(L, -2) == LUA_TSTRING;
        lprovium_raise(L, place, "key %s%s%s is not an argument index (0 to 5)", name ? "\"" : "",
                       luaL_tolstring(L, -2, NULL), name ? "\"" : "");
    }
    place->list = place->field;
    place->item = lua_tointeger(L, -2);
    place->field = NULL;
    return lprovium_check_index(L, -2, place);
}

static void count_list(struct lprovium_call *c, struct lprovium_list *list, size_t *len)
{
    lprovium_size_list(list, c);
    *len = list->len;
    c->list_count++;
    c->element_count += list->count;
}

void lprovium_check_bufs(lua_State *L, int at, struct lprovium_call *c)
{
    const struct lprovium_place whole = {.caller = c->call.caller, .field = "bufs"};
    size_t count = 0;
    check_table(L, at, &whole);
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1)) {
        struct lprovium_place place = whole;
        struct provium_buffer *b = &c->bufs[count];
        *b = (struct provium_buffer){.arg = check_buf_key(L, &place)};
        c->lists[b->arg] = (struct lprovium_list){.kind = LPROVIUM_NO_LIST};
        lprovium_check_buffer(L, -1, &place, b, &c->lists[b->arg]);
        if (c->lists[b->arg].kind != LPROVIUM_NO_LIST)
            count_list(c, &c->lists[b->arg], &b->len);
        count++;
    }
    c->call.bufs = c->bufs;
    c->call.buf_count = count;
}

/* ---- pointer specs ---- */

enum spec_key {
    BUF_IDX,
    PTR_OFFSET,
    DATA_LEN,
    BUF_LEN,
    DATA,
    OUTPUT,
    PARENT,
    SAME,
    IS_NULL,
    BAD,
    PLUS,
    WIDTH,
    ARGV,
    IOVEC,
    DIR,
    REGION,
    SPEC_KEYS
};

static const char *const spec_keys[SPEC_KEYS] = {"buf_idx", "ptr_offset", "data_len", "buf_len", "data",
                                                 "output",  "parent",     "same",     "null",    "bad",
                                                 "plus",    "width",      "argv",     "iovec",   "dir",
                                                 "region"};

/* One spec while it is read. */
struct spec {
    struct provium_ptr *ptr;
    struct lprovium_call *c;
    const struct lprovium_spec_rules *rules;
    struct lprovium_place place;
    int64_t address; /* of a region */
    bool given[SPEC_KEYS];
};

static enum spec_key find_key(const char *name, const struct lprovium_spec_rules *rules)
{
    for (enum spec_key key = 0; key < SPEC_KEYS; key++)
        if (strcmp(name, spec_keys[key]) == 0 && key != (rules->has_buf_idx ? BUF_LEN : BUF_IDX))
            return key;
    return SPEC_KEYS;
}

static const char *const bad_names[] = {"unmapped", "noncanonical", "kernel", "readonly", NULL};

static unsigned check_width(lua_State *L, const struct lprovium_place *place)
{
    int64_t value = lprovium_check_word(L, -1, place);
    if (value != 4 && value != 8)
        lprovium_raise(L, place, "%I is not 4 or 8", (LUAI_UACINT)value);
    return (unsigned)value;
}

/* The array's length is that of the sub-buffer, and nothing of it comes back: its elements do. */
static void check_spec_list(lua_State *L, struct spec *s)
{
    struct lprovium_list list = lprovium_check_list(L, -1, lprovium_list_kind(s->place.field), &s->place);
    size_t len;
    count_list(s->c, &list, &len);
    s->ptr->data_len = len;
    s->ptr->place.dir = PROVIUM_DIR_IN;
}

/* The value on top of the stack is that of `key`. */
static void check_value(lua_State *L, struct spec *s, enum spec_key key)
{
    struct provium_bytes bytes;
    switch (key) {
    case BUF_IDX:
        s->ptr->buf_idx = lprovium_check_index(L, -1, &s->place);
        break;
    case PTR_OFFSET:
        s->ptr->ptr_offset = lprovium_check_size(L, -1, &s->place);
        break;
    case DATA_LEN:
    case BUF_LEN:
        s->ptr->data_len = lprovium_check_size(L, -1, &s->place);
        break;
    case DATA:
        bytes = lprovium_check_bytes(L, -1, &s->place);
        s->ptr->data = bytes.ptr;
        s->ptr->data_size = bytes.len;
        break;
    case OUTPUT:
        s->ptr->output = lprovium_check_flag(L, -1, &s->place);
        break;
    case PARENT: /* places count from 1; 0 becomes one that no list has */
        s->ptr->has_parent = true;
        s->ptr->parent = lprovium_check_size(L, -1, &s->place) - 1;
        break;
    case SAME:
        s->ptr->to = PROVIUM_TO_SAME;
        s->ptr->same = lprovium_check_size(L, -1, &s->place) - 1;
        break;
    case IS_NULL:
        s->given[IS_NULL] = lprovium_check_flag(L, -1, &s->place);
        if (s->given[IS_NULL])
            s->ptr->to = PROVIUM_TO_NULL;
        break;
    case BAD:
        s->ptr->to = PROVIUM_TO_BAD;
        s->ptr->bad = (enum provium_bad)lprovium_check_name(L, -1, bad_names, &s->place);
        break;
    case PLUS:
        s->ptr->plus = lprovium_check_word(L, -1, &s->place);
        break;
    case WIDTH:
        s->ptr->width = check_width(L, &s->place);
        break;
    case ARGV:
    case IOVEC:
        check_spec_list(L, s);
        break;
    case REGION: /* on the wire the address 0 and a plus: SPEC [REGION-10] */
        if (!lprovium_is_region(L, -1))
            lprovium_raise(L, &s->place, "region expected, got %s", luaL_typename(L, -1));
        s->address = lprovium_check_address(L, -1, &s->place, s->c->handle);
        s->ptr->to = PROVIUM_TO_NULL;
        break;
    case DIR:
    case SPEC_KEYS:
        lprovium_check_placement(L, -1, "dir", &s->place, &s->ptr->place);
        break;
    }
}

/* `key` was given, so none of `others` may be. */
static void check_alone(lua_State *L, struct spec *s, enum spec_key key, const enum spec_key others[])
{
    s->place.field = spec_keys[key];
    for (; s->given[key] && *others != SPEC_KEYS; others++)
        if (s->given[*others])
            lprovium_raise(L, &s->place, "excludes %s", spec_keys[*others]);
}

static void check_given(lua_State *L, struct spec *s, enum spec_key key)
{
    s->place.field = spec_keys[key];
    if (!s->given[key])
        lprovium_raise(L, &s->place, "missing");
}

/* The length of a sub-buffer. */
static void check_len(lua_State *L, struct spec *s)
{
    s->place.field = spec_keys[s->rules->has_buf_idx ? DATA_LEN : BUF_LEN];
    if (s->given[DATA_LEN] && s->given[BUF_LEN])
        lprovium_raise(L, &s->place, "given twice, as buf_len and as data_len");
    if (s->given[DATA_LEN] || s->given[BUF_LEN])
        return;
    if (!s->given[DATA])
        lprovium_raise(L, &s->place, "missing, and there is no data to take it from");
    s->ptr->data_len = s->ptr->data_size;
}

/* What comes back by `dir` cannot be kept back by `output`. */
static void check_dir(lua_State *L, struct spec *s)
{
    enum provium_dir dir = s->ptr->place.dir;
    s->place.field = spec_keys[DIR];
    if (s->given[OUTPUT] && !s->ptr->output && (dir == PROVIUM_DIR_OUT || dir == PROVIUM_DIR_INOUT))
        lprovium_raise(L, &s->place, "contradicts output = false");
}

/* All keys are read: is what must be there there, and nothing that must not? */
static void check_complete(lua_State *L, struct spec *s)
{
    static const enum spec_key no_place[] = {BUF_IDX, SPEC_KEYS};
    static const enum spec_key no_buffer[] = {IS_NULL, BAD, REGION, DATA,  DATA_LEN, BUF_LEN,
                                              OUTPUT,  DIR, ARGV,   IOVEC, SPEC_KEYS};
    static const enum spec_key no_content[] = {IOVEC, DATA, DATA_LEN, BUF_LEN, DIR, SPEC_KEYS};
    bool elsewhere = s->given[SAME] || s->given[IS_NULL] || s->given[BAD] || s->given[REGION];
    check_alone(L, s, PARENT, no_place);
    check_alone(L, s, SAME, no_buffer);
    check_alone(L, s, IS_NULL, no_buffer + 1);
    check_alone(L, s, BAD, no_buffer + 2);
    check_alone(L, s, REGION, no_buffer + 3);
    check_alone(L, s, ARGV, no_content);
    check_alone(L, s, IOVEC, no_content + 1);
    check_dir(L, s);
    if (s->given[PARENT])
        s->ptr->buf_idx = 0;
    else if (s->rules->has_buf_idx)
        check_given(L, s, BUF_IDX);
    check_given(L, s, PTR_OFFSET);
    if (!elsewhere && !s->given[ARGV] && !s->given[IOVEC])
        check_len(L, s);
    s->ptr->plus = (int64_t)((uint64_t)s->ptr->plus + (uint64_t)s->address);
}

/* The spec on top of the stack. */
static void check_spec(lua_State *L, struct spec *s)
{
    if (!lua_istable(L, -1))
        lprovium_raise(L, &s->place, "table expected, got %s", luaL_typename(L, -1));
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            lprovium_raise(L, &s->place, "key [%s] is not a field's name", luaL_tolstring(L, -2, NULL));
        s->place.field = lua_tostring(L, -2);
        enum spec_key key = find_key(s->place.field, s->rules);
        if (key != SPEC_KEYS) {
            s->given[key] = true;
            check_value(L, s, key);
        } else if (!lprovium_check_placement(L, -1, s->place.field, &s->place, &s->ptr->place)) {
            lprovium_raise(L, &s->place, "unknown key");
        }
    }
    check_complete(L, s);
}

/* Nothing but 1 to count: a list with a hole or a name in it would silently lose specs. */
static void check_list(lua_State *L, int at, const struct lprovium_place *place, lua_Integer count)
{
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING)
            lprovium_raise(L, place, "key \"%s\" in what must be a list of tables: {{...}, ...}", lua_tostring(L, -2));
        if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 1 || lua_tointeger(L, -2) > count)
            lprovium_raise(L, place, "index %s does not belong to a list of %I", luaL_tolstring(L, -2, NULL),
                           (LUAI_UACINT)count);
    }
}

void lprovium_check_ptrs(lua_State *L, int at, struct lprovium_call *c, const struct lprovium_spec_rules *rules)
{
    const struct lprovium_place whole = {.caller = c->call.caller, .field = rules->list};
    check_table(L, at, &whole);
    size_t count = lua_rawlen(L, at);
    check_list(L, at, &whole, (lua_Integer)count);
    /* One slot more, so that an empty list is no special case. */
    struct provium_ptr *ptrs = lua_newuserdatauv(L, (count + 1) * sizeof *ptrs, 0);
    luaL_checkstack(L, 4, whole.caller);
    for (size_t i = 0; i < count; i++) {
        struct spec s = {.ptr = &ptrs[i], .c = c, .rules = rules};
        s.place = (struct lprovium_place){whole.caller, rules->list, (lua_Integer)i + 1, NULL};
        ptrs[i] = (struct provium_ptr){.buf_idx = rules->buf_idx};
        lua_rawgeti(L, at, (lua_Integer)i + 1);
        check_spec(L, &s);
        lua_pop(L, 1);
    }
    c->call.ptrs = ptrs;
    c->call.ptr_count = count;
}
