-- SPDX-License-Identifier: MIT
-- vm:program: a function that reads like a sequence of calls runs once, on the host, and notes them; then all of
-- them go to the agent in one request.  What a call will return, or write, is a value that stands for it.
local core = require "provium.core"
local config = require "provium.config"

local program = {}

-- Kinds of values and of memory, and what follows a failure, as lprogram.c has them.
local NUMBER, RET, BYTES, ADDRESS = 0, 1, 2, 3
local OF_PROGRAM, OF_ARG, OF_PTR = 0, 1, 2
local GO_ON, END_ROUND, STOP = 0, -1, -2

local value_meta = {}
local call_methods, memory_methods, builder_methods = {}, {}, {}
local call_meta, memory_meta = { __index = call_methods }, { __index = memory_methods }

-- ---- errors ----

-- Errors inside have no position; what a script calls gives them the script's.
local function raise(...)
  error("program: " .. string.format(...), 0)
end

local function public(fn)
  return function(...)
    local results = table.pack(pcall(fn, ...))
    if not results[1] then
      error(results[2], 2)
    end
    return table.unpack(results, 2, results.n)
  end
end

-- An error of lprogram.c without the position in this file.
local function check(ok, ...)
  if not ok then
    error((tostring((...)):gsub("^[^\n]-:%d+: ", "", 1)), 0)
  end
  return ...
end

local function integer(x)
  return math.type(x) and math.tointeger(x)
end

-- ---- values ----

local function is_reference(x)
  local meta = type(x) == "table" and getmetatable(x)
  return meta == value_meta or meta == call_meta or meta == memory_meta
end

-- A reference as what a move takes.
local function as_value(x)
  local meta = getmetatable(x)
  if meta == call_meta then
    return { state = x.state, kind = RET, ret = x.index, plus = 0 }
  elseif meta == memory_meta then
    return { state = x.state, kind = ADDRESS, from = x, offset = 0, plus = 0 }
  end
  return x
end

local function plus(value, k)
  local sum = setmetatable({}, value_meta)
  for key, v in pairs(as_value(value)) do
    sum[key] = v
  end
  sum.plus = sum.plus + k
  return sum
end

local function add(a, b, sign)
  if not is_reference(a) then
    a, b = b, a
  end
  local k = integer(b)
  return k and plus(a, sign * k) or raise("an integer can be added to a value, not %s", config.show(b))
end

for _, meta in ipairs { value_meta, call_meta, memory_meta } do
  meta.__add = public(function(a, b)
    return add(a, b, 1)
  end)
  meta.__sub = public(function(a, b)
    return is_reference(a) and add(a, b, -1) or raise "a value can only stand before a minus"
  end)
end

-- The reference x as a value of this program.
local function own_value(state, x, ...)
  local value = as_value(x)
  if value.state ~= state then
    raise("%s: of another program", string.format(...))
  end
  return value
end

-- ---- memory ----

for name, bytes in pairs { u8 = 1, u16 = 2, u32 = 4, u64 = 8, i8 = -1, i16 = -2, i32 = -4, i64 = -8 } do
  --- The number at that offset (0 if left out) as it is when it is used.
  memory_methods[name] = public(function(memory, offset)
    offset = offset == nil and 0 or integer(offset)
    if not offset or offset < 0 then
      raise("%s: an offset expected", name)
    end
    return setmetatable({ state = memory.state, kind = BYTES, from = memory, offset = offset, plus = 0,
      width = math.abs(bytes), signed = bytes < 0 }, value_meta)
  end)
end

local function new_memory(state, of, step, index)
  return setmetatable({ state = state, of = of, step = step, index = index }, memory_meta)
end

-- ---- moves ----

-- Note that a value is put somewhere just before the next call.
local function add_move(state, move, value)
  move.step, move.value, move.plus = #state.steps + 1, value.kind, value.plus
  move.ret, move.from, move.at, move.signed = value.ret, value.from, value.offset, value.signed
  if value.kind == BYTES then
    if move.width and move.width ~= value.width then
      raise("width: a number of %d bytes cannot be written as %d", value.width, move.width)
    end
    move.width = value.width
  end
  state.moves[#state.moves + 1] = move
end

-- Arguments that stand for something become 0 and a move each.
local function take_args(state, args, where)
  local out = {}
  for i = 1, args.n do
    out[i] = args[i]
    if is_reference(args[i]) then
      add_move(state, { arg = i - 1 }, own_value(state, args[i], "%s: a%d", where, i - 1))
      out[i] = 0
    elseif args[i] == nil then
      raise("%s: a%d: integer expected, got nil", where, i - 1)
    end
  end
  return out
end

-- Buffers that are memory of the program become addresses.
local function take_bufs(state, bufs, where)
  local out = {}
  for k, v in pairs(bufs) do
    if is_reference(v) then
      local arg = integer(k)
      if not arg or arg < 0 or arg > 5 then
        raise("%s: bufs[%s]: not an argument index (0 to 5)", where, tostring(k))
      end
      add_move(state, { arg = arg }, own_value(state, v, "%s: bufs[%d]", where, arg))
    else
      out[k] = v
    end
  end
  return out
end

-- A pointer to memory of the program: null in the spec, and an address before the call.
local function take_ptr(state, spec, where)
  local value = own_value(state, spec.data, "%s.data", where)
  for _, key in ipairs { "data_len", "buf_len", "output", "same", "null", "bad" } do
    if spec[key] ~= nil then
      raise("%s.%s: excluded by memory of the program", where, key)
    end
  end
  local copy = {}
  for k, v in pairs(spec) do
    copy[k] = v
  end
  copy.data, copy.plus, copy.null = nil, nil, true
  local of, index = OF_ARG, spec.buf_idx or 2
  if spec.parent ~= nil then
    of, index = OF_PTR, spec.parent
  end
  add_move(state, { to = new_memory(state, of, #state.steps + 1, index), offset = spec.ptr_offset,
    width = spec.width or state.pointer_width }, plus(value, integer(spec.plus or 0) or 0))
  return copy
end

local function take_ptrs(state, ptrs, list, where)
  local out = {}
  for k, spec in pairs(ptrs) do
    local refers = type(spec) == "table" and is_reference(spec.data)
    out[k] = refers and take_ptr(state, spec, ("%s: %s[%s]"):format(where, list, tostring(k))) or spec
  end
  return out
end

-- ---- calls ----

local function check_open(state)
  if state.done then
    raise "its function has returned: nothing can be added"
  end
end

-- What may follow a failure: a word, or the name of a label.
local function check_fail(what)
  if type(what) ~= "string" then
    raise("on_error: \"stop\", \"go on\", \"next round\" or a label's name expected, got %s", config.show(what))
  end
  return what
end

-- Add a call; its moves go before those that may follow.  Nothing is left of one that raises.
local function add_step(state, step, args)
  check_open(state)
  local move_count = #state.moves
  local where = ("steps[%d]"):format(#state.steps + 1)
  local ok, outs = pcall(function()
    step.args = take_args(state, args, where)
    step.bufs = type(step.bufs) == "table" and take_bufs(state, step.bufs, where) or step.bufs
    local list = step.specs and "specs" or "ptrs"
    step.ptrs = type(step.ptrs) == "table" and take_ptrs(state, step.ptrs, list, where) or step.ptrs
    return check(pcall(core.check_step, state.vm, step, "program: " .. where))
  end)
  if not ok then
    for i = #state.moves, move_count + 1, -1 do
      state.moves[i] = nil
    end
    error(outs, 0)
  end
  local index = #state.steps + 1
  local call = setmetatable({ state = state, index = index, outs = {} }, call_meta)
  for i, owner in ipairs(outs) do -- 0 to 5: of an argument; from 8 on: of a pointer; -1: a list
    if owner >= 0 then
      call.outs[i] = new_memory(state, owner < 8 and OF_ARG or OF_PTR, index, owner < 8 and owner or owner - 7)
    end
  end
  state.steps[index], state.calls[index] = step, call
  step.fail = state.fail
  return call
end

--- What follows if this call fails.
call_methods.on_error = public(function(call, what)
  check_open(call.state)
  call.state.steps[call.index].fail = check_fail(what)
  return call
end)

--- Of this call the result is wanted.
call_methods.keep = public(function(call)
  check_open(call.state)
  call.state.steps[call.index].keep, call.state.keeps = true, true
  return call
end)

-- ---- what the function gets ----

local states = setmetatable({}, { __mode = "k" }) -- of builders

local function method(name, fn)
  builder_methods[name] = public(function(p, ...)
    local state = states[p]
    if not state then
      raise("%s: write p:%s(...), with a colon", name, name)
    end
    check_open(state)
    return fn(state, ...)
  end)
end

method("syscall", function(state, nr, ...)
  return add_step(state, { nr = nr }, table.pack(...))
end)

method("syscall_buf", function(state, nr, idx, data, ...)
  if not integer(idx) then
    raise("steps[%d]: idx: integer expected, got %s", #state.steps + 1, type(idx))
  end
  return add_step(state, { nr = nr, bufs = { [idx] = data } }, table.pack(...))
end)

method("syscall_bufs", function(state, nr, bufs, ...)
  return add_step(state, { nr = nr, bufs = bufs }, table.pack(...))
end)

method("syscall_ptr", function(state, nr, bufs, ptrs, ...)
  return add_step(state, { nr = nr, bufs = bufs, ptrs = ptrs }, table.pack(...))
end)

-- A struct as long as cmd says.
local function ioctl_data(cmd, data)
  local size = integer(cmd) and (cmd >> 16) & 0x3fff or 0
  return type(data) == "string" and data .. ("\0"):rep(size - #data) or data
end

method("ioctl", function(state, fd, cmd, data)
  if data == nil or integer(data) or is_reference(data) then
    return add_step(state, { nr = "ioctl" }, table.pack(fd, cmd, data or 0))
  end
  return add_step(state, { nr = "ioctl", bufs = { [2] = ioctl_data(cmd, data) } }, table.pack(fd, cmd, 0))
end)

method("ioctl_buf", function(state, fd, cmd, data, specs)
  return add_step(state, { nr = "ioctl", bufs = { [2] = ioctl_data(cmd, data) }, ptrs = specs, specs = true },
    table.pack(fd, cmd, 0))
end)

local call_keys = { nr = true, args = true, bufs = true, ptrs = true }

method("call", function(state, call)
  if type(call) ~= "table" then
    raise("steps[%d]: table expected, got %s", #state.steps + 1, type(call))
  end
  for key in pairs(call) do
    if not call_keys[key] then
      raise("steps[%d]: %s: unknown key", #state.steps + 1, tostring(key))
    end
  end
  local args = call.args == nil and {} or call.args
  if type(args) ~= "table" then
    raise("steps[%d]: args: table expected, got %s", #state.steps + 1, type(args))
  end
  return add_step(state, { nr = call.nr, bufs = call.bufs, ptrs = call.ptrs }, table.pack(table.unpack(args)))
end)

--- Memory that all calls can use: a string, a size, or a table as a buffer of a call.
method("buffer", function(state, buffer)
  local index = #state.memory + 1
  check(pcall(core.check_step, state.vm, { nr = 0, args = {}, bufs = { [0] = buffer } }, ("program: memory[%d]"):format(index)))
  local memory = new_memory(state, OF_PROGRAM, 1, index)
  state.memory[index], state.memories[index] = buffer, memory
  return memory
end)

-- The bytes of a string, as numbers.
local function write_string(state, memory, offset, text)
  local order = state.big_endian and ">" or "<"
  local at = 1
  while at <= #text do
    local left = #text - at + 1
    local width = left >= 8 and 8 or left >= 4 and 4 or left >= 2 and 2 or 1
    local number = string.unpack(order .. "I" .. width, text, at)
    add_move(state, { to = memory, offset = offset + at - 1, width = width }, { kind = NUMBER, plus = number })
    at = at + width
  end
end

--- Write into memory just before the next call: a string, a value, or an integer of `width` bytes.
method("write", function(state, memory, offset, value, width)
  if getmetatable(memory) ~= memory_meta or memory.state ~= state then
    raise("write: memory of this program expected, got %s", config.show(memory))
  end
  offset = integer(offset)
  if not offset or offset < 0 then
    raise "write: an offset expected"
  end
  if type(value) == "string" then
    return write_string(state, memory, offset, value)
  end
  local number = integer(value)
  if not number and not is_reference(value) then
    raise("write: a string, an integer or a value expected, got %s", config.show(value))
  end
  local from = number and { kind = NUMBER, plus = number } or own_value(state, value, "write")
  width = width or from.width or from.kind == ADDRESS and state.pointer_width or nil
  if width ~= 1 and width ~= 2 and width ~= 4 and width ~= 8 then
    raise("write: width: 1, 2, 4 or 8 expected, got %s", config.show(width))
  end
  add_move(state, { to = memory, offset = offset, width = width }, from)
end)

--- What follows if a later call fails, unless it says otherwise itself.
method("on_error", function(state, what)
  state.fail = check_fail(what)
end)

method("stop_on_error", function(state)
  state.fail = "stop"
end)

--- The next call is where that name leads.
method("label", function(state, name)
  if type(name) ~= "string" or name == "stop" or name == "go on" or name == "next round" then
    raise("label: a name of its own expected, got %s", config.show(name))
  end
  if state.labels[name] then
    raise("label: %s is there already", config.show(name))
  end
  state.labels[name] = #state.steps + 1
end)

local result_fields = { rounds = true, ended = true, memory = true }

-- p.name = call: a name for the call, or memory, and its result.
local function set_name(p, name, what)
  local state = states[p]
  check_open(state)
  if type(name) ~= "string" or builder_methods[name] or result_fields[name] then
    raise("%s is not a name for a call", config.show(name))
  end
  local meta = getmetatable(what)
  if meta ~= call_meta and meta ~= memory_meta or what.state ~= state then
    raise("%s: a call or memory of this program expected, got %s", name, config.show(what))
  end
  state.names[name] = what
end

local builder_meta = {
  __index = function(p, name)
    return builder_methods[name] or states[p].names[name]
  end,
  __newindex = public(set_name),
}

-- ---- run ----

local function find_fail(state, i, step)
  local what = step.fail or "go on"
  if what == "go on" then
    return GO_ON
  elseif what == "stop" then
    return STOP
  elseif what == "next round" then
    return END_ROUND
  end
  local target = state.labels[what]
  if not target or target <= i then
    raise("steps[%d]: on_error: no label %s behind it", i, config.show(what))
  end
  return target > #state.steps and END_ROUND or target
end

local function resolve(state, options)
  for i, step in ipairs(state.steps) do
    step.fail = find_fail(state, i, step)
    step.keep = step.keep and options.results ~= "none"
  end
  local last = state.moves[#state.moves]
  if last and last.step > #state.steps then
    raise "write: no call follows"
  end
end

local function one_of(...)
  local words = { ... }
  return function(value)
    for _, word in ipairs(words) do
      if value == word then
        return value
      end
    end
    return nil, ("one of %s expected, got %s"):format(table.concat(words, ", "), config.show(value))
  end
end

local function count(value)
  local n = integer(value)
  if n and n >= 1 and n <= 0xffffffff then
    return n
  end
  return nil, "1 to 4294967295 expected, got " .. config.show(value)
end

local function flag(value)
  if type(value) == "boolean" then
    return value
  end
  return nil, "boolean expected, got " .. config.show(value)
end

local option_checks = { times = count, results = one_of("all", "kept", "none"), each = flag, timeout = config.duration }

-- Results are found by their number, by the call or memory, and by its name.
local function find_result(state)
  return function(results, key)
    local what = type(key) == "string" and state.names[key] or key
    local meta = type(what) == "table" and getmetatable(what)
    if meta == call_meta and what.state == state then
      return rawget(results, what.index)
    elseif meta == memory_meta and what.state == state and what.of == OF_PROGRAM then
      return rawget(results, "memory")[what.index]
    end
  end
end

local function run(vm, options, fn)
  if fn == nil then
    options, fn = {}, options
  end
  local checked, err = config.check(options, option_checks)
  if not checked then
    raise("%s", err)
  end
  if type(fn) ~= "function" then
    raise("function expected, got %s", type(fn))
  end
  local info = check(pcall(core.session_methods.info, vm))
  local state = { vm = vm, steps = {}, moves = {}, memory = {}, calls = {}, memories = {}, labels = {}, names = {},
    pointer_width = info.pointer_width, big_endian = info.byte_order == "big" }
  local p = setmetatable({}, builder_meta)
  states[p] = state
  local ok, failure = pcall(fn, p)
  state.done = true
  if not ok then
    return nil, failure
  end
  resolve(state, checked)
  local results = check(pcall(core.program, vm, { steps = state.steps, moves = state.moves, memory = state.memory,
    times = checked.times or 1, each = checked.each or false, timeout = checked.timeout or 0,
    only_kept = checked.results == "kept" or checked.results == "none" or (checked.results == nil and state.keeps or false) }))
  return setmetatable(results, { __index = find_result(state) })
end

--- vm:program([options,] function(p) ... end)
function program.run(vm, options, fn)
  local ok, results, failure = pcall(run, vm, options, fn)
  if not ok then
    error(results, 2)
  elseif not results then
    error(failure, 0) -- of the function: as it is
  end
  return results
end

return program
