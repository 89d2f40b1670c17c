-- SPDX-License-Identifier: MIT
-- Every case of judge/, in one VM: NAME.lua makes calls through Provium, NAME.c the same in plain C, and what
-- they see is compared.  One case alone: provium run tests/vm/judge/NAME.lua.
local here = arg[0]:match "^(.*/)" or "./"
package.path = here .. "judge/?.lua;" .. package.path
local case = require "case"

-- ---- the comparison itself ----

local function difference(a, b, masks)
  return case.difference(case.parse(a), case.parse(b), masks or {})
end

test("equal lines are equal, whatever their names and bytes", function()
  assert_eq(nil, difference("read: -14\nbad one: 0 =00ff =", "read: -14\nbad one: 0 =00ff ="))
  assert_eq({ { "bad one", 0, "\0\xff", "" } }, case.parse "bad one: 0 =00ff =\n")
  assert_eq({ { "kill", "killed:10" } }, case.parse "kill: killed:10\n")
end)

test("a difference is found: return, byte, length, name, number of outputs, missing line, no line at all", function()
  assert_contains(difference("read: -14", "read: 0"), "line 1, read: returned -14, in C 0")
  assert_contains(difference("a: 0\nread: 1 =00 =0102", "a: 0\nread: 1 =00 =0103"), "line 2, read: output 2 of 2 and 2 bytes differs from byte 1: 02, in C 03")
  assert_contains(difference("read: 1 =00", "read: 1 =0000"), "line 1, read: output 1 of 1 and 2 bytes differs from byte 1: , in C 00")
  assert_contains(difference("read: 1", "write: 1"), "line 1, read: C has write there")
  assert_contains(difference("read: 1 =00", "read: 1"), "line 1, read: 1 outputs, in C 0")
  assert_contains(difference("read: 1", "read: 1\nread: 2"), "line 2 is C's alone: read")
  assert_contains(difference("read: 1\nclose: 0", "read: 1"), "line 2 is Provium's alone: close")
  assert_eq("nothing was compared", difference("", ""))
end)

test("a mask hides its bytes and nothing else", function()
  local mask = { read = { { 1, 1, 2 } } }
  assert_eq(nil, difference("read: 0 =00112233", "read: 0 =00aabb33", mask))
  assert_contains(difference("read: 0 =00112233", "read: 0 =00112244", mask), "output 1 of 4 and 4 bytes differs")
  assert_contains(difference("read: 0 =00112233", "read: 0 =01112233", mask), "output 1 of 4 and 4 bytes differs")
  assert_eq(nil, difference("read: 0 =01000200", "read: 0 =03000400", { read = { { 1, 0, 1, 2 } } }))
  assert_contains(difference("read: 0 =01000200", "read: 0 =03000401", { read = { { 1, 0, 1, 2 } } }), "output 1")
  assert_eq(nil, difference("getpid: 5", "getpid: 6", { getpid = { ret = true } }))
end)

test("a mask without a line, or beyond the output, is an error", function()
  assert_eq("a mask for write, which is no line", difference("read: 0", "read: 0", { write = { { 1, 0, 1 } } }))
  assert_eq(false, (pcall(difference, "read: 0 =00", "read: 0 =00", { read = { { 1, 0, 2 } } })))
end)

-- ---- the cases ----

-- A case is there if either of its files is; without the other it fails.
local function names()
  local found, list = { case = true, main = true }, {}
  for file in io.popen("ls " .. here .. "judge"):lines() do
    local name = file:match "^(.*)%.lua$" or file:match "^(.*)%.c$"
    if name and not found[name] then
      found[name] = true
      list[#list + 1] = name
    end
  end
  return list
end

for _, name in ipairs(names()) do
  local ok, err = pcall(dofile, here .. "judge/" .. name .. ".lua")
  if not ok then
    test(name .. ": the case runs to its end", function()
      error(err, 0)
    end)
  end
end
