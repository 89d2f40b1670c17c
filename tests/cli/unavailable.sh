#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A VM that cannot be had: exit status 3 and one clear error.
. "$(dirname "$0")/common.bash"

boot='require "provium".create():boot'

script kernel.lua <<<"$boot { kernel = '/nonexistent/vmlinux' }"
check 'a missing kernel: 3' run 3 run "$dir/kernel.lua"
check '... is named, and the option' says 'boot: kernel: there is no file /nonexistent/vmlinux'
check '... and counted as a failure' last '0 passed, 1 failed'

script cached.lua <<<"$boot()"
check 'no kernel in the cache: 3' env XDG_CACHE_HOME="$dir" bash -c '"$@" >"$0/out" 2>&1; [ $? = 3 ]' "$dir" "$provium" run "$dir/cached.lua"
check '... says how to get one' says 'run `make kernel`'

script later.lua <<X
test("passes", function() end)
test("boots", function() $boot { kernel = '/nonexistent/vmlinux' } end)
test("fails", function() error "for lack of a VM" end)
X
check 'in a test among others: 3' run 3 run "$dir/later.lua"
check '... counted' last '1 passed, 2 failed'

script caught.lua <<X
local ok, err = pcall(function() $boot { kernel = '/nonexistent/vmlinux' } end)
assert(not ok and err:find "/nonexistent/vmlinux")
X
check 'a script that expects it may catch it' run 0 run "$dir/caught.lua"

script wrong.lua <<<"$boot { memroy = '1G' }"
check 'a wrong option is the fault of the script: 1' run 1 run "$dir/wrong.lua"

script qemu.lua <<<"$boot { qemu = 'no-such-qemu' }"
check 'no QEMU: 3' run 3 run "$dir/qemu.lua"
check '... is named' says 'no-such-qemu'

script machine.lua <<<"$boot { machine = 'nonesuch', cpus = 2 }"
check 'a machine that QEMU does not know: 3' run 3 run "$dir/machine.lua"
check '... is named' says '(asked for: machine nonesuch, cpus 2)'
if grep -q console "$dir/out"; then console=true; else console=false; fi
check '... and no console of a guest that never ran' [ "$console" = false ]

script cpus.lua <<<"$boot { cpus = 256 }"
check 'more processors than any machine has are the fault of the script: 1' run 1 run "$dir/cpus.lua"
check '... says how many there can be' says 'boot: cpus: a number from 1 to 255 expected, got 256'

script empty.lua <<<"$boot { kernel = arg[0] }"
check 'a kernel that is none: 3' run 3 run "$dir/empty.lua"

script slow.lua <<<"$boot { timeout = '50ms' }"
check 'no answer before the deadline: 3' run 3 run "$dir/slow.lua"

script profile.lua <<<'require "provium".create "small"'
check 'no provium.lua: 3' run 3 run "$dir/profile.lua"
echo 'return {' >"$dir/provium.lua"
check 'a provium.lua with a syntax error: 3' run 3 run "$dir/profile.lua"
check '... is named' says 'provium.lua:2: unexpected symbol'
echo 'return { small = { memory = "1 GB" } }' >"$dir/provium.lua"
check 'a wrong value in a profile: 3' run 3 run "$dir/profile.lua"
check '... is named' says 'provium.lua: profile "small": memory: a size such as "512M"'
rm "$dir/provium.lua" && mkdir "$dir/provium.lua"
check 'a provium.lua that cannot be read: 3' run 3 run "$dir/profile.lua"
check '... is named' says 'provium.lua: Is a directory'

finish
