-- SPDX-License-Identifier: MIT
-- The text of a struct, in C or nearly so, to a tree of types.  Sizes and offsets are layout.lua's.
--
--   type   {kind = "int", size, signed, big, align}   size may be "long": it is the architecture's
--          {kind = "char"}
--          {kind = "ptr", to = type or nil, size = nil, 4 or 8}
--          {kind = "array", of = type, count = n or nil}      nil: it takes what is left
--          {kind = "record", union, tag, members, packed, align, line}
--   member {name, type, bits, align, fill, line}; without a name: its members belong to what is around
--   fill   {what = "len_of" or "count_of", name} or {what = "value", value} or {what = "sizeof", type}
local ctokens = require "provium.ctokens"

local cdecl = {}

local fail, advance, show, accept, expect = ctokens.fail, ctokens.advance, ctokens.show, ctokens.accept, ctokens.expect
local is_word, word, sum, positive = ctokens.is_word, ctokens.word, ctokens.sum, ctokens.positive

-- ---- type names ----

local base = {}

local function int(names, size, signed, more)
  for name in names:gmatch "%S+" do
    local t = { kind = "int", text = name, size = size, signed = signed }
    for key, value in pairs(more or {}) do
      t[key] = value
    end
    base[name] = t
  end
end

for size = 1, 8 do
  if size & (size - 1) == 0 then
    local bits = size * 8
    int(("u%d __u%d uint%d_t"):format(bits, bits, bits), size, false)
    int(("i%d s%d __s%d int%d_t"):format(bits, bits, bits, bits), size, true)
    if size > 1 then
      int(("le%d __le%d"):format(bits, bits), size, false)
      int(("be%d __be%d"):format(bits, bits), size, false, { big = true })
    end
  end
end
int("size_t uintptr_t __kernel_size_t __kernel_ulong_t", "long", false)
int("ssize_t intptr_t off_t time_t __kernel_ssize_t __kernel_long_t __kernel_off_t __kernel_old_time_t", "long", true)
int("loff_t __kernel_loff_t __kernel_time64_t", 8, true)
int("pid_t __kernel_pid_t key_t __kernel_key_t clockid_t __kernel_clockid_t __kernel_timer_t __kernel_rwf_t", 4, true)
int("uid_t gid_t mode_t socklen_t __poll_t __wsum __kernel_uid32_t __kernel_gid32_t", 4, false)
int("sa_family_t __kernel_sa_family_t __sum16", 2, false)
int("bool _Bool", 1, false)
base.char = { kind = "char", text = "char" }
base.ptr = { kind = "ptr" }
base.ptr32 = { kind = "ptr", size = 4 }
base.ptr64 = { kind = "ptr", size = 8 }
base.__aligned_u64 = { kind = "ptr", size = 8, align = 8 } -- what the kernel's headers write for an address
base.void = { kind = "void" }

local enumeration = { kind = "int", text = "enum", size = 4, signed = false }

local function set(words)
  local t = {}
  for word in words:gmatch "%S+" do
    t[word] = true
  end
  return t
end

local qualifiers = set "const volatile restrict __user __restrict __extension__"
local c_words = set "unsigned signed __signed__ char short int long"

-- ---- attributes ----

local function alignment(p)
  expect(p, "(", "behind aligned")
  local value = sum(p)
  expect(p, ")", "behind an alignment")
  if value < 1 or value > 4096 or value & (value - 1) ~= 0 then
    fail(p, "aligned(%d): a power of two expected", value)
  end
  return value
end

local function attribute(p, into)
  local name = word(p, "an attribute"):gsub("^__(.-)_*$", "%1")
  if name == "packed" then
    into.packed = true
  elseif name == "aligned" then
    into.align = alignment(p)
  else
    fail(p, 'attribute "%s" is not known', name)
  end
end

local attribute_words = set "packed __packed aligned __aligned"

-- Any number of: packed, aligned(8), __attribute__((packed, aligned(8))).
local function attributes(p, into)
  while attribute_words[p.token] or p.token == "__attribute__" do
    if accept(p, "__attribute__") then
      expect(p, "(", "behind __attribute__")
      expect(p, "(", "behind __attribute__(")
      repeat
        attribute(p, into)
      until not accept(p, ",")
      expect(p, ")", "behind an attribute")
      expect(p, ")", "behind an attribute")
    else
      attribute(p, into)
    end
  end
end

-- ---- type specifiers ----

local members

local function qualify(p)
  while qualifiers[p.token] do
    advance(p)
  end
end

-- struct or union: a body, or a name of one.
local function record(p, union)
  local r = { kind = "record", union = union, line = p.token_line }
  attributes(p, r)
  if is_word(p.token) then
    r.tag = word(p)
  end
  if p.token ~= "{" then
    return p.tags[r.tag] or { kind = "unknown", tag = r.tag or "", union = union }
  elseif r.tag and p.tags[r.tag] then
    fail(p, "%s is defined twice", r.tag)
  elseif r.tag then
    p.tags[r.tag] = r
  end
  advance(p)
  r.open = true -- it cannot contain itself
  r.members = members(p, "}")
  r.open = nil
  expect(p, "}", "at the end of a " .. (union and "union" or "struct"))
  attributes(p, r)
  return r
end

local function enum(p)
  if is_word(p.token) then
    advance(p)
  end
  if accept(p, "{") then
    while p.token ~= "}" and p.token ~= "" do
      advance(p)
    end
    expect(p, "}", "at the end of an enum")
  end
  return enumeration
end

-- unsigned, long long int, ...
local function c_type(p)
  local count = {}
  local words = {}
  while c_words[p.token] or (#words > 0 and qualifiers[p.token]) do
    if c_words[p.token] then
      local name = p.token == "__signed__" and "signed" or p.token
      count[name] = (count[name] or 0) + 1
      words[#words + 1] = name
    end
    advance(p)
  end
  local t = { kind = "int", text = table.concat(words, " "), signed = not count.unsigned, size = 4 }
  if count.char then
    return count.unsigned and base.u8 or count.signed and base.i8 or base.char
  elseif count.short then
    t.size = 2
  elseif count.long then
    t.size = count.long == 1 and "long" or 8
  end
  return t
end

local function specifier(p)
  qualify(p)
  local name = p.token
  local t
  if accept(p, "struct") or accept(p, "union") then
    t = record(p, name == "union")
  elseif accept(p, "enum") then
    t = enum(p)
  elseif c_words[name] then
    t = c_type(p)
  else
    word(p, "a type")
    t = p.types[name] or base[name] or p.tags[name]
      or fail(p, 'unknown type "%s"%s', name, is_word(p.token) and "" or " (a field is a type and a name)")
  end
  qualify(p)
  return t
end

-- ---- declarators ----

local function pointer(t)
  return { kind = "ptr", to = t.kind ~= "void" and t or nil }
end

-- "[2][3]" behind a name: the last index is the innermost.
local function array(p, t)
  if not accept(p, "[") then
    return t
  end
  local count
  if p.token ~= "]" then
    count = positive(p, "a number of elements", 1 << 30)
  end
  expect(p, "]", "behind a number of elements")
  return { kind = "array", of = array(p, t), count = count }
end

-- void (*name)(int): a pointer, whatever it takes.
local function function_pointer(p, m)
  expect(p, "*", "in a pointer to a function")
  m.name = word(p, "a name")
  expect(p, ")", "in a pointer to a function")
  expect(p, "(", "in a pointer to a function")
  local depth = 1
  while depth > 0 do
    if p.token == "" then
      fail(p, '")" expected in a pointer to a function, got the end')
    end
    depth = depth + (p.token == "(" and 1 or p.token == ")" and -1 or 0)
    advance(p)
  end
  m.type = { kind = "ptr" }
end

local function check_type(p, name, t)
  while t.kind == "array" do
    t = t.of
  end
  if t.kind == "void" then
    fail(p, "%s: void is no type of a field", name)
  elseif t.kind == "unknown" then
    fail(p, '%s: unknown type "%s %s"', name, t.union and "union" or "struct", t.tag)
  elseif t.open then
    fail(p, "%s: the %s %s contains itself", name, t.union and "union" or "struct", t.tag or "around it")
  end
end

-- What stands behind "=".
local function fill(p)
  local what = p.token
  if what ~= "len_of" and what ~= "count_of" and what ~= "sizeof" then
    return { what = "value", value = sum(p) }
  end
  advance(p)
  expect(p, "(", "behind " .. what)
  local f = { what = what }
  if what == "sizeof" and p.token ~= "self" then
    f.type = specifier(p)
    check_type(p, what, f.type)
  else
    f.name = word(p, "a field")
  end
  expect(p, ")", "behind " .. what)
  return f
end

local function declarator(p, t)
  local m = { type = t, line = p.token_line }
  while accept(p, "*") do
    m.type = pointer(m.type)
    qualify(p)
  end
  if accept(p, "(") then
    function_pointer(p, m)
  elseif p.token ~= ":" then
    m.name = word(p, "a name")
    m.type = array(p, m.type)
  end
  if accept(p, ":") then
    m.bits = positive(p, m.name and m.name .. ": a number of bits" or "a number of bits", 64)
  end
  attributes(p, m)
  if accept(p, "=") then
    m.fill = fill(p)
  end
  return m
end

-- ---- checks of a member ----

local function check_bits(p, name, m)
  if m.type.kind ~= "int" and m.type.kind ~= "char" then
    fail(p, "%s: only integers have bit fields", name)
  elseif m.bits == 0 and m.name then
    fail(p, "%s: a bit field of no bits has no name", name)
  elseif m.type.big then
    fail(p, "%s: bit fields of big-endian types are not supported", name)
  end
end

local function check_member(p, m)
  local name = m.name or "a field without a name"
  check_type(p, name, m.type)
  if m.bits then
    check_bits(p, name, m)
  end
  if m.fill and (m.type.kind ~= "int" or not m.name) then
    fail(p, "%s: only integers fill themselves", name)
  end
end

-- One line: a type and its names, or an anonymous struct, or the definition of a named one.
local function declaration(p, list)
  local t = specifier(p)
  if p.token == ";" or p.token == "" then
    if t.kind == "record" then
      list[#list + 1] = t.tag == nil and { type = t, line = t.line } or nil
      p.last = t
    elseif t ~= enumeration then
      fail(p, "a name expected, got %s", show(p.token))
    end
  else
    repeat
      local m = declarator(p, t)
      check_member(p, m)
      list[#list + 1] = m
    until not accept(p, ",")
  end
end

function members(p, stop)
  local list = {}
  while p.token ~= stop and p.token ~= "" do
    if not accept(p, ";") then
      declaration(p, list)
      if p.token ~= stop then
        expect(p, ";", "behind a field")
      end
    end
  end
  return list
end

-- ---- all of it ----

-- Pointers to what was defined later, or nowhere.
local function link(t, tags, seen)
  if seen[t] then
    return
  end
  seen[t] = true
  if t.kind == "ptr" and t.to then
    if t.to.kind == "unknown" then
      t.to = tags[t.to.tag]
    end
    return t.to and link(t.to, tags, seen)
  elseif t.kind == "array" then
    link(t.of, tags, seen)
  end
  for _, m in ipairs(t.members or {}) do
    link(m.type, tags, seen)
  end
end

--- The record that a text describes: its fields, or the last struct or union that it defines.
--- `types` are known ones by name.  Raises "line N: why".
function cdecl.parse(text, types)
  local p = { text = text, at = 1, line = 1, types = types, tags = {} }
  for name, t in pairs(types) do
    p.tags[name] = t
  end
  advance(p)
  local list = members(p, "")
  local result = { kind = "record", members = list, line = 1 }
  if #list == 0 then
    result = p.last or fail(p, "no field")
  elseif #list == 1 and not list[1].name and not list[1].bits then
    result = list[1].type
  end
  link(result, p.tags, {})
  return result
end

return cdecl
