-- SPDX-License-Identifier: MIT
-- provium.msgpack: what Lua has no type for, around core's pack and unpack.
local core = require "provium.core".msgpack
local meta = core.meta

local msgpack = {
  pack = core.pack,
  unpack = core.unpack,
  kind = core.kind,
  null = core.null,
}

local function check(name, value, is_good, expected)
  if not is_good then
    error(("msgpack.%s: %s expected, got %s"):format(name, expected, type(value) == "number" and value or type(value)), 3)
  end
end

-- ---- tables that say what they are ----

for _, name in ipairs { "array", "map" } do
  --- Mark a table, or a new one; returns it.
  msgpack[name] = function(t)
    t = t == nil and {} or t
    check(name, t, type(t) == "table", "a table")
    local kind = core.kind(t)
    if getmetatable(t) ~= nil and kind ~= "array" and kind ~= "map" then
      error(("msgpack.%s: the table has a metatable already"):format(name), 2)
    end
    return setmetatable(t, meta[name])
  end
end

-- ---- values that are tables ----

--- Bytes that are no text.
function msgpack.bin(bytes)
  check("bin", bytes, type(bytes) == "string", "a string")
  return setmetatable({ bytes = bytes }, meta.bin)
end

--- Bytes of a type that applications agree on.
function msgpack.ext(kind, bytes)
  check("ext", kind, math.type(kind) == "integer" and kind >= -128 and kind <= 127, "a type from -128 to 127")
  check("ext", bytes, type(bytes) == "string", "a string")
  return setmetatable({ type = kind, bytes = bytes }, meta.ext)
end

--- A moment since 1970.
function msgpack.time(seconds, nanoseconds)
  nanoseconds = nanoseconds == nil and 0 or nanoseconds
  check("time", seconds, math.type(seconds) == "integer", "an integer of seconds")
  check("time", nanoseconds, math.type(nanoseconds) == "integer" and nanoseconds >= 0 and nanoseconds < 1000000000,
    "nanoseconds from 0 to 999999999")
  return setmetatable({ seconds = seconds, nanoseconds = nanoseconds }, meta.time)
end

--- The bits of an integer, taken as unsigned.
function msgpack.u64(bits)
  check("u64", bits, math.type(bits) == "integer", "an integer")
  return setmetatable({ bits = bits }, meta.u64)
end

local f32_max = 0x1.fffffep127

--- A float of 32 bits, to which the number is rounded.
function msgpack.f32(value)
  check("f32", value, type(value) == "number" and not (math.abs(value) > f32_max and math.abs(value) < math.huge),
    "a number of 32 bits")
  return setmetatable({ value = string.unpack("<f", string.pack("<f", value)) }, meta.f32)
end

--- A float of 64 bits, for where a Lua float cannot stand: the key 1.0.
function msgpack.f64(value)
  check("f64", value, type(value) == "number", "a number")
  return setmetatable({ value = value + 0.0 }, meta.f64)
end

-- ---- comparing and showing ----

local fields = {
  bin = { "bytes" },
  ext = { "type", "bytes" },
  time = { "seconds", "nanoseconds" },
  u64 = { "bits" },
  f32 = { "value" },
  f64 = { "value" },
}

local function show(value)
  return type(value) == "string" and ("%d bytes"):format(#value) or tostring(value)
end

for kind, names in pairs(fields) do
  meta[kind].__eq = function(a, b)
    for _, name in ipairs(names) do
      if core.kind(a) ~= core.kind(b) or rawget(a, name) ~= rawget(b, name) then
        return false
      end
    end
    return true
  end
  meta[kind].__tostring = function(value)
    local shown = {}
    for i, name in ipairs(names) do
      shown[i] = show(value[name])
    end
    return ("msgpack.%s(%s)"):format(kind, table.concat(shown, ", "))
  end
end

function meta.bin.__len(value)
  return #value.bytes
end

--- In decimal, as unsigned.
function meta.u64.__tostring(value)
  local tens = (value.bits >> 1) // 5
  return (tens > 0 and tostring(tens) or "") .. tostring(value.bits - tens * 10)
end

function meta.null.__tostring()
  return "msgpack.null"
end

return msgpack
