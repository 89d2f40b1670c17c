/* SPDX-License-Identifier: MIT
 *
 * provium.msgpack: what packing and unpacking share.  It knows wire_value.h and lua.h only.
 *
 * What Lua has no type for is a table with a metatable of ours, which says its kind; its
 * fields are named here and made in provium/msgpack.lua.
 */
#ifndef LMSGPACK_H
#define LMSGPACK_H

#include <lauxlib.h>
#include <lua.h>

#include "../../libwire/wire_value.h"

/* X(kind): the metatables.  null is a userdata, array and map are tables as they are; fields of
 * the others: bin {bytes}, ext {type, bytes}, time {seconds, nanoseconds}, u64 {bits}, f32 and f64 {value}. */
#define LMSGPACK_KINDS(X) X(array) X(map) X(bin) X(ext) X(time) X(u64) X(f32) X(f64) X(null)

enum lmsgpack_kind {
    LMSGPACK_none, /* a table or userdata without metatable */
#define LMSGPACK_KIND(kind) LMSGPACK_##kind,
    LMSGPACK_KINDS(LMSGPACK_KIND)
#undef LMSGPACK_KIND
    LMSGPACK_KINDS_END, /* one with a metatable that is not ours */
};

/* The kind of the table or userdata at `at`. */
enum lmsgpack_kind lmsgpack_kind(lua_State *L, int at);

/* Push the metatable of a kind; the null that there is one of. */
void lmsgpack_push_meta(lua_State *L, enum lmsgpack_kind kind);
void lmsgpack_push_null(lua_State *L);

/* pack(value): the bytes.  Raises "pack: PATH: why". */
int lmsgpack_pack(lua_State *L);

/* unpack(bytes): the value; unpack(bytes, position): the value and the position behind it.
 * Raises "unpack: byte N: why". */
int lmsgpack_unpack(lua_State *L);

/* Push the table that provium/msgpack.lua begins with: pack, unpack, kind, null, and the
 * metatables by the names of their kinds. */
void lmsgpack_push_module(lua_State *L);

#endif
