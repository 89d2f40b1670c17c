-- Proves: bpf follows two pointers of one struct: a map is made, written and read.
local provium = require "provium"

local bpf = 321 -- x86_64
local BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM = 0, 1, 2
local BPF_MAP_TYPE_HASH, BPF_NOEXIST = 1, 1
local ENOENT, EEXIST = -2, -17
local vm <close> = provium.create():boot()

local map

-- The part of union bpf_attr for elements: { u32 map_fd; u64 key; u64 value; u64 flags; }
local function element(command, key, value, flags)
  local attr = provium.pack("u32 u32 u64 u64 u64", map, 0, 0, 0, flags)
  local ret, _, out = vm:syscall_ptr(bpf, { [1] = attr }, {
    { buf_idx = 1, ptr_offset = 8, data = key },
    { buf_idx = 1, ptr_offset = 16, data = value, output = true },
  }, command, 0, #attr)
  return ret, out
end

test("create a map of 4-byte keys and 8-byte values", function()
  local attr = provium.pack("u32 u32 u32 u32 u32", BPF_MAP_TYPE_HASH, 4, 8, 16, 0)
  map = vm:syscall_buf(bpf, 1, attr, BPF_MAP_CREATE, 0, #attr)
  assert(map >= 0, "BPF_MAP_CREATE failed: " .. map)
end)

test("what was written is read back", function()
  local zero = ("\0"):rep(8)
  assert_eq(0, (element(BPF_MAP_UPDATE_ELEM, "key1", "value001", 0)))
  assert_eq(0, (element(BPF_MAP_UPDATE_ELEM, "key2", "value002", BPF_NOEXIST)))
  assert_eq({ 0, "value001" }, { element(BPF_MAP_LOOKUP_ELEM, "key1", zero, 0) })
  assert_eq({ 0, "value002" }, { element(BPF_MAP_LOOKUP_ELEM, "key2", zero, 0) })
end)

test("failures are values", function()
  assert_eq(ENOENT, (element(BPF_MAP_LOOKUP_ELEM, "none", ("\0"):rep(8), 0)))
  assert_eq(EEXIST, (element(BPF_MAP_UPDATE_ELEM, "key1", "again...", BPF_NOEXIST)))
end)
