-- SPDX-License-Identifier: MIT
-- copy_file_range reads two offsets through pointers and writes back how far it came.
local provium = require "provium"
local case = require "case"

local write, pread64, memfd_create, copy_file_range = 1, 17, 319, 326 -- x86_64
local vm, see = case.open "copy_file_range"

local function memfd(content)
  local fd = see("memfd_create", (vm:syscall_buf(memfd_create, 0, "x\0")))
  assert_eq(#content, (vm:syscall_buf(write, 1, content, fd, 0, #content)))
  return fd
end

test("copy_file_range reads both offsets and moves them on", function()
  local from, to = memfd "0123456789", memfd "..........."
  local ret, off_in, off_out = see("copy_file_range", vm:syscall_bufs(copy_file_range,
    { [1] = provium.pack("i64", 2), [3] = provium.pack("i64", 5) }, from, 0, to, 0, 4, 0))
  assert_eq({ 4, 6, 9 }, { ret, (provium.unpack("i64", off_in)), (provium.unpack("i64", off_out)) })
  local _, content = see("pread64", vm:syscall_buf(pread64, 1, 11, to, 0, 11, 0))
  assert_eq(".....2345..", content)
  local r = vm:call { nr = copy_file_range, args = { from, 0, to, 0, 100, 0 },
    bufs = { [1] = provium.pack("i64", 8), [3] = provium.pack("i64", 0) }, changed = true }
  assert_eq(2, (see("to the end", r.ret, table.unpack(r.outs))))
  assert_eq({ { buf = 1, offset = 0, len = 1 }, { buf = 3, offset = 0, len = 1 } }, r.changed)
end)

case.compare()
