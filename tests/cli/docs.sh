#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every Lua example of the documents runs; the README fits a terminal.
. "$(dirname "$0")/common.bash"

# Write each ```lua block of a document to a file of its own: $dir/NAME.1.lua, ...
blocks() {
    awk -v to="$dir/$2" '
        /^```lua$/ { inside = 1; n++; next }
        /^```$/ { inside = 0 }
        inside { print > (to "." n ".lua") }' "$1"
}

fits() { ! LC_ALL=C.UTF-8 grep -nE '^.{141,}' "$1" >"$dir/out"; }
check 'README.md fits 140 columns' fits README.md

blocks README.md readme
blocks docs/tutorial.md tutorial
for file in "$dir"/readme.*.lua "$dir"/tutorial.*.lua; do
    check "${file##*/}" run 0 run "$file"
done

# The fragments of the reference share one VM.
blocks docs/lua.md lua
{
    echo 'local provium = require "provium"'
    echo 'local vm = provium.create():boot()'
    echo "local provium_agent = '$B/provium-agent'"
    for file in "$dir"/lua.*.lua; do
        printf 'test("%s", function()\n' "${file##*/}"
        cat "$file"
        echo 'end)'
    done
} >"$dir/reference.lua"
check 'lua.md' run 0 run "$dir/reference.lua"

finish
