#!/bin/bash
# SPDX-License-Identifier: MIT
# What `make install` puts somewhere works from there, and `make uninstall` leaves nothing.
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make -s B="$B" install DESTDIR="$root" PREFIX=/usr >/dev/null
at=$root/usr

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
gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$at/include" -DAGENT="\"$at/bin/provium-agent\"" "$root/use.c" \
    -L"$at/lib" -lprovium -lwire -ljansson -o "$root/use"
"$root/use"
echo '#include <provium/wire.h>
#include <provium/provium.h>' >"$root/use.cc"
gcc -x c++ -std=c++17 -Wall -Wextra -Werror -I"$at/include" -fsyntax-only "$root/use.cc"
echo '#include <provium/wire.h>
int main(void) { struct wire_writer w; char b[9]; wire_writer_init(&w, b, sizeof b); wire_put_nothing(&w); return w.len != 1; }' >"$root/wire.c"
gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$at/include" "$root/wire.c" -L"$at/lib" -lwire -o "$root/wire"
"$root/wire"

LUA_PATH="$at/share/lua/5.4/?.lua;$at/share/lua/5.4/?/init.lua" LUA_CPATH="$at/lib/lua/5.4/?.so" AGENT="$at/bin/provium-agent" lua5.4 -e '
local provium = require "provium"
local agent <close> = provium.attach{exec = {os.getenv "AGENT", "--execute-here"}}
assert(agent:syscall(1023) == -38)'
"$at/bin/provium" --version

make -s B="$B" uninstall DESTDIR="$root" PREFIX=/usr
[ -z "$(find "$at" -type f)" ]
