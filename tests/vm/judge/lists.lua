-- SPDX-License-Identifier: MIT
-- Linked structs, read back by process_vm_readv: the addresses in them are those of the buffers.
local provium = require "provium"
local case = require "case"

local getpid, process_vm_readv = 39, 310 -- x86_64
local vm, see = case.open "lists"
local pid = vm:syscall(getpid)

-- struct node { u64 value; struct node *next; }
local function node(value)
  return provium.pack("u64 u64", value, 0)
end

-- Addresses differ from run to run; which of the nodes each pointer leads to does not.
local function see_links(label, addresses, pointers)
  local index = {}
  for i = #addresses, 1, -1 do
    index[addresses[i]] = i
  end
  for i, pointer in ipairs(pointers) do
    see(label .. " links", index[pointer] or pointer, string.char(i))
  end
end

-- The kernel copies `count` nodes, which are specs 1 to count, through an iovec of their addresses.  Returns
-- the addresses by which it found them, and what it found: the nodes' values and pointers.
local function read_back(label, count, nodes)
  local remote, specs = {}, { table.unpack(nodes) }
  for i = 1, count do
    remote[i] = provium.pack("u64 u64", 0, 16)
    specs[#specs + 1] = { buf_idx = 3, ptr_offset = 16 * (i - 1), same = i }
  end
  specs[#specs + 1] = { buf_idx = 1, ptr_offset = 0, data_len = 16 * count, output = true }
  local ret, _, iovecs, copy = see(label, vm:syscall_ptr(process_vm_readv,
    { [1] = provium.pack("u64 u64", 0, 16 * count), [3] = table.concat(remote) }, specs, pid, 0, 1, 0, count, 0))
  assert_eq(16 * count, ret)
  local addresses, values, pointers = {}, {}, {}
  for i = 1, count do
    addresses[i] = provium.unpack("u64", iovecs:sub(16 * i - 15))
    values[i], pointers[i] = provium.unpack("u64 u64", copy:sub(16 * i - 15))
  end
  see_links(label, addresses, pointers)
  return addresses, values, pointers
end

test("a chain of five nested structs", function()
  local nodes = {}
  for i = 2, 5 do
    nodes[i] = { parent = i - 1, ptr_offset = 8, data = node(i) }
  end
  nodes[1] = { buf_idx = 3, ptr_offset = 0, data = node(1) }
  local addresses, values, pointers = read_back("chain", 5, nodes)
  assert_eq({ 1, 2, 3, 4, 5 }, values)
  assert_eq({ addresses[2], addresses[3], addresses[4], addresses[5], 0 }, pointers)
end)

test("a cyclic list, and a node that points at itself", function()
  local nodes = {
    { buf_idx = 3, ptr_offset = 0, data = node(1) },
    { parent = 1, ptr_offset = 8, data = node(2) },
    { parent = 2, ptr_offset = 8, data = node(3) },
    { parent = 4, ptr_offset = 8, data = node(4) },
    { parent = 3, ptr_offset = 8, same = 1 },
  }
  local addresses, values, pointers = read_back("circle", 4, nodes)
  assert_eq({ 1, 2, 3, 4 }, values)
  assert_eq({ addresses[2], addresses[3], addresses[1], addresses[4] }, pointers)
end)

test("a node that three pointers share is one node", function()
  local nodes = {
    { buf_idx = 3, ptr_offset = 0, data = node(1) },
    { parent = 1, ptr_offset = 8, same = 5 },
    { buf_idx = 3, ptr_offset = 0, data = node(2) },
    { parent = 3, ptr_offset = 8, same = 2 }, -- where spec 2 points
    { buf_idx = 3, ptr_offset = 0, data = node(3) },
  }
  local addresses, values, pointers = read_back("shared", 5, nodes)
  assert_eq({ 1, 3, 2, 3, 3 }, values)
  assert_eq({ addresses[5], 0, addresses[5], 0, 0 }, pointers)
  assert_eq({ addresses[5], addresses[5] }, { addresses[2], addresses[4] })
end)

test("a chain of 8,000 buffers in one call", function()
  local COUNT = 8000
  local specs = { { buf_idx = 1, ptr_offset = 0, data = node(1) } }
  for i = 2, COUNT do
    specs[i] = { parent = i - 1, ptr_offset = 8, data = node(i), output = true }
  end
  local all = { vm:syscall_ptr(getpid, { [1] = node(0) }, specs) }
  assert_eq({ pid, COUNT + 1 }, { all[1], #all })
  local seen = {}
  for i = 2, COUNT do
    local value, pointer = provium.unpack("u64 u64", all[i + 1])
    assert_eq(i, value)
    assert(i == COUNT and pointer == 0 or pointer ~= 0 and not seen[pointer], "a node of its own")
    seen[pointer] = true
  end
end)

-- Addresses: of the copy, of the nodes, and in the nodes.
local addresses = { { 1, 0, 8 }, { 2, 0, 8, 16 }, { 3, 8, 8, 16 } }
case.compare { chain = addresses, circle = addresses, shared = addresses }
