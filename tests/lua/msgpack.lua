-- SPDX-License-Identifier: MIT
-- provium.msgpack: what each value is in bytes and back, what is refused and where.
local msgpack = require "provium".msgpack
local pack, unpack, null = msgpack.pack, msgpack.unpack, msgpack.null

local function bytes(hex)
  return (hex:gsub("%s+", ""):gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

local function raises(expected, fn, ...)
  assert_eq({ false, expected }, { pcall(fn, ...) })
end

-- Equal in value, in type, in kind, and in being an integer or a float; NaN is NaN.
local same
local function same_fields(a, b)
  for key, value in next, a do
    local twin = rawget(b, key)
    if twin == nil and type(key) == "table" then -- a key of ours: look for its twin
      for other, found in next, b do
        if same(key, other) then
          twin = found
        end
      end
    end
    if not same(value, twin) then
      return false
    end
  end
  return true
end

function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return math.type(a) == math.type(b) and (a == b or a ~= a and b ~= b)
  end
  return msgpack.kind(a) == msgpack.kind(b) and same_fields(a, b) and same_fields(b, a)
end

-- `value` is packed as `hex` and comes back as itself.
local function both_ways(hex, value)
  assert_eq(bytes(hex), pack(value), hex)
  local back = unpack(bytes(hex))
  assert(same(value, back), ("%s: %s came back as %s"):format(hex, value, back))
end

-- ---- values ----

test("integers are exact, in their shortest form, from -2^63 to 2^64 - 1", function()
  for hex, value in pairs {
    ["00"] = 0, ["7f"] = 127, ["cc80"] = 128, ["ccff"] = 255, ["cd0100"] = 256, ["cdffff"] = 65535, ["ce00010000"] = 65536,
    ["ceffffffff"] = 0xffffffff, ["cf0000000100000000"] = 0x100000000, ["cf7fffffffffffffff"] = math.maxinteger,
    ["ff"] = -1, ["e0"] = -32, ["d0df"] = -33, ["d080"] = -128, ["d1ff7f"] = -129, ["d18000"] = -32768,
    ["d2ffff7fff"] = -32769, ["d280000000"] = -0x80000000, ["d3ffffffff7fffffff"] = -0x80000001,
    ["d38000000000000000"] = math.mininteger,
    ["cf8000000000000000"] = msgpack.u64(math.mininteger), ["cfffffffffffffffff"] = msgpack.u64(-1),
  } do
    both_ways(hex, value)
  end
  assert_eq(5, (unpack(pack(msgpack.u64(5)))))
end)

test("a u64 prints as the number that it is", function()
  assert_eq("18446744073709551615", tostring(msgpack.u64(-1)))
  assert_eq("9223372036854775808", tostring(msgpack.u64(math.mininteger)))
  assert_eq("7", tostring(msgpack.u64(7)))
end)

test("a float stays a float, of 64 bits, and one of 32 bits is told apart", function()
  both_ways("cb3ff0000000000000", 1.0)
  both_ways("cb7ff0000000000000", math.huge)
  both_ways("cb3fb999999999999a", 0.1)
  both_ways("cb7ff8000000000000", string.unpack(">d", bytes "7ff8000000000000"))
  both_ways("ca3fc00000", msgpack.f32(1.5))
  both_ways("caff800000", msgpack.f32(-math.huge))
  assert_eq(bytes "cb8000000000000000", pack(-0.0))
  assert_eq(-math.huge, 1 / unpack(bytes "cb8000000000000000"))
  assert_eq(string.unpack("<f", string.pack("<f", 0.1)), unpack(pack(msgpack.f32(0.1))).value)
end)

test("a Lua string is a str, and a bin is marked, both ways", function()
  both_ways("a0", "")
  both_ways("a3 c3a9 78", "éx")
  both_ways("c400", msgpack.bin "")
  both_ways("c403 00ff80", msgpack.bin "\0\xff\x80")
  both_ways("d920" .. ("61"):rep(32), ("a"):rep(32))
  both_ways("c50100" .. ("61"):rep(256), msgpack.bin(("a"):rep(256)))
  assert_eq("\xff", unpack("\xc4\1\xff").bytes)
  assert_eq(3, #msgpack.bin "abc")
end)

test("nil, true, false", function()
  both_ways("c0", null)
  both_ways("c2", false)
  both_ways("c3", true)
  assert_eq("\xc0", pack(nil))
  assert_eq("msgpack.null", tostring(null))
  assert_eq({ null }, unpack "\x91\xc0")
end)

test("arrays and maps are marked when they come, and an empty table is an array", function()
  both_ways("90", msgpack.array())
  both_ways("80", msgpack.map())
  both_ways("93 01 c0 a161", msgpack.array { 1, null, "a" })
  both_ways("81 a161 91 80", msgpack.map { a = msgpack.array { msgpack.map {} } })
  assert_eq("\x90", pack {})
  assert_eq("\x92\1\2", pack { 1, 2 })
  assert_eq("\x81\xa1a\1", pack { a = 1 })
  assert_eq({ "array", "map" }, { msgpack.kind(unpack "\x90"), msgpack.kind(unpack "\x80") })
end)

test("a map may have keys of every type", function()
  both_ways("82 01 02 05 06", msgpack.map { [1] = 2, [5] = 6 })
  both_ways("86 a161 c3 c0 c3 c2 c3 c3 c3 cb3ff8000000000000 c3 ff c3",
    msgpack.map { [-1] = true, [false] = true, [true] = true, [1.5] = true, a = true, [null] = true })
  for _, hex in ipairs { "c40161", "90", "9101", "80", "ca3fc00000", "cb3ff0000000000000", "cb7ff8000000000000",
    "cb8000000000000000", "cfffffffffffffffff", "d40561", "d6ff00000001", "c0" } do
    assert_eq(bytes("81" .. hex .. "07"), pack((unpack(bytes("81" .. hex .. "07")))), hex)
  end
end)

test("1 and 1.0 are two keys", function()
  local map = unpack(bytes "82 01 a161 cb3ff0000000000000 a162")
  assert_eq("a", map[1])
  assert_eq(bytes "82 01 a161 cb3ff0000000000000 a162", pack(map))
end)

test("maps are written in the order of their encoded keys, however they were filled", function()
  local expected = pack { a = 1, b = 2, c = 3, aa = 4, d = 5, e = 6, f = 7 }
  assert_eq(bytes "87 a16101 a16202 a16303 a16405 a16506 a16607 a2616104", expected)
  for _ = 1, 20 do
    local t, order = {}, { "a", "b", "c", "d", "e", "f", "aa" }
    local values = { a = 1, b = 2, c = 3, aa = 4, d = 5, e = 6, f = 7 }
    while #order > 0 do
      local key = table.remove(order, math.random(#order))
      t["x" .. key] = 1 -- another layout of the table
      t[key] = values[key]
      t["x" .. key] = nil
    end
    assert_eq(expected, pack(t))
  end
end)

test("ext and timestamps", function()
  both_ways("d405 61", msgpack.ext(5, "a"))
  both_ways("c700 80", msgpack.ext(-128, ""))
  both_ways("c703 7f 616263", msgpack.ext(127, "abc"))
  both_ways("d6ff 00000001", msgpack.time(1))
  both_ways("d7ff 0000000400000001", msgpack.time(1, 1))
  both_ways("c70cff 00000005 ffffffffffffffff", msgpack.time(-1, 5))
  both_ways("d4ff 00", msgpack.ext(-1, "\0")) -- not the length of a timestamp
  assert_eq(msgpack.time(1), (unpack(bytes "c70cff 00000000 0000000000000001")))
end)

test("values of ours are equal when what is in them is", function()
  for _, kind in ipairs { "bin", "u64", "f32", "f64", "time" } do
    local value = kind == "bin" and "a" or 1
    assert(msgpack[kind](value) == msgpack[kind](value), kind)
    assert(msgpack[kind](value) ~= msgpack[kind](kind == "bin" and "b" or 2), kind)
  end
  assert(msgpack.ext(1, "a") == msgpack.ext(1, "a") and msgpack.ext(1, "a") ~= msgpack.ext(2, "a"))
  assert(msgpack.f32(1) ~= msgpack.f64(1))
end)

-- ---- positions ----

test("without a position all bytes are one value; with one, what follows is left", function()
  raises("unpack: byte 1: bytes after the value", unpack, "\1\2")
  assert_eq({ 1, 2 }, { unpack("\1\2", 1) })
  assert_eq({ 2, 3 }, { unpack("\1\2", 2) })
  assert_eq(1, select("#", unpack "\1"))
  raises("unpack: byte 2: the bytes end inside a value", unpack, "\1\2", 3)
  for _, position in ipairs { 0, -1, 4, 1.5, "1", math.maxinteger, math.mininteger } do
    raises(("unpack: position: %s is not 1 to 3"):format(position), unpack, "\1\2", position)
  end
  local values, position, stream = {}, 1, pack(1) .. pack "a" .. pack { 2 }
  while position <= #stream do
    values[#values + 1], position = unpack(stream, position)
  end
  assert_eq({ 1, "a", { 2 } }, values)
end)

-- ---- what is refused ----

test("unpack names the byte", function()
  for hex, fault in pairs {
    [""] = "0: the bytes end inside a value",
    ["9201"] = "0: the bytes end inside a value",
    ["92a161"] = "3: the bytes end inside a value",
    ["91a261"] = "1: the bytes end inside a value",
    ["9201c1"] = "2: byte 0xc1 is not msgpack",
    ["91a1ff"] = "1: text is not UTF-8",
    ["ddffffffff"] = "0: the bytes end inside a value",
    [("91"):rep(16) .. "90"] = "16: nested too deeply",
    ["83 0102 0103 0104"] = "3: key given twice",
    ["82 a161c0 d90161c0"] = "4: key given twice",
    ["93 01 02 82 c40161c0 c5000161c0"] = "8: key given twice",
    ["82 9101c0 dc000101c0"] = "4: key given twice",
    ["82 cb3ff0000000000000 c0 cb3ff0000000000000 c0"] = "11: key given twice",
    ["82 c0c0 c0c0"] = "3: key given twice",
    ["82 d6ff00000001c0 c70cff00000000 0000000000000001c0"] = "8: key given twice",
  } do
    raises("unpack: byte " .. fault, unpack, bytes(hex))
  end
  raises("unpack: byte 3: byte 0xc1 is not msgpack", unpack, "\1\1\x91\xc1", 3)
  raises("unpack: byte 5: key given twice", unpack, "\1\1\x82\1\2\1\2", 3)
  raises("unpack: a string of bytes expected, got number", unpack, 5)
end)

local cycle = {}
cycle.a = { cycle }

local function nested(depth)
  return depth == 0 and 1 or { nested(depth - 1) }
end

test("pack names the place", function()
  local list = "its keys are integers, but not 1 to 2: msgpack.null fills a hole"
  local text = "a string that is not UTF-8: msgpack.bin takes any bytes"
  for fault, value in pairs {
    ["a function cannot be packed"] = print,
    ["a userdata cannot be packed"] = io.stdout,
    ["[1]: a thread cannot be packed"] = { coroutine.create(print) },
    ["a: " .. list .. ", msgpack.map says that it is a map"] = { a = { 1, nil, 3 } },
    [list] = msgpack.array { 1, nil, 3 },
    ["[1]: " .. list:gsub("2", "1") .. ", msgpack.map says that it is a map"] = { { [0] = 1 } },
    ["an array with keys that are no integers"] = msgpack.array { x = 1 },
    ["a list and a map at once: msgpack.map says that it is a map"] = { 1, x = 2 },
    ["a[1]: a table that holds itself"] = cycle,
    [("[1]"):rep(16) .. ": nested more than 16 deep"] = nested(17),
    ["[2]: " .. text] = { 1, "\xff" },
    ["a.b[\"c d\"][3]: " .. text] = { a = { b = { ["c d"] = { 1, 2, "\xed\xa0\x80" } } } },
    ["[key]: " .. text] = { ["\xff"] = 1 },
    ["[-5].x: a function cannot be packed"] = msgpack.map { [-5] = { x = print } },
    ["[true]: a function cannot be packed"] = { [true] = print },
    ["[1.5]: a function cannot be packed"] = { [1.5] = print },
    ["[bin]: a function cannot be packed"] = { [msgpack.bin "x"] = print },
    ["[\"\"]: a function cannot be packed"] = { [""] = print },
    ["[1]: two keys that are equal once packed"] = { msgpack.map { [1] = 1, [msgpack.u64(1)] = 2 } },
    ["a table with a metatable that is not of msgpack"] = setmetatable({}, {}),
  } do
    raises("pack: " .. fault, pack, value)
  end
  assert_eq(17, #pack(nested(16)))
  raises("pack: one value expected, got 0", pack)
  raises("pack: one value expected, got 2", pack, 1, 2)
end)

test("values of ours that were changed are refused", function()
  for kind, change in pairs {
    bin = { bytes = 5 }, ext = { type = 128 }, time = { nanoseconds = 1000000000 }, u64 = { bits = 1.5 },
    f32 = { value = 1e300 }, f64 = { value = "1" },
  } do
    local value = kind == "ext" and msgpack.ext(1, "") or kind == "bin" and msgpack.bin "" or msgpack[kind](1)
    local field = next(change)
    value[field] = change[field]
    raises(("pack: [1]: a msgpack.%s whose fields were changed"):format(kind), pack, { value })
    value[field] = nil
    raises(("pack: [1]: a msgpack.%s whose fields were changed"):format(kind), pack, { value })
  end
end)

test("what makes values of ours checks what it is given", function()
  local function refused(text, fn, ...)
    local ok, err = pcall(fn, ...)
    assert_eq(false, ok)
    assert_contains(err, text)
  end
  refused("msgpack.bin: a string expected, got 5", msgpack.bin, 5)
  refused("msgpack.ext: a type from -128 to 127 expected, got 128", msgpack.ext, 128, "")
  refused("msgpack.ext: a string expected, got nil", msgpack.ext, 1)
  refused("msgpack.time: an integer of seconds expected, got 1.5", msgpack.time, 1.5)
  refused("msgpack.time: nanoseconds from 0 to 999999999 expected, got 1000000000", msgpack.time, 1, 1000000000)
  refused("msgpack.u64: an integer expected, got string", msgpack.u64, "1")
  refused("msgpack.f32: a number of 32 bits expected, got 1e+39", msgpack.f32, 1e39)
  refused("msgpack.f64: a number expected, got nil", msgpack.f64)
  refused("msgpack.array: a table expected, got string", msgpack.array, "x")
  refused("msgpack.map: the table has a metatable already", msgpack.map, setmetatable({}, {}))
  local t = {}
  assert(msgpack.array(t) == t and msgpack.kind(msgpack.map(t)) == "map")
end)

test("a table in many places is packed in each, up to a bound", function()
  local twice = { 1 }
  assert_eq("\x92\x91\1\x91\1", pack { twice, twice })
  local wide = { 1 }
  for _ = 1, 15 do
    local next_wide = {}
    for i = 1, 100 do
      next_wide[i] = wide
    end
    wide = next_wide
  end
  local ok, err = pcall(pack, wide)
  assert_eq(false, ok)
  assert(err:find "^pack: %[1%].*: more than 16777216 values in all$", err)
end)

-- ---- properties ----

math.randomseed(1) -- the same in every run

local function any_string()
  return (("x"):rep(math.random(0, math.random(8) == 1 and 300 or 20)) .. ("é"):rep(math.random(0, 2)))
end

local any

local scalars = {
  function() return null end,
  function() return math.random(2) == 1 end,
  function() return math.random(0) >> math.random(0, 63) end,
  function() return -(math.random(0) >> math.random(1, 63)) end,
  function() return math.random(-1000, 1000) / 8 end,
  function() return string.unpack("<d", string.pack("<i8", math.random(0))) end,
  function() return msgpack.f32(math.random(-1000, 1000) / 8) end,
  function() return msgpack.u64(math.random(0) | math.mininteger) end,
  any_string,
  function() return msgpack.bin(any_string()) end,
  function() return msgpack.ext(math.random(0, 127), any_string()) end,
  function() return msgpack.time(math.random(0) >> math.random(0, 63), math.random(0, 1) * math.random(0, 999999999)) end,
}

local function any_key()
  local key
  repeat
    key = scalars[math.random(#scalars)]()
  until not (math.type(key) == "float" and (key ~= key or math.tointeger(key)))
  return key
end

function any(depth)
  local choice = math.random(depth > 0 and #scalars + 8 or #scalars)
  if scalars[choice] then
    return scalars[choice]()
  end
  local t = choice % 2 == 0 and msgpack.array() or msgpack.map()
  for i = 1, math.random(0, 5) do
    t[choice % 2 == 0 and i or any_key()] = any(depth - 1)
  end
  return t
end

-- Two keys of ours may be equal: such a map is no value.
local function pack_any()
  while true do
    local value = any(5)
    local ok, packed = pcall(pack, value)
    if ok then
      return value, packed
    end
    assert_contains(packed, "two keys that are equal once packed")
  end
end

test("3,000 values come back as they were, and are packed as the same bytes again", function()
  for _ = 1, 3000 do
    local value, packed = pack_any()
    local back = unpack(packed)
    assert(same(value, back))
    assert_eq(packed, pack(back))
  end
end)

-- Any bytes: an error that names a byte, or a value that can be packed, and from then on stays the same.
local function survives(input)
  local ok, value = pcall(unpack, input)
  if not ok then
    assert(value:find "^unpack: byte %d+: %l", value)
    assert(tonumber(value:match "%d+") <= #input)
    return false
  end
  local packed = pack(value)
  assert(#packed <= #input)
  assert_eq(packed, pack((unpack(packed))))
  return true
end

test("bytes that were changed anywhere are an error with a place, or a value", function()
  local values, faults = 0, 0
  for _ = 1, 3000 do
    local _, packed = pack_any()
    local at = math.random(#packed)
    local changed = packed:sub(1, at - 1) .. string.char(math.random(0, 255)) .. packed:sub(at + 1)
    if survives(changed) then
      values = values + 1
    else
      faults = faults + 1
    end
    assert(not survives(packed:sub(1, at - 1)))
  end
  assert(values > 100 and faults > 100)
end)

test("bytes without any order are an error with a place, or a value", function()
  for _ = 1, 20000 do
    local list = {}
    for i = 1, math.random(0, 24) do
      list[i] = math.random(3) == 1 and math.random(0x80, 0xdf) or math.random(0, 255)
    end
    survives(string.char(table.unpack(list)))
  end
end)
