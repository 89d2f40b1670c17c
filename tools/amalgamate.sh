#!/bin/sh
# SPDX-License-Identifier: MIT
#
# libwire as two files: amalgamate.sh OUT VERSION <SYMBOLS.  Writes wire.h and wire.c into OUT,
# and a wire_ops.h of three lines for tables of one's own.  SYMBOLS are the names that
# WIRE_SYMBOL_PREFIX renames, one a line.
#
# wire.h includes itself: a table is read by many passes, and each must find its text.
# Before such an include a macro WIRE_PART_x names the part that is wanted.
set -eu
out=$1 version=$2
cd "$(dirname "$0")/../libwire"

# text FILE: with its includes turned into parts of wire.h
text() {
    sed -E -e 's,^(/\* SPDX-License-Identifier: MIT)$,\1 ('"$1"'),' \
        -e 's,^#include "(errors|ops)\.def"$,#define WIRE_PART_\1\n#include "wire.h",' \
        -e 's,^#include "wire_(ops|codec|plan|pass|cursor)\.h"$,#define WIRE_PART_wire_\1\n#include "wire.h",' \
        -e 's,^#define WIRE_OPS_FILE "ops\.def"$,#define WIRE_OPS_FILE "wire.h",' \
        -e 's,^#include WIRE_OPS_FILE$,#define WIRE_PART_ops\n&\n#undef WIRE_PART_ops,' \
        -e '/^#include "wire(_impl)?\.h"$/d' "$1"
}

# part IF NAME FILE
part() {
    printf '#%s defined(WIRE_PART_%s)\n#undef WIRE_PART_%s\n' "$1" "$2" "$2"
    text "$3"
    echo
}

# Every function under another name, if the embedder says so.
names() {
    printf '\n#ifdef WIRE_SYMBOL_PREFIX\n'
    echo '#define WIRE_PREFIXED2(prefix, name) prefix##name'
    echo '#define WIRE_PREFIXED(prefix, name) WIRE_PREFIXED2(prefix, name)'
    sed 's/.*/#define & WIRE_PREFIXED(WIRE_SYMBOL_PREFIX, &)/' "$work/symbols"
    printf '#endif\n'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sort -u >"$work/symbols"
[ -s "$work/symbols" ] || { echo 'amalgamate: no symbols' >&2; exit 1; }
names >"$work/names"

{
    printf '/* libwire %s in two files: this one and wire.c.  Made by `make amalgamation`.\n' "$version"
    printf ' * -DWIRE_SYMBOL_PREFIX=my_ renames every function.  MIT license. */\n'
    part if wire_cursor wire_cursor.h
    part elif wire_codec wire_codec.h
    part elif wire_plan wire_plan.h
    part elif wire_pass wire_pass.h
    part elif wire_ops wire_ops.h
    part elif errors errors.def
    part elif ops ops.def
    echo '#else'
    text wire.h | sed "/^#define WIRE_H\$/r $work/names"
    echo '#endif'
} >"$out/wire.h"

{
    printf '/* libwire %s in two files: wire.h and this one.  Made by `make amalgamation`.\n * MIT license:\n *\n' "$version"
    sed -e 's/^/ * /' -e 's/ *$//' ../LICENSE
    printf ' */\n#include "wire.h"\n'
    for file in wire_impl.h *.c; do text "$file"; done
} >"$out/wire.c"

printf '/* Tables of your own: the comment "Messages from a table" in wire.h. */\n#define WIRE_PART_wire_ops\n#include "wire.h"\n' >"$out/wire_ops.h"
