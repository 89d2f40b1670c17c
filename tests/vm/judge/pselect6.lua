-- SPDX-License-Identifier: MIT
-- pselect6's last argument is a struct of its own, {pointer to a signal set, its size}: the kernel reads the
-- set through the inner pointer and blocks what it says while it waits.
local provium = require "provium"
local case = require "case"

local pselect6, pipe2, write, kill, getpid, rt_sigprocmask = 270, 293, 1, 62, 39, 14 -- x86_64
local EFAULT, EINVAL = -14, -22
local vm, see = case.open "pselect6"

local _, ends = see("pipe2", vm:syscall_buf(pipe2, 0, 8, 0, 0))
local r, w = provium.unpack("i32 i32", ends)
local set = provium.pack("u64", 1 << r) .. ("\0"):rep(120)
local no_time = provium.pack("i64 i64", 0, 0)

-- pselect6(r + 1, set, 0, 0, timeout, {mask, size}), the mask through `spec`
local function select(spec, size, timeout)
  spec.buf_idx, spec.ptr_offset = 5, 0
  return see("pselect6", vm:syscall_ptr(pselect6, { [1] = set, [4] = timeout or no_time, [5] = provium.pack("u64 u64", 0, size) },
    { spec }, r + 1, 0, 0, 0, 0, 0))
end

test("an empty pipe is not readable, a full one is", function()
  local ret, ready = select({ data = ("\0"):rep(8) }, 8)
  assert_eq({ 0, 0 }, { ret, (provium.unpack("u64", ready)) })
  assert_eq(1, (vm:syscall_buf(write, 1, "x", w, 0, 1)))
  ret, ready = select({ data = ("\0"):rep(8) }, 8)
  assert_eq({ 1, 1 << r }, { ret, (provium.unpack("u64", ready)) })
end)

test("the size beside the inner pointer is checked, and so is the pointer", function()
  assert_eq(EINVAL, (select({ data = ("\0"):rep(8) }, 7)))
  assert_eq(EFAULT, (select({ bad = "unmapped" }, 8)))
  assert_eq(EFAULT, (select({ data = ("\0"):rep(8), plus = 1 }, 8)))
  assert_eq(1, (select({ null = true }, 8)))
  assert_eq(1, (select({ bad = "readonly" }, 8)))
end)

test("the mask that it points to holds during the wait", function()
  local SIG_BLOCK, SIGUSR1 = 0, 10
  local one = provium.pack("u64", 1 << (SIGUSR1 - 1))
  assert_eq(0, (see("rt_sigprocmask", vm:syscall_buf(rt_sigprocmask, 1, one, SIG_BLOCK, 0, 0, 8))))
  assert_eq(0, vm:syscall(kill, vm:syscall(getpid), SIGUSR1))
  local _, bytes = see("read", vm:syscall_buf(0, 1, 1, r, 0, 1))
  assert_eq("x", bytes) -- the pipe is empty again
  assert_eq(0, (select({ data = one }, 8)), "blocked: the time runs out")
  local ret, _, _, _, how = select({ data = ("\0"):rep(8) }, 8, provium.pack("i64 i64", 5, 0))
  assert_eq({ nil, "killed", SIGUSR1 }, { ret, how and how.what, how and how.signal }, "let in by the inner mask: it kills")
end)

-- the address of the mask
case.compare { pselect6 = { { 3, 0, 8 } } }
