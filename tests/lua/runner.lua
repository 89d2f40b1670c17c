-- SPDX-License-Identifier: MIT
-- The assertions of the runner, and the globals it gives to a script.
local function message(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "nothing was raised")
  return (err:gsub("^[^:]*:%d+: ", ""))
end

test("assert_eq: equal values", function()
  local cycle, other = { 1 }, { 1 }
  cycle.self, other.self = cycle, other
  assert_eq(1, 1)
  assert_eq(1, 1.0)
  assert_eq("a\0b", "a\0b")
  assert_eq(nil, nil)
  assert_eq({}, {})
  assert_eq({ 1, { 2, x = "y" } }, { 1, { 2, x = "y" } })
  assert_eq(cycle, other)
  assert_eq(print, print)
end)

test("assert_eq: what differs is said, and where", function()
  for text, pair in pairs {
    ["expected 1, got 2"] = { 1, 2 },
    ['expected 1, got "1"'] = { 1, "1" },
    ["expected true, got nil"] = { true, nil },
    ['expected "abc", got "abd"'] = { "abc", "abd" },
    ["expected -14, got 4294967295 (0xffffffff)"] = { -14, 0xffffffff },
    ["expected 0, got -13 (EACCES)"] = { 0, -13 },
    ["expected -9, got -22 (EINVAL)"] = { -9, -22 },
    ["expected true, got -1 (EPERM)"] = { true, -1 },
    ["expected 0, got -4000"] = { 0, -4000 },
    ["expected 0, got -13.0"] = { 0, -13.0 },
    ["expected 1, got -4096 (0xfffffffffffff000)"] = { 1, -4096 },
    ["ret: expected 0, got -14 (EFAULT)"] = { { ret = 0 }, { ret = -14 } },
    ["[2]: expected nothing, got -38 (ENOSYS)"] = { { 1 }, { 1, -38 } },
    ["a.b[2]: expected 2, got 3"] = { { a = { b = { 1, 2 } } }, { a = { b = { 1, 3 } } } },
    ['["a b"]: expected 1, got nil'] = { { ["a b"] = 1 }, {} },
    ["[2]: expected nothing, got 2"] = { { 1 }, { 1, 2 } },
  } do
    assert_eq(text, message(assert_eq, table.unpack(pair, 1, 2)))
  end
end)

test("assert_eq: bytes are shown in hex around the first difference", function()
  local a, b = ("\0"):rep(20) .. "kernel" .. ("\0"):rep(20), ("\0"):rep(20) .. "Kernel" .. ("\0"):rep(20)
  assert_eq("expected 46 bytes, got 46; the first difference is at byte 20 (0x14)\n" ..
    "  expected 0010: 00 00 00 00 6b 65 72 6e 65 6c 00 00 00 00 00 00  |....kernel......|\n" ..
    "  actual   0010: 00 00 00 00 4b 65 72 6e 65 6c 00 00 00 00 00 00  |....Kernel......|", message(assert_eq, a, b))
  assert_contains(message(assert_eq, a, a:sub(1, 40)), "expected 46 bytes, got 40; the first difference is at byte 40")
  assert_contains(message(assert_eq, "", "\0"), "expected 0 bytes, got 1; the first difference is at byte 0")
end)

test("assert_eq: a message stands in front, the script's line before it", function()
  local ok, err = pcall(function() assert_eq(1, 2, "the answer") end)
  assert_eq(false, ok)
  assert(err:match "runner%.lua:%d+: the answer: expected 1, got 2$", err)
end)

test("assert_contains", function()
  assert_contains("haystack", "stack")
  assert_contains("a.b", ".")
  assert_contains({ 1, { 2 } }, { 2 })
  assert_eq('"hay" does not contain "."', message(assert_contains, "hay", "."))
  assert_eq("a list of 2 does not contain 3", message(assert_contains, { 1, 2 }, 3))
  assert_eq("msg: \"a\" does not contain \"b\"", message(assert_contains, "a", "b", "msg"))
  assert_eq("a string and a string, or a list, expected, got nil and string", message(assert_contains, nil, "x"))
  assert_eq("a string and a string, or a list, expected, got string and number", message(assert_contains, "1", 1))
end)

test("test: its arguments are checked", function()
  assert_eq("test: a name expected, got 5", message(test, 5, print))
  assert_eq('test "x": a function expected, got nil', message(test, "x"))
  assert_eq('test "x": options: unknown key "timeout" (there are none)', message(test, "x", { timeout = 1 }, print))
  assert_contains(message(test, "x", print), 'test "x": a test inside the test "test: its arguments')
end)

test("todo: its reason is checked", function()
  assert_eq("todo: a reason expected, got nil", message(todo))
end)

test("options may be an empty table", function()
  local ok, err = pcall(test, "inner", {}, print)
  assert(not ok and err:find "a test inside the test")
end)

local ran = {}
test("tests run at once ...", function() ran[#ran + 1] = 1 end)
test("... in the order of the file", function() assert_eq({ 1 }, ran) end)

test("arguments of the script are in arg", function()
  assert_contains(arg[0], "runner.lua")
  assert_eq(nil, arg[1])
end)
