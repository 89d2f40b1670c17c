-- SPDX-License-Identifier: MIT
-- The Lua side of the group `call`.  Arguments: "exec", agent; or "vm".  Says which processes are at
-- the far end, then answers each line "WHAT COUNT" with the microseconds that one call took.
local core = require "provium.core"
local provium = require "provium"

local where, agent = ...
local getpid, getppid = 39, 110
local vm, far

if where == "vm" then
  vm = provium.create():boot { memory = "256M" }
  far = { vm:pid() }
else
  vm = provium.attach { exec = { agent, "--execute-here" } }
  far = { vm:syscall(getpid), vm:syscall(getppid) }
end

local calls = {}

function calls.syscall(count)
  for _ = 1, count do
    vm:syscall(getpid)
  end
end

-- The kernel ignores the arguments: what is measured is the way there and back.
local struct, extra, data = ("s"):rep(96), ("e"):rep(32), ("d"):rep(128)

function calls.syscall_ptr(count)
  for _ = 1, count do
    vm:syscall_ptr(getppid, { [0] = struct, [1] = extra }, {
      { buf_idx = 0, ptr_offset = 8, data = data },
      { buf_idx = 1, ptr_offset = 16, data_len = 64, output = true },
    })
  end
end

print("far " .. table.concat(far, " "))
io.stdout:flush()
for line in io.lines() do
  local what, count = line:match "^(%S+) (%d+)$"
  count = tonumber(count)
  local start = core.now()
  calls[what](count)
  print(("us %.6f"):format((core.now() - start) / count * 1e6))
  io.stdout:flush()
end
