/* SPDX-License-Identifier: MIT
 *
 * provium.msgpack.pack: Lua values become a tree, whose strings are Lua's; the tree is
 * written.  No Lua code runs meanwhile: tables are read raw.
 */
#include <float.h>
#include <math.h>
#include <stdarg.h>

#include "lmsgpack.h"

enum { CHUNK = 16384, VALUES_MAX = 1 << 24 };

/* Where a value is.  The first one is around all and has no key. */
struct path {
    const struct path *up;
    const void *table; /* what holds it */
    struct wire_value key;
    unsigned depth; /* tables around it */
};

struct packing {
    lua_State *L;
    int slot;        /* stack index of the chunk that is being filled; it holds the one before */
    uint8_t *chunk;  /* what is left of it */
    size_t left;     /* bytes */
    uint64_t values; /* that there are */
};

/* ---- where a fault is ---- */

static bool is_name(struct wire_bytes s)
{
    bool good = s.len > 0 && (s.ptr[0] < '0' || s.ptr[0] > '9');
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        good = good && (c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
    }
    return good;
}

/* Push the step from a table to what it holds: ".name", "[1]", "[\"a b\"]", "[ext]". */
static void push_step(lua_State *L, const struct path *path)
{
    static const char *const types[] = {"key", "nil", "bool", "int", "f32", "f64", "str", "bin", "array", "map", "ext"};
    const struct wire_value *key = &path->key;
    bool first = path->up->up == NULL;
    if (key->type == WIRE_TYPE_int)
        lua_pushfstring(L, "[%I]", (LUAI_UACINT)key->integer);
    else if (key->type == WIRE_TYPE_bool)
        lua_pushstring(L, key->boolean ? "[true]" : "[false]");
    else if (key->type == WIRE_TYPE_f64)
        lua_pushfstring(L, "[%f]", key->f64);
    else if (key->type != WIRE_TYPE_str)
        lua_pushfstring(L, "[%s]", types[key->type]);
    else {
        lua_pushlstring(L, (const char *)key->bytes.ptr, key->bytes.len);
        if (is_name(key->bytes))
            lua_pushfstring(L, first ? "%s" : ".%s", lua_tostring(L, -1));
        else
            lua_pushfstring(L, "[\"%s\"]", lua_tostring(L, -1));
        lua_remove(L, -2);
    }
}

static void push_path(lua_State *L, const struct path *path)
{
    luaL_checkstack(L, 4, "pack");
    lua_pushliteral(L, "");
    for (; path->up != NULL; path = path->up) {
        push_step(L, path);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
}

/* Raise "pack: PATH: message". */
static void raise(const struct packing *p, const struct path *path, const char *fmt, ...)
{
    va_list args;
    push_path(p->L, path);
    const char *where = lua_tostring(p->L, -1);
    va_start(args, fmt);
    const char *message = lua_pushvfstring(p->L, fmt, args);
    va_end(args);
    luaL_error(p->L, "pack: %s%s%s", where, *where != '\0' ? ": " : "", message);
}

/* ---- memory: chunks that the collector owns ---- */

static void *take(struct packing *p, size_t len)
{
    lua_State *L = p->L;
    len = len > 0 ? (len + 7) & ~(size_t)7 : 8; /* never NULL */
    if (len > p->left) {
        p->left = len > CHUNK ? len : CHUNK;
        p->chunk = lua_newuserdatauv(L, p->left, 1);
        lua_pushvalue(L, p->slot);
        lua_setiuservalue(L, -2, 1);
        lua_replace(L, p->slot);
    }
    uint8_t *taken = p->chunk;
    p->chunk += len;
    p->left -= len;
    return taken;
}

/* Room for values.  A table may be in many places, so that their number has no other bound. */
static struct wire_value *take_values(struct packing *p, const struct path *path, size_t count)
{
    p->values += count;
    if (p->values > VALUES_MAX)
        raise(p, path, "more than %d values in all", VALUES_MAX);
    return take(p, count * sizeof(struct wire_value));
}

/* ---- single values ---- */

static struct wire_bytes bytes_at(lua_State *L, int at)
{
    size_t len;
    const char *ptr = lua_tolstring(L, at, &len);
    return (struct wire_bytes){(const uint8_t *)ptr, len};
}

static struct wire_value build_number(lua_State *L, int at)
{
    if (!lua_isinteger(L, at))
        return (struct wire_value){.type = WIRE_TYPE_f64, .f64 = lua_tonumber(L, at)};
    lua_Integer value = lua_tointeger(L, at);
    return (struct wire_value){.type = WIRE_TYPE_int, .integer = (uint64_t)value, .negative = value < 0};
}

static struct wire_value build_string(struct packing *p, int at, const struct path *path)
{
    struct wire_value v = {.type = WIRE_TYPE_str, .bytes = bytes_at(p->L, at)};
    if (!wire_is_utf8(v.bytes))
        raise(p, path, "a string that is not UTF-8: msgpack.bin takes any bytes");
    return v;
}

/* ---- values that are tables with fields ---- */

/* A field of the table at `at` as the type that is expected.  Of strings the table keeps hold. */
static struct wire_value check_field(struct packing *p, int at, const char *name, int type)
{
    lua_pushstring(p->L, name);
    int found = lua_rawget(p->L, at);
    struct wire_value v = {.type = WIRE_TYPE_none};
    if (found == type && type == LUA_TSTRING)
        v = (struct wire_value){.type = WIRE_TYPE_bin, .bytes = bytes_at(p->L, -1)};
    else if (found == type)
        v = build_number(p->L, -1);
    lua_pop(p->L, 1);
    return v;
}

static bool is_int(const struct wire_value *v, int64_t min, int64_t max)
{
    return v->type == WIRE_TYPE_int && (int64_t)v->integer >= min && (int64_t)v->integer <= max;
}

static struct wire_value build_ext(struct packing *p, int at)
{
    struct wire_value v = check_field(p, at, "bytes", LUA_TSTRING), type = check_field(p, at, "type", LUA_TNUMBER);
    if (v.type == WIRE_TYPE_bin && is_int(&type, INT8_MIN, INT8_MAX))
        return (struct wire_value){.type = WIRE_TYPE_ext, .ext_type = (int8_t)type.integer, .bytes = v.bytes};
    return (struct wire_value){.type = WIRE_TYPE_none};
}

/* A timestamp is an ext, whose data the writer knows to make. */
static struct wire_value build_time(struct packing *p, int at)
{
    enum { TIME_MAX = 15 };
    struct wire_value s = check_field(p, at, "seconds", LUA_TNUMBER),
                      ns = check_field(p, at, "nanoseconds", LUA_TNUMBER);
    struct wire_writer w;
    struct wire_reader r;
    struct wire_ext ext;
    if (s.type != WIRE_TYPE_int || !is_int(&ns, 0, 999999999))
        return (struct wire_value){.type = WIRE_TYPE_none};
    wire_writer_init(&w, take(p, TIME_MAX), TIME_MAX);
    wire_put_time(&w, (int64_t)s.integer, (uint32_t)ns.integer);
    wire_reader_init(&r, w.buf, w.len);
    wire_get_ext(&r, &ext);
    return (struct wire_value){.type = WIRE_TYPE_ext, .ext_type = ext.type, .bytes = ext.data};
}

static struct wire_value build_float(struct packing *p, int at, enum lmsgpack_kind kind)
{
    struct wire_value v = check_field(p, at, "value", LUA_TNUMBER);
    double number = v.type == WIRE_TYPE_f64 ? v.f64 : (double)(int64_t)v.integer;
    if (v.type == WIRE_TYPE_none || (kind == LMSGPACK_f32 && fabs(number) > (double)FLT_MAX && !isinf(number)))
        return (struct wire_value){.type = WIRE_TYPE_none};
    if (kind == LMSGPACK_f64)
        return (struct wire_value){.type = WIRE_TYPE_f64, .f64 = number};
    return (struct wire_value){.type = WIRE_TYPE_f32, .f32 = (float)number};
}

/* One of ours that is neither array nor map. */
static struct wire_value build_wrapped(struct packing *p, int at, enum lmsgpack_kind kind, const struct path *path)
{
    static const char *const names[] = {[LMSGPACK_bin] = "bin", [LMSGPACK_ext] = "ext", [LMSGPACK_time] = "time",
                                        [LMSGPACK_u64] = "u64", [LMSGPACK_f32] = "f32", [LMSGPACK_f64] = "f64"};
    struct wire_value v = {.type = WIRE_TYPE_none};
    if (kind == LMSGPACK_bin)
        v = check_field(p, at, "bytes", LUA_TSTRING);
    else if (kind == LMSGPACK_ext)
        v = build_ext(p, at);
    else if (kind == LMSGPACK_time)
        v = build_time(p, at);
    else if (kind == LMSGPACK_u64)
        v = check_field(p, at, "bits", LUA_TNUMBER);
    else
        v = build_float(p, at, kind);
    if (v.type == WIRE_TYPE_none || (kind == LMSGPACK_u64 && v.type != WIRE_TYPE_int))
        raise(p, path, "a msgpack.%s whose fields were changed", names[kind]);
    if (kind == LMSGPACK_u64)
        v.negative = false;
    return v;
}

/* ---- tables ---- */

static struct wire_value build(struct packing *p, int at, const struct path *path);

/* What keys a table has. */
struct shape {
    size_t count, integers;
    bool list; /* they are 1 to count */
};

static struct shape shape_of(lua_State *L, int at)
{
    struct shape s = {0, 0, false};
    lua_Integer max = 0;
    bool positive = true;
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1)) {
        s.count++;
        if (!lua_isinteger(L, -2))
            continue;
        s.integers++;
        positive = positive && lua_tointeger(L, -2) >= 1;
        max = lua_tointeger(L, -2) > max ? lua_tointeger(L, -2) : max;
    }
    s.list = s.integers == s.count && positive && (size_t)max == s.count;
    return s;
}

/* Is the table at `at` an array?  Raises when it is not the one that it is said to be, or when it
 * could be either. */
static bool is_array(struct packing *p, int at, enum lmsgpack_kind kind, const struct path *path)
{
    struct shape s = shape_of(p->L, at);
    if (kind == LMSGPACK_map || (kind == LMSGPACK_none && s.integers == 0 && s.count > 0))
        return false;
    if (s.list)
        return true;
    if (s.integers < s.count)
        raise(p, path,
              kind == LMSGPACK_array ? "an array with keys that are no integers"
                                     : "a list and a map at once: msgpack.map says that it is a map");
    raise(p, path, "its keys are integers, but not 1 to %I: msgpack.null fills a hole%s", (LUAI_UACINT)s.count,
          kind == LMSGPACK_array ? "" : ", msgpack.map says that it is a map");
    return false;
}

static struct wire_value build_array(struct packing *p, int at, struct path *inside)
{
    lua_State *L = p->L;
    size_t count = (size_t)lua_rawlen(L, at);
    struct wire_value *items = take_values(p, inside->up, count);
    for (size_t i = 0; i < count; i++) {
        inside->key = (struct wire_value){.type = WIRE_TYPE_int, .integer = i + 1};
        lua_rawgeti(L, at, (lua_Integer)i + 1);
        items[i] = build(p, lua_gettop(L), inside);
        lua_pop(L, 1);
    }
    return (struct wire_value){.type = WIRE_TYPE_array, .items = {items, (uint32_t)count}};
}

static struct wire_value build_map(struct packing *p, int at, struct path *inside)
{
    lua_State *L = p->L;
    size_t count = shape_of(L, at).count, i = 0;
    struct wire_value *items = take_values(p, inside->up, 2 * count);
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1), i += 2) {
        inside->key = (struct wire_value){.type = WIRE_TYPE_none};
        items[i] = build(p, lua_gettop(L) - 1, inside);
        inside->key = items[i];
        items[i + 1] = build(p, lua_gettop(L), inside);
    }
    struct wire_value map = {.type = WIRE_TYPE_map, .items = {items, (uint32_t)count}};
    if (wire_value_sort(&map) != WIRE_OK)
        raise(p, inside->up, "two keys that are equal once packed");
    return map;
}

/* Tables nest as deep as msgpack is read; one that holds itself is named as such. */
static void check_nesting(struct packing *p, int at, const struct path *path)
{
    const void *table = lua_topointer(p->L, at);
    for (const struct path *up = path; up != NULL; up = up->up)
        if (up->table == table)
            raise(p, path, "a table that holds itself");
    if (path->depth == WIRE_DEPTH_MAX)
        raise(p, path, "nested more than %d deep", WIRE_DEPTH_MAX);
}

static struct wire_value build_table(struct packing *p, int at, const struct path *path)
{
    enum lmsgpack_kind kind = lmsgpack_kind(p->L, at);
    if (kind == LMSGPACK_KINDS_END)
        raise(p, path, "a table with a metatable that is not of msgpack");
    if (kind > LMSGPACK_map)
        return build_wrapped(p, at, kind, path);
    check_nesting(p, at, path);
    struct path inside = {.up = path, .table = lua_topointer(p->L, at), .depth = path->depth + 1};
    luaL_checkstack(p->L, 8, "pack");
    return is_array(p, at, kind, path) ? build_array(p, at, &inside) : build_map(p, at, &inside);
}

/* The value at stack index `at`.  It calls itself as deep as check_nesting() allows. */
static struct wire_value build(struct packing *p, int at, const struct path *path)
{
    lua_State *L = p->L;
    switch (lua_type(L, at)) {
    case LUA_TNIL:
        return (struct wire_value){.type = WIRE_TYPE_nil};
    case LUA_TBOOLEAN:
        return (struct wire_value){.type = WIRE_TYPE_bool, .boolean = lua_toboolean(L, at) != 0};
    case LUA_TNUMBER:
        return build_number(L, at);
    case LUA_TSTRING:
        return build_string(p, at, path);
    case LUA_TTABLE:
        return build_table(p, at, path);
    default:
        if (lua_type(L, at) == LUA_TUSERDATA && lmsgpack_kind(L, at) == LMSGPACK_null)
            return (struct wire_value){.type = WIRE_TYPE_nil};
        raise(p, path, "a %s cannot be packed", luaL_typename(L, at));
        return (struct wire_value){.type = WIRE_TYPE_none};
    }
}

/* ---- pack ---- */

int lmsgpack_pack(lua_State *L)
{
    struct packing p = {.L = L, .slot = 2};
    const struct path outside = {.up = NULL};
    struct wire_writer w;
    luaL_Buffer b;
    if (lua_gettop(L) != 1)
        return luaL_error(L, "pack: one value expected, got %d", lua_gettop(L));
    lua_pushnil(L);
    struct wire_value v = build(&p, 1, &outside);
    wire_writer_measure(&w);
    wire_value_put(&w, &v);
    size_t len = wire_writer_total(&w);
    if (w.status == WIRE_OK)
        wire_writer_init(&w, luaL_buffinitsize(L, &b, len), len);
    if (w.status == WIRE_OK)
        wire_value_put(&w, &v);
    if (w.status != WIRE_OK)
        return luaL_error(L, "pack: %s", wire_status_text(w.status));
    luaL_pushresultsize(&b, len);
    return 1;
}
