#!/bin/bash
# SPDX-License-Identifier: MIT
#
# However a script ends, no QEMU, launcher, agent or file of it is left.
. "$(dirname "$0")/common.bash"

mkdir "$dir/tmp"
export TMPDIR=$dir/tmp XDG_RUNTIME_DIR=$dir/tmp

# Boots, then writes the process ids of QEMU and of its parent to the file `pids`.
read -r -d '' boot <<X
local vm = require "provium".create():boot { memory = "128M" }
local status = io.open("/proc/" .. vm:pid() .. "/status"):read "a"
local pids = assert(io.open("$dir/pids", "w"))
pids:write(vm:pid(), " ", status:match "PPid:%s*(%d+)", "\n")
pids:close()
X

clean() {
    gone $(cat "$dir/pids") && [ -z "$(ls -A "$dir/tmp")" ]
}

# ends NAME STATUS: run the script on standard input to its end; that status, and nothing left.
ends() {
    (echo "$boot" && cat) >"$dir/ends.lua"
    rm -f "$dir/pids"
    check "$1: status $2" run "$2" run "$dir/ends.lua"
    check '... leaves nothing' clean
}

# dies SIGNAL: send it to the command while its VM runs.
dies() {
    (echo "$boot" && echo 'while true do vm:syscall(39) end') >"$dir/dies.lua"
    rm -f "$dir/pids"
    # A shell's background job ignores SIGINT unless told otherwise.
    env --default-signal "$provium" run "$dir/dies.lua" >"$dir/out" 2>"$dir/err" </dev/null &
    local pid=$!
    disown
    for _ in {1..400}; do
        [ -s "$dir/pids" ] && break
        sleep 0.05
    done
    kill -s "$1" "$pid"
    gone "$pid" || kill -9 "$pid"
    check "SIG$1 leaves nothing" clean
}

ends 'the end of the script' 0 <<<''
ends 'an error' 1 <<<'error "x"'
ends 'os.exit(0)' 0 <<<'os.exit(0)'
ends 'os.exit(5) in a test' 5 <<<'test("x", function() pcall(os.exit, 5) end)'
check '... and the report does not call it ok' says '  x ... FAIL'
ends 'os.exit(0) in a test' 0 <<<'test("x", function() os.exit(0) end)'
check '... and the report does not call it ok' says '  x ... not finished: it called os.exit(0)'
ends 'a forgotten VM' 0 <<<'vm = nil'
ends 'two more VMs' 1 <<'X'
require "provium".create():boot { memory = "128M" }
other = require "provium".create():boot { memory = "128M" }
error "x"
X
ends 'a call in a coroutine that never ends' 0 <<<'coroutine.wrap(function() vm:syscall(39) coroutine.yield() end)()'
ends 'a guest that panics' 1 <<'X'
local fd = vm:syscall_buf(257, 1, "/proc/sysrq-trigger\0", -100, 0, 1)
vm:syscall_buf(1, 1, "c", fd, 0, 1)
X
check '... and the console is in the report' says 'sysrq'

dies INT
dies TERM
dies KILL

# an agent on this machine
script attach.lua <<X
local agent = require "provium".attach { exec = { "$B/provium-agent", "--execute-here" } }
local pids = assert(io.open("$dir/pids", "w"))
pids:write(agent:syscall(39), " ", agent:syscall(110), "\n")
pids:close()
if arg[1] then os.exit(tonumber(arg[1])) end
X
check 'an agent of provium.attach' run 0 run "$dir/attach.lua"
check '... leaves nothing' clean
check '... after os.exit' run 4 run "$dir/attach.lua" -- 4
check '... leaves nothing either' clean

finish
