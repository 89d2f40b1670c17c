#!/bin/bash
# SPDX-License-Identifier: MIT
# libwire.so shows exactly what the headers mark with WIRE_API and needs only mem*, libwire-value.so what wire_value.h
# marks; the Lua module shows none of it.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

printf '#include "wire.h"\n#include "wire_cursor.h"\n#include "wire_plan.h"\n' |
    gcc -E -P -DWIRE_API=PUBLIC -Ilibwire -x c - | sed -E 's/__attribute__\(\([a-z, ]*\)\)//g' | tr '\n' ' ' |
    grep -oE 'PUBLIC [^;(]*\(' | grep -oE '[a-z_0-9]+\($' | tr -d '(' | sort -u >"$dir/marked"
[ "$(wc -l <"$dir/marked")" -gt 100 ]

so=$B/libwire.so.0
nm -D --defined-only "$so" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort >"$dir/shown"
diff "$dir/marked" "$dir/shown"
nm -D --defined-only --with-symbol-versions "$so" | grep -q ' wire_check@@WIRE_0$'
objdump -p "$so" | grep -qE 'SONAME +libwire\.so\.0$'

value=$B/libwire-value.so.0
nm -D --defined-only "$value" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort >"$dir/shown"
grep -oE 'wire_value_[a-z]+\(struct|wire_value_[a-z]+\(const' libwire/wire_value.h | sed 's/(.*//' | sort -u | diff - "$dir/shown"
objdump -p "$value" | grep -qE 'SONAME +libwire-value\.so\.0$'

needed=$(nm -D -u "$so" | awk '$1 == "U" { sub("@.*", "", $2); print $2 }' | grep -vE '^(mem(cpy|move|set|cmp)|bcmp)$' || true)
[ -z "$needed" ] || { echo "needs: $needed"; exit 1; }
state=$(objdump -h "$B/libwire.a" | awk '$2 ~ /^\.(data|bss|tdata|tbss)/ && $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/')
[ -z "$state" ] || { echo "state that is not const: $state"; exit 1; }

[ "$(nm -D --defined-only "$B/lua/provium/core.so" | awk '{ print $3 }')" = luaopen_provium_core ]
if nm -D --defined-only "$B/provium" | grep -E ' T (wire|provium)_'; then
    exit 1
fi
