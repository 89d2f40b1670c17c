-- SPDX-License-Identifier: MIT
-- BPF_PROG_LOAD: instructions, license and log behind one struct, and a map's descriptor inside an instruction;
-- the program then cuts packets to the length that the map says.
local provium = require "provium"
local case = require "case"
local struct, const, errno = provium.struct, provium.const, provium.errno
local bytes, cstr, out = provium.bytes, provium.cstr, provium.out

local vm, see = case.open "bpf_prog_load"
local map_create = struct "u32 map_type, key_size, value_size, max_entries, map_flags;"
local map_elem = struct "u32 map_fd, pad; __aligned_u64 key, value; u64 flags;"
local insn = struct "struct bpf_insn { u8 code; u8 dst:4, src:4; i16 off; i32 imm; };"
local prog_load = struct([[
  u32 prog_type, insn_cnt = count_of(insns);
  struct bpf_insn *insns; __aligned_u64 license;
  u32 log_level, log_size = len_of(log_buf); __aligned_u64 log_buf;
  u32 kern_version, prog_flags; char prog_name[BPF_OBJ_NAME_LEN]; ]], { insn })

local map_attr = map_create { map_type = const.BPF_MAP_TYPE_ARRAY, key_size = 4, value_size = 8, max_entries = 1 }
local map = see("map", (vm:syscall("bpf", const.BPF_MAP_CREATE, map_attr, #map_attr)))
assert(map >= 0, errno.name(map))

-- return map[0]
local lookup = {
  { code = 0xbf, dst = 2, src = 10 },                                 -- r2 = r10
  { code = 0x07, dst = 2, imm = -4 },                                 -- r2 += -4
  { code = 0x62, dst = 10, off = -4 },                                -- *(u32 *)(r10 - 4) = 0
  { code = 0x18, dst = 1, src = const.BPF_PSEUDO_MAP_FD, imm = map }, -- r1 = the map
  {},                                                                 -- its second half
  { code = 0x85, imm = const.BPF_FUNC_map_lookup_elem },
  { code = 0x15, dst = 0, off = 1 },                                  -- if r0 == 0, leave out
  { code = 0x79, dst = 0, src = 0 },                                  -- r0 = *(u64 *)r0
  { code = 0x95 },                                                    -- exit
}

local function load(label, insns, fields)
  local attr = { prog_type = const.BPF_PROG_TYPE_SOCKET_FILTER, insns = insns, license = cstr "GPL", prog_name = "judge",
    log_level = 1, log_buf = out(4096) }
  for name, value in pairs(fields or {}) do
    attr[name] = value
  end
  local ret, back = vm:syscall("bpf", const.BPF_PROG_LOAD, prog_load(attr), #prog_load)
  see(label, ret, prog_load:pack(back), type(back.log_buf) ~= "number" and back.log_buf or nil)
  return ret, back.log_buf
end

local program
test("a program that names a map is loaded, and its log tells of it", function()
  local log
  program, log = load("load", lookup)
  assert(program >= 0, log)
  assert_contains(log, "processed 9 insns")
end)

test("it runs: packets are cut to the length that the map holds", function()
  local _, pair = see("socketpair", vm:syscall_buf("socketpair", 3, 8, const.AF_UNIX, const.SOCK_DGRAM, 0))
  local near, far = provium.unpack("i32 i32", pair)
  assert_eq(0, (see("attach", vm:syscall_buf("setsockopt", 3, provium.pack("i32", program),
    far, const.SOL_SOCKET, const.SO_ATTACH_BPF, 0, 4))))
  for _, len in ipairs { 4, 2 } do
    local attr = map_elem { map_fd = map, key = provium.pack("u32", 0), value = provium.pack("u64", len) }
    assert_eq(0, (see("update", (vm:syscall("bpf", const.BPF_MAP_UPDATE_ELEM, attr, #attr)))))
    assert_eq(6, (see("sendto", (vm:syscall("sendto", near, bytes "packet", 6, 0, 0, 0)))))
    local n, text = see("recvfrom", vm:syscall("recvfrom", far, out(8), 8, 0, 0, 0))
    assert_eq({ len, ("packet"):sub(1, len) .. ("\0"):rep(8 - len) }, { n, text })
  end
end)

test("map and program in one request: the instruction holds what the earlier call returned", function()
  local code = provium.pack("u8 u8 i16 i32 u64 u8 u8 i16 i32 u8 u8 i16 i32", 0x18, const.BPF_PSEUDO_MAP_FD << 4 | 1, 0, 0, 0,
    0xb7, 0, 0, 0, 0x95, 0, 0, 0) -- r1 = the map; r0 = 0; exit
  local attr = prog_load:pack { prog_type = const.BPF_PROG_TYPE_SOCKET_FILTER, insn_cnt = 4, log_level = 1, log_size = 4096 }
  local r = vm:program(function(p)
    p:stop_on_error()
    p.map = p:syscall_buf("bpf", 1, map_create:pack(map_attr), const.BPF_MAP_CREATE, 0, #map_attr)
    local insns = p:buffer(code)
    p:write(insns, 4, p.map, 4)
    p.load = p:syscall_ptr("bpf", { [1] = attr }, {
      { buf_idx = 1, ptr_offset = prog_load:offset "insns", data = insns },
      { buf_idx = 1, ptr_offset = prog_load:offset "license", data = "GPL\0" },
      { buf_idx = 1, ptr_offset = prog_load:offset "log_buf", data_len = 4096, output = true },
    }, const.BPF_PROG_LOAD, 0, #attr)
  end)
  see("second map", r.map.ret)
  assert(see("second load", r.load.ret, table.unpack(r.load.outs)) > r.map.ret, r.load.errname)
end)

test("a refused program: the log says why", function()
  local ret, log = load("no r0", { { code = 0x95 } })
  assert_eq(-errno.EACCES, ret)
  assert_contains(log, "R0 !read_ok")
  assert_eq(-errno.EINVAL, (load("no license for it", lookup, { license = cstr "Proprietary", log_level = 8 })))
end)

test("a log that does not fit is ENOSPC and cut; a license without an end is EFAULT", function()
  local ret, log = load("short log", lookup, { log_level = 2, log_buf = out(130) })
  assert_eq({ -errno.ENOSPC, 129 }, { ret, #log:match "^[^\0]*" })
  assert_eq(-errno.EFAULT, (load("no end", lookup, { license = "GPL" })))
  assert_eq(-errno.EFAULT, (load("no instructions", 0, { insn_cnt = 9 })))
  local bad = { table.unpack(lookup) }
  bad[4] = { code = 0x18, dst = 1, src = const.BPF_PSEUDO_MAP_FD, imm = 999 }
  assert_eq(-errno.EBADF, (load("no map", bad)))
end)

-- the verifier writes a longer text and takes it back, all but what is behind the end
local function behind_text(log)
  local text = #log:match "^[^\0]*"
  return { { text, #log - text } }
end

-- addresses: of the instructions, the license, the log
local masks = {}
for _, label in ipairs { "load", "second load", "no r0", "no license for it", "short log", "no end", "no instructions", "no map" } do
  masks[label] = { { 1, 8, 8 }, { 1, 16, 8 }, { 1, 32, 8 }, { 2, behind_text } }
end
case.compare(masks)
