#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The command without a VM: its arguments, what it prints, its exit status.
. "$(dirname "$0")/common.bash"

script good.lua <<'X'
test("one", function() assert_eq(2, 1 + 1) end)
test("two", {}, function() assert_contains("abc", "b") end)
X
script bad.lua <<'X'
test("passes", function() end)
test("fails", function()
  assert_eq({ a = { 1, 2 } }, { a = { 1, 3 } }, "lists")
end)
local function helper() error "deep" end
test("raises", function() helper() end)
test("goes on", function() end)
X
script none.lua <<<'assert(1 + 1 == 2)'
script top.lua <<'X'
test("passes", function() end)
error "at the top"
X
script syntax.lua <<<'test("x" function() end)'
script todo.lua <<'X'
test("later", function() todo "not yet" error "no" end)
test("now", function() todo "was not yet" end)
test("ok", function() end)
X

# Standard error is that one line.
is_line() { [ "$(cat "$dir/err")" = "$1" ]; }

check 'no command: usage, 2' run 2
check '... on standard error' complains 'usage: provium run'
check 'an unknown command' run 2 fly
check '... is named, in one line' is_line 'provium: no such command: fly; `provium help` lists them'
check 'a script without run' run 2 "$dir/good.lua"
check '... says how' is_line "provium: no such command: $dir/good.lua; to run that script: provium run $dir/good.lua"
check 'run without a file' run 2 run
check '... says how' complains 'usage: provium run FILE...'
check 'run with -v alone' run 2 run -v
check '... says what is missing' is_line 'provium: run: no file given; provium run FILE...'
check 'run with an unknown option' run 2 run --fast "$dir/good.lua"
check '... is one line' is_line 'provium: run: no such option: --fast; there are -v and --trace; arguments of the script follow --'
check 'an unknown option behind the file' run 2 run "$dir/good.lua" --fast
check '... is the same' is_line 'provium: run: no such option: --fast; there are -v and --trace; arguments of the script follow --'
check 'a file that is not there: 2' run 2 run "$dir/good.lua" "$dir/nothing.lua"
check '... is named, with why' is_line "provium: cannot read $dir/nothing.lua: No such file or directory"
check '... before anything runs' quiet out
check 'a folder is no file' run 2 run "$dir"
check '... and said to be one' is_line "provium: cannot read $dir: Is a directory"
check 'run --help' run 0 run --help
check '... is help' says 'usage: provium run'
check 'help' run 0 help
check '... is printed' says 'usage: provium run'
check '--help' run 0 --help
check 'version' run 0 version
check '--version' run 0 --version
check '... is one line' grep -qx 'provium [0-9][0-9a-z.-]*' "$dir/out"

check 'all pass: 0' run 0 run "$dir/good.lua"
check '... and the last line counts' last '2 passed, 0 failed'
check '... each test is a line' says '  one ... ok'
check 'a failure: 1' run 1 run "$dir/bad.lua"
check '... counted' last '2 passed, 2 failed'
check '... says where' says "$dir/bad.lua:3: lists: a[2]: expected 2, got 3"
check '... with the frames of the script' says "at $dir/bad.lua:6"
if grep -q 'provium/runner' "$dir/out"; then ours=true; else ours=false; fi
check '... and without those of the runner' [ "$ours" = false ]
check 'a file without tests is one test' run 0 run "$dir/none.lua"
check '... counted' last '1 passed, 0 failed'
check 'an error outside of tests: 1' run 1 run "$dir/top.lua"
check '... counted' last '1 passed, 1 failed'
check 'a syntax error is a failure' run 1 run "$dir/syntax.lua"
check '... says where' says "$dir/syntax.lua:1:"
check 'todo fails nothing' run 0 run "$dir/todo.lua"
check '... and counts as skipped' last '1 passed, 0 failed, 2 skipped'
check '... a todo that passes says so' says 'now ... todo: was not yet (it passes: the todo can go)'
check 'several files add up' run 1 run "$dir/good.lua" "$dir/bad.lua" "$dir/todo.lua" "$dir/none.lua"
check '... counted' last '6 passed, 2 failed, 2 skipped'
check '-v adds times' run 0 run -v "$dir/good.lua"
check '... behind the file too' run 0 run "$dir/good.lua" -v
check '... to each test' grep -qE '^  one \.\.\. ok \([0-9]+ ms\)$' "$dir/out"

# ---- --trace ----

script calls.lua <<'X'
local agent = require "provium".attach { exec = { os.getenv "B" .. "/provium-agent", "--execute-here" } }
test("calls", function() agent:syscall("close", -1) end)
agent:syscall("getppid")
X
export B
check '--trace' run 0 run --trace "$dir/calls.lua"
check '... tells every call on standard error' grep -qE '^close\(-1\) = -9 EBADF <[0-9.]+ [mu]?s>$' "$dir/err"
check '... in lines of their own' [ "$(grep -c ' = ' "$dir/err")" = 2 ]
check 'without it' run 0 run "$dir/calls.lua"
check '... nothing is told' quiet err
check '--trace=FILE' run 0 run "$dir/calls.lua" "$dir/calls.lua" --trace="$dir/trace"
check '... has the calls of all scripts' [ "$(grep -c '^close(-1)' "$dir/trace")" = 2 ]
check '... instead of standard error' quiet err
check '--trace=FILE of a run without calls' run 0 run --trace="$dir/trace" "$dir/good.lua"
check '... is empty' quiet trace
check '--trace=FILE that cannot be written: 2' run 2 run --trace="$dir/no/trace" "$dir/good.lua"
check '... is named, with why' is_line "provium: cannot write $dir/no/trace: No such file or directory"
check '... before anything runs' quiet out
check '--trace= without a file' run 2 run --trace= "$dir/good.lua"
check '... is no option' is_line \
    'provium: run: no such option: --trace=; there are -v and --trace; arguments of the script follow --'
script argument.lua <<<'assert_eq("--trace", arg[1])'
check '--trace behind -- is the script'"'"'s' run 0 run "$dir/argument.lua" -- --trace

# ---- what a script sees ----

script leak.lua <<<'leaked = 1; string.leaked = 1; package.loaded.leaked = 1'
script clean.lua <<<'assert(leaked == nil and string.leaked == nil and package.loaded.leaked == nil)'
check 'each file has fresh globals and modules' run 0 run "$dir/leak.lua" "$dir/clean.lua"

script args.lua <<'X'
assert_eq({ "a", "-v", "--", "" }, { table.unpack(arg) })
assert_eq({ "a", "-v", "--", "" }, { ... })
assert_contains(arg[0], "args.lua")
X
check 'arguments behind --' run 0 run "$dir/args.lua" -- a -v -- ''

script beside.lua <<<'return 42'
script require.lua <<<'assert_eq(42, require "beside")'
check 'require finds modules beside the script' run 0 run "$dir/require.lua"
check '... from its own folder too' env -C "$dir" "$provium" run require.lua >/dev/null

script output.lua <<'X'
test("prints", function() print "hello" io.write("written\n") end)
X
check 'what a test prints' run 0 run "$dir/output.lua"
check '... stands on lines of its own' grep -qx hello "$dir/out"
check '... and the verdict too' grep -qx '  prints ... ok' "$dir/out"

script odd.lua <<'X'
test("table", function() error { code = 1 } end)
test("object", function() error(setmetatable({}, { __tostring = function() return "an object" end })) end)
test("nil", function() error() end)
test("co\nro\tutine", function() coroutine.wrap(function() error "inside" end)() end)
X
check 'whatever is raised is reported' run 1 run "$dir/odd.lua"
check '... counted' last '0 passed, 4 failed'
check '... objects by their text' says 'an object'
check '... a name keeps to its line' says 'co ro utine ... FAIL'

script escape.lua <<<'error "\27]0;title\7\tplain"'
check 'what is reported cannot command a terminal' run 1 run "$dir/escape.lua"
check '... but is shown' says '\x1b]0;title\x07	plain'

# ---- os.exit ----

script exit0.lua <<<'os.exit(0)'
script exit3.lua <<<'os.exit(7)'
script exitfail.lua <<'X'
test("fails", function() error "x" end)
test("exits", function() pcall(os.exit, true) end)
X
check 'os.exit(0) ends a run well' run 0 run "$dir/exit0.lua"
check '... counted' last '1 passed, 0 failed'
check 'os.exit(n) is the status' run 7 run "$dir/exit3.lua"
check '... counted' last '0 passed, 1 failed'
check 'os.exit(true) does not hide a failure' run 1 run "$dir/exitfail.lua"
check '... and the test that called it has not passed' last '0 passed, 1 failed, 1 skipped'
check '... and says why' says '  exits ... not finished: it called os.exit(true)'
script exittest.lua <<'X'
test("passes", function() end)
test("exits", function() os.exit(tonumber(arg[1])) end)
X
check 'os.exit(0) in a test keeps its status' run 0 run "$dir/exittest.lua" -- 0
check '... but is not ok' last '1 passed, 0 failed, 1 skipped'
check 'os.exit() in a test' run 0 run "$dir/exittest.lua"
check '... is the same' says '  exits ... not finished: it called os.exit()'
check 'os.exit(7) in a test is a failure with that status' run 7 run "$dir/exittest.lua" -- 7
check '... counted' last '1 passed, 1 failed'
check 'files that an exit left out have not passed' run 1 run "$dir/exit0.lua" "$dir/good.lua"
check '... counted' last '1 passed, 1 failed'
check '... and said so' says 'not run: an earlier script called os.exit()'

finish
