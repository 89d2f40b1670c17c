-- SPDX-License-Identifier: MIT
-- Values of structs: fields by name, to bytes and back.  Nodes are layout.lua's.
--
-- The state of a value:
--   node            its record
--   base, at        bytes that hold it from `at` on: zeros, or what a call returned
--   fresh           the script made it: fields fill themselves
--   set             what the script gave, by name; pointers as they were given
--   cache           what was decoded from base, by name: the script may have changed it since
--   targets         what the pointers in base point to, by their place in it
local value = {}

local integers = require "provium.integers"
local layout = require "provium.layout"

local STATE = {}
local get_metatable = debug.getmetatable -- sees past __metatable
local meta = { __metatable = false, __name = "provium.struct value" }

-- ---- buffers that are no structs ----

local buffer_meta = { __metatable = false, __name = "provium.out" }
buffer_meta.__index = function() return nil end
function buffer_meta.__len(b)
  return #b[STATE].data
end
function buffer_meta.__tostring(b)
  local s = b[STATE]
  return ("provium.%s (%d bytes)"):format(s.name, #s.data)
end

--- Bytes to point to; `name` is the function that makes them for scripts.  Those of `out` come back.
function value.new_buffer(data, name)
  return setmetatable({ [STATE] = { data = data, name = name, output = name == "out" } }, buffer_meta)
end

local function state_of(v, wanted)
  return type(v) == "table" and get_metatable(v) == wanted and rawget(v, STATE) or nil
end

--- The state of a struct value, or of a buffer; nil if it is none.
function value.struct_state(v)
  return state_of(v, meta)
end

function value.buffer_state(v)
  return state_of(v, buffer_meta)
end

-- ---- raising ----

local function fail(path, text, ...)
  error(("%s: "):format(path) .. text:format(...), 0)
end

local function show(v)
  if type(v) == "string" then
    return #v > 40 and ("a string of %d bytes"):format(#v) or ("%q"):format(v)
  elseif type(v) == "number" then
    return tostring(v)
  end
  local s = value.struct_state(v)
  return s and "a " .. s.node.text or value.buffer_state(v) and "a provium.out" or type(v)
end

local function unknown_field(node, name, path)
  local names = {}
  for i, f in ipairs(node.fields) do
    names[i] = f.name
  end
  fail(path, "no field %s (there are: %s)", show(name), table.concat(names, ", "))
end

local function integer(v, path, note)
  local exact = type(v) == "number" and math.tointeger(v)
  if not exact then
    fail(path, "integer expected, got %s%s", show(v), type(v) ~= "number" and note or "")
  end
  return exact
end

-- ---- decoding ----

local function new_view(node, base, at, targets)
  local s = { node = node, base = base, at = at, targets = targets, set = {}, cache = {} }
  return setmetatable({ [STATE] = s }, meta)
end

value.new_view = new_view

-- What a pointer points to, as a script reads it.
local function read_target(target)
  local b = value.buffer_state(target)
  return b and b.data or target
end

local decode

local function decode_array(node, base, at, targets)
  local of = node.of
  local count = node.count or (of.size > 0 and (#base - at) // of.size or 0)
  if node.bytes then
    return base:sub(at + 1, at + count)
  end
  local list = {}
  for i = 1, count do
    list[i] = decode(of, base, at + (i - 1) * of.size, targets)
  end
  return list
end

function decode(node, base, at, targets)
  if node.kind == "record" then
    return new_view(node, base, at, targets)
  elseif node.kind == "array" then
    return decode_array(node, base, at, targets)
  elseif node.kind == "ptr" and targets and targets[at] ~= nil then
    return read_target(targets[at])
  end
  return integers.decode(node, base, at)
end

value.decode = decode

-- ---- what a script gives ----

local normal

local function is_list(t)
  return type(t) == "table" and not value.struct_state(t) and not value.buffer_state(t)
end

local function normal_pointer(node, v, path)
  if type(v) == "number" then
    return integers.check(node.size * 8, false, integer(v, path), node.text, path)
  elseif type(v) ~= "string" and type(v) ~= "table" then
    fail(path, "an address, a string, a struct, a list or provium.out(n) expected, got %s", show(v))
  end
  return v
end

local function normal_array(node, v, path)
  if node.bytes and type(v) == "string" then
    if node.count and #v > node.count then
      fail(path, "%d bytes exceed %s", #v, node.text)
    end
    return v
  elseif not is_list(v) then
    fail(path, "%s expected, got %s", node.bytes and "a string or a list" or "a list", show(v))
  elseif node.count and #v > node.count then
    fail(path, "%d elements exceed %s", #v, node.text)
  end
  local list = {}
  for key, element in pairs(v) do
    if math.type(key) ~= "integer" or key < 1 or key > #v then
      fail(path, "index %s does not belong to a list of %d", show(key), #v)
    end
    list[key] = normal(node.of, element, ("%s[%d]"):format(path, key))
  end
  return list
end

local function normal_record(node, v, path)
  local s = value.struct_state(v)
  if s and s.node ~= node then
    fail(path, "a %s expected, got %s", node.text, show(v))
  elseif not s and not is_list(v) then
    fail(path, "a table or a %s expected, got %s", node.text, show(v))
  end
  return s and v or value.new(node, v, path)
end

local note = " (declare it ptr to have it point somewhere)"

function normal(node, v, path)
  if node.kind == "record" then
    return normal_record(node, v, path)
  elseif node.kind == "array" then
    return normal_array(node, v, path)
  elseif node.kind == "ptr" then
    return normal_pointer(node, v, path)
  end
  return integers.check(node.size * 8, node.signed, integer(v, path, note), node.text, path)
end

local function normal_field(f, v, path)
  if f.bits then
    return integers.check(f.bits, f.node.signed, integer(v, path, ""), ("%d bits"):format(f.bits), path)
  end
  return normal(f.node, v, path)
end

-- The name of a field that lies in another alternative of a union than f, and has been set.
local function rival(s, f)
  for union, place in pairs(f.choices) do
    for _, t in ipairs { s.set, s.cache } do
      for name in pairs(t) do
        local other = s.node.named[name].choices[union]
        if other and other ~= place then
          return name
        end
      end
    end
  end
end

--- A value of a record with the fields of a table.  Raises a text that begins with the path.
function value.new(node, fields, path)
  node.zeros = node.zeros or ("\0"):rep(node.size)
  local s = { node = node, base = node.zeros, at = 0, fresh = true, set = {}, cache = {} }
  for name, v in pairs(fields) do
    local f = node.named[name] or unknown_field(node, name, path)
    local other = rival(s, f)
    if other then
      local both = { name, other }
      table.sort(both)
      fail(path, "%s and %s share their place in a union: give one", both[1], both[2])
    end
    s.set[name] = normal_field(f, v, path .. "." .. name)
  end
  return setmetatable({ [STATE] = s }, meta)
end

-- ---- fields that fill themselves ----

local get

-- Bytes and elements of what a pointer is given.
local function measure_target(node, v, path)
  local to = node.target()
  local s, b = value.struct_state(v), value.buffer_state(v)
  if type(v) == "string" or b then
    local len = #(b and b.data or v)
    return len, to and to.size > 0 and len // to.size
  elseif s then
    return value.size(v), 1
  elseif type(v) ~= "table" then
    return 0, 0
  elseif to and to.kind == "record" and #v == 0 then
    return to.size, 1
  end
  local first = value.struct_state(v[1])
  to = to or first and first.node or fail(path, "a list, and the type of its elements is not known")
  return #v * to.size, #v
end

local function measure(s, f, path)
  local v = get(s, f)
  if f.node.kind == "ptr" then
    return measure_target(f.node, v, path)
  elseif f.node.flexible then
    return #v * f.node.of.size, #v
  end
  return f.node.size, f.node.count or 1
end

local function sizeof(s, f)
  if f.fill.type then
    f.fill_size = f.fill_size or layout.node(f.fill.type, s.node.model).size
    return f.fill_size
  end
  return s.node.size
end

-- The value of a field that fills itself; nil if it does not, or not any more.
local function filled(s, f)
  local fill = f.fill
  local source = fill and fill.name and s.node.named[fill.name]
  if not fill or not (s.fresh or source and s.set[fill.name] ~= nil) then
    return nil
  elseif fill.what == "value" then
    return fill.value
  elseif fill.what == "sizeof" then
    return sizeof(s, f)
  end
  local len, count = measure(s, source, f.name)
  if fill.what == "count_of" and not count then
    fail(f.name, "count_of(%s): the type that it points to is not known", fill.name)
  end
  return fill.what == "len_of" and len or count
end

-- ---- reading ----

--- What a field holds if it is not as in base, or nil.
function value.current(s, f)
  local v = s.set[f.name]
  if v == nil then
    v = s.cache[f.name]
  end
  if v == nil then
    v = filled(s, f)
  end
  return v
end

function get(s, f)
  local v = value.current(s, f)
  if v ~= nil then
    return v
  elseif f.bits then
    return integers.get_bits(s.base, s.at, f)
  end
  v = decode(f.node, s.base, s.at + f.offset, s.targets)
  if f.node.kind == "record" or f.node.kind == "array" and type(v) == "table" then
    s.cache[f.name] = v
  end
  return v
end

function meta.__index(v, name)
  local s = rawget(v, STATE)
  local ok, result = pcall(function()
    return get(s, s.node.named[name] or unknown_field(s.node, name, s.node.text))
  end)
  if not ok then
    error(result, 2)
  end
  return result
end

function meta.__newindex(v, name, given)
  local s = rawget(v, STATE)
  local ok, err = pcall(function()
    local f = s.node.named[name] or unknown_field(s.node, name, s.node.text)
    local checked = given
    if given ~= nil then
      checked = normal_field(f, given, name)
    end
    local other = rival(s, f)
    while other do
      s.set[other], s.cache[other] = nil, nil
      other = rival(s, f)
    end
    s.set[name], s.cache[name] = checked, nil
  end)
  if not ok then
    error(err, 2)
  end
end

function meta.__pairs(v)
  local s = rawget(v, STATE)
  local i = 0
  return function()
    i = i + 1
    local f = s.node.fields[i]
    if f then
      return f.name, get(s, f)
    end
  end
end

value.normal, value.normal_field = normal, normal_field

--- Bytes of a struct value; more than its type has if its last field takes what is left.
function value.size(v)
  local s = v[STATE]
  for _, f in ipairs(s.node.flexible and s.node.fields or {}) do
    local rest = f.node.flexible and get(s, f)
    if rest then
      return math.max(s.node.size, f.offset + #rest * f.node.of.size)
    end
  end
  return s.node.size
end

meta.__len = value.size

--- Fields of a struct value as a script reads them.
function value.get(v, f)
  return get(v[STATE], f)
end

--- What C calls when a struct value or a buffer stands among the arguments of a call.
function value.set_call(call)
  meta.__provium, buffer_meta.__provium = call, call
end

function value.set_tostring(to_string)
  meta.__tostring = to_string
end

return value
