-- SPDX-License-Identifier: MIT
-- Runs one script as a file of tests, in a Lua state of its own: main.c makes that state,
-- hands over the counts so far, and takes them back.
local core = require "provium.core"
local config = require "provium.config"
local provium = require "provium"
local testing = require "provium.testing"

local runner = {}

-- What is being run.  `current` is the running test, or the record of the file itself.
local counts, verbose, current
local file_has_tests = false
local line_open = false -- "name ... " stands there and waits for its verdict

-- ---- printing ----

local function out(...)
  io.stdout:write(...)
  io.stdout:flush()
end

-- What a test prints begins on a line of its own.
local function break_line()
  if line_open then
    line_open = false
    out "\n"
  end
end

local function begin_line(name)
  out("  ", name, " ... ")
  line_open = true
end

local function end_line(name, verdict)
  if not line_open then
    out("  ", name, " ... ")
  end
  line_open = false
  out(verdict, "\n")
end

-- A guest's console may be in the text: nothing of it may reach a terminal as a command.
local function print_indented(text)
  for line in text:gmatch "[^\n]+" do
    line = line:gsub("[\0-\8\11-\31\127]", function(c) return ("\\x%02x"):format(c:byte()) end)
    out("      ", line, "\n")
  end
end

-- ---- errors with a short traceback ----

local function is_ours(info)
  return info.what == "C" or info.source:find "^=provium/"
end

-- The script's own frames, innermost first, down to the function that `stop` is.
local function script_frames(stop)
  local frames = {}
  for level = 3, math.huge do
    local info = debug.getinfo(level, "Slnf")
    if not info or info.func == stop then
      break
    end
    if not is_ours(info) then
      local name = info.name and " in " .. info.name or ""
      frames[#frames + 1] = ("at %s:%d%s"):format(info.short_src, info.currentline, name)
    end
  end
  return frames
end

-- Call fn; returns true, or false, what was raised and a text about it.
local function protected(fn, ...)
  local raised
  local function describe(err)
    raised = err
    local text = err == nil and "error(nil)" or tostring(err)
    local frames = script_frames(protected)
    if #frames > 1 or (frames[1] and not text:find(frames[1]:match "^at (.-:%d+)", 1, true)) then
      text = text .. "\n" .. table.concat(frames, "\n")
    end
    return text
  end
  local ok, text = xpcall(fn, describe, ...)
  return ok, raised, text
end

-- ---- verdicts ----

local function count(key)
  counts[key] = counts[key] + 1
end

local function elapsed(record)
  return verbose and (" (%.0f ms)"):format((core.now() - record.started) * 1000) or ""
end

-- Count a test and print its verdict.
local function conclude(record, ok, raised, text)
  local time = elapsed(record)
  if record.todo then
    count "skipped"
    local note = ok and "it passes: the todo can go" or "fails as expected"
    end_line(record.name, ("todo%s: %s (%s)"):format(time, record.todo, note))
    if not ok and verbose then
      print_indented(text)
    end
  elseif ok then
    count "passed"
    end_line(record.name, "ok" .. time)
  else
    count "failed"
    if config.is_unavailable(raised) then
      count "unavailable"
    end
    end_line(record.name, "FAIL" .. time)
    print_indented(text)
  end
end

-- ---- the globals of a script ----

local function check_test(name, opts, fn)
  if type(name) ~= "string" then
    error("test: a name expected, got " .. config.show(name), 3)
  elseif type(fn) ~= "function" then
    error(("test %q: a function expected, got %s"):format(name, config.show(fn)), 3)
  end
  local ok, err = config.check(opts, {})
  if not ok then
    error(("test %q: options: %s"):format(name, err), 3)
  elseif current.is_test then
    error(("test %q: a test inside the test %q"):format(name, current.name), 3)
  end
end

--- test(name, [opts,] fn): run fn now; a failure of it is counted and goes no further.
local function test(name, opts, fn)
  if fn == nil then
    opts, fn = {}, opts
  end
  check_test(name, opts, fn)
  local outer = current
  file_has_tests = true
  current = { name = name:gsub("%c", " "), is_test = true, started = core.now() }
  begin_line(current.name)
  conclude(current, protected(fn))
  current = outer
end

--- todo(reason): the running test may fail.
local function todo(reason)
  if type(reason) ~= "string" then
    error("todo: a reason expected, got " .. config.show(reason), 2)
  end
  current.todo = reason
end

local function set_globals()
  _G.test, _G.todo = test, todo
  _G.assert_eq, _G.assert_contains = testing.assert_eq, testing.assert_contains
  local print_plain, write_plain = print, io.write
  function print(...)
    break_line()
    print_plain(...)
  end
  function io.write(...)
    break_line()
    return write_plain(...)
  end
end

-- A test that ends the run has shown nothing: it does not count as passed.
local function conclude_exit(record, ok, call)
  if record.is_test and ok and not record.todo then
    count "skipped"
    end_line(record.name, ("not finished%s: it called %s"):format(elapsed(record), call))
  else
    conclude(record, ok, nil, call)
  end
end

-- os.exit() ends the run, but not without cleaning up and counting: an exit is no way to
-- turn a failure into a success.
local function set_exit(finish)
  local exit = os.exit
  function os.exit(code)
    local ok = code == nil or code == true or code == 0
    if current.is_test or not file_has_tests then
      conclude_exit(current, ok, ("os.exit(%s)"):format(code == nil and "" or tostring(code)))
    end
    break_line()
    pcall(provium.shutdown_all)
    local verdict = finish(counts)
    exit(ok and verdict or code, true)
  end
end

-- `to` is a path that is appended to, or true: standard error, where nothing stands in the middle of a test's line.
local function set_trace(to)
  local file = to == true and io.stderr or assert(io.open(to, "a"))
  local trace = require "provium.trace"
  local write = trace.writer(file)
  provium.trace(to ~= true and write or function(event)
    break_line()
    write(event)
  end)
end

-- ---- a file ----

local function load_script(path)
  local chunk, err = loadfile(path)
  if not chunk then
    return function() error(err, 0) end
  end
  return chunk
end

--- Run the script at path with its arguments.  `totals` is counted up; `finish(totals)` prints
--- the last line and returns the exit status.
function runner.run(path, args, totals, finish)
  counts, verbose = totals, totals.verbose
  config.script = path
  current = { name = "(file)", started = core.now() }
  _G.arg = args
  args[0] = path
  package.path = (path:match "^(.*/)" or "./") .. "?.lua;" .. package.path
  set_globals()
  set_exit(finish)
  if totals.trace then
    set_trace(totals.trace)
  end
  out(path, "\n")
  local ok, raised, text = protected(load_script(path), table.unpack(args))
  break_line()
  if not ok or not file_has_tests then
    conclude(current, ok, raised, text)
  end
  pcall(provium.shutdown_all)
end

return runner
