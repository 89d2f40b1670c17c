#!/bin/bash
# SPDX-License-Identifier: MIT
#
# require "provium" in a stock lua5.4, from another folder, without the command.
. "$(dirname "$0")/common.bash"

export LUA_PATH="$B/lua/?.lua;$B/lua/?/init.lua;;" LUA_CPATH="$B/lua/?.so;;" B

lua() {
    (cd "$dir" && lua5.4 "$@") >"$dir/out" 2>"$dir/err" </dev/null
}

# A sanitized module needs its runtime first.
runtime=$(ldd "$B/lua/provium/core.so" | sed -n 's/.*libasan[^ ]* => \([^ ]*\).*/\1/p')
[ -n "$runtime" ] && export LD_PRELOAD=$runtime ASAN_OPTIONS=detect_leaks=0

script globals.lua <<'X'
local before = {}
for name in pairs(_G) do before[name] = true end
local provium = require "provium"
for name in pairs(_G) do assert(before[name], name) end
assert(provium.pack("u16", 258) == "\2\1" and provium._VERSION:find "^provium %d")
assert(provium.sys.openat2 == 437 and #provium.struct "u32 a; ptr b;" == 16)
X
check 'require sets no globals' lua globals.lua

script calls.lua <<'X'
local provium = require "provium"
local agent = provium.attach { exec = { os.getenv "B" .. "/provium-agent", "--execute-here" } }
assert(agent:syscall(39) > 0)
local ret, text = agent:syscall_buf(79, 0, ("\0"):rep(4096), 0, 4096)
assert(ret > 1 and text:sub(1, 1) == "/")
local ok, err = pcall(function() agent:syscall(39, {}) end)
assert(not ok and err == "calls.lua:6: syscall: a0: integer expected, got table", err)
X
check 'calls work' lua calls.lua

script msgpack.lua <<'X'
local msgpack = require "provium".msgpack
assert(require "provium.msgpack" == msgpack)
assert(msgpack.pack { name = "x", data = msgpack.bin "\xff" } == "\x82\xa4data\xc4\1\xff\xa4name\xa1x")
assert(msgpack.unpack "\xcf\xff\xff\xff\xff\xff\xff\xff\xff" == msgpack.u64(-1))
local ok, err = pcall(function() msgpack.pack { { print } } end)
assert(not ok and err == "msgpack.lua:5: pack: [1][1]: a function cannot be packed", err)
X
check 'msgpack works' lua msgpack.lua

script profile.lua <<'X'
local ok, err = pcall(require "provium".create, "x")
assert(not ok and err:find('provium.lua: profile "x": unknown key "y"', 1, true), err)
X
echo 'return { x = { y = 1 } }' >"$dir/provium.lua"
check 'profiles are searched from the folder of the script' lua profile.lua

script states.lua <<'X'
local wrap = coroutine.wrap(function()
  local provium = require "provium"
  local agent <close> = provium.attach { exec = { os.getenv "B" .. "/provium-agent", "--execute-here" } }
  coroutine.yield(agent:syscall(39))
  coroutine.yield(agent:syscall(39))
end)
assert(wrap() == wrap())
X
check 'calls work in coroutines' lua states.lua

finish
