-- SPDX-License-Identifier: MIT
-- Regions, with the kernel as the judge: what it looks at between two calls is still there.
local provium = require "provium"

local EFAULT, EAGAIN, EINVAL, ETIMEDOUT = -14, -11, -22, -110
local vm <close> = provium.create():boot { memory = "192M" }

local function u32(bytes)
  return (provium.unpack("u32", bytes))
end

-- ---- futexes ----

local FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 0, 1, 3

test("a futex's word stays: nobody to wake, another value than expected, a timeout", function()
  local word <close> = vm:alloc(4)
  assert_eq(0, vm:syscall("futex", word, FUTEX_WAKE, 1, 0, 0, 0))
  assert_eq(EAGAIN, vm:syscall("futex", word, FUTEX_WAIT, 1, 0, 0, 0))
  word:write(0, provium.pack("u32", 1))
  local ret = vm:syscall_buf("futex", 3, provium.pack("u64 u64", 0, 1000000), word, FUTEX_WAIT, 1, 0)
  assert_eq(ETIMEDOUT, ret)
  assert_eq(0, vm:syscall("futex", word, FUTEX_REQUEUE, 1, 1, word, 0))
end)

test("a futex's word must be aligned and there", function()
  local word <close> = vm:alloc(8)
  assert_eq(EINVAL, vm:syscall("futex", word + 1, FUTEX_WAKE, 1))
  assert_eq(EFAULT, vm:syscall("futex", word + 8, FUTEX_WAIT, 0, 0))
end)

test("set_tid_address takes a region and leaves it alone", function()
  local word <close> = vm:alloc(4)
  word:write(0, provium.pack("u32", 77))
  local tid = vm:syscall("set_tid_address", word)
  assert_eq(vm:syscall("gettid"), tid)
  assert_eq(77, u32(word:read()))
end)

-- ---- robust lists ----

test("a robust list is what was set", function()
  local head <close> = vm:alloc(24)
  head:write(0, provium.pack("u64 i64 u64", head.address, 0, 0)) -- empty: it points to itself
  assert_eq(EINVAL, vm:syscall("set_robust_list", head, 23))
  assert_eq(0, vm:syscall("set_robust_list", head, 24))
  local ret, at, len = vm:syscall_bufs("get_robust_list", { [1] = 8, [2] = 8 }, 0)
  assert_eq({ 0, head.address, 24 }, { ret, (provium.unpack("u64", at)), (provium.unpack("u64", len)) })
end)

test("the kernel marks the owner's death in the list when the executor ends", function()
  -- the futex lies in a file, which outlives the executor
  local fd = vm:syscall_buf("openat", 1, "/dev/shared\0", -100, 0, 66, 384)
  assert_eq(0, vm:syscall("ftruncate", fd, 4096))
  local file = vm:syscall("mmap", 0, 4096, 3, 1, fd, 0)
  assert(file > 0, file)
  -- entry at byte 0: next is the head, its futex word is 16 bytes further
  local head = vm:alloc(24)
  head:write(0, provium.pack("u64 i64 u64", file, 16, 0))
  assert_eq(8, vm:poke(file, provium.pack("u64", head.address)))
  assert_eq(4, vm:poke(file + 16, provium.pack("u32", vm:syscall("gettid"))))
  assert_eq(0, vm:syscall("set_robust_list", head, 24))
  local _, ended = vm:syscall("exit_group", 0)
  assert_eq("exited", ended.what)
  local again = vm:syscall_buf("openat", 1, "/dev/shared\0", -100, 0, 2, 0)
  local _, word = vm:syscall_buf("pread64", 1, 4, again, 0, 4, 16)
  assert_eq(0x40000000, u32(word) & 0x40000000) -- FUTEX_OWNER_DIED
end)

-- ---- mincore ----

test("mincore tells the pages of a region that were touched", function()
  local r <close> = vm:alloc(4 * 4096)
  assert_eq(0, r.address % 4096)
  assert_eq(2, r:write(2 * 4096 - 1, "ab"))
  local ret, pages = vm:syscall_buf("mincore", 2, 4, r, 4 * 4096)
  assert_eq({ 0, "\0\1\1\0" }, { ret, pages })
  assert_eq(EINVAL, (vm:syscall_buf("mincore", 2, 1, r + 1, 4096)))
  assert_eq(0, vm:syscall("madvise", r, #r, 4)) -- MADV_DONTNEED
  assert_eq("\0\0\0\0", select(2, vm:syscall_buf("mincore", 2, 4, r, #r)))
end)

-- ---- io_uring ----

local IORING_REGISTER_BUFFERS, IORING_OP_READ_FIXED, IORING_ENTER_GETEVENTS = 0, 4, 1
local SQ_RING, SQES = 0, 0x10000000

-- A ring: where its parts are, from struct io_uring_params.
local function open_ring(entries)
  local fd, params = vm:syscall_buf("io_uring_setup", 1, 120, entries)
  assert(fd >= 0, fd)
  local ring = { fd = fd }
  ring.sq_entries, ring.cq_entries = provium.unpack("u32 u32", params)
  ring.head, ring.tail, ring.mask, _, _, _, ring.array = provium.unpack("u32 u32 u32 u32 u32 u32 u32", params:sub(41))
  ring.cq_head, ring.cq_tail, ring.cq_mask, _, _, ring.cqes = provium.unpack("u32 u32 u32 u32 u32 u32", params:sub(81))
  ring.size = ring.cqes + 16 * ring.cq_entries
  ring.at = vm:syscall("mmap", 0, ring.size, 3, 0x8001, fd, SQ_RING)
  ring.sqes = vm:syscall("mmap", 0, 64 * ring.sq_entries, 3, 0x8001, fd, SQES)
  assert(ring.at > 0 and ring.sqes > 0, ring.at)
  return ring
end

-- struct io_uring_sqe: opcode, flags, ioprio, fd, off, addr, len, rw_flags, user_data, buf_index, ...
local function sqe(opcode, fd, offset, address, len, user_data, index)
  return provium.pack("u8 u8 u16 i32 u64 u64 u32 u32 u64 u16 pad[22]", opcode, 0, 0, fd, offset, address, len, 0, user_data,
    index)
end

local function submit(ring, entry)
  local tail = u32(vm:peek(ring.at + ring.tail, 4))
  local slot = tail & u32(vm:peek(ring.at + ring.mask, 4))
  assert_eq(64, vm:poke(ring.sqes + 64 * slot, entry))
  assert_eq(4, vm:poke(ring.at + ring.array + 4 * slot, provium.pack("u32", slot)))
  assert_eq(4, vm:poke(ring.at + ring.tail, provium.pack("u32", tail + 1)))
  return vm:syscall("io_uring_enter", ring.fd, 1, 1, IORING_ENTER_GETEVENTS, 0, 0)
end

-- The next completion: its user data and result.
local function complete(ring)
  local head = u32(vm:peek(ring.at + ring.cq_head, 4))
  assert_eq(head + 1, u32(vm:peek(ring.at + ring.cq_tail, 4)))
  local slot = head & u32(vm:peek(ring.at + ring.cq_mask, 4))
  local user_data, res = provium.unpack("u64 i32", vm:peek(ring.at + ring.cqes + 16 * slot, 16))
  vm:poke(ring.at + ring.cq_head, provium.pack("u32", head + 1))
  return user_data, res
end

test("io_uring reads a file into a registered region, through rings that the script mapped", function()
  local file = vm:syscall_buf("memfd_create", 0, "file\0")
  assert_eq(11, (vm:syscall_buf("write", 1, "hello world", file, 0, 11)))
  local ring = open_ring(4)
  local target <close> = vm:alloc(8192)
  target:write(0, ("."):rep(8192))
  local iovec = provium.pack("u64 u64", 0, #target)
  assert_eq(0, (vm:syscall_ptr("io_uring_register", { [2] = iovec }, { { buf_idx = 2, ptr_offset = 0, region = target } },
    ring.fd, IORING_REGISTER_BUFFERS, 0, 1)))
  assert_eq(1, submit(ring, sqe(IORING_OP_READ_FIXED, file, 6, target + 4094, 5, 42, 0)))
  assert_eq({ 42, 5 }, { complete(ring) })
  assert_eq(".world.", target:read(4093, 7))
  -- one byte beyond the registered buffer, and an index that none has
  assert_eq(1, submit(ring, sqe(IORING_OP_READ_FIXED, file, 0, target + 8190, 3, 43, 0)))
  assert_eq({ 43, EFAULT }, { complete(ring) })
  assert_eq(1, submit(ring, sqe(IORING_OP_READ_FIXED, file, 0, target.address, 3, 44, 7)))
  assert_eq({ 44, EFAULT }, { complete(ring) })
  assert_eq({ "", EFAULT }, { vm:peek(ring.at - 4096 * 4096, 4) })
end)

-- ---- fault-safe ----

test("peek and poke at any address harm nobody", function()
  for _, at in ipairs { 0, 4096, -1, 1 << 47, 1 << 63, math.maxinteger, 0xffffffff81000000 } do
    assert_eq({ "", EFAULT }, { vm:peek(at, 16) })
    assert_eq({ 0, EFAULT }, { vm:poke(at, "x") })
  end
  local at = vm:syscall("mmap", 0, 8192, 3, 0x22, -1, 0)
  assert_eq(0, vm:syscall("mprotect", at + 4096, 4096, 1))
  assert_eq({ 6, EFAULT }, { vm:poke(at + 4090, "0123456789") })
  assert_eq("012345\0\0\0\0", vm:peek(at + 4090, 10))
  assert(vm:syscall("getpid") > 0)
end)

test("regions do not survive a new guest", function()
  local r = vm:alloc(8)
  vm:shutdown()
  vm:boot { memory = "192M" }
  local ok, err = pcall(r.read, r)
  assert_eq(false, ok)
  assert_contains(err, "the region was lost")
  assert_eq(8, #vm:alloc(8))
end)
