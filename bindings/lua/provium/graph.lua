-- SPDX-License-Identifier: MIT
-- Calls with struct values: what they hold and point to becomes the two tables of
-- vm:syscall_ptr, and what comes back becomes values again.
--
-- Everything that is pointed to is one object and has one sub-buffer, however many pointers
-- there are to it: a struct value, a provium.out, a list.  A string has one for each pointer.
local core = require "provium.core"
local encode = require "provium.encode"
local value = require "provium.value"

local graph = {}

local IOCTL_DATA = 2 -- the argument that an ioctl's buffer is

local function fail(path, text, ...)
  error(("%s: "):format(path) .. text:format(...), 0)
end

-- ---- objects ----

-- The node of the elements of a list that a pointer is given.
local function element_node(node, list, path)
  local to = node and node.target()
  local s = value.struct_state(list[1])
  return to or s and s.node or fail(path, "a list, and the type of its elements is not known: write it before the *")
end

-- A table that stands for the one struct that a pointer of a known type points to, or for a list of them.
local function table_object(target, pointer)
  local to = pointer.node and pointer.node.target()
  if to and to.kind == "record" and target[1] == nil then
    local v = value.new(to, target, pointer.path)
    local data, pointers = encode.struct(v, pointer.path)
    return { key = target, kind = "struct", node = to, data = data, pointers = pointers, output = true }
  end
  local of = element_node(pointer.node, target, pointer.path)
  local pointers = {}
  local node = { kind = "array", of = of, count = #target, size = #target * of.size, text = of.text .. "[]" }
  local data = encode.any(node, target, 0, pointers, pointer.path)
  return { key = target, kind = "list", node = node, data = data, pointers = pointers, output = true }
end

-- What a pointer, or an argument, is given as an object: {key, kind, data, pointers, output}.
local function new_object(target, pointer)
  local s, b = value.struct_state(target), value.buffer_state(target)
  if s then
    local data, pointers = encode.struct(target, pointer.path)
    return { key = target, kind = "struct", node = s.node, data = data, pointers = pointers, output = true }
  elseif b then
    return { key = target, kind = "buffer", data = b.data, output = b.output }
  elseif type(target) == "string" then
    return { kind = "string", data = target }
  end
  return table_object(target, pointer)
end

-- ---- flattening ----

-- The flat form: bufs and ptrs are the tables of a call, objects whatever is in them, in the
-- order in which their outputs come back.
local function new_flat(pointer_width)
  return { bufs = {}, ptrs = {}, roots = {}, given = {}, objects = {}, by_key = {}, queue = {}, width = pointer_width }
end

local function enqueue(flat, object, holder)
  object.holder = holder
  if object.pointers then
    flat.queue[#flat.queue + 1] = object
  end
end

local function is_ours(v)
  return value.struct_state(v) or value.buffer_state(v)
end

-- The table with other data.
local function with_data(t, data)
  local copy = {}
  for key, field in pairs(t) do
    copy[key] = field
  end
  copy.data = data
  return copy
end

-- The buffer of argument `index`, or a table with it in `data`.  What is none of ours goes through as it is.
local function put_root(flat, index, given)
  local in_table = type(given) == "table" and not is_ours(given)
  local target = in_table and given.data or given
  local object = is_ours(target) and new_object(target, { path = ("a%d"):format(index) }) or { data = given }
  object.arg = index
  flat.bufs[index] = object.kind and in_table and with_data(given, object.data) or object.data
  flat.roots[index] = object
  if object.key then
    flat.by_key[object.key] = flat.by_key[object.key] or object
  end
  enqueue(flat, object, { buf_idx = index })
end

local function new_spec(flat, holder, place, pointer)
  local spec = { buf_idx = holder.buf_idx, parent = holder.parent, ptr_offset = place }
  if pointer.node and pointer.node.size < flat.width then
    spec.width = pointer.node.size
  end
  flat.ptrs[#flat.ptrs + 1] = spec
  return spec
end

-- One pointer at `place` of a buffer: to something new, or to what has a buffer already.
local function put_pointer(flat, holder, place, pointer)
  local target = pointer.target
  local spec = new_spec(flat, holder, place, pointer)
  local object = type(target) ~= "string" and flat.by_key[target] or nil
  if object then
    spec.same = object.spec
      or fail(pointer.path, "points back to the buffer of argument %d, which no spec can say", object.arg)
    pointer.object = object
    return
  end
  object = new_object(target, pointer)
  object.spec = #flat.ptrs
  spec.data, spec.output = object.data, object.output or nil
  pointer.object = object
  if object.key then
    flat.by_key[object.key] = object
  end
  flat.objects[#flat.objects + 1] = object
  enqueue(flat, object, { parent = object.spec })
end

local function places(pointers)
  local list = {}
  for place in pairs(pointers) do
    list[#list + 1] = place
  end
  table.sort(list)
  return list
end

-- Breadth first, so that nothing recurses however long a list is.
local function put_pointers(flat)
  local at = 1
  while flat.queue[at] do
    local object = flat.queue[at]
    for _, place in ipairs(places(object.pointers)) do
      put_pointer(flat, object.holder, place, object.pointers[place])
    end
    at = at + 1
  end
end

-- A spec that the script wrote; its data may be a struct value.
local function put_given(flat, i, spec)
  local target = type(spec) == "table" and spec.data
  if not is_ours(target) then
    flat.ptrs[i], flat.given[i] = spec, { output = type(spec) == "table" and spec.output }
    return
  end
  local object = new_object(target, { path = ("ptrs[%d].data"):format(i) })
  object.spec, object.output = i, spec.output
  flat.ptrs[i], flat.given[i] = with_data(spec, object.data), object
  flat.by_key[target] = flat.by_key[target] or object
  enqueue(flat, object, { parent = i })
end

--- Struct values in `bufs`, by argument, and in the data of `specs`, as plain tables of a call.
function graph.flatten(bufs, specs, pointer_width)
  local flat = new_flat(pointer_width or 8)
  for i, spec in ipairs(specs or {}) do
    put_given(flat, i, spec)
  end
  for index = 0, 5 do
    if bufs[index] ~= nil then
      put_root(flat, index, bufs[index])
    end
  end
  put_pointers(flat)
  return flat
end

-- ---- collecting ----

-- The value of an object after the call; what its pointers point to is put into `targets` later.
local function make_result(object, bytes)
  object.targets = {}
  if object.kind == "struct" then
    object.result = value.new_view(object.node, bytes, 0, object.targets)
  elseif object.kind == "buffer" then
    object.result = object.output and value.new_buffer(bytes, "out") or object.key
  elseif object.kind == "list" then
    object.result, object.bytes = {}, bytes
  else
    object.result = bytes
  end
end

local function link(object)
  for place, pointer in pairs(object.pointers or {}) do
    object.targets[place] = pointer.object.result
  end
end

local function fill_list(object)
  if object.kind == "list" then
    for i, element in ipairs(value.decode(object.node, object.bytes, 0, object.targets)) do
      object.result[i] = element
    end
  end
end

-- What comes back, in the order of the contract: arguments, then specs; the script sees `shown` of them.
local function outputs(flat)
  local list, shown = {}, 0
  for index = 0, 5 do
    list[#list + 1] = flat.roots[index]
  end
  for _, objects in ipairs { flat.given, flat.objects } do
    shown = objects == flat.objects and #list or shown
    for _, object in ipairs(objects) do
      list[#list + 1] = object.output and object or nil
    end
  end
  return list, shown
end

local function all_objects(flat)
  local list = {}
  for index = 0, 5 do
    list[#list + 1] = flat.roots[index]
  end
  table.move(flat.given, 1, #flat.given, #list + 1, list)
  return table.move(flat.objects, 1, #flat.objects, #list + 1, list)
end

-- The call never returned: nothing comes back, and how it ended is the last value.
local function ended(shown, results)
  local values = { n = shown + 2 }
  values[values.n] = results[results.n]
  return values
end

--- What a call returned (ret, buffers, outputs in spec order), as the script sees it.
function graph.collect(flat, results)
  local list, shown = outputs(flat)
  if results[1] == nil then
    return ended(shown, results)
  end
  local values = { n = shown + 1, results[1] }
  for i, object in ipairs(list) do
    object.back = results[i + 1]
  end
  local all = all_objects(flat)
  for _, pass in ipairs { function(o) make_result(o, o.back or o.data) end, link, fill_list } do
    for _, object in ipairs(all) do
      pass(object)
    end
  end
  for i = 1, shown do
    values[i + 1] = list[i].kind == "struct" and list[i].result or list[i].back
  end
  return values
end

-- ---- calls ----

-- Call a method of C's with plain tables; what it raises is raised in the name of the script's call.
local function call_plain(caller, method, vm, ...)
  local results = table.pack(pcall(core.vm_methods[method], vm, ...))
  if not results[1] then
    error((results[2]:gsub("^" .. method .. ": ", caller .. ": ", 1)), 0)
  end
  return table.move(results, 2, results.n, 1, { n = results.n - 1 })
end

-- Keys that belong to no buffer or list go along, without what they hold: C says what is wrong with them.
local function keep_keys(from, to, placeholder)
  for key in pairs(from or {}) do
    if to[key] == nil then
      to[key] = placeholder
    end
  end
end

local function flatten(vm, bufs, specs)
  local info = vm:info()
  if info.byte_order ~= "little" then
    error("structs are little endian, the guest is not", 0)
  end
  local flat = graph.flatten(bufs, specs, info.pointer_width)
  keep_keys(bufs, flat.bufs, "")
  keep_keys(specs, flat.ptrs, false)
  return flat
end

local function finish(flat, results)
  local values = graph.collect(flat, results)
  return table.unpack(values, 1, values.n)
end

local function execute(caller, vm, nr, bufs, specs, ...)
  if type(bufs) ~= "table" then
    call_plain(caller, "syscall_ptr", vm, nr, bufs, {}, ...) -- raises
  elseif type(specs) ~= "table" then
    call_plain(caller, "syscall_ptr", vm, nr, {}, specs, ...) -- raises
  end
  local flat = flatten(vm, bufs, specs)
  return finish(flat, call_plain(caller, "syscall_ptr", vm, nr, flat.bufs, flat.ptrs, ...))
end

local callers = {}

function callers.syscall(vm, nr, ...)
  local args, bufs = table.pack(...), {}
  for i = 1, args.n do
    if is_ours(args[i]) then
      bufs[i - 1], args[i] = args[i], 0
    end
  end
  return execute("syscall", vm, nr, bufs, {}, table.unpack(args, 1, args.n))
end

function callers.syscall_buf(vm, nr, idx, data, ...)
  idx = type(idx) == "number" and math.tointeger(idx) or idx
  if math.type(idx) ~= "integer" or idx < 0 or idx > 5 then
    call_plain("syscall_buf", "syscall_buf", vm, nr, idx, "", ...) -- raises
  end
  return execute("syscall_buf", vm, nr, { [idx] = data }, {}, ...)
end

function callers.syscall_bufs(vm, nr, bufs, ...)
  return execute("syscall_bufs", vm, nr, bufs, {}, ...)
end

function callers.syscall_ptr(vm, nr, bufs, specs, ...)
  return execute("syscall_ptr", vm, nr, bufs, specs, ...)
end

-- ioctl_buf returns the struct only if cmd says that the kernel writes it; a value comes back always,
-- since what it points to may have been written.
local function execute_ioctl(caller, vm, fd, cmd, data, specs)
  if type(specs) ~= "table" then
    call_plain(caller, "ioctl_buf", vm, fd, cmd, "", specs) -- raises
  end
  local flat = flatten(vm, { [IOCTL_DATA] = data }, specs)
  for i = #specs + 1, #flat.ptrs do
    flat.ptrs[i].buf_idx = nil
  end
  return finish(flat, call_plain(caller, "ioctl_buf", vm, fd, cmd, flat.bufs[IOCTL_DATA], flat.ptrs))
end

function callers.ioctl(vm, fd, cmd, data)
  return execute_ioctl("ioctl", vm, fd, cmd, data, {})
end

function callers.ioctl_buf(vm, fd, cmd, data, specs)
  return execute_ioctl("ioctl_buf", vm, fd, cmd, data, specs)
end

--- What C calls, with the method's name and its arguments, when one of them is ours.
function graph.call(caller, vm, ...)
  return callers[caller](vm, ...)
end

return graph
