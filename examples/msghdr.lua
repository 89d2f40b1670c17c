-- Proves: a descriptor travels inside a message: msghdr -> iovec -> data, and msghdr -> control.
local provium = require "provium"

local socketpair, sendmsg, recvmsg, memfd_create, write, pread64 = 53, 46, 47, 319, 1, 17 -- x86_64
local vm <close> = provium.create():boot()

-- struct msghdr { name, namelen, iov (at 16), iovlen, control (at 32), controllen, flags }
local function msghdr(iovecs, control_len)
  return provium.pack("u64 u32 u32 u64 u64 u64 u64 u32 u32", 0, 0, 0, 0, iovecs, 0, control_len, 0, 0)
end

-- struct cmsghdr { len, SOL_SOCKET, SCM_RIGHTS }, then one descriptor and what aligns it
local function rights(fd)
  return provium.pack("u64 i32 i32 i32 i32", 20, 1, 1, fd, 0)
end

test("a file goes through a socket", function()
  local ret, pair = vm:syscall_buf(socketpair, 3, 8, 1, 2, 0) -- AF_UNIX, SOCK_DGRAM
  assert_eq(0, ret)
  local near, far = provium.unpack("i32 i32", pair)
  local file = vm:syscall_buf(memfd_create, 0, "example\0")
  vm:syscall_buf(write, 1, "secret", file, 0, 6)

  assert_eq(11, (vm:syscall_ptr(sendmsg, { [1] = msghdr(2, 24) }, {
    { buf_idx = 1, ptr_offset = 16, iovec = { "hello ", "world" } },
    { buf_idx = 1, ptr_offset = 32, data = rights(file) },
  }, near, 0, 0)))

  local got, _, parts, control = vm:syscall_ptr(recvmsg, { [1] = msghdr(2, 24) }, {
    { buf_idx = 1, ptr_offset = 16, iovec = { 5, 6 }, output = true },
    { buf_idx = 1, ptr_offset = 32, data_len = 24, output = true },
  }, far, 0, 0)
  assert_eq({ 11, { "hello", " world" } }, { got, parts })

  local received = select(4, provium.unpack("u64 i32 i32 i32", control))
  local _, text = vm:syscall_buf(pread64, 1, 6, received, 0, 6, 0)
  assert_eq("secret", text)
end)

test("a bad pointer at the second level is -14, EFAULT", function()
  local _, pair = vm:syscall_buf(socketpair, 3, 8, 1, 2, 0)
  assert_eq(-14, (vm:syscall_ptr(sendmsg, { [1] = msghdr(1, 0) },
    { { buf_idx = 1, ptr_offset = 16, bad = "unmapped" } }, (provium.unpack("i32", pair)), 0, 0)))
end)
