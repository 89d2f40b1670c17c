-- SPDX-License-Identifier: MIT
-- The assertions of the runner: comparing, and saying well what differs.
local core = require "provium.core"

local testing = {}

-- ---- showing values ----

local short = 60 -- a string up to this length is shown whole

local function is_plain(s)
  return not s:find "[^\32-\126]"
end

--- A value in one line.
local function show(value)
  if type(value) == "string" then
    if #value <= short and is_plain(value) then
      return ("%q"):format(value)
    end
    return ("a string of %d bytes"):format(#value)
  elseif math.type(value) == "integer" and (value > 0xffff or value < -4095) then
    return ("%d (0x%x)"):format(value, value)
  end
  return tostring(value)
end

--- The same of what came back, which may be a failure of the kernel.
local function show_actual(value)
  local failed = math.type(value) == "integer" and value >= -4095 and value < 0
  local name = failed and core.names_find("x86_64", "name", tostring(-value)) -- the numbers are the same everywhere
  return name and ("%d (%s)"):format(value, name) or show(value)
end

local function hex_line(s, from, to)
  local digits, letters = {}, {}
  for i = from, to do
    local byte = s:byte(i)
    digits[#digits + 1] = byte and ("%02x"):format(byte) or "  "
    letters[#letters + 1] = byte and (byte >= 32 and byte < 127 and string.char(byte) or ".") or ""
  end
  return ("%s  |%s|"):format(table.concat(digits, " "), table.concat(letters))
end

local function first_difference(a, b)
  local low, high = 0, math.min(#a, #b) -- the first `low` bytes are equal
  while low < high do
    local middle = (low + high + 1) // 2
    if a:sub(low + 1, middle) == b:sub(low + 1, middle) then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

-- Where two strings part, in hex.
local function string_difference(expected, actual)
  if math.max(#expected, #actual) <= short and is_plain(expected .. actual) then
    return ("expected %q, got %q"):format(expected, actual)
  end
  if math.max(#expected, #actual) <= 4 * short and is_plain(expected .. actual) then
    return ("they differ\n  expected %q\n  actual   %q"):format(expected, actual)
  end
  local at = first_difference(expected, actual)
  local from = at - at % 16
  local what = "expected %d bytes, got %d; the first difference is at byte %d (0x%x)\n"
  local bytes = "  expected %04x: %s\n  actual   %04x: %s"
  return what:format(#expected, #actual, at, at)
    .. bytes:format(from, hex_line(expected, from + 1, from + 16), from, hex_line(actual, from + 1, from + 16))
end

-- ---- comparing ----

local function key_path(path, key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then
    return path == "" and key or path .. "." .. key
  end
  return ("%s[%s]"):format(path, type(key) == "string" and ("%q"):format(key) or tostring(key))
end

-- The first difference as a text, or nil.  `seen` holds the pairs being compared: cycles end there.
local difference

local function table_difference(expected, actual, path, seen)
  if seen[expected] == actual then
    return nil
  end
  seen[expected] = actual
  for key, value in pairs(expected) do
    local found = difference(value, actual[key], key_path(path, key), seen)
    if found then
      return found
    end
  end
  for key, value in pairs(actual) do
    if expected[key] == nil then
      return ("%s: expected nothing, got %s"):format(key_path(path, key), show_actual(value))
    end
  end
  return nil
end

function difference(expected, actual, path, seen)
  local where = path == "" and "" or path .. ": "
  if expected == actual then
    return nil
  elseif type(expected) == "table" and type(actual) == "table" then
    return table_difference(expected, actual, path, seen)
  elseif type(expected) == "string" and type(actual) == "string" then
    return where .. string_difference(expected, actual)
  end
  return ("%sexpected %s, got %s"):format(where, show(expected), show_actual(actual))
end

-- ---- the assertions ----

local function fail(text, msg)
  if msg ~= nil then
    text = tostring(msg) .. ": " .. text
  end
  error(text, 3)
end

--- Raise unless both are equal; tables are compared by content.
function testing.assert_eq(expected, actual, msg)
  local found = difference(expected, actual, "", {})
  if found then
    fail(found, msg)
  end
end

local function list_contains(list, needle)
  for _, value in ipairs(list) do
    if not difference(needle, value, "", {}) then
      return true
    end
  end
  return false
end

--- Raise unless the string holds the needle as it is, or the list holds an equal element.
function testing.assert_contains(hay, needle, msg)
  if type(hay) == "string" and type(needle) == "string" then
    if not hay:find(needle, 1, true) then
      fail(("%s does not contain %s"):format(show(hay), show(needle)), msg)
    end
  elseif type(hay) == "table" then
    if not list_contains(hay, needle) then
      fail(("a list of %d does not contain %s"):format(#hay, show(needle)), msg)
    end
  else
    fail(("a string and a string, or a list, expected, got %s and %s"):format(type(hay), type(needle)), msg)
  end
end

return testing
