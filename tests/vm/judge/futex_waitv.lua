-- SPDX-License-Identifier: MIT
-- futex_waitv: an array of structs, each with an address that the kernel reads.
local provium = require "provium"
local case = require "case"
local struct, const, errno = provium.struct, provium.const, provium.errno

local vm, see = case.open "futex_waitv"
local waiter = struct "struct futex_waitv { u64 val; __aligned_u64 uaddr; u32 flags, reserved; };"
local timespec = struct "i64 sec, nsec;"
local private = const.FUTEX_32 | const.FUTEX_PRIVATE_FLAG

local function word(n)
  return provium.out(provium.pack("u32", n))
end

-- Wait for all of a list until a time long past.
local function wait(label, list, flags)
  local array = struct(("struct futex_waitv v[%d];"):format(#list), { waiter })
  local ret, back = vm:syscall("futex_waitv", array { v = list }, #list, flags or 0, timespec { nsec = 1 },
    const.CLOCK_MONOTONIC)
  see(label, ret, array:pack(back))
  return ret
end

test("all hold what is expected: it waits, until the deadline", function()
  assert_eq(-errno.ETIMEDOUT, wait("both", { { val = 1, uaddr = word(1), flags = private },
    { val = 2, uaddr = word(2), flags = private } }))
end)

test("one that holds something else: it does not wait", function()
  assert_eq(-errno.EAGAIN, wait("first", { { val = 1, uaddr = word(7), flags = private },
    { val = 2, uaddr = word(2), flags = private } }))
  assert_eq(-errno.EAGAIN, wait("second", { { val = 1, uaddr = word(1), flags = private },
    { val = 2, uaddr = word(7), flags = private } }))
end)

test("128 futexes are taken, 129 are not", function()
  local list = {}
  for i = 1, 129 do
    list[i] = { val = i, uaddr = word(i), flags = private }
  end
  assert_eq(-errno.EINVAL, wait("129", list))
  list[129] = nil
  assert_eq(-errno.ETIMEDOUT, wait("128", list))
end)

test("what is refused: an address that is not there, or odd, flags, sizes, reserved bits", function()
  assert_eq(-errno.EFAULT, wait("no address", { { val = 1, uaddr = 0, flags = private } }))
  assert_eq(-errno.EINVAL, wait("odd", { { val = 1, uaddr = 0x10001, flags = private } }))
  assert_eq(-errno.EINVAL, wait("size", { { val = 1, uaddr = word(1), flags = 1 } }))
  assert_eq(-errno.EINVAL, wait("reserved", { { val = 1, uaddr = word(1), flags = private, reserved = 1 } }))
  assert_eq(-errno.EINVAL, wait("flags", { { val = 1, uaddr = word(1), flags = private } }, 1))
end)

-- the addresses
local addresses = { { 1, 8, 8, 24 } }
case.compare {
  both = addresses, first = addresses, second = addresses, ["128"] = addresses, ["129"] = addresses,
  size = addresses, reserved = addresses, flags = addresses,
}
