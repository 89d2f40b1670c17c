-- Proves: futex_waitv reads every futex of an array through its pointer.  Needs Linux 5.16.
local provium = require "provium"

local futex_waitv = 449 -- x86_64
local FUTEX_32, FUTEX_PRIVATE_FLAG, CLOCK_MONOTONIC = 2, 128, 1
local EAGAIN, EFAULT, ETIMEDOUT = -11, -14, -110
local vm <close> = provium.create():boot()

-- struct futex_waitv { __u64 val; __u64 uaddr; __u32 flags; __u32 reserved; }
local function waiter(value)
  return provium.pack("u64 u64 u32 u32", value, 0, FUTEX_32 | FUTEX_PRIVATE_FLAG, 0)
end

-- Wait for two futexes that hold `first` and `second`, expecting 1 and 2, until a time long past.
local function wait(first, second)
  local past = provium.pack("u64 u64", 0, 1)
  return (vm:syscall_ptr(futex_waitv,
    { [0] = waiter(1) .. waiter(2), [3] = past },
    {
      { buf_idx = 0, ptr_offset = 8, data = provium.pack("u32", first) },
      { buf_idx = 0, ptr_offset = 24 + 8, data = provium.pack("u32", second) },
    },
    0, 2, 0, 0, CLOCK_MONOTONIC))
end

test("both futexes hold what is expected: it waits, until the deadline", function()
  assert_eq(ETIMEDOUT, wait(1, 2))
end)

test("one futex holds something else: it does not wait", function()
  assert_eq(EAGAIN, wait(7, 2))
  assert_eq(EAGAIN, wait(1, 7))
end)

test("without the pointers there is nothing to read", function()
  local past = provium.pack("u64 u64", 0, 1)
  assert_eq(EFAULT, (vm:syscall_bufs(futex_waitv, { [0] = waiter(1), [3] = past }, 0, 1, 0, 0, CLOCK_MONOTONIC)))
end)
