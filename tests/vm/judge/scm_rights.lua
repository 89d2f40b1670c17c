-- SPDX-License-Identifier: MIT
-- sendmsg and recvmsg: msghdr -> iovec -> data and msghdr -> control, three levels of pointers; the kernel
-- passes a descriptor on.
local provium = require "provium"
local case = require "case"

local socketpair, sendmsg, recvmsg, memfd_create, write, pread64 = 53, 46, 47, 319, 1, 17 -- x86_64
local vm, see = case.open "scm_rights"

-- struct msghdr, its pointers left zero: name 0, iov 16, control 32
local function msghdr(iovecs, control_len)
  return provium.pack("u64 u32 u32 u64 u64 u64 u64 u32 u32", 0, 0, 0, 0, iovecs, 0, control_len, 0, 0)
end

local function iovec(...)
  local list = {}
  for i, len in ipairs { ... } do
    list[i] = provium.pack("u64 u64", 0, len)
  end
  return table.concat(list)
end

-- struct cmsghdr with one descriptor: SOL_SOCKET, SCM_RIGHTS
local function rights(fd)
  return provium.pack("u64 i32 i32 i32 i32", 20, 1, 1, fd, 0)
end

local ret, pair = see("socketpair", vm:syscall_buf(socketpair, 3, ("\0"):rep(8), 1, 2, 0))
assert(ret == 0, ret)
local near, far = provium.unpack("i32 i32", pair)
local file = see("memfd_create", (vm:syscall_buf(memfd_create, 0, "passed\0")))
assert_eq(6, (see("write", (vm:syscall_buf(write, 1, "inside", file, 0, 6)))))

test("sendmsg follows msghdr to iovec to data, and to control", function()
  local sent = see("sendmsg", (vm:syscall_ptr(sendmsg, { [1] = msghdr(3, 24) }, {
    { buf_idx = 1, ptr_offset = 16, data = iovec(6, 0, 5) },
    { parent = 1, ptr_offset = 0, data = "hello " },
    { parent = 1, ptr_offset = 32, data = "world" },
    { buf_idx = 1, ptr_offset = 32, data = rights(file) },
  }, near, 0, 0)))
  assert_eq(11, sent)
end)

test("recvmsg writes through both paths, and the descriptor that came is the file", function()
  -- the iovec's data stand before the iovec itself: a parent may be a later spec
  local received, header, first, second, vector, control = see("recvmsg", vm:syscall_ptr(recvmsg, { [1] = msghdr(2, 24) }, {
    { parent = 3, ptr_offset = 0, data_len = 4, output = true },
    { parent = 3, ptr_offset = 16, data_len = 100, output = true },
    { buf_idx = 1, ptr_offset = 16, data = iovec(4, 100), output = true },
    { buf_idx = 1, ptr_offset = 32, data_len = 24, output = true },
  }, far, 0, 0))
  assert_eq({ 11, "hell", "o world" .. ("\0"):rep(93) }, { received, first, second })
  assert_eq({ 4, 100 }, { provium.unpack("u64", vector:sub(9)), (provium.unpack("u64", vector:sub(25))) })
  local flags = provium.unpack("u32", header:sub(49))
  local len, level, kind, fd = provium.unpack("u64 i32 i32 i32", control)
  assert_eq({ 0, 20, 1, 1 }, { flags, len, level, kind })
  assert(fd > file, "a new descriptor came: " .. fd)
  local n, content = see("pread64", vm:syscall_buf(pread64, 1, ("\0"):rep(6), fd, 0, 6, 0))
  assert_eq({ 6, "inside" }, { n, content })
end)

test("a descriptor that is not open is EBADF, and nothing is sent", function()
  local sent = see("bad descriptor", (vm:syscall_ptr(sendmsg, { [1] = msghdr(1, 24) }, {
    { buf_idx = 1, ptr_offset = 16, data = iovec(1) },
    { parent = 1, ptr_offset = 0, data = "x" },
    { buf_idx = 1, ptr_offset = 32, data = rights(999) },
  }, near, 0, 0)))
  assert_eq(-9, sent)
  local MSG_DONTWAIT = 0x40
  local got = see("nothing came", (vm:syscall_ptr(recvmsg, { [1] = msghdr(1, 0) }, {
    { buf_idx = 1, ptr_offset = 16, data = iovec(1) },
    { parent = 1, ptr_offset = 0, data_len = 1 },
  }, far, 0, MSG_DONTWAIT)))
  assert_eq(-11, got)
end)

-- addresses: of the iovec and the control in the msghdr, of the data in the iovec
case.compare { recvmsg = { { 1, 16, 8 }, { 1, 32, 8 }, { 4, 0, 8, 16 } } }
