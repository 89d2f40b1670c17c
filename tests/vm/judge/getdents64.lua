-- SPDX-License-Identifier: MIT
-- getdents64: records of varying length, and a buffer that holds only some of them.
local provium = require "provium"
local case = require "case"

local openat, close, getdents64, mkdirat = 257, 3, 217, 258 -- x86_64
local EINVAL = -22
local vm, see = case.open "getdents64"

test("getdents64 fills whole records only, and a buffer too small for one is EINVAL", function()
  assert_eq(0, (vm:syscall_buf(mkdirat, 1, "dents\0", -100, 0, 511)))
  local names = { ["."] = true, [".."] = true }
  for i = 1, 40 do
    local name = ("n"):rep(i)
    names[name] = true
    vm:syscall_buf(mkdirat, 1, "dents/" .. name .. "\0", -100, 0, 511)
  end
  local fd = see("openat", (vm:syscall_buf(openat, 1, "dents\0", -100, 0, 0x10000)))
  assert_eq(EINVAL, (see("no room", vm:syscall_buf(getdents64, 1, 20, fd, 0, 20))))
  local calls = 0
  repeat
    local n, bytes = see("getdents64", vm:syscall_buf(getdents64, 1, 200, fd, 0, 200))
    assert(n >= 0 and n <= 200, n)
    local at = 1
    while at <= n do
      local len = string.unpack("<I2", bytes, at + 16)
      local name = string.unpack("z", bytes, at + 19)
      assert(names[name], name)
      names[name] = nil
      at = at + len
    end
    assert_eq(n + 1, at)
    calls = calls + 1
  until n == 0
  assert_eq(nil, (next(names)))
  assert(calls > 5, calls)
  vm:syscall(close, fd)
end)

-- the inode numbers: the first eight bytes of each record
local function inodes(bytes)
  local ranges, at = {}, 0
  while at + 19 <= #bytes and bytes:byte(at + 17) ~= 0 do
    ranges[#ranges + 1] = { at, 8 }
    at = at + string.unpack("<I2", bytes, at + 17)
  end
  return ranges
end

case.compare { getdents64 = { { 1, inodes } } }
