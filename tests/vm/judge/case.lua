-- SPDX-License-Identifier: MIT
-- Cases in which the kernel judges: a script makes calls through Provium and says what it saw, the C file of
-- the same name makes them as a plain program in the same guest, and both must have seen the same.
--
--   local case = require "case"
--   local vm, see = case.open "pipe"
--   see("pipe2", vm:syscall_buf("pipe2", 0, 8))     -- returns all but the name
--   case.compare { pipe2 = { {1, 0, 4} } }          -- the mask: of output 1, from byte 0, 4 bytes
--
-- A mask belongs to the lines of that name: `ret = true` leaves out what was returned, {output, offset, len}
-- bytes, {output, offset, len, step} the same bytes of every element of an array, {output, f} what f(bytes)
-- returns: a list of {offset, len}.
local provium = require "provium"

local case = {}

local program = (os.getenv "B" or "build") .. "/judge"
local vm     -- one for all cases of a run
local name   -- of the case that runs
local ours   -- what it saw: a list of {name, ret, bytes...}
local theirs -- the same, of the C program

-- ---- comparing ----

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

--- The lines that the C program wrote.
function case.parse(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    local label, ret, rest = line:match "^(.-): ([%w:-]+)([ =%x]*)$"
    local seen = { label, math.tointeger(ret) or ret }
    for digits in rest:gmatch "=(%x*)" do
      seen[#seen + 1] = digits:gsub("%x%x", function(d) return string.char(tonumber(d, 16)) end)
    end
    list[#list + 1] = seen
  end
  return list
end

-- The ranges of a mask's entry, as {offset, len}.
local function ranges_of(entry, bytes)
  local _, from, len, step = table.unpack(entry)
  if type(from) == "function" then
    return from(bytes)
  end
  local list = { { from, len } }
  for at = from + (step or 0), step and #bytes - len or -1, step or 1 do
    list[#list + 1] = { at, len }
  end
  return list
end

-- The bytes with those that an entry hides made question marks.
local function hide(bytes, entry, where)
  for _, range in ipairs(ranges_of(entry, bytes)) do
    local from, len = table.unpack(range)
    if from + len > #bytes then
      error(where .. ": the mask is beyond the output", 0)
    end
    bytes = bytes:sub(1, from) .. ("?"):rep(len) .. bytes:sub(from + len + 1)
  end
  return bytes
end

local function masked(line, mask, where)
  local copy = { table.unpack(line) }
  for _, entry in ipairs(mask or {}) do
    local at = entry[1] + 2
    if copy[at] then -- an output that only one side has is a difference of its own
      copy[at] = hide(copy[at], entry, where)
    end
  end
  if mask and mask.ret then
    copy[2] = "?"
  end
  return copy
end

-- From which byte two strings differ, and the next few of each.
local function byte_difference(a, b)
  local at = 1
  while a:byte(at) == b:byte(at) do
    at = at + 1
  end
  return ("from byte %d: %s, in C %s"):format(at - 1, hex(a:sub(at, at + 23)), hex(b:sub(at, at + 23)))
end

local function line_difference(a, b, where)
  if a[1] ~= b[1] then
    return ("%s: C has %s there"):format(where, b[1])
  elseif a[2] ~= b[2] then
    return ("%s: returned %s, in C %s"):format(where, a[2], b[2])
  elseif #a ~= #b then
    return ("%s: %d outputs, in C %d"):format(where, #a - 2, #b - 2)
  end
  for i = 3, #a do
    if a[i] ~= b[i] then
      return ("%s: output %d of %d and %d bytes differs %s"):format(where, i - 2, #a[i], #b[i], byte_difference(a[i], b[i]))
    end
  end
end

--- How two lists of lines differ, as a text; nil if only in what the masks hide.
function case.difference(a, b, masks)
  local unused = {}
  for label in pairs(masks) do
    unused[label] = true
  end
  for i = 1, math.max(#a, #b) do
    if not a[i] or not b[i] then
      return ("line %d is %s's alone: %s"):format(i, a[i] and "Provium" or "C", (a[i] or b[i])[1])
    end
    local label, where = a[i][1], ("line %d, %s"):format(i, a[i][1])
    unused[label] = nil
    local found = line_difference(masked(a[i], masks[label], where), masked(b[i], masks[label], where), where)
    if found then
      return found
    end
  end
  local left = next(unused)
  return left and ("a mask for %s, which is no line"):format(left) or #a == 0 and "nothing was compared" or nil
end

-- ---- the program ----

local function ok(what, ret)
  return ret and ret >= 0 and ret or error(("%s: %s"):format(what, provium.errno.name(ret)), 0)
end

local function read_file(path)
  local fd = ok(path, vm:syscall("openat", provium.const.AT_FDCWD, provium.cstr(path), 0, 0))
  local parts = {}
  repeat
    local n, bytes = vm:syscall_buf("read", 1, 1 << 16, fd, 0, 1 << 16)
    parts[#parts + 1] = bytes:sub(1, ok(path, n))
  until n == 0
  vm:syscall("close", fd)
  return table.concat(parts)
end

-- Go to a new folder, so that both sides find the same: nothing.
local function enter(folder)
  local path = provium.cstr(folder)
  ok("mkdirat", vm:syscall("mkdirat", provium.const.AT_FDCWD, path, 448))
  ok("chdir", vm:syscall("chdir", path))
end

local function run_program()
  local out = "/judge." .. name
  enter("/c." .. name)
  local r = vm:call { nr = "execve", bufs = { [0] = "/judge\0", [1] = { argv = { "judge", name, out } }, [2] = { argv = {} } } }
  if not r.ended or r.ended.status ~= 0 then
    local how = r.errname or r.ended.status and "exited with " .. r.ended.status or "killed by " .. r.ended.signal
    error(("%s in C: %s\n%s"):format(name, how, vm:console()), 0)
  end
  return case.parse(read_file(out))
end

local function see(label, ret, ...)
  local line = { label, ret }
  local function add(value)
    if type(value) == "string" then
      line[#line + 1] = value
    elseif type(value) == "table" and not value.what then
      for _, element in ipairs(value) do
        add(element)
      end
    end
  end
  local values = table.pack(...)
  if ret == nil then
    local how = values[values.n]
    line[2] = ("%s:%d"):format(how.what, how.signal or how.status)
  end
  for i = 1, ret and values.n or 0 do
    add(values[i])
  end
  ours[#ours + 1] = line
  return ret, ...
end

--- Begin a case: the C program runs, then the script's own calls start in a fresh process too.  Returns the VM,
--- and `see`: what it is given it notes, outputs that are strings or lists of them, and returns.
function case.open(of)
  name, ours = of, {}
  if not vm then
    vm = provium.create():boot { memory = "160M", files = { ["/judge"] = program } }
  end
  vm:syscall("exit_group", 0)
  theirs = run_program()
  enter("/p." .. name)
  return vm, see
end

--- End it, by a test: both sides saw the same, but for what the masks hide.
function case.compare(masks)
  test(name .. ": plain C in the same guest sees the same returns and bytes", function()
    local found = case.difference(ours, theirs, masks or {})
    if found then
      error(found, 0)
    end
  end)
end

--- Make a file with that content.
function case.make_file(path, content)
  local const = provium.const
  local fd = ok(path, vm:syscall("openat", const.AT_FDCWD, provium.cstr(path), const.O_CREAT | const.O_WRONLY, 420))
  ok(path, vm:syscall_buf("write", 1, content, fd, 0, #content))
  ok(path, vm:syscall("close", fd))
end

return case
