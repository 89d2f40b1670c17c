-- SPDX-License-Identifier: MIT
-- provium.pack and provium.unpack: every token at its bounds, and everything that raises.
local provium = require "provium"
local pack, unpack = provium.pack, provium.unpack

local function raises(expected, fn, ...)
  assert_eq({ false, expected }, { pcall(fn, ...) })
end

local widths = { 1, 2, 4, 8 }
local letters = { u = "I", i = "i" } -- as string.pack names them

test("every value round-trips and has the bytes that string.pack gives", function()
  for kind, letter in pairs(letters) do
    for _, width in ipairs(widths) do
      local token = kind .. 8 * width
      local low = kind == "u" and 0 or -(1 << 8 * width - 1)
      local high = kind == "u" and (1 << 8 * width) - 1 or (1 << 8 * width - 1) - 1
      if token == "u64" then
        high = math.maxinteger
      end
      for _, value in ipairs { low, low + 1, 0, 1, 0x55, high - 1, high } do
        local bytes = pack(token, value)
        assert_eq(string.pack("<" .. letter .. width, value), bytes, token)
        assert_eq(value, (unpack(token, bytes)), token)
      end
    end
  end
end)

test("every byte value and every 16-bit value", function()
  for value = 0, 255 do
    assert(pack("u8", value) == string.char(value) and unpack("u8", string.char(value)) == value)
    local signed = value < 128 and value or value - 256
    assert(pack("i8", signed) == string.char(value) and unpack("i8", string.char(value)) == signed)
  end
  for value = 0, 65535 do
    assert(unpack("u16", pack("u16", value)) == value)
    local signed = value - 32768
    assert(unpack("i16", pack("i16", signed)) == signed)
  end
end)

test("u64 is every 64-bit pattern, exactly", function()
  assert_eq(("\xff"):rep(8), pack("u64", -1))
  assert_eq(("\xff"):rep(8), pack("u64", 0xffffffffffffffff))
  assert_eq(-1, (unpack("u64", ("\xff"):rep(8))))
  assert_eq(2 ^ 53 // 1 | 1, (unpack("u64", pack("u64", 9007199254740993))))
  assert_eq(math.mininteger, (unpack("i64", pack("i64", math.mininteger))))
end)

test("one below and one above every range raise", function()
  for _, width in ipairs { 1, 2, 4 } do
    local bits = 8 * width
    for _, value in ipairs { -1, 1 << bits } do
      raises(("pack: value[1]: %d is out of range of u%d"):format(value, bits), pack, "u" .. bits, value)
    end
    for _, value in ipairs { -(1 << bits - 1) - 1, 1 << bits - 1 } do
      raises(("pack: value[1]: %d is out of range of i%d"):format(value, bits), pack, "i" .. bits, value)
    end
  end
end)

test("tokens follow each other without padding, little endian", function()
  local bytes = pack("u8 u64 i16 u32", 1, 0x0807060504030201, -2, 0xdeadbeef)
  assert_eq("\1" .. "\1\2\3\4\5\6\7\8" .. "\xfe\xff" .. "\xef\xbe\xad\xde", bytes)
  assert_eq({ 1, 0x0807060504030201, -2, 0xdeadbeef }, { unpack("u8 u64 i16 u32", bytes) })
end)

test("any blanks separate tokens; no token is the empty string", function()
  assert_eq("\1\2\3", pack("  u8\tu8\n\r u8 ", 1, 2, 3))
  assert_eq("", pack "")
  assert_eq("", pack "  ")
  assert_eq(0, select("#", unpack("", "ignored")))
end)

test("bytes behind the last token are ignored", function()
  assert_eq({ 1 }, { unpack("u8", "\1\2\3") })
end)

test("many tokens", function()
  local values = {}
  for i = 1, 10000 do
    values[i] = i
  end
  local format = ("u32 "):rep(#values)
  assert_eq(values, { unpack(format, pack(format, table.unpack(values))) })
end)

test("a float with an integral value is accepted", function()
  assert_eq("\3\0", pack("u16", 3.0))
  assert_eq(("\0"):rep(7) .. "\x80", pack("i64", -2.0 ^ 63))
end)

test("unknown tokens raise", function()
  local known = " (known: u8 i8 u16 i16 u32 i32 u64 i64)"
  for _, token in ipairs { "u24", "u", "U8", "i128", "u8,", "u88", "8", "ptr", "u8\0" } do
    raises(('pack: format: unknown token "%s"'):format(token:gsub("\0.*", "")) .. known, pack, token, 1)
  end
  raises('unpack: format: unknown token "u24"' .. known, unpack, "u8 u24", "\1\2\3\4")
end)

test("missing and left-over values raise", function()
  raises("pack: value[1]: missing: the format asks for u8", pack, "u8")
  raises("pack: value[3]: missing: the format asks for i32", pack, "u8 u8 i32", 1, 2)
  raises("pack: value[2]: left over: the format has 1 token", pack, "u8", 1, 2)
  raises("pack: value[3]: left over: the format has 2 tokens", pack, "u8 u8", 1, 2, 3, 4)
  raises("pack: value[1]: left over: the format has 0 tokens", pack, "", 1)
end)

test("values that are no integers raise", function()
  raises("pack: value[1]: integer expected, got nil", pack, "u8", nil)
  raises("pack: value[2]: integer expected, got string", pack, "u8 u8", 1, "2")
  raises("pack: value[1]: integer expected, got boolean", pack, "u8", true)
  raises("pack: value[1]: 1.5 is not a 64-bit integer", pack, "u8", 1.5)
  raises("pack: value[1]: 1.844674407371e+19 is not a 64-bit integer", pack, "u64", 2.0 ^ 64)
  raises("pack: value[1]: inf is not a 64-bit integer", pack, "u64", math.huge)
end)

test("short data raises and says where", function()
  raises("unpack: data: u8 at byte 0 needs 1, only 0 left", unpack, "u8", "")
  raises("unpack: data: u32 at byte 1 needs 4, only 2 left", unpack, "u8 u32", "abc")
  for width = 1, 8 do
    assert_eq(width >= 8, (pcall(unpack, "u64", ("x"):rep(width))))
  end
end)

test("formats and data that are no strings raise", function()
  raises("pack: format: string expected, got no value", pack)
  raises("pack: format: string expected, got number", pack, 8, 1)
  raises("unpack: format: string expected, got nil", unpack, nil, "x")
  raises("unpack: data: string expected, got number", unpack, "u8", 7)
  raises("unpack: data: string expected, got no value", unpack, "u8")
end)
