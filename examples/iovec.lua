-- Proves: writev and readv follow the pointers of an iovec array, in both directions.
local provium = require "provium"

local readv, writev, lseek, memfd_create = 19, 20, 8, 319 -- x86_64
local vm <close> = provium.create():boot()

-- struct iovec { void *base; size_t len; }, the base left zero for a pointer spec
local function iovec(len)
  return provium.pack("u64 u64", 0, len)
end

test("writev gathers, readv scatters", function()
  local fd = vm:syscall_buf(memfd_create, 0, "example\0")
  assert(fd >= 0, "memfd_create failed: " .. fd)

  local ret = vm:syscall_ptr(writev,
    { [1] = iovec(7) .. iovec(6) },
    {
      { buf_idx = 1, ptr_offset = 0, data = "Hello, " },
      { buf_idx = 1, ptr_offset = 16, data = "kernel" },
    },
    fd, 0, 2)
  assert_eq(13, ret)

  assert_eq(0, vm:syscall(lseek, fd, 0, 0))
  local vector, first, second, third
  ret, vector, first, second, third = vm:syscall_ptr(readv,
    { [1] = iovec(3) .. iovec(4) .. iovec(8) },
    {
      { buf_idx = 1, ptr_offset = 0, data_len = 3, output = true },
      { buf_idx = 1, ptr_offset = 16, data_len = 4, output = true },
      { buf_idx = 1, ptr_offset = 32, data = "........", output = true },
    },
    fd, 0, 3)
  assert_eq(13, ret)
  assert_eq({ "Hel", "lo, ", "kernel.." }, { first, second, third })
  assert(provium.unpack("u64", vector) ~= 0) -- the array holds the addresses now
end)

test("a bad address in the array is -14, EFAULT", function()
  local fd = vm:syscall_buf(memfd_create, 0, "example\0")
  assert_eq(-14, (vm:syscall_ptr(writev, { [1] = iovec(7) }, {}, fd, 0, 1)))
end)
