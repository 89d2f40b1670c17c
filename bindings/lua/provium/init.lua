-- SPDX-License-Identifier: MIT
-- What `require "provium"` returns.  Sets no globals.
local core = require "provium.core"
local config = require "provium.config"
local program = require "provium.program"

local provium = {
  _VERSION = core.version,
  pack = core.pack,
  unpack = core.unpack,
  msgpack = require "provium.msgpack",
}

-- What not every script needs is loaded when it is asked for.
local later = {
  sys = "provium.names", errno = "provium.names", const = "provium.names",
  struct = "provium.struct", out = "provium.struct", bytes = "provium.struct", cstr = "provium.struct",
  trace = "provium.trace", reproducer = "provium.reproducer",
}

setmetatable(provium, { __index = function(self, name)
  if later[name] then
    rawset(self, name, require(later[name])[name])
    return rawget(self, name)
  end
end })

-- Every VM and its profile.  The keys are weak: a VM that a script forgets is collected.
local profiles = setmetatable({}, { __mode = "k" })

local function find_profile(profile)
  if profile == nil then
    return {}
  elseif type(profile) ~= "string" then
    return config.options(profile)
  end
  local found, err = config.profile(profile)
  if not found then
    config.note_unavailable(err)
  end
  return found, err
end

--- A VM that is not booted yet.  The profile is a name in provium.lua, a table, or nil.
function provium.create(profile)
  local found, err = find_profile(profile)
  if not found then
    error("create: " .. err, 2)
  end
  local vm = core.vm()
  profiles[vm] = found
  return vm
end

--- Boot, wait for the agent, return the VM.  Options win over the profile.
function core.vm_methods.boot(vm, options)
  if not profiles[vm] then
    error("boot: not called on a VM: write vm:boot(...), with a colon", 2)
  end
  local checked, err = config.options(options == nil and {} or options)
  if not checked then
    error("boot: " .. err, 2)
  end
  local booted, failure, is_unavailable = core.boot(vm, config.merge(profiles[vm], checked))
  if not booted then
    if is_unavailable then
      config.note_unavailable(failure)
    end
    error(failure, 2)
  end
  return vm
end

core.vm_methods.program = program.run
core.session_methods.program = program.run

--- The last call that provium.trace saw.
function core.vm_methods.last_call(vm)
  return require "provium.trace".last_call(vm)
end
core.session_methods.last_call = core.vm_methods.last_call

--- Shut down every VM that is running; a failure does not spare the others.
function provium.shutdown_all()
  local all, failure = true, nil
  for vm in pairs(profiles) do
    local ok, err = pcall(vm.shutdown, vm)
    if not ok then
      all, failure = false, err
    end
  end
  if not all then
    error(failure, 2)
  end
end

local function arguments(value)
  if type(value) ~= "table" or #value == 0 then
    return nil, "a list {program, argument, ...} expected, got " .. config.show(value)
  end
  for i = 1, #value do
    if type(value[i]) ~= "string" or value[i]:find "\0" then
      return nil, ("[%d]: a string expected, got %s"):format(i, config.show(value[i]))
    end
  end
  return value
end

local function socket_path(value)
  if type(value) ~= "string" or value:find "\0" then
    return nil, "a path expected, got " .. config.show(value)
  end
  return value
end

local attach_options = { exec = arguments, unix = socket_path, timeout = config.duration }

--- A session with an agent outside any VM: {exec = {program, ...}} or {unix = path}.
function provium.attach(options)
  local checked, err = config.check(options, attach_options)
  if checked and (checked.exec == nil) == (checked.unix == nil) then
    checked, err = nil, "either exec or unix expected"
  end
  if not checked then
    error("attach: " .. err, 2)
  end
  local session, failure
  local timeout = checked.timeout or 10000
  if checked.exec then
    session, failure = core.spawn(checked.exec, timeout)
  else
    session, failure = core.connect(checked.unix, timeout)
  end
  if not session then
    error(failure, 2)
  end
  return session
end

return provium
