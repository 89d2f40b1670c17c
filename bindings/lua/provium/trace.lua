-- SPDX-License-Identifier: MIT
-- Calls as strace prints them.  ltrace.c makes an event of each, while somebody watches; here are who watches, and
-- the text of an event.
local core = require "provium.core"
local decode = require "provium.decode"

local trace = {}

local TEXT_MAX = 64   -- bytes of a text that are shown
local DUMP_MAX = 128  -- bytes of a dump
local LINES_MAX = 64  -- pointers of a call

-- ---- bytes ----

local escapes = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\0"] = "\\0", ['"'] = '\\"', ["\\"] = "\\\\" }

-- Bytes in quotes if they are text, which may end with a zero; else nil.
local function quoted(bytes)
  local cut = bytes:sub(1, TEXT_MAX)
  if cut:find "^[\t\n\r\32-\126]+\0?$" then
    return '"' .. cut:gsub('[\n\t\r\0"\\]', escapes) .. '"' .. (#cut < #bytes and "..." or "")
  end
end

local function dump_line(bytes, at)
  local part = bytes:sub(at + 1, at + 16)
  local hex = part:gsub(".", function(c) return ("%02x "):format(c:byte()) end)
  return ("    %04x  %-48s |%s|"):format(at, hex, (part:gsub("[^\32-\126]", ".")))
end

local function dump(bytes, lines)
  for at = 0, math.min(#bytes, DUMP_MAX) - 1, 16 do
    lines[#lines + 1] = dump_line(bytes, at)
  end
  if #bytes > DUMP_MAX then
    lines[#lines + 1] = ("    ... %d more bytes"):format(#bytes - DUMP_MAX)
  end
end

-- A line that begins with `label`, and a dump where the bytes are no text.  Behind `bytes`, up to len, are zeros.
local function content(label, bytes, len, lines)
  local plural = len == 1 and "byte" or "bytes"
  if not bytes:find "[^\0]" then
    lines[#lines + 1] = ("%s: %d %s%s"):format(label, len, len > 0 and "zero " or "", plural)
  elseif quoted(bytes) then
    lines[#lines + 1] = ("%s: %d %s %s"):format(label, len, plural, quoted(bytes))
  else
    lines[#lines + 1] = ("%s: %d %s"):format(label, len, plural)
    dump(bytes, lines)
  end
end

-- ---- pointers ----

-- The sub-buffer that a spec points at; the call may be a malformed one.
local function target_label(event, i)
  for _ = 1, #event.ptrs do
    local p = event.ptrs[i]
    if not p or not p.same then
      break
    end
    i = p.same
  end
  return ("sub[%d]"):format(i)
end

local function pointer_text(event, i, p)
  local holder = p.parent and target_label(event, p.parent) or ("buf[%d]"):format(p.buf_idx)
  local to = p.null and "NULL" or p.bad and "a bad address: " .. p.bad or target_label(event, i)
  local plus = p.plus ~= 0 and ("%+d"):format(p.plus) or ""
  local width = p.width ~= event.pointer_width and (" (%d bytes wide)"):format(p.width) or ""
  return ("  %s+%d -> %s%s%s"):format(holder, p.offset, to, plus, width)
end

-- Where addresses were written, by the table of the buffer.
local function patched_places(event)
  local places = {}
  for _, p in ipairs(event.ptrs) do
    local holder = p.parent and event.ptrs[p.parent] or nil
    for _, b in ipairs(p.parent and {} or event.bufs) do
      holder = b.arg == p.buf_idx and b or holder
    end
    if holder then
      places[holder] = places[holder] or {}
      table.insert(places[holder], p)
    end
  end
  return places
end

-- `bytes` with zeros in the places of pointers.
local function without_pointers(bytes, places)
  local pieces, at = {}, 1
  table.sort(places, function(a, b) return a.offset < b.offset end)
  for _, p in ipairs(places) do
    pieces[#pieces + 1] = bytes:sub(at, p.offset)
    pieces[#pieces + 1] = ("\0"):rep(p.offset + p.width + 1 - math.max(at, p.offset + 1))
    at = math.max(at, p.offset + p.width + 1)
  end
  return table.concat(pieces) .. bytes:sub(at)
end

-- Has the kernel changed it?
local function changed(b, places)
  local before = b.dir == "out" and "" or b.data
  before = before .. ("\0"):rep(b.len - #before)
  return without_pointers(b.out, places) ~= without_pointers(before, places)
end

-- ---- a call ----

-- A short text stands among the arguments.
local function inline(b, places)
  return b.dir ~= "out" and #b.data == b.len and not places[b] and quoted(b.data) or nil
end

local function head(event, places)
  local shown, count = {}, #event.args
  for _, b in ipairs(event.bufs) do
    local text = inline(b, places)
    shown[b.arg + 1] = ("buf[%d]%s"):format(b.arg, text and " " .. text or "")
    count = math.max(count, b.arg + 1)
  end
  local name = decode.syscall(event.arch, event.nr)
  local step = event.step and ("step[%d] "):format(event.step) or ""
  for i = 1, count do
    shown[i] = shown[i] or event.moved and event.moved[i] or decode.argument(event.arch, name, i - 1, event.args[i] or 0)
  end
  return ("%s%s(%s)"):format(step, name, table.concat(shown, ", "))
end

local function duration(ns)
  if ns < 1000000 then
    return ("%.1f us"):format(ns / 1e3)
  end
  return ns < 1000000000 and ("%.1f ms"):format(ns / 1e6) or ("%.2f s"):format(ns / 1e9)
end

local function outcome(event)
  if event.ret then
    local name = decode.errno(event.ret)
    return (event.ret > -65536 and event.ret < 1 << 31 and "%d" or "0x%x"):format(event.ret) .. (name and " " .. name or "")
  elseif event.ended then
    local e = event.ended
    local how = e.signal and "by signal " .. e.signal or "with status " .. (e.status or 0)
    return ("? %s %s%s"):format(e.what, how, e.executed == false and ", before this call" or "")
  elseif event.error then
    return "? " .. event.error:match "^[^\n]*"
  end
  return event.skipped and "? skipped" or "? not asked for" -- a step of a program
end

local function after(label, b, places, lines)
  if b.out and changed(b, places[b] or {}) then
    content(("  %s after"):format(label), b.out, #b.out, lines)
  end
end

local function damage_lines(event, lines)
  for _, d in ipairs(event.damaged or {}) do
    local label = d.ptr and ("sub[%d]"):format(d.ptr) or ("buf[%d]"):format(d.buf)
    lines[#lines + 1] = ("  %s: %d bytes written beside it, at %+d"):format(label, d.len, d.offset)
  end
end

-- What goes in: a buffer without content of its own is zeros.
local function given(b)
  return b.dir == "out" and "" or b.data
end

local function pointer_lines(event, lines)
  for i, p in ipairs(event.ptrs) do
    if i > LINES_MAX then
      lines[#lines + 1] = ("  ... %d more pointers"):format(#event.ptrs - LINES_MAX)
      return
    elseif p.len then
      content(pointer_text(event, i, p), given(p), p.len, lines)
    else
      lines[#lines + 1] = pointer_text(event, i, p)
    end
  end
end

local function all_lines(event)
  local places = patched_places(event)
  local time = event.elapsed_ns and (" <%s>"):format(duration(event.elapsed_ns)) or ""
  local rounds = (event.rounds or 1) > 1 and (" (the last of %d rounds)"):format(event.rounds) or ""
  local lines = { ("%s = %s%s%s"):format(head(event, places), outcome(event), time, rounds) }
  for _, b in ipairs(event.bufs) do
    if not inline(b, places) then
      content(("  buf[%d]"):format(b.arg), given(b), b.len, lines)
    end
  end
  pointer_lines(event, lines)
  for _, b in ipairs(event.bufs) do
    after(("buf[%d]"):format(b.arg), b, places, lines)
  end
  for i = 1, math.min(#event.ptrs, LINES_MAX) do
    after(("sub[%d]"):format(i), event.ptrs[i], places, lines)
  end
  damage_lines(event, lines)
  return lines
end

--- An event as text: a line, and what its buffers held.
function trace.text(event)
  return table.concat(all_lines(event), "\n")
end

--- Only the name and the arguments: what the report of a guest's death says.
function trace.words(event)
  return head(event, patched_places(event))
end

-- ---- who watches ----

local sink, current = nil, false -- what is called, and what trace() was given
local labels, label_count = setmetatable({}, { __mode = "k" }), 0
local last = setmetatable({}, { __mode = "k" })
local meta = { __tostring = trace.text }

-- "vm1", "agent2": in the order of their first watched calls.
local function label(handle)
  if not labels[handle] then
    label_count = label_count + 1
    local kind = tostring(handle):find "^provium.vm" and "vm" or "agent"
    labels[handle] = kind .. label_count
  end
  return labels[handle]
end

local function watch(event, handle)
  event.vm = label(handle)
  event.name = decode.syscall(event.arch, event.nr)
  event.errname = event.ret and decode.errno(event.ret)
  last[handle] = setmetatable(event, meta)
  sink(event)
end

--- A function that writes events to a file, with the VM's name when there is more than one.
function trace.writer(file)
  return function(event)
    local text = label_count > 1 and event.vm .. " " .. trace.text(event) or trace.text(event)
    local ok, err = file:write(text, "\n")
    if ok then
      ok, err = file:flush()
    end
    if not ok then
      error("trace: cannot write: " .. tostring(err), 0)
    end
  end
end

local function new_sink(to)
  if to == true then
    return trace.writer(io.stderr)
  elseif type(to) == "function" then
    return to
  elseif io.type(to) == "file" then
    return trace.writer(to)
  elseif type(to) == "string" then
    local file, err = io.open(to, "w")
    return file and trace.writer(file), err
  end
  return nil, "true, false, a path, a file or a function expected, got " .. (io.type(to) or type(to))
end

--- Watch every call from now on: true is standard error, false ends it.  Returns what was given before.
function trace.trace(to)
  local before, new, err = current, nil, nil
  if to ~= false then
    new, err = new_sink(to)
    if not new then
      error("trace: " .. err, 2)
    end
  end
  sink, current = new, to
  core.watch(new and watch)
  return before
end

--- The event of the last call of a VM that was watched.
function trace.last_call(handle)
  if not last[handle] then
    error("last_call: no call of it was watched: provium.trace(...) comes first", 3)
  end
  return last[handle]
end

return trace
