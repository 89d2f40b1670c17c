-- SPDX-License-Identifier: MIT
-- Bad addresses are what they say: the kernel is asked to read and to write at each, alone and inside structs.
local provium = require "provium"

local readv, writev, memfd_create, pread64, mincore = 19, 20, 319, 17, 27 -- x86_64
local EFAULT, ENOMEM = -14, -12
local vm <close> = provium.create():boot { memory = "128M" }

-- readv or writev of one byte at a bad address
local function transfer(call, spec)
  local fd = vm:syscall_buf(memfd_create, 0, "x\0")
  assert_eq(4, (vm:syscall_buf(1, 1, "data", fd, 0, 4)))
  vm:syscall(8, fd, 0, 0)
  spec.buf_idx, spec.ptr_offset = 1, 0
  local ret, iovec = vm:syscall_ptr(call, { [1] = provium.pack("u64 u64", 0, 1) }, { spec }, fd, 0, 1)
  vm:syscall(3, fd)
  return ret, (provium.unpack("u64", iovec))
end

for _, kind in ipairs { "unmapped", "noncanonical", "kernel" } do
  test(kind .. ": the kernel can neither read nor write there", function()
    assert_eq(EFAULT, (transfer(writev, { bad = kind })))
    assert_eq(EFAULT, (transfer(readv, { bad = kind })))
    assert_eq(EFAULT, (transfer(readv, { bad = kind, plus = 4095 })))
  end)
end

test("readonly: the kernel can read there, and what it reads is zero; it cannot write", function()
  assert_eq(1, (transfer(writev, { bad = "readonly" })))
  assert_eq(EFAULT, (transfer(readv, { bad = "readonly" })))
  assert_eq(1, (transfer(writev, { bad = "readonly", plus = 4095 })))
end)

test("null: the address 0, and small ones by plus", function()
  local ret, address = transfer(writev, { null = true })
  assert_eq({ EFAULT, 0 }, { ret, address })
  ret, address = transfer(readv, { null = true, plus = 8 })
  assert_eq({ EFAULT, 8 }, { ret, address })
end)

test("each is the kind of address that it is called", function()
  local _, unmapped = transfer(writev, { bad = "unmapped" })
  local _, readonly = transfer(writev, { bad = "readonly" })
  local _, noncanonical = transfer(writev, { bad = "noncanonical" })
  local _, kernel = transfer(writev, { bad = "kernel" })
  assert(kernel < 0, "the upper half is the kernel's")
  local top = noncanonical >> 47
  assert(top ~= 0 and top ~= 0x1ffff, "bits 63 to 47 differ")
  -- mincore takes what is mapped, readable or not, and is ENOMEM elsewhere
  assert_eq(0, (vm:syscall_buf(mincore, 2, "\0", readonly, 4096, 0)))
  assert(unmapped & 4095 == 0 and readonly & 4095 == 0 and unmapped ~= readonly)
  assert(unmapped < 1 << 32 and readonly < 1 << 32, "four bytes hold them")
  assert_eq(ENOMEM, (vm:syscall_buf(mincore, 2, "\0", noncanonical & ~4095, 4096, 0)))
end)

test("they stay where they are from call to call", function()
  local _, first = transfer(writev, { bad = "readonly" })
  for _ = 1, 10 do
    assert_eq({ 1, first }, { transfer(writev, { bad = "readonly" }) })
  end
end)

test("one of several iovecs is bad: what is before it is written", function()
  local fd = vm:syscall_buf(memfd_create, 0, "x\0")
  local ret = vm:syscall_ptr(writev, { [1] = provium.pack("u64 u64 u64 u64", 0, 5, 0, 5) }, {
    { buf_idx = 1, ptr_offset = 0, data = "whole" },
    { buf_idx = 1, ptr_offset = 16, bad = "unmapped" },
  }, fd, 0, 2)
  assert_eq(5, ret)
  local n, bytes = vm:syscall_buf(pread64, 1, ("\0"):rep(10), fd, 0, 10, 0)
  assert_eq({ 5, "whole\0\0\0\0\0" }, { n, bytes })
end)

test("plus points into a buffer, and behind its end is EFAULT", function()
  local fd = vm:syscall_buf(memfd_create, 0, "x\0")
  local function write(plus)
    return (vm:syscall_ptr(writev, { [1] = provium.pack("u64 u64", 0, 2) },
      { { buf_idx = 1, ptr_offset = 0, data = "abcd", plus = plus } }, fd, 0, 1))
  end
  assert_eq({ 2, 2, 1, EFAULT }, { write(0), write(2), write(3), write(4) })
  local _, bytes = vm:syscall_buf(pread64, 1, ("\0"):rep(5), fd, 0, 5, 0)
  assert_eq("abcdd", bytes)
end)
