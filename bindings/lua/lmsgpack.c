/* SPDX-License-Identifier: MIT
 *
 * provium.msgpack: the kinds, and bytes to Lua values.
 */
#include "lmsgpack.h"

/* ---- kinds ---- */

static const char *const kind_names[] = {NULL,
#define LMSGPACK_KIND(kind) #kind,
                                         LMSGPACK_KINDS(LMSGPACK_KIND)
#undef LMSGPACK_KIND
};

/* Keys of the registry: a metatable each, and null.  In a metatable the first is the key of the kind. */
static const char keys[LMSGPACK_KINDS_END + 1];
static const void *const kind_key = &keys[LMSGPACK_none];
static const void *const null_key = &keys[LMSGPACK_KINDS_END];

enum lmsgpack_kind lmsgpack_kind(lua_State *L, int at)
{
    if (!lua_getmetatable(L, at))
        return LMSGPACK_none;
    enum lmsgpack_kind kind = LMSGPACK_KINDS_END;
    if (lua_rawgetp(L, -1, kind_key) == LUA_TNUMBER)
        kind = (enum lmsgpack_kind)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return kind;
}

void lmsgpack_push_meta(lua_State *L, enum lmsgpack_kind kind)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &keys[kind]);
}

void lmsgpack_push_null(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, null_key);
}

/* kind(value): the name of its kind, or nil. */
static int kind_of(lua_State *L)
{
    luaL_checkany(L, 1);
    int type = lua_type(L, 1);
    enum lmsgpack_kind kind = type == LUA_TTABLE || type == LUA_TUSERDATA ? lmsgpack_kind(L, 1) : LMSGPACK_none;
    lua_pushstring(L, kind == LMSGPACK_KINDS_END ? NULL : kind_names[kind]); /* of NULL it makes nil */
    return 1;
}

/* ---- unpack: the tree becomes tables ---- */

struct unpacking {
    lua_State *L;
    struct wire_bytes encoded;
    size_t base;    /* byte where they begin */
    uint64_t begun; /* values that were looked at, as they stand in the bytes */
};

/* Raise with the byte where the value begins that was looked at last. */
static void raise_here(const struct unpacking *u, const char *why)
{
    struct wire_reader r;
    wire_reader_init(&r, u->encoded.ptr, u->encoded.len);
    for (uint64_t i = 1; i < u->begun; i++) {
        enum wire_type type = wire_peek(&r);
        if (type == WIRE_TYPE_array)
            wire_get_array(&r);
        else if (type == WIRE_TYPE_map)
            wire_get_map(&r);
        else
            wire_skip(&r);
    }
    luaL_error(u->L, "unpack: byte %I: %s", (LUAI_UACINT)(u->base + (size_t)(r.p - r.start)), why);
}

static void push_bytes(lua_State *L, struct wire_bytes bytes)
{
    lua_pushlstring(L, (const char *)bytes.ptr, bytes.len);
}

/* The table on top of the stack becomes one of this kind. */
static void mark(lua_State *L, enum lmsgpack_kind kind)
{
    lmsgpack_push_meta(L, kind);
    lua_setmetatable(L, -2);
}

/* What is on top of the stack becomes the one field of a table of this kind. */
static void wrap(lua_State *L, enum lmsgpack_kind kind, const char *field)
{
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, field);
    mark(L, kind);
}

static void push_int(lua_State *L, const struct wire_value *v)
{
    lua_pushinteger(L, (lua_Integer)v->integer);
    if (!v->negative && v->integer > INT64_MAX)
        wrap(L, LMSGPACK_u64, "bits");
}

/* An ext, or the timestamp that it is. */
static void push_ext(lua_State *L, const struct wire_value *v)
{
    struct wire_time time;
    bool is_time = wire_value_time(v, &time);
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, is_time ? time.seconds : v->ext_type);
    lua_setfield(L, -2, is_time ? "seconds" : "type");
    if (is_time)
        lua_pushinteger(L, time.nanoseconds);
    else
        push_bytes(L, v->bytes);
    lua_setfield(L, -2, is_time ? "nanoseconds" : "bytes");
    mark(L, is_time ? LMSGPACK_time : LMSGPACK_ext);
}

static void push_value(struct unpacking *u, const struct wire_value *v);

static void push_array(struct unpacking *u, const struct wire_value *v)
{
    lua_createtable(u->L, v->items.count <= INT32_MAX ? (int)v->items.count : 0, 0);
    for (uint32_t i = 0; i < v->items.count; i++) {
        push_value(u, &v->items.at[i]);
        lua_rawseti(u->L, -2, (lua_Integer)i + 1);
    }
    mark(u->L, LMSGPACK_array);
}

/* Push a map's key.  A float that is no key in Lua (NaN) or another one (1.0 is 1) is wrapped. */
static void push_key(struct unpacking *u, const struct wire_value *v)
{
    push_value(u, v);
    if (v->type != WIRE_TYPE_f64)
        return;
    int integral;
    lua_tointegerx(u->L, -1, &integral);
    if (integral || v->f64 != v->f64)
        wrap(u->L, LMSGPACK_f64, "value");
}

/* Was the key on top of the stack seen before?  `map` is the stack index of the table of the keys that
 * are values in Lua; behind it stands the table of the others, by their bytes, if there is one. */
static bool is_known(lua_State *L, int map)
{
    int at = map;
    if (lua_istable(L, -1)) {
        at = map + 1;
        if (lua_isnil(L, at)) {
            lua_newtable(L);
            lua_replace(L, at);
        }
        lua_pushcfunction(L, lmsgpack_pack);
        lua_pushvalue(L, -2);
        lua_call(L, 1, 1);
    } else {
        lua_pushvalue(L, -1);
    }
    lua_pushvalue(L, -1);
    bool known = lua_rawget(L, at) != LUA_TNIL;
    lua_pop(L, 1);
    if (at != map) {
        lua_pushboolean(L, 1);
        lua_rawset(L, at);
    } else {
        lua_pop(L, 1);
    }
    return known;
}

static void push_map(struct unpacking *u, const struct wire_value *v)
{
    lua_State *L = u->L;
    lua_createtable(L, 0, v->items.count <= INT32_MAX ? (int)v->items.count : 0);
    int map = lua_gettop(L);
    lua_pushnil(L);
    for (size_t i = 0; i < 2 * (size_t)v->items.count; i += 2) {
        uint64_t key = u->begun + 1;
        push_key(u, &v->items.at[i]);
        if (is_known(L, map)) {
            u->begun = key;
            raise_here(u, "key given twice");
        }
        push_value(u, &v->items.at[i + 1]);
        lua_rawset(L, map);
    }
    lua_settop(L, map);
    mark(L, LMSGPACK_map);
}

/* It calls itself as deep as wire_value_new() lets values be nested. */
static void push_value(struct unpacking *u, const struct wire_value *v)
{
    u->begun++;
    luaL_checkstack(u->L, 8, "unpack");
    switch (v->type) {
    case WIRE_TYPE_bool:
        lua_pushboolean(u->L, v->boolean);
        break;
    case WIRE_TYPE_int:
        push_int(u->L, v);
        break;
    case WIRE_TYPE_f32:
        lua_pushnumber(u->L, (lua_Number)v->f32);
        wrap(u->L, LMSGPACK_f32, "value");
        break;
    case WIRE_TYPE_f64:
        lua_pushnumber(u->L, v->f64);
        break;
    case WIRE_TYPE_str:
        push_bytes(u->L, v->bytes);
        break;
    case WIRE_TYPE_bin:
        push_bytes(u->L, v->bytes);
        wrap(u->L, LMSGPACK_bin, "bytes");
        break;
    case WIRE_TYPE_ext:
        push_ext(u->L, v);
        break;
    case WIRE_TYPE_array:
        push_array(u, v);
        break;
    case WIRE_TYPE_map:
        push_map(u, v);
        break;
    default:
        lmsgpack_push_null(u->L);
    }
}

/* ---- unpack ---- */

#define TREE "provium.msgpack.tree"

/* A tree that is gone whichever way unpack ends. */
static int free_tree(lua_State *L)
{
    struct wire_value **tree = lua_touserdata(L, 1);
    wire_value_free(*tree);
    *tree = NULL;
    return 0;
}

static struct wire_value **push_tree(lua_State *L)
{
    struct wire_value **tree = lua_newuserdatauv(L, sizeof *tree, 0);
    *tree = NULL;
    luaL_setmetatable(L, TREE);
    return tree;
}

/* The bytes of the value that begins at `from`; all behind it, unless that may be more. */
static struct wire_bytes check_value(lua_State *L, size_t from, bool more)
{
    size_t len;
    const uint8_t *bytes = (const uint8_t *)lua_tolstring(L, 1, &len);
    struct wire_scan s;
    wire_scan_init(&s, len - from, WIRE_SCAN_UTF8);
    enum wire_status status = wire_scan(&s, bytes + from, len - from);
    if (status == WIRE_E_LIMIT) /* there are no more bytes than these */
        status = WIRE_E_SHORT;
    if (status == WIRE_OK && !more && s.pos < len - from)
        status = WIRE_E_TRAILING;
    if (status != WIRE_OK)
        luaL_error(L, "unpack: byte %I: %s", (LUAI_UACINT)(from + s.pos), wire_status_text(status));
    return (struct wire_bytes){bytes + from, s.pos};
}

/* The position at index 2, as an offset; 0 if there is none. */
static size_t check_position(lua_State *L)
{
    if (lua_isnoneornil(L, 2))
        return 0;
    lua_Integer position = lua_isinteger(L, 2) ? lua_tointeger(L, 2) : 0;
    if (position < 1 || (size_t)position > lua_rawlen(L, 1) + 1)
        luaL_error(L, "unpack: position: %s is not 1 to %I", luaL_tolstring(L, 2, NULL),
                   (LUAI_UACINT)lua_rawlen(L, 1) + 1);
    return (size_t)position - 1;
}

int lmsgpack_unpack(lua_State *L)
{
    size_t at;
    if (lua_type(L, 1) != LUA_TSTRING)
        return luaL_error(L, "unpack: a string of bytes expected, got %s", luaL_typename(L, 1));
    size_t from = check_position(L);
    bool more = !lua_isnoneornil(L, 2);
    struct unpacking u = {.L = L, .base = from, .encoded = check_value(L, from, more)};
    struct wire_value **tree = push_tree(L);
    enum wire_status status = wire_value_new(tree, u.encoded, 0, &at);
    if (status != WIRE_OK)
        return luaL_error(L, "unpack: %s", wire_status_text(status));
    push_value(&u, *tree);
    wire_value_free(*tree);
    *tree = NULL;
    if (!more)
        return 1;
    lua_pushinteger(L, (lua_Integer)(from + u.encoded.len) + 1);
    return 2;
}

/* ---- the module ---- */

static const luaL_Reg functions[] = {
    {"pack", lmsgpack_pack}, {"unpack", lmsgpack_unpack}, {"kind", kind_of}, {NULL, NULL}};

/* The metatable of a kind becomes a field of the table on top of the stack. */
static void set_meta(lua_State *L, enum lmsgpack_kind kind)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &keys[kind]) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 4);
        lua_pushinteger(L, kind);
        lua_rawsetp(L, -2, kind_key);
        lua_pushfstring(L, "msgpack.%s", kind_names[kind]);
        lua_setfield(L, -2, "__name");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &keys[kind]);
    }
    lua_setfield(L, -2, kind_names[kind]);
}

static void set_null(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, null_key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newuserdatauv(L, 0, 0);
        mark(L, LMSGPACK_null);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, null_key);
    }
    lua_setfield(L, -2, "null");
}

void lmsgpack_push_module(lua_State *L)
{
    if (luaL_newmetatable(L, TREE)) {
        lua_pushcfunction(L, free_tree);
        lua_setfield(L, -2, "__gc");
    }
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    lua_newtable(L);
    for (enum lmsgpack_kind kind = LMSGPACK_array; kind < LMSGPACK_KINDS_END; kind++)
        set_meta(L, kind);
    lua_setfield(L, -2, "meta");
    set_null(L);
}
