-- SPDX-License-Identifier: MIT
-- SO_ATTACH_FILTER: a struct with a count and a pointer to instructions.
local provium = require "provium"
local case = require "case"

local socketpair, sendto, recvfrom, setsockopt = 53, 44, 45, 54 -- x86_64
local EFAULT, EINVAL, EAGAIN = -14, -22, -11
local vm, see = case.open "attach_filter"

test("SO_ATTACH_FILTER: sock_fprog -> instructions, and the filter cuts packets", function()
  local SOL_SOCKET, SO_ATTACH_FILTER, DONTWAIT = 1, 26, 0x40
  local _, pair = see("socketpair", vm:syscall_buf(socketpair, 3, 8, 1, 2, 0)) -- AF_UNIX, SOCK_DGRAM
  local near, far = provium.unpack("i32 i32", pair)
  local function attach(count, spec)
    spec.buf_idx, spec.ptr_offset = 3, 8
    local fprog = provium.pack("u16 u16 u32 u64", count, 0, 0, 0)
    return (see("setsockopt", vm:syscall_ptr(setsockopt, { [3] = fprog }, { spec }, far, SOL_SOCKET, SO_ATTACH_FILTER, 0, #fprog)))
  end
  local function ret(k) -- BPF_RET | BPF_K
    return provium.pack("u16 u8 u8 u32", 0x06, 0, 0, k)
  end
  assert_eq(EFAULT, attach(1, { bad = "unmapped" }))
  assert_eq(EFAULT, attach(2, { data = ret(3) }), "the guard stands behind the only instruction")
  assert_eq(EINVAL, attach(1, { data = provium.pack("u16 u8 u8 u32", 0xffff, 0, 0, 0) }))
  assert_eq(0, attach(1, { data = ret(3) }))
  assert_eq(6, (see("sendto", (vm:syscall_buf(sendto, 1, "packet", near, 0, 6, 0)))))
  local n, bytes = see("recvfrom", vm:syscall_buf(recvfrom, 1, 10, far, 0, 10, DONTWAIT))
  assert_eq({ 3, "pac" .. ("\0"):rep(7) }, { n, bytes })
  assert_eq(0, attach(1, { data = ret(0) }))
  see("sendto", (vm:syscall_buf(sendto, 1, "packet", near, 0, 6, 0)))
  assert_eq(EAGAIN, (see("recvfrom", vm:syscall_buf(recvfrom, 1, 10, far, 0, 10, DONTWAIT))), "the filter drops all")
end)

-- the address of the instructions
case.compare { setsockopt = { { 1, 8, 8 } } }
