-- SPDX-License-Identifier: MIT
-- provium.struct: definitions, values, bytes.  What the compilers make of the same structs is
-- compared in tests/tools/layout.sh.
local provium = require "provium"
local struct, out = provium.struct, provium.out

local function raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  assert_eq(false, ok)
  assert_contains(err, text)
end

-- ---- definitions ----

test("the seed's struct: sizes, offsets, fields that fill themselves", function()
  local args = struct [[ u32 size = sizeof(self); i32 token_fd; ptr sd; u32 sd_len = len_of(sd); u32 desired; ]]
  assert_eq({ 24, 24, 8, 20 }, { #args, args:size(), args:offset "sd", (args:offset "desired") })
  local v = args { sd = "descriptor", token_fd = -1 }
  assert_eq({ 24, -1, "descriptor", 10, 0 }, { v.size, v.token_fd, v.sd, v.sd_len, v.desired })
  assert_eq(provium.pack("u32 i32 ptr u32 u32", 24, -1, 0, 10, 0), args:pack(v))
end)

test("C's spellings: base types, comments, tags, several names, enums, function pointers", function()
  local t = struct [[
    #define IGNORED 1
    enum kind { A, B };
    struct inner { __u16 a, b[2]; };  /* a comment
                                         of two lines */
    struct outer {
      const unsigned long long x;     // another
      unsigned y; long int z; unsigned char c; signed char d; uint16_t e; enum kind k;
      struct inner in, more[2];
      const char __user *text; struct unknown *p; void (*f)(int, void (*)(void)); __be16 port;
      int grid[2][3];
    };
  ]]
  assert_eq({ 0, 8, 16, 24, 25, 26, 28, 32, 38, 56, 64, 72, 80, 84, 112 }, {
    t:offset "x", t:offset "y", t:offset "z", t:offset "c", t:offset "d", t:offset "e", t:offset "k", t:offset "in",
    t:offset "more", t:offset "text", t:offset "p", t:offset "f", t:offset "port", t:offset "grid", (t:size())
  })
  assert_eq({ 44, 46, 84, 92, 96 }, {
    t:offset "more[2].a", t:offset "more[2].b[1]", t:offset "grid[1][1]", t:offset "grid[1][3]",
    (t:offset "grid[2][1]"),
  })
end)

test("sizes of arrays: numbers, sums, products, names of the kernel's", function()
  local t = struct "char a[0x10]; char b[2 * 8 + 4 - (1 + 1)]; char c[UNIX_PATH_MAX]; char d[010]; char e[16UL / 4];"
  assert_eq(16 + 18 + 108 + 8 + 4, #t)
end)

test("packed, aligned, and for other architectures", function()
  local event = struct "struct epoll_event { u32 events; u64 data; } __attribute__((packed));"
  assert_eq({ 12, 4 }, { #event, (event:offset "data") })
  assert_eq({ 16, 8 }, { #struct "u32 events; u64 data;", (struct "u32 events; u64 data;":offset "data") })
  local t = struct "u8 a; u8 b aligned(8); ptr p; unsigned long n;"
  assert_eq({ 8, 16, 32 }, { t:offset "b", t:offset "p", #t })
  local narrow = t:on "i386"
  assert_eq({ 8, 12, 16, 24 }, { narrow:offset "b", narrow:offset "p", narrow:offset "n", #narrow })
  assert_eq({ 12, 16 }, { #struct "u32 a; u64 b;":on "i386", #struct "u32 a; u64 b;":on "arm" })
  raises('on: "x86_64", "aarch64", "i386" or "arm" expected, got vax', t.on, t, "vax")
end)

test("structs of other structs: by a list, by name, by tag", function()
  local iovec = struct "struct iovec { ptr base; u64 len; };"
  for _, t in ipairs {
    struct("u32 n; iovec v[2];", { iovec }),
    struct("u32 n; struct iovec v[2];", { iovec }),
    struct("u32 n; pair v[2];", { pair = iovec }),
  } do
    assert_eq({ 40, 32 }, { #t, (t:offset "v[2].len") })
  end
  raises("[1] has no name: write name = T", struct, "u32 a;", { struct "u32 b;" })
  raises("types: [x] is no struct", struct, "u32 a;", { x = 5 })
  raises("a table of types expected, got a type", struct, "iovec a;", iovec)
end)

test("what is wrong with a definition is said with its line and field", function()
  for text, expected in pairs {
    ["u32 a;\nu33 b;"] = 'line 2: unknown type "u33"',
    ["u32 a;\n\nu32 a;"] = 'line 3: the field "a" is there twice',
    ["u32 a; struct { u8 a; };"] = 'the field "a" is there twice',
    ["u32"] = "line 1: a name expected, got the end",
    ["u32 a b;"] = '";" expected behind a field, got "b"',
    ["size;"] = 'unknown type "size" (a field is a type and a name)',
    ["struct foo b;"] = 'b: unknown type "struct foo"',
    ["union foo b[2];"] = 'b: unknown type "union foo"',
    ["struct a { u32 b; struct a c; };"] = "c: the struct a contains itself",
    ["struct a { u32 b; }; struct a { u32 c; };"] = "a is defined twice",
    ["void a;"] = "a: void is no type of a field",
    ["u32 a:33;"] = "a: 33 bits exceed u32",
    ["u32 a:0;"] = "a: a bit field of no bits has no name",
    ["u32 a:-1;"] = "a: a number of bits: 0 to 64 expected, got -1",
    ["ptr a:1;"] = "a: only integers have bit fields",
    ["__be32 a:1;"] = "bit fields of big-endian types are not supported",
    ["u32 a = len_of(b);"] = 'a: len_of: no field "b"',
    ["u32 a = sizeof(void);"] = "sizeof: void is no type of a field",
    ["u32 a = sizeof(me);"] = 'unknown type "me"',
    ["char a[2] = 1;"] = "a: only integers fill themselves",
    ["u8 a[-1];"] = "a number of elements: 0 to 1073741824 expected, got -1",
    ["u8 a[1 / 0];"] = "a division by zero",
    ["u8 a[1x];"] = '"1x" is no number',
    ["u8 a[UNIX_PATH_MIX];"] = 'no constant "UNIX_PATH_MIX" (did you mean UNIX_PATH_MAX',
    ["u8 a[1073741824]; u8 b;"] = "b: the struct exceeds 1073741824 bytes",
    ["u64 a[1073741824];"] = "an array of more than 1073741824 bytes",
    ["u8 a[]; u8 b;"] = "b: follows a field whose size is not known",
    ["u8 a["] = "a number expected, got the end",
    ["struct { u8 a;"] = '"}" expected at the end of a struct, got the end',
    ["u8 a; }"] = 'a type expected, got "}"',
    ["/* u8 a;"] = "a comment without an end",
    ["u8 a __attribute__((mode(SI)));"] = 'attribute "mode" is not known',
    ["u8 a aligned(3);"] = "aligned(3): a power of two expected",
    ["void (*f)(int;"] = '")" expected in a pointer to a function, got the end',
    [""] = "line 1: no field",
    ["\0"] = "a type expected",
    ["u32 a;\27"] = "a type expected",
  } do
    raises("struct: ", struct, text)
    raises(expected, struct, text)
  end
  raises("struct: a text expected, got nil", struct)
end)

-- ---- values ----

test("every integer type holds its bounds, and nothing beyond them", function()
  for kind, letter in pairs { u = "I", i = "i" } do
    for _, bits in ipairs { 8, 16, 32, 64 } do
      local t = struct(("%s%d x;"):format(kind, bits))
      local low = kind == "u" and 0 or -(1 << bits - 1)
      local high = kind == "u" and (1 << bits) - 1 or (1 << bits - 1) - 1
      for _, v in ipairs { low, high, 0, 1 } do
        assert_eq(string.pack(("<%s%d"):format(letter, bits // 8), v), t:pack { x = v })
        assert_eq(v, t:unpack(t:pack { x = v }).x)
      end
      for _, v in ipairs(bits < 64 and { low - 1, high + 1 } or {}) do
        raises(("struct.x: %d is out of range of %s%d"):format(v, kind, bits), t, { x = v })
      end
    end
  end
  assert_eq("\1\2", struct "__be16 port;":pack { port = 0x0102 })
  assert_eq(0x0102, struct "__be16 port;":unpack "\1\2".port)
end)

test("bit fields of every width hold their bounds", function()
  for bits = 1, 64 do
    local t = struct(("u64 a:%d; i64 b:%d; u8 c;"):format(bits, bits))
    local ones, low = bits == 64 and -1 or (1 << bits) - 1, bits == 64 and math.mininteger or -(1 << bits - 1)
    local v = t:unpack(t:pack { a = ones, b = low, c = 0x55 })
    assert_eq({ ones, low, 0x55 }, { v.a, v.b, v.c })
    if bits < 63 then
      raises(("struct.a: %d is out of range of %d bits"):format(1 << bits, bits), t, { a = 1 << bits })
      raises(("struct.b: %d is out of range of %d bits"):format(-low, bits), t, { b = -low })
    end
  end
  assert_eq({ 1, 3 }, { struct "u8 a; u8 b:3; u8 c:5;":offset "c" })
end)

test("arrays: strings, lists, the rest is zero", function()
  local t = struct "char name[4]; u16 n[3]; u8 grid[2][2];"
  assert_eq("ab\0\0" .. "\1\0\2\0\0\0" .. "xy\0\0", t:pack { name = "ab", n = { 1, 2 }, grid = { "xy" } })
  local v = t:unpack "abc\0\1\0\2\0\3\0wxyz"
  assert_eq({ "abc\0", { 1, 2, 3 }, { "wx", "yz" } }, { v.name, v.n, v.grid })
  assert_eq("\1\2\0\0", t:pack { name = { 1, 2 } }:sub(1, 4))
  raises("struct.name: 5 bytes exceed char[4]", t, { name = "12345" })
  raises("struct.n: 4 elements exceed u16[3]", t, { n = { 1, 2, 3, 4 } })
  raises("struct.n[2]: 65536 is out of range of u16", t, { n = { 1, 65536 } })
  raises('struct.n: index "x" does not belong to a list of 0', t, { n = { x = 1 } })
  raises("struct.n: a list expected, got 5", t, { n = 5 })
end)

test("a last array of no size takes what is left", function()
  local t = struct "u32 bytes = len_of(data); u32 count = count_of(data); u16 data[];"
  assert_eq(8, #t)
  local v = t { data = { 1, 2, 3 } }
  assert_eq({ 14, 6, 3 }, { #v, v.bytes, v.count })
  local bytes = t:pack(v)
  assert_eq("\6\0\0\0\3\0\0\0\1\0\2\0\3\0", bytes)
  assert_eq({ 1, 2, 3 }, t:unpack(bytes).data)
  assert_eq("name", struct "u8 len = len_of(name); char name[];":unpack "\4name".name)
end)

test("nested structs and unions", function()
  local t = struct [[
    u8 kind; struct { u16 a; union { u32 b; u8 c[4]; }; } in; union { u64 whole; struct { u32 low, high; }; }; ]]
  assert_eq({ 4, 8, 8, 16, 20, 24 },
    { t:offset "in", t:offset "in.b", t:offset "in.c", t:offset "low", t:offset "high", #t })
  local v = t { kind = 1, ["in"] = { a = 2, c = "\1\2\3\4" }, high = 7 }
  assert_eq({ 0x04030201, 7 << 32, 2 }, { t:unpack(t:pack(v))["in"].b, t:unpack(t:pack(v)).whole, v["in"].a })
  raises("struct: low and whole share their place in a union: give one", t, { low = 1, whole = 2 })
  raises("struct.in: b and c share their place in a union: give one", t, { ["in"] = { b = 1, c = "x" } })
  raises('struct.in: no field "x" (there are: a, b, c)', t, { ["in"] = { x = 1 } })
  assert_eq(3 << 32 | 2, t:unpack(t:pack { low = 2, high = 3 }).whole)
end)

test("a value can be changed; of a union the last one counts", function()
  local t = struct [[ u32 a; struct { u16 x, y; } in; union { u32 b; u16 c; }; u8 list[3]; u16 n[2]; ]]
  local v = t {}
  v.a, v["in"].y, v.b, v.n[2] = 5, 6, 0x11223344, 9
  assert_eq(provium.pack("u32 u16 u16 u32 bytes[3] pad[1] u16 u16", 5, 0, 6, 0x11223344, "", 0, 9), t:pack(v))
  v.c = 1
  assert_eq({ 1, "\1\0\0\0" }, { v.c, t:pack(v):sub(9, 12) })
  v.a = nil
  assert_eq(0, v.a)
  raises("a: 4294967296 is out of range of u32", function() v.a = 1 << 32 end)
  raises('struct: no field "z"', function() v.z = 1 end)
  raises('struct: no field "z"', function() return v.z end)
  raises("struct.n[1]: integer expected, got boolean", function() v.n[1] = true return t:pack(v) end)
end)

test("unpack keeps every byte, and what is changed is all that changes", function()
  local t = struct "u8 a; u32 b; u16 c:3; struct { u8 d; u32 e; } in[2]; ptr p;"
  local bytes = {}
  for i = 1, #t do
    bytes[i] = string.char(i * 7 % 256)
  end
  bytes = table.concat(bytes)
  local v = t:unpack(bytes)
  for _ in pairs(v) do end -- reading is no change
  assert_eq(bytes, t:pack(v))
  v["in"][2].d = 0
  local at = t:offset "in[2].d"
  assert_eq(bytes:sub(1, at) .. "\0" .. bytes:sub(at + 2), t:pack(v))
  assert_eq(bytes, t:pack(t:unpack(("x"):rep(3) .. bytes, 3)))
  raises("unpack: struct needs 40 bytes, only 39 left at byte 0", t.unpack, t, bytes:sub(2))
  raises("unpack: a string expected, got number", t.unpack, t, 5)
  raises("unpack: offset: -1 is none", t.unpack, t, bytes, -1)
end)

test("values compare with tables by content", function()
  local t = struct "u32 a; struct { u8 b; char c[2]; } in;"
  assert_eq({ a = 1, ["in"] = { b = 2, c = "xy" } }, t:unpack "\1\0\0\0\2xy\0")
end)

test("wrong values raise with the path of the field", function()
  local inner = struct "struct inner { u8 x; };"
  local t = struct("u32 a; inner in; ptr p;", { inner })
  raises('struct: no field "b" (there are: a, in, p)', t, { b = 1 })
  raises("struct: no field 1 (there are: a, in, p)", t, { 1 })
  raises("struct: a table of fields expected, got number", t, 5)
  raises('struct.a: integer expected, got "x" (declare it ptr to have it point somewhere)', t, { a = "x" })
  raises("struct.a: integer expected, got 1.5", t, { a = 1.5 })
  raises("struct.in: a table or a struct inner expected, got 5", t, { ["in"] = 5 })
  raises("struct.in: a struct inner expected, got a struct", t, { ["in"] = t {} })
  raises("struct.p: an address, a string, a struct, a list or provium.out(n) expected, got boolean", t, { p = true })
  raises("struct.p: integer expected, got 0.5", t, { p = 0.5 })
  raises('offset: "in.y": no field "y"', t.offset, t, "in.y")
  raises('offset: "a[1]": no element [1]', t.offset, t, "a[1]")
  raises('offset: "a b": a path such as a.b[1].c expected', t.offset, t, "a b")
  raises("offset: not called on a struct: write T:offset(...), with a colon", t.offset, "a")
end)

test("a length that does not fit raises", function()
  local t = struct "u8 len = len_of(p); ptr p;"
  raises("struct.len: 256 is out of range of u8", t.pack, t, { p = ("x"):rep(256) })
  assert_eq(7, t { p = ("x"):rep(256), len = 7 }.len)
end)

test("count_of and len_of of what a pointer is given", function()
  local t = struct([[ struct pair { u32 a, b; }; u32 len = len_of(p); u32 n = count_of(p); struct pair *p; ]])
  for _, case in ipairs {
    { 16, 2, { { a = 1 }, { b = 2 } } }, { 8, 1, { a = 1 } }, { 16, 2, ("x"):rep(16) }, { 24, 3, out(24) }, { 0, 0, 0 },
  } do
    local v = t { p = case[3] }
    assert_eq({ case[1], case[2] }, { v.len, v.n })
  end
  raises("n: count_of(p): the type that it points to is not known",
    function() return struct "u32 n = count_of(p); ptr p;" { p = "x" }.n end)
end)

test("a value is shown with offsets", function()
  local t = struct "u32 a; u8 b:3; char name[4]; ptr p, q; struct { u16 x; } in[2]; u32 n[3];"
  local text = tostring(t { a = 7, b = 5, name = "ab", p = "hello", q = 0x1000, n = { 1, 2 } })
  assert_eq(table.concat({
    "struct (48 bytes)",
    "    0  u32      a        7",
    "  4.0  u8:3     b        5",
    '    5  char[4]  name     "ab"',
    '   16  ptr      p        -> 5 bytes  "hello"',
    "   24  ptr      q        0x1000",
    "   32  u16      in[1].x  0",
    "   34  u16      in[2].x  0",
    "   36  u32[3]   n        {1, 2}",
  }, "\n"), text)
  assert_contains(tostring(t), "struct (48 bytes, aligned to 8)\n    0  u32")
end)

test("out, bytes and cstr check what they are given", function()
  raises("out: a number of bytes, a string or a struct expected, got -1", out, -1)
  raises("out: a number of bytes, a string or a struct expected, got nil", out)
  raises("cstr: a string without zero bytes expected, got one", provium.cstr, "a\0")
  raises("cstr: a string without zero bytes expected, got number", provium.cstr, 5)
  raises("bytes: a string expected, got number", provium.bytes, 5)
  assert_eq({ 3, 2, 3, 2, 4 }, { #out(3), #out "ab", #provium.bytes "a\0b", #provium.cstr "a", #out(struct "u32 a;") })
  assert_eq({ "provium.out (3 bytes)", "provium.bytes (1 bytes)", "provium.cstr (2 bytes)" },
    { tostring(out(3)), tostring(provium.bytes "a"), tostring(provium.cstr "a") })
end)
