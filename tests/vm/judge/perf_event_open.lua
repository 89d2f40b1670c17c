-- SPDX-License-Identifier: MIT
-- perf_event_open: a struct that has grown eight times, bit fields in it, and a size that the kernel corrects.
local provium = require "provium"
local case = require "case"
local struct, const, errno = provium.struct, provium.const, provium.errno

local vm, see = case.open "perf_event_open"
local attr = struct [[
  u32 type, size = PERF_ATTR_SIZE_VER0; u64 config, sample_period, sample_type, read_format;
  u64 disabled:1, inherit:1, pinned:1, exclusive:1, exclude_user:1, exclude_kernel:1, rest:58;
  u32 wakeup_events, bp_type; u64 config1; ]]
assert(#attr == const.PERF_ATTR_SIZE_VER0)

local function open(label, fields, tail, group)
  fields.type = fields.type or const.PERF_TYPE_SOFTWARE
  fields.config = fields.config or const.PERF_COUNT_SW_DUMMY
  return see(label, vm:syscall_buf("perf_event_open", 0, attr:pack(fields) .. (tail or ""), 0, 0, -1, group or -1, 0))
end

test("sizes: its first version's, 0 for that, a byte less, longer with zeros, longer with more", function()
  local first = const.PERF_ATTR_SIZE_VER0
  assert(open("first", {}) >= 0)
  assert(open("none", { size = 0 }) >= 0)
  local ret, corrected = open("a byte less", { size = first - 1 })
  assert_eq(-errno.E2BIG, ret)
  assert(attr:unpack(corrected).size > first, "the kernel wrote the size that it knows")
  assert(open("longer", { size = 256 }, ("\0"):rep(256 - first)) >= 0)
  ret, corrected = open("and more", { size = 256 }, ("\0"):rep(255 - first) .. "\1")
  assert_eq(-errno.E2BIG, ret)
  assert(attr:unpack(corrected).size < 256)
  assert_eq(-errno.EFAULT, (open("beyond the memory", { size = first + 8 })))
end)

test("bit fields: bits that there are, and one that there is not", function()
  assert(open("disabled", { disabled = 1, exclude_kernel = 1, pinned = 1 }) >= 0)
  assert_eq(-errno.EINVAL, (open("reserved bit", { rest = 1 << 57 })))
  assert_eq(-errno.EINVAL, (open("format", { read_format = 1 << 40 })))
  assert_eq(-errno.ENOENT, (open("no such type", { type = 0x7ffffff })))
end)

test("a group of two is read at once, with their ids", function()
  local format = const.PERF_FORMAT_GROUP | const.PERF_FORMAT_ID
  local leader = open("leader", { read_format = format })
  local second = open("second", { read_format = format }, nil, leader)
  local _, first_id = see("id", vm:ioctl(leader, const.PERF_EVENT_IOC_ID, ("\0"):rep(8)))
  local _, second_id = see("id", vm:ioctl(second, const.PERF_EVENT_IOC_ID, ("\0"):rep(8)))
  local got, values = see("read", vm:syscall_buf("read", 1, 40, leader, 0, 40))
  assert_eq(40, got)
  local count, a, id_a, b, id_b = provium.unpack("u64 u64 u64 u64 u64", values)
  assert_eq({ 2, 0, 0 }, { count, a, b })
  assert_eq({ (provium.unpack("u64", first_id)), (provium.unpack("u64", second_id)) }, { id_a, id_b })
  assert_eq(-errno.ENOSPC, (see("no room", vm:syscall_buf("read", 1, 39, leader, 0, 39))))
end)

-- ids count up
case.compare { id = { { 1, 0, 8 } }, read = { { 1, 16, 8 }, { 1, 32, 8 } } }
