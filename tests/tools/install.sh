#!/bin/bash
# SPDX-License-Identifier: MIT
# What `make install` puts somewhere works from there, through pkg-config and CMake, and `make uninstall` leaves nothing.
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make -s B="$B" install DESTDIR="$root" PREFIX=/usr >/dev/null
at=$root/usr
export PKG_CONFIG_LIBDIR=$at/lib/pkgconfig:/usr/lib/$(gcc -dumpmachine)/pkgconfig:/usr/share/pkgconfig LD_LIBRARY_PATH=$at/lib
warn='-Wall -Wextra -Wpedantic -Werror'

# flags WORD...: what pkg-config says of the tree that was installed
flags() { pkg-config --define-variable=prefix="$at" "$@"; }

cat >"$root/use.c" <<'C'
#include <provium/provium.h>
#include <stdio.h>
int main(void)
{
    struct provium_session *s = provium_session_new();
    const char *argv[] = {AGENT, "--execute-here", NULL};
    int64_t ret = 0;
    if (provium_session_spawn(s, argv, 5000) || provium_syscall(s, 1023, NULL, 0, &ret))
        puts(provium_session_error(s)->text);
    provium_session_free(s);
    return ret == -38 ? 0 : 1;
}
C
cat >"$root/wire.c" <<'C'
#include <provium/wire.h>
int main(void)
{
    struct wire_writer w;
    char b[9];
    wire_writer_init(&w, b, sizeof b);
    wire_put_nothing(&w);
    return w.len != 1 || wire_record_find("ping_request") == NULL;
}
C
cp "$root/wire.c" "$root/wire.cc"
echo '#include <provium/wire_value.h>
#include <provium/provium.h>' >>"$root/wire.cc"

# shellcheck disable=SC2046,SC2086
{
    gcc -std=c11 $warn -DAGENT="\"$at/bin/provium-agent\"" "$root/use.c" $(flags --cflags --libs libprovium) -o "$root/use"
    gcc -std=c11 $warn "$root/wire.c" $(flags --cflags --libs libwire) -o "$root/shared"
    gcc -std=c11 $warn "$root/wire.c" -static $(flags --cflags --libs --static libwire) -o "$root/static"
    gcc -std=c++17 $warn "$root/wire.cc" $(flags --cflags --libs libwire) -o "$root/cxx"
}
"$root/use"
"$root/shared"
"$root/static"
"$root/cxx"
ldd "$root/shared" | grep -q "libwire.so.0 => $at/lib/libwire.so.0"
[ "$(flags --modversion libwire libprovium | sort -u)" = "$("$at/bin/provium" --version | sed 's/^provium //')" ]
grep -q '^prefix=/usr$' "$at/lib/pkgconfig/libwire.pc"

echo '#include <provium/wire_value.h>
int main(void)
{
    struct wire_value *v;
    size_t at;
    if (wire_value_new(&v, (struct wire_bytes){(const uint8_t *)"\x81\xa1x\x05", 4}, 0, &at)) return 1;
    const struct wire_value *x = wire_value_find(v, "x");
    int bad = x == NULL || x->integer != 5;
    wire_value_free(v);
    return bad;
}' >"$root/value.c"
mkdir "$root/cmake"
cat >"$root/cmake/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.13)
project(outside C)
set(CMAKE_C_STANDARD 11)
find_package(libwire 0.1 REQUIRED)
find_package(libwire 0.2 QUIET)
if(libwire_FOUND)
  message(FATAL_ERROR "0.1 was found for 0.2")
endif()
find_package(libwire 0.1 REQUIRED)
add_executable(shared ../wire.c)
target_link_libraries(shared libwire::libwire)
add_executable(static ../wire.c)
target_link_libraries(static libwire::static)
add_executable(value ../value.c)
target_link_libraries(value libwire::value)
CMAKE
cmake -S "$root/cmake" -B "$root/cmake/build" -DCMAKE_PREFIX_PATH="$at" >"$root/cmake.log" || { cat "$root/cmake.log"; exit 1; }
cmake --build "$root/cmake/build" >"$root/cmake.log" || { cat "$root/cmake.log"; exit 1; }
"$root/cmake/build/shared"
"$root/cmake/build/value"
env -u LD_LIBRARY_PATH "$root/cmake/build/static"
ldd "$root/cmake/build/shared" | grep -q libwire.so.0
if ldd "$root/cmake/build/static" | grep libwire; then exit 1; fi

# shellcheck disable=SC2046,SC2086
gcc -std=c11 $warn "$root/value.c" $(flags --cflags --libs libwire-value) -o "$root/value"
# shellcheck disable=SC2046,SC2086
gcc -std=c11 $warn "$root/value.c" -static $(flags --cflags --libs --static libwire-value) -o "$root/value-static"
"$root/value"
"$root/value-static"
ldd "$root/value" | grep -q "libwire-value.so.0 => $at/lib/libwire-value.so.0"

LUA_PATH="$at/share/lua/5.4/?.lua;$at/share/lua/5.4/?/init.lua" LUA_CPATH="$at/lib/lua/5.4/?.so" AGENT="$at/bin/provium-agent" lua5.4 -e '
local provium = require "provium"
local agent <close> = provium.attach{exec = {os.getenv "AGENT", "--execute-here"}}
assert(agent:syscall(1023) == -38 and provium.sys.openat2 == 437)'

# what a newcomer looks for
for f in bin/provium-get-kernel share/man/man{7/wire.7,3/wire_reader.3} share/doc/provium/{README.md,SPEC.md,docs/lua.md,docs/tutorial.md,examples/statx.lua}; do
    [ -s "$at/$f" ] || { echo "not installed: $f"; exit 1; }
done
[ -x "$at/bin/provium-get-kernel" ]

make -s B="$B" uninstall DESTDIR="$root" PREFIX=/usr
left=$(find "$at" ! -type d)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
