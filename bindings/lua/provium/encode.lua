-- SPDX-License-Identifier: MIT
-- Struct values to bytes.
local integers = require "provium.integers"
local value = require "provium.value"

local encode = {}

local encode_any

local function encode_array(node, v, at, pointers, path)
  if type(v) == "string" then
    return v .. ("\0"):rep((node.count or #v) - #v)
  end
  local parts = {}
  for i = 1, node.count or #v do
    local element = v[i]
    if element == nil then
      parts[i] = ("\0"):rep(node.of.size)
    else
      parts[i] = encode_any(node.of, element, at + (i - 1) * node.of.size, pointers, ("%s[%d]"):format(path, i))
    end
  end
  return table.concat(parts)
end

local function encode_pointer(node, v, at, pointers, path)
  if type(v) == "number" then
    return integers.encode(node, v)
  end
  pointers[at] = { target = v, node = node, path = path }
  return ("\0"):rep(node.size)
end

local function encode_record(v, at, pointers, path)
  local data, inner = encode.struct(v, path)
  for place, pointer in pairs(inner) do
    pointers[at + place] = pointer
  end
  return data
end

--- The bytes of anything of a node; what it points to goes into `pointers`, by place.
function encode_any(node, v, at, pointers, path)
  v = value.normal(node, v, path) -- a list may have been changed since
  if node.kind == "record" then
    return encode_record(v, at, pointers, path)
  elseif node.kind == "array" then
    return encode_array(node, v, at, pointers, path)
  elseif node.kind == "ptr" then
    return encode_pointer(node, v, at, pointers, path)
  end
  return integers.encode(node, v)
end

encode.any = encode_any

-- Lay pieces {place, bytes}, in any order, over a string.  Where two overlap the later one wins.
local function overlay(base, pieces)
  table.sort(pieces, function(a, b) return a[1] < b[1] or a[1] == b[1] and a[3] < b[3] end)
  local parts, done = {}, 0
  for _, piece in ipairs(pieces) do
    if piece[1] < done then
      local before = table.concat(parts)
      parts = { before:sub(1, piece[1]), piece[2], before:sub(piece[1] + #piece[2] + 1) }
      done = math.max(done, piece[1] + #piece[2])
    else
      parts[#parts + 1] = base:sub(done + 1, piece[1])
      parts[#parts + 1] = piece[2]
      done = piece[1] + #piece[2]
    end
  end
  parts[#parts + 1] = base:sub(done + 1)
  return table.concat(parts)
end

local function put_field(s, f, pieces, bits, pointers, path)
  local v = value.current(s, f)
  if v == nil then
    return
  end
  path = path .. "." .. f.name
  if f.bits then
    integers.put_bits(bits, f, value.normal_field(f, v, path))
  else
    pieces[#pieces + 1] = { f.offset, encode_any(f.node, v, f.offset, pointers, path), #pieces }
  end
end

local function is_covered(place, pieces)
  for _, piece in ipairs(pieces) do
    if place >= piece[1] and place < piece[1] + #piece[2] then
      return true
    end
  end
  return false
end

-- Pointers that were in base and are not set anew lead where they led.
local function keep_targets(s, size, pieces, pointers, path)
  for place, target in pairs(s.targets or {}) do
    local at = place - s.at
    if at >= 0 and at < size and not is_covered(at, pieces) then
      pointers[at] = { target = target, path = path }
    end
  end
end

--- The bytes of a struct value, and by place what its pointers are to point to: {target, node, path}.
function encode.struct(v, path)
  local s = value.struct_state(v)
  local size = s.node.size
  local base = s.node.flexible and s.at == 0 and s.base or s.base:sub(s.at + 1, s.at + size)
  local pieces, bits, pointers = {}, {}, {}
  for _, f in ipairs(s.node.fields) do
    put_field(s, f, pieces, bits, pointers, path)
  end
  keep_targets(s, #base, pieces, pointers, path)
  for place, byte in pairs(bits) do
    local old = base:byte(place + 1)
    pieces[#pieces + 1] = { place, string.char(old & ~byte[1] | byte[2]), #pieces }
  end
  return overlay(base, pieces), pointers
end

return encode
