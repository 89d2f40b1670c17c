-- SPDX-License-Identifier: MIT
-- Boot options and profiles: names, units, paths.  Nothing here raises: every function
-- returns its value, or nil and one sentence.
local core = require "provium.core"

local config = {}

-- ---- units ----

local duration_units = { ms = 1, s = 1000, m = 60000 }

--- Milliseconds of "500ms", "2s", "5m", or of a number of seconds.
function config.duration(value)
  local ms
  if type(value) == "string" then
    local number, unit = value:match "^(%d+%.?%d*)(%a+)$"
    local factor = duration_units[unit]
    ms = factor and tonumber(number) * factor
  elseif type(value) == "number" then
    ms = value * 1000
  end
  if not ms or not (ms > 0 and ms < 2 ^ 31) then
    return nil, 'a duration such as "500ms", "2s", "5m" or a number of seconds expected, got ' .. config.show(value)
  end
  return math.max(1, math.floor(ms))
end

local size_units = { K = 1 << 10, M = 1 << 20, G = 1 << 30 }

--- Bytes of "512M", "1G", or of an integer.
function config.size(value)
  local bytes
  if type(value) == "string" then
    local number, unit = value:match "^(%d+)([KMG])$"
    number = number and math.tointeger(tonumber(number))
    bytes = number and number < 1 << 30 and number * size_units[unit]
  elseif type(value) == "number" then
    bytes = math.tointeger(value)
  end
  if not bytes or bytes <= 0 then
    return nil, 'a size such as "512M", "1G" or a number of bytes expected, got ' .. config.show(value)
  end
  return bytes
end

--- A value as an error text shows it.
function config.show(value)
  if type(value) == "string" then
    return ("%q"):format(value)
  elseif type(value) == "number" or type(value) == "boolean" or value == nil then
    return tostring(value)
  end
  return "a " .. type(value)
end

-- ---- options ----

local function text(value)
  if type(value) ~= "string" or value:find "\0" then
    return nil, "a string expected, got " .. config.show(value)
  end
  return value
end

-- A path counts from the folder of the profile that names it, or from the current one.
local function path(value, base)
  local ok, err = text(value)
  if ok and value:sub(1, 2) == "~/" then
    return nil, '"~" is the shell\'s: write the whole path, got ' .. config.show(value)
  elseif not ok or not base or value:sub(1, 1) == "/" then
    return ok, err
  end
  return base .. "/" .. value
end

local function modules(value, base)
  if value == "none" then
    return value
  end
  return path(value, base)
end

-- A program's bare name is looked up in PATH.
local function program(value, base)
  if type(value) == "string" and not value:find "/" then
    return text(value)
  end
  return path(value, base)
end

local function accel(value)
  if value == "auto" or value == "kvm" or value == "tcg" then
    return value
  end
  return nil, '"auto", "kvm" or "tcg" expected, got ' .. config.show(value)
end

local function count(value)
  local n = type(value) == "number" and math.tointeger(value)
  if not n or n < 1 or n > core.cpus_max then
    return nil, ("a number from 1 to %d expected, got %s"):format(core.cpus_max, config.show(value))
  end
  return n
end

local function files(value, base)
  if type(value) ~= "table" then
    return nil, "a table {[guest path] = host path} expected, got " .. config.show(value)
  end
  local result = {}
  for guest, host in pairs(value) do
    if type(guest) ~= "string" or guest:sub(1, 1) ~= "/" or guest:find "\0" then
      return nil, "an absolute path of the guest expected, got " .. config.show(guest)
    end
    local checked, err = path(host, base)
    if not checked then
      return nil, ("[%q]: %s"):format(guest, err)
    end
    result[guest] = checked
  end
  return result
end

local options = {
  kernel = path, initrd = path, agent = path, modules = modules, qemu = program,
  cmdline = text, machine = text, accel = accel, memory = config.size, cpus = count,
  files = files, timeout = config.duration, call_timeout = config.duration,
}

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  return keys
end

-- " (known: a, b)", or that there is nothing to know.
local function among(word, keys)
  return #keys > 0 and (" (%s: %s)"):format(word, table.concat(keys, ", ")) or " (there are none)"
end

--- Check a table against {name = check}; returns a new one with checked values.
function config.check(value, checks, base)
  if type(value) ~= "table" then
    return nil, "a table expected, got " .. config.show(value)
  end
  local result = {}
  for key, field in pairs(value) do
    local check = checks[key]
    if not check then
      return nil, "unknown key " .. config.show(key) .. among("known", sorted_keys(checks))
    end
    local checked, err = check(field, base)
    if checked == nil then
      return nil, key .. ": " .. err
    end
    result[key] = checked
  end
  return result
end

--- A table of boot options; relative paths count from the folder base, or the current one.
function config.options(value, base)
  return config.check(value, options, base)
end

--- The options of both, those of `over` winning; files are joined.
function config.merge(under, over)
  local result, joined = {}, {}
  for _, source in ipairs { under, over } do
    for key, value in pairs(source) do
      result[key] = value
    end
    for guest, host in pairs(source.files or {}) do
      joined[guest] = host
    end
  end
  result.files = joined
  return result
end

-- ---- profiles ----

local name_of_file = "provium.lua"

--- The folder of the running script, if it is known: where the search for profiles starts.
function config.script_folder()
  local script = config.script or (type(arg) == "table" and arg[0])
  return type(script) == "string" and script:match "^(.*)/[^/]*$" or "."
end

-- The text of the nearest provium.lua: text, path, folder; or nil and why.
local function read_nearest(start)
  local folder, err = core.realpath(start)
  if not folder then
    return nil, err
  end
  local lowest = folder
  while true do
    local candidate = (folder == "/" and "" or folder) .. "/" .. name_of_file
    local file, reason, errno = io.open(candidate, "r")
    if file then
      local content, why = file:read "a"
      file:close()
      if not content then
        return nil, ("%s: %s"):format(candidate, why)
      end
      return content, candidate, folder
    elseif errno ~= 2 then -- anything but ENOENT: it is there, and somebody should know
      return nil, reason
    elseif folder == "/" then
      return nil, ("no %s in %s or any folder above it"):format(name_of_file, lowest)
    end
    folder = folder:match "^(.*)/[^/]*$"
    folder = folder == "" and "/" or folder
  end
end

-- Run a provium.lua, which sees nothing and returns a table.
local function run(content, path_of_file)
  local chunk, err = load(content, "@" .. path_of_file, "t", {})
  if not chunk then
    return nil, err
  end
  local ok, profiles = pcall(chunk)
  if not ok then
    return nil, tostring(profiles)
  elseif type(profiles) ~= "table" then
    return nil, ("%s: a table of profiles expected, got %s"):format(path_of_file, config.show(profiles))
  end
  return profiles
end

--- The profile of that name in the nearest provium.lua.
function config.profile(name)
  local content, path_of_file, folder = read_nearest(config.script_folder())
  if not content then
    return nil, path_of_file
  end
  local profiles, err = run(content, path_of_file)
  if not profiles then
    return nil, err
  end
  if profiles[name] == nil then
    return nil, ("%s: no profile %q"):format(path_of_file, name) .. among("there are", sorted_keys(profiles))
  end
  local profile
  profile, err = config.options(profiles[name], folder)
  if not profile then
    return nil, ("%s: profile %q: %s"):format(path_of_file, name, err)
  end
  return profile
end

-- ---- VMs that could not be had: another exit status of the command ----

local unavailable = {}

--- Remember that this text says that a VM could not be had.
function config.note_unavailable(text)
  unavailable[text] = true
end

--- Does what was raised say so?
function config.is_unavailable(raised)
  for text in pairs(unavailable) do
    if type(raised) == "string" and raised:find(text, 1, true) then
      return true
    end
  end
  return false
end

return config
