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

test("bytes[n]: n bytes, the missing ones zero; more raise", function()
  assert_eq("abc\0\0x\1", pack("bytes[5] bytes[1] u8", "abc", "x", 1))
  assert_eq({ "abc\0\0", "x", 1 }, { unpack("bytes[5] bytes[1] u8", "abc\0\0x\1") })
  assert_eq({ "", "" }, { pack("bytes[0]", ""), (unpack("bytes[0]", "")) })
  raises("pack: value[2]: 3 bytes exceed bytes[2]", pack, "u8 bytes[2]", 1, "abc")
  raises("pack: value[1]: string expected, got number", pack, "bytes[2]", 12)
  raises("pack: value[1]: missing: the format asks for bytes[2]", pack, "bytes[2]")
  raises("unpack: data: bytes[3] at byte 1 needs 3, only 2 left", unpack, "u8 bytes[3]", "abc")
end)

test("cstr: a string and its zero byte; one inside raises", function()
  assert_eq("abc\0\0\1", pack("cstr cstr u8", "abc", "", 1))
  assert_eq({ "abc", "", 1 }, { unpack("cstr cstr u8", "abc\0\0\1") })
  raises("pack: value[1]: a cstr ends at its first zero byte, and byte 2 is one", pack, "cstr", "ab\0c")
  raises("unpack: data: cstr at byte 1 has no zero byte that ends it", unpack, "u8 cstr", "\0abc")
  raises("unpack: data: cstr at byte 1 has no zero byte that ends it", unpack, "u8 cstr", "\0")
  raises("pack: value[1]: string expected, got nil", pack, "cstr", nil)
end)

test("pad[n]: zeros that take no value, and are skipped", function()
  assert_eq("\1\0\0\0\2", pack("u8 pad[3] u8", 1, 2))
  assert_eq({ 1, 2 }, { unpack("u8 pad[3] u8", "\1xyz\2") })
  assert_eq("", pack "pad[0]")
  assert_eq(("\0"):rep(100000), pack "pad[100000]")
  raises("unpack: data: pad[3] at byte 1 needs 3, only 1 left", unpack, "u8 pad[3]", "ab")
  raises("pack: value[1]: left over: the format has 0 tokens", pack, "pad[1]", 1)
end)

test("ptr is an address: 8 bytes", function()
  assert_eq(pack("u64", 0x7ffff7ff0000), pack("ptr", 0x7ffff7ff0000))
  assert_eq(-1, (unpack("ptr", ("\xff"):rep(8))))
  raises("pack: value[1]: integer expected, got string", pack, "ptr", "x")
end)

test("> and <: the byte order of what follows, alone or before a token", function()
  assert_eq("\1\2" .. "\1\2" .. "\2\1", pack("> u16 u16 < u16", 0x0102, 0x0102, 0x0102))
  assert_eq("\2\1" .. "\1\2\3\4" .. "\4\3\2\1", pack("u16 >u32 <u32", 0x0102, 0x01020304, 0x01020304))
  assert_eq({ 0x0102, -2, 0x0201 }, { unpack(">u16 i16 <u16", "\1\2\xff\xfe\1\2") })
  assert_eq("", pack "> <")
  for _, width in ipairs(widths) do
    for kind, letter in pairs(letters) do
      local token, value = ("> %s%d"):format(kind, 8 * width), 0x5
      assert_eq(string.pack(">" .. letter .. width, value), pack(token, value))
      assert_eq(value, (unpack(token, pack(token, value))))
    end
  end
end)

test("counts that are none raise", function()
  for _, token in ipairs { "bytes", "bytes[]", "bytes[x]", "bytes[-1]", "bytes[3", "bytes[3]x", "bytes[ 3]", "pad", "pad[0x3]" } do
    raises(('pack: format: "%s": a number of bytes expected, such as [16]'):format(token:match "^%S+"), pack, token, "x")
  end
  for _, token in ipairs { "bytes[1073741825]", "pad[99999999999999999999999999]" } do
    raises(('unpack: format: "%s": more than 1073741824 bytes'):format(token), unpack, token, "x")
  end
end)

test("unknown tokens raise", function()
  local known = " (known: u8 i8 u16 i16 u32 i32 u64 i64 ptr bytes[n] cstr pad[n] < >)"
  for _, token in ipairs { "u24", "u", "U8", "i128", "u8,", "u88", "8", "ptrs", "u8\0", "u8[2]", "cstr[3]",
    "u8>u16", "[3]", "byte[3]" } do
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
