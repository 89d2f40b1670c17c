-- SPDX-License-Identifier: MIT
-- Where the fields of a struct lie, by the rules of the System V ABI of an architecture.
--
-- A type of cdecl.lua becomes a node: {kind, size, align, text, ...}; that of a record has
--   fields  every member that can be named, those of anonymous structs too, by offset:
--           {name, offset, node, bit, bits, fill, choices, member}
--   named   the same by name
-- `choices` says which alternative of which union a field belongs to: {[union] = place}.
local layout = {}

-- Sizes of int and long long are the same everywhere.
layout.models = {
  x86_64 = { pointer = 8, long = 8, align64 = 8 },
  aarch64 = { pointer = 8, long = 8, align64 = 8, anonymous_bits_align = true, char_unsigned = true },
  i386 = { pointer = 4, long = 4, align64 = 4 },
  arm = { pointer = 4, long = 4, align64 = 8, anonymous_bits_align = true, char_unsigned = true },
}

local function fail(m, text, ...)
  error(("line %d: "):format(m.line) .. text:format(...), 0)
end

local SIZE_MAX = 1 << 30 -- more is a slip, and would be asked of memory at once

local function align_up(n, align)
  return (n + align - 1) // align * align
end

-- ---- nodes ----

local makers

local function new_node(t, model)
  return makers[t.kind](t, model)
end

local function int_node(t, model)
  local size = t.size == "long" and model.long or t.size
  local align = size == 8 and model.align64 or size
  return { kind = "int", size = size, align = align, signed = t.signed, big = t.big, text = t.text }
end

local function char_node(_, model)
  return { kind = "int", size = 1, align = 1, signed = not model.char_unsigned, text = "char" }
end

-- What it points to is laid out when it is asked for: it may be the struct around it.
local function ptr_node(t, model)
  local size = t.size or model.pointer
  local node = { kind = "ptr", size = size, align = t.align or (size == 8 and model.align64 or size) }
  node.text = t.to and (t.to.text or t.to.tag or "ptr") .. " *" or "ptr"
  function node.target()
    return t.to and new_node(t.to, model)
  end
  return node
end

local function array_node(t, model)
  local of = new_node(t.of, model)
  if of.flexible then
    error(("an array of %s, whose size is not known"):format(of.text), 0)
  elseif of.size > 0 and (t.count or 0) > SIZE_MAX // of.size then
    error(("an array of more than %d bytes"):format(SIZE_MAX), 0)
  end
  return {
    kind = "array", of = of, count = t.count, size = (t.count or 0) * of.size, align = of.align,
    flexible = t.count == nil, text = of.text .. (t.count and "[" .. t.count .. "]" or "[]"),
    bytes = of.kind == "int" and of.size == 1 and of.text ~= "bool" and of.text ~= "_Bool",
  }
end

-- ---- records ----

-- The place of a bit field, in bits: it does not touch more aligned units than its type does, unless packed.
local function place_bits(r, m, node)
  local unit, align = node.size * 8, node.align * 8
  if m.bits > unit then
    fail(m, "%s: %d bits exceed %s", m.name or "a field without a name", m.bits, node.text)
  elseif m.bits == 0 then
    return align_up(r.bit, align)
  elseif not r.packed and align_up(r.bit % align + m.bits, align) > unit then
    return align_up(r.bit, align)
  end
  return r.bit
end

local function member_align(r, m, node)
  local align = (r.packed or m.packed) and 1 or node.align
  if m.bits and not m.name then -- on ARM one of no bits aligns even what is packed
    align = not r.model.anonymous_bits_align and 1 or m.bits == 0 and node.align or align
  end
  return math.max(align, m.align or 1)
end

-- A field of the record, or of an anonymous member of it at `offset`.
local function put_field(r, field, choice)
  if r.named[field.name] then
    fail(field, 'the field "%s" is there twice', field.name)
  end
  if choice then
    field.choices[r] = choice
  end
  r.named[field.name] = field
  r.fields[#r.fields + 1] = field
end

-- The fields of an anonymous struct or union are fields of the one around it.
local function put_inner(r, m, inner, offset, choice)
  for _, f in ipairs(inner.fields) do
    local copy = { choices = {}, line = m.line }
    for key, value in pairs(f) do
      copy[key] = copy[key] or value
    end
    for union, place in pairs(f.choices) do
      copy.choices[union] = place
    end
    copy.offset = f.offset + offset
    put_field(r, copy, choice)
  end
end

local function put_member(r, m, node, bit, choice)
  local offset = bit // 8
  if m.name then
    local field = { name = m.name, offset = offset, node = node, fill = m.fill, line = m.line, choices = {} }
    if m.bits then
      -- the unit that it lies in; where packed fields cross units, what holds it is computed from bits
      field.offset, field.bit, field.bits = offset, bit % 8, m.bits
    end
    put_field(r, field, choice)
  elseif node.kind == "record" then
    put_inner(r, m, node, offset, choice)
  end
end

local function add_member(r, m, place)
  local node = new_node(m.type, r.model)
  local align = member_align(r, m, node)
  if r.flexible then
    fail(m, "%s: follows a field whose size is not known", m.name or "a field without a name")
  end
  local bit = r.union and 0 or r.bit
  if not m.bits then
    bit = align_up(bit, align * 8)
  elseif not r.union then
    bit = place_bits(r, m, node)
    bit = m.align and align_up(bit, m.align * 8) or bit
  end
  put_member(r, m, node, bit, r.union and place)
  r.align = math.max(r.align, align)
  r.flexible = node.flexible and not r.union
  local last = bit + (m.bits or node.size * 8)
  r.bit = r.union and r.bit or last
  r.size = math.max(r.size, (last + 7) // 8)
  if r.size > SIZE_MAX then
    fail(m, "%s: the %s exceeds %d bytes", m.name or "a field without a name", r.text, SIZE_MAX)
  end
end

-- What a field fills itself with must be there.
local function check_fills(r)
  for _, f in ipairs(r.fields) do
    local name = f.fill and f.fill.name
    if name and f.fill.what ~= "sizeof" and not r.named[name] then
      fail(f, '%s: %s: no field "%s"', f.name, f.fill.what, name)
    elseif f.fill and f.fill.what == "sizeof" and name and name ~= "self" then
      fail(f, '%s: sizeof: a type or "self" expected, got "%s"', f.name, name)
    end
  end
end

local function record_node(t, model)
  local found = t.laid_out and t.laid_out[model]
  if found then
    return found
  end
  local r = {
    kind = "record", union = t.union, packed = t.packed, model = model, size = 0, align = t.align or 1, bit = 0,
    fields = {}, named = {}, tag = t.tag, text = (t.union and "union" or "struct") .. (t.tag and " " .. t.tag or ""),
  }
  for i, m in ipairs(t.members) do
    add_member(r, m, i)
  end
  r.size = align_up(r.size, r.align)
  check_fills(r)
  t.laid_out = t.laid_out or {}
  t.laid_out[model] = r
  return r
end

makers = { int = int_node, char = char_node, ptr = ptr_node, array = array_node, record = record_node }

--- The node of a type by the rules of a model.  Raises a text.
layout.node = new_node

return layout
