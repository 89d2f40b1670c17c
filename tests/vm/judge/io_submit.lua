-- SPDX-License-Identifier: MIT
-- io_submit with PREADV and PWRITEV: iocbpp -> iocb -> iovec -> data, four levels; io_getevents reports.
local provium = require "provium"
local case = require "case"

local memfd_create, pread64 = 319, 17 -- x86_64
local io_setup, io_destroy, io_getevents, io_submit = 206, 207, 208, 209
local PREADV, PWRITEV = 7, 8
local EFAULT = -14
local vm, see = case.open "io_submit"

local ret, context = see("io_setup", vm:syscall_bufs(io_setup, { [1] = 8 }, 4, 0))
assert(ret == 0, ret)
local ctx = provium.unpack("u64", context)
local fd = vm:syscall_buf(memfd_create, 0, "aio\0")

-- struct iocb: data, key, rw_flags, opcode, prio, fd, buf (24), nbytes, offset, reserved2, flags, resfd
local function iocb(data, opcode, count, offset)
  return provium.pack("u64 u32 u32 u16 i16 u32 u64 u64 i64 u64 u32 u32", data, 0, 0, opcode, 0, fd, 0, count, offset, 0, 0, 0)
end

-- the results of `count` requests, by their data
local function events(count)
  local n, list = see("io_getevents", vm:syscall_bufs(io_getevents, { [3] = 32 * count }, ctx, count, count, 0, 0))
  assert_eq(count, n)
  local results = {}
  for i = 1, n do
    local data, _, res = provium.unpack("u64 u64 i64", list:sub(32 * i - 31))
    results[data] = res
  end
  return results
end

test("two requests in one array write from three buffers", function()
  local submitted = see("write", vm:syscall_ptr(io_submit, { [2] = 16 }, {
    { buf_idx = 2, ptr_offset = 0, data = iocb(1, PWRITEV, 2, 0) },
    { buf_idx = 2, ptr_offset = 8, data = iocb(2, PWRITEV, 1, 11) },
    { parent = 1, ptr_offset = 24, data = provium.pack("u64 u64 u64 u64", 0, 6, 0, 5) },
    { parent = 2, ptr_offset = 24, data = provium.pack("u64 u64", 0, 1) },
    { parent = 3, ptr_offset = 0, data = "hello " },
    { parent = 3, ptr_offset = 16, data = "world" },
    { parent = 4, ptr_offset = 0, data = "!" },
  }, ctx, 2, 0))
  assert_eq(2, submitted)
  assert_eq({ 11, 1 }, events(2))
  local n, content = see("pread64", vm:syscall_buf(pread64, 1, 12, fd, 0, 12, 0))
  assert_eq({ 12, "hello world!" }, { n, content })
end)

test("PREADV scatters, with the iovec in one line", function()
  local submitted, array, parts = see("read", vm:syscall_ptr(io_submit, { [2] = 8 }, {
    { buf_idx = 2, ptr_offset = 0, data = iocb(7, PREADV, 2, 0) },
    { parent = 1, ptr_offset = 24, iovec = { 5, 10 }, output = true },
  }, ctx, 1, 0))
  assert_eq({ 1, { "hello", " world!\0\0\0" } }, { submitted, parts })
  assert(provium.unpack("u64", array) ~= 0)
  assert_eq(12, events(1)[7])
end)

test("a bad address at each of the three inner levels is EFAULT", function()
  assert_eq(EFAULT, (see("no iocb", (vm:syscall_ptr(io_submit, { [2] = 8 },
    { { buf_idx = 2, ptr_offset = 0, bad = "kernel" } }, ctx, 1, 0)))))
  assert_eq(EFAULT, (see("no iovec", (vm:syscall_ptr(io_submit, { [2] = 8 }, {
    { buf_idx = 2, ptr_offset = 0, data = iocb(1, PREADV, 1, 0) },
    { parent = 1, ptr_offset = 24, bad = "unmapped" },
  }, ctx, 1, 0)))))
  local submitted = see("no data", (vm:syscall_ptr(io_submit, { [2] = 8 }, {
    { buf_idx = 2, ptr_offset = 0, data = iocb(1, PREADV, 1, 0) },
    { parent = 1, ptr_offset = 24, data = provium.pack("u64 u64", 0, 4) },
    { parent = 2, ptr_offset = 0, bad = "readonly" },
  }, ctx, 1, 0)))
  assert_eq(1, submitted) -- the transfer fails, not the submission
  assert_eq(EFAULT, events(1)[1])
end)

see("io_destroy", vm:syscall(io_destroy, ctx))

-- the context's address; those of the iocbs, in the array and in the events
case.compare {
  io_setup = { { 1, 0, 8 } }, write = { { 1, 0, 8, 8 } }, read = { { 1, 0, 8 } }, io_getevents = { { 1, 8, 8, 32 } },
}
