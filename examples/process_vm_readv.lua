-- Proves: pointers in two arrays of one call: process_vm_readv copies from one to the other.
local provium = require "provium"

local process_vm_readv, getpid = 310, 39 -- x86_64
local ESRCH, EFAULT = -3, -14
local vm <close> = provium.create():boot()

local secret = "read through the kernel"

-- Read `secret` out of our own process, with the iovec arrays as arguments 1 and 3.
local function read(pid, specs)
  local iovec = provium.pack("u64 u64", 0, #secret)
  local ret, here, there, out = vm:syscall_ptr(process_vm_readv, { [1] = iovec, [3] = iovec }, specs,
    pid, 0, 1, 0, 1, 0)
  return ret, out, provium.unpack("u64", here), provium.unpack("u64", there)
end

test("bytes travel from the remote array to the local one", function()
  local ret, out, here, there = read(vm:syscall(getpid), {
    { buf_idx = 1, ptr_offset = 0, data_len = #secret, output = true },
    { buf_idx = 3, ptr_offset = 0, data = secret },
  })
  assert_eq({ #secret, secret }, { ret, out })
  assert(here ~= 0 and there ~= 0 and here ~= there)
end)

test("no such process, no such memory", function()
  assert_eq(ESRCH, (read(0x7fffffff, { { buf_idx = 1, ptr_offset = 0, data_len = #secret, output = true } })))
  assert_eq(EFAULT, (read(vm:syscall(getpid), { { buf_idx = 1, ptr_offset = 0, data_len = #secret } })))
end)
