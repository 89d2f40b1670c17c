#!/bin/bash
# SPDX-License-Identifier: MIT
# provium.struct lays structs of the kernel, and made-up ones, out as the compilers do.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export LUA_PATH="$B/lua/?.lua;$B/lua/?/init.lua" LUA_CPATH="$B/lua/?.so"
layouts() { lua5.4 tests/support/layouts.lua "$@"; }

agrees() { # ARCH COMPILER...
    layouts asserts "$1" >"$dir/$1.c"
    "${@:2}" -std=gnu11 -w -Wno-packed-bitfield-compat -fsyntax-only "$dir/$1.c"
}
agrees x86_64 gcc
agrees x86_64 clang
agrees i386 gcc -m32 -ffreestanding -I/usr/include/x86_64-linux-gnu
agrees aarch64 "${CROSS:-aarch64-linux-gnu-}gcc"

layouts program >"$dir/bits.c"
gcc -std=gnu11 -w -Wno-packed-bitfield-compat -o "$dir/bits" "$dir/bits.c"
"$dir/bits" >"$dir/bits.out"
layouts compare <"$dir/bits.out"
