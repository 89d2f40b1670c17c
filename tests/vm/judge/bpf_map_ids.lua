-- SPDX-License-Identifier: MIT
-- BPF_OBJ_GET_INFO_BY_FD: attribute -> info -> the ids of the maps that a program uses, three levels, in and out.
local provium = require "provium"
local case = require "case"
local struct, const, errno, cstr, out = provium.struct, provium.const, provium.errno, provium.cstr, provium.out

local vm, see = case.open "bpf_map_ids"
local map_create = struct "u32 map_type, key_size, value_size, max_entries, map_flags;"
local insn = struct "struct bpf_insn { u8 code; u8 dst:4, src:4; i16 off; i32 imm; };"
local prog_load = struct("u32 prog_type, insn_cnt = count_of(insns); struct bpf_insn *insns; ptr license;", { insn })
local prog_info = struct [[
  struct bpf_prog_info {
    u32 type, id; u8 tag[8]; u32 jited_prog_len, xlated_prog_len; u64 jited_prog_insns, xlated_prog_insns, load_time;
    u32 created_by_uid, nr_map_ids; ptr map_ids; char name[16]; u32 ifindex, gpl_compatible : 1, : 31;
  };]]
local map_info = struct "u32 type, id, key_size, value_size, max_entries, map_flags; char name[16];"
local get_info = struct "u32 bpf_fd, info_len = len_of(info); ptr info;"
local get_prog_info = struct("u32 bpf_fd, info_len = len_of(info); struct bpf_prog_info *info;", { prog_info })

local function bpf(label, command, attr)
  return (see(label, (vm:syscall("bpf", command, attr, #attr))))
end

local maps, code = {}, {}
for i = 1, 2 do
  maps[i] = bpf("map", const.BPF_MAP_CREATE, map_create { map_type = const.BPF_MAP_TYPE_ARRAY, key_size = 4,
    value_size = 8 * i, max_entries = i })
  code[2 * i - 1] = { code = 0x18, dst = i, src = const.BPF_PSEUDO_MAP_FD, imm = maps[i] } -- ri = the map
  code[2 * i] = {}
end
table.insert(code, { code = 0xb7 }) -- r0 = 0
table.insert(code, { code = 0x95 }) -- exit
local program = bpf("load", const.BPF_PROG_LOAD,
  prog_load { prog_type = const.BPF_PROG_TYPE_SOCKET_FILTER, insns = code, license = cstr "GPL" })

local function id_of(map)
  local ret, back = vm:syscall("bpf", const.BPF_OBJ_GET_INFO_BY_FD, get_info { bpf_fd = map, info = out(#map_info) }, #get_info)
  see("map info", ret, get_info:pack(back), back.info)
  return map_info:unpack(back.info).id
end

-- Ask with room for `room` ids, of which the kernel is told `says`.
local function ask(label, room, says)
  local info = { nr_map_ids = says or room, map_ids = out(4 * room) }
  local attr = get_prog_info { bpf_fd = program, info = info, info_len = #prog_info }
  local ret, back = vm:syscall("bpf", const.BPF_OBJ_GET_INFO_BY_FD, attr, #attr)
  see(label, ret, get_prog_info:pack(back), prog_info:pack(back.info), back.info.map_ids)
  return ret, back.info
end

test("the ids are those of the maps, in the order of the program", function()
  local ids = { id_of(maps[1]), id_of(maps[2]) }
  assert(ids[1] ~= ids[2])
  local ret, info = ask("two", 2)
  assert_eq({ 0, 2, const.BPF_PROG_TYPE_SOCKET_FILTER }, { ret, info.nr_map_ids, info.type })
  assert_eq(ids, { provium.unpack("u32 u32", info.map_ids) })
end)

test("room for fewer, for more, for none", function()
  local ret, info = ask("one", 1)
  assert_eq({ 0, 2, 4 }, { ret, info.nr_map_ids, #info.map_ids })
  ret, info = ask("three", 3)
  assert_eq({ 0, 2, "\0\0\0\0" }, { ret, info.nr_map_ids, info.map_ids:sub(9) })
  ret, info = ask("none", 0)
  assert_eq({ 0, 2 }, { ret, info.nr_map_ids })
  assert_eq(-errno.EFAULT, (ask("two in the room of one", 1, 2)))
end)

-- addresses, the ids, and when it was loaded
local function masks(ids)
  local mask = { { 1, get_prog_info:offset "info", 8 }, { 3, 0, 4 * ids } }
  for _, field in ipairs { "id", "load_time", "map_ids" } do
    mask[#mask + 1] = { 2, prog_info:offset(field), field == "id" and 4 or 8 }
  end
  return mask
end
case.compare {
  two = masks(2), one = masks(1), three = masks(2), none = masks(0), ["two in the room of one"] = masks(1),
  ["map info"] = { { 1, 8, 8 }, { 2, map_info:offset "id", 4 } },
}
