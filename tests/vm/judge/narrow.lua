-- SPDX-License-Identifier: MIT
-- Pointers of four bytes: modify_ldt takes one and gives it back in a descriptor, process_vm_readv and writev
-- follow it zero-extended.
local provium = require "provium"
local case = require "case"

local getpid, process_vm_readv, writev, memfd_create, modify_ldt = 39, 310, 20, 319, 154 -- x86_64
local vm, see = case.open "narrow"
local pid = vm:syscall(getpid)

test("what four bytes name is the buffer: zero-extended they are its address", function()
  local remote = provium.pack("u64 u64", 0, 11)
  local ret, _, iovec, copy = see("process_vm_readv", vm:syscall_ptr(process_vm_readv,
    { [1] = provium.pack("u64 u64", 0, 11), [3] = remote }, {
      { buf_idx = 3, ptr_offset = 0, data = "narrow data", width = 4 },
      { buf_idx = 1, ptr_offset = 0, data_len = 11, output = true },
    }, pid, 0, 1, 0, 1, 0))
  assert_eq({ 11, "narrow data" }, { ret, copy })
  assert(math.ult(provium.unpack("u64", iovec), 1 << 32))
end)

test("the buffer below 4 GiB ends at a guard too", function()
  local fd = see("memfd_create", (vm:syscall_buf(memfd_create, 0, "x\0")))
  local function write(plus)
    return (see("writev", vm:syscall_ptr(writev, { [1] = provium.pack("u64 u64", 0, 1) },
      { { buf_idx = 1, ptr_offset = 0, data = "narrow data", width = 4, plus = plus } }, fd, 0, 1)))
  end
  assert_eq({ 1, 1, -14 }, { write(0), write(10), write(11) })
end)

test("modify_ldt takes a base of four bytes", function()
  -- struct user_desc { u32 entry_number, base_addr, limit, flags; }: 32-bit data, writable, usable
  local ret, desc = see("write an entry", vm:syscall_ptr(modify_ldt, { [1] = provium.pack("u32 u32 u32 u32", 0, 0, 0xfff, 0x41) },
    { { buf_idx = 1, ptr_offset = 4, data_len = 4096, width = 4 } }, 0x11, 0, 16))
  assert_eq(0, ret)
  local base = select(2, provium.unpack("u32 u32", desc))
  assert(base ~= 0)
  local n, ldt = see("read it", vm:syscall_buf(modify_ldt, 1, 8, 0, 0, 8))
  local _, low, middle, _, _, high = provium.unpack("u16 u16 u8 u8 u8 u8", ldt)
  assert_eq({ 8, base }, { n, low | middle << 16 | high << 24 })
end)

test("a chain of structs with four-byte pointers", function()
  -- struct { u32 next; u32 value; }
  local function node(value)
    return provium.pack("u32 u32", 0, value)
  end
  local _, holder, first, second, third = vm:syscall_ptr(getpid, { [0] = 8 }, {
    { buf_idx = 0, ptr_offset = 0, data = node(1), width = 4, output = true },
    { parent = 1, ptr_offset = 0, data = node(2), width = 4, output = true },
    { parent = 2, ptr_offset = 0, data = node(3), width = 4, output = true },
    { parent = 3, ptr_offset = 0, same = 1, width = 4 },
  })
  assert_eq(provium.unpack("u32", holder), (provium.unpack("u32", third)), "the last points at the first")
  local seen = {}
  for _, bytes in ipairs { first, second, third } do
    local address = provium.unpack("u32", bytes)
    assert(address ~= 0 and not seen[address])
    seen[address] = true
  end
end)

-- addresses; in the descriptor the base is in three pieces, of which the last is above it
case.compare {
  process_vm_readv = { { 1, 0, 8 }, { 2, 0, 4 } }, writev = { { 1, 0, 4 } },
  ["write an entry"] = { { 1, 4, 4 } }, ["read it"] = { { 1, 2, 3 }, { 1, 7, 1 } },
}
