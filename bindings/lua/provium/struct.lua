-- SPDX-License-Identifier: MIT
-- provium.struct: types made of their C text; provium.out, provium.bytes and provium.cstr; showing values.
local cdecl = require "provium.cdecl"
local layout = require "provium.layout"
local value = require "provium.value"
local encode = require "provium.encode"
local graph = require "provium.graph"
local show = require "provium.show"

local struct = {}

local types = setmetatable({}, { __mode = "k" }) -- what is behind each type: {record, node, arch}
local methods = {}
local meta = { __metatable = false, __name = "provium.struct", __index = methods }

local default_arch = "x86_64" -- the same layout as aarch64

local function fail(text, ...)
  error(text:format(...), 0)
end

-- Call fn and raise what it raises in the name of the script's line.
local function checked(fn, ...)
  local result = table.pack(pcall(fn, ...))
  if not result[1] then
    error(result[2], 3)
  end
  return table.unpack(result, 2, result.n)
end

local function type_of(self, caller)
  return types[self] or fail("%s: not called on a struct: write T:%s(...), with a colon", caller, caller)
end

-- ---- types ----

local function new_type(record, arch)
  local self = setmetatable({}, meta)
  types[self] = { record = record, node = layout.node(record, layout.models[arch]), arch = arch }
  return self
end

-- Known types by name: {name = T}, or a list of those that have names of their own.
local function known_types(given)
  local known = {}
  if given ~= nil and type(given) ~= "table" or types[given] then
    fail("a table of types expected, got %s", types[given] and "a type" or type(given))
  end
  for name, t in pairs(given or {}) do
    local record = types[t] and types[t].record or fail("types: [%s] is no struct", tostring(name))
    if type(name) == "number" then
      name = record.tag or fail("types: [%s] has no name: write name = T", name)
    end
    known[name] = record
  end
  return known
end

--- The type that a text in C describes.
function struct.define(text, given)
  return checked(function()
    if type(text) ~= "string" then
      fail("struct: a text expected, got %s", type(text))
    end
    local ok, result = pcall(function()
      return new_type(cdecl.parse(text, known_types(given)), default_arch)
    end)
    return ok and result or fail("struct: %s", result)
  end)
end

function meta.__call(self, fields)
  return checked(function()
    local node = types[self].node
    if type(fields) ~= "table" then
      fail("%s: a table of fields expected, got %s", node.text, type(fields))
    end
    return value.new(node, fields, node.text)
  end)
end

function meta.__len(self)
  return types[self].node.size
end

function meta.__tostring(self)
  return show.type(types[self].node)
end

--- Bytes of the type.
function methods.size(self)
  return checked(type_of, self, "size").node.size
end

--- The same type by the rules of another architecture.
function methods.on(self, arch)
  return checked(function()
    local t = type_of(self, "on")
    if not layout.models[arch] then
      fail('on: "x86_64", "aarch64", "i386" or "arm" expected, got %s', tostring(arch))
    end
    return new_type(t.record, arch)
  end)
end

-- One step of a path: a name, or an index as Lua counts.
local function step(node, name, index, path)
  if name ~= "" then
    local f = node.named and node.named[name] or fail('offset: "%s": no field "%s"', path, name)
    return f.node, f.offset, f.bit
  end
  index = math.tointeger(tonumber(index))
  if node.kind ~= "array" or not index or index < 1 or node.count and index > node.count then
    fail('offset: "%s": no element [%s]', path, tostring(index))
  end
  return node.of, (index - 1) * node.of.size
end

--- Where a field lies: bytes from the beginning, and for a bit field the bit in that byte.
function methods.offset(self, path)
  return checked(function()
    local node, at, bit = type_of(self, "offset").node, 0, nil
    if type(path) ~= "string" then
      fail("offset: a field expected, got %s", type(path))
    end
    local rest = path
    while rest ~= "" do
      local name, more = rest:match "^%.?([%a_][%w_]*)(.*)$"
      local index, behind = rest:match "^%[(%d+)%](.*)$"
      if not name and not index then
        fail('offset: "%s": a path such as a.b[1].c expected', path)
      end
      local inner, offset, inner_bit = step(node, name or "", index, path)
      node, at, bit, rest = inner, at + offset, inner_bit, more or behind
    end
    return at, bit
  end)
end

--- The bytes of a table of fields, or of a value.  What pointers are to point to is left out: zeros.
function methods.pack(self, fields)
  return checked(function()
    local node = type_of(self, "pack").node
    return (encode.any(node, fields, 0, {}, node.text))
  end)
end

--- The value that bytes hold, from `offset` (0) on.
function methods.unpack(self, bytes, offset)
  return checked(function()
    local node = type_of(self, "unpack").node
    offset = offset == nil and 0 or offset
    if type(bytes) ~= "string" then
      fail("unpack: a string expected, got %s", type(bytes))
    elseif math.type(offset) ~= "integer" or offset < 0 then
      fail("unpack: offset: %s is none", tostring(offset))
    elseif #bytes - offset < node.size then
      local left = math.max(0, #bytes - offset)
      fail("unpack: %s needs %d bytes, only %d left at byte %d", node.text, node.size, left, offset)
    end
    return value.new_view(node, bytes:sub(offset + 1), 0)
  end)
end

-- ---- buffers ----

--- Memory that the kernel writes to: n bytes, a string's copy, or a struct.
function struct.out(what)
  if types[what] then
    return value.new(types[what].node, {}, "out")
  elseif type(what) == "string" then
    return value.new_buffer(what, "out")
  end
  local n = type(what) == "number" and math.tointeger(what)
  if not n or n < 0 or n > 1 << 30 then
    error("out: a number of bytes, a string or a struct expected, got " .. tostring(what), 2)
  end
  return value.new_buffer(("\0"):rep(n), "out")
end

--- Bytes that the kernel only reads.
function struct.bytes(data)
  if type(data) ~= "string" then
    error("bytes: a string expected, got " .. type(data), 2)
  end
  return value.new_buffer(data, "bytes")
end

--- A text as C has it, with a zero byte behind it.
function struct.cstr(text)
  if type(text) ~= "string" or text:find "\0" then
    error("cstr: a string without zero bytes expected, got " .. (type(text) == "string" and "one" or type(text)), 2)
  end
  return value.new_buffer(text .. "\0", "cstr")
end

value.set_call(graph.call)

return { struct = struct.define, out = struct.out, bytes = struct.bytes, cstr = struct.cstr }
