-- SPDX-License-Identifier: MIT
-- provium.sys, provium.errno, provium.const: names for numbers.  The tables are filled by
-- lnames.c, one name at a time, when it is asked for.
local core = require "provium.core"

local names = {}

local archs = { "x86_64", "aarch64" }
local default = archs[1]
local kinds = { "sys", "errno", "const" }

local absent = "%s: this build has no names for %s: the kernel headers of that architecture were not there"

-- Where else a name that is not of this kind is to be found, or names that are near.
local function hint(arch, kind, name)
  for _, other in ipairs(kinds) do
    if other ~= kind and core.names_find(arch, other, name) then
      return (" (there is provium.%s.%s)"):format(other, name)
    end
  end
  return core.names_hint(arch, kind, name)
end

-- The number of a name, or the name of an errno, whose sign does not matter.
local function find(arch, kind, key)
  if kind == "errno" and math.type(key) == "integer" then
    return core.names_find(arch, "name", tostring(math.abs(key)))
  elseif type(key) == "string" then
    return core.names_find(arch, kind, key)
  end
end

local function describe(label, kind, arch, key)
  if not core.names_next(arch, kind) then
    return absent:format(label, arch)
  elseif type(key) == "string" then
    return ("%s: no %q%s"):format(label, key, hint(arch, kind, key))
  elseif kind == "errno" and math.type(key) == "integer" then
    return ("%s: no error has the number %d"):format(label, key)
  end
  return ("%s: a name expected, got %s"):format(label, type(key))
end

-- The table of one kind and architecture: empty, so that nothing in it can be overwritten.
-- `found` is what has been looked up, and whatever else is to be in it.
local function new_table(label, kind, arch, found)
  local meta = { __metatable = false }
  function meta.__index(_, key)
    local value = found[key]
    if value == nil then
      value = find(arch, kind, key) or error(describe(label, kind, arch, key), 2)
      found[key] = value
    end
    return value
  end
  function meta.__newindex(_, key)
    error(("%s: %s is not to be set"):format(label, tostring(key)), 2)
  end
  function meta.__pairs()
    return function(_, name)
      return core.names_next(arch, kind, name)
    end
  end
  return setmetatable({}, meta)
end

--- What a call returned, as the name of its error: "EACCES" of -13; nil of a success.
local function errno_name(ret)
  if math.type(ret) ~= "integer" then
    error("errno.name: what a call returned expected, got " .. type(ret), 2)
  elseif ret >= 0 or ret < -4095 then
    return nil
  end
  return core.names_find(default, "name", tostring(-ret)) or ("errno %d"):format(-ret)
end

-- The table for scripts that do not say which architecture, with one more inside for each.
local function new_tables(kind, found)
  for _, arch in ipairs(archs) do
    found[arch] = new_table(("%s.%s"):format(kind, arch), kind, arch, {})
  end
  return new_table(kind, kind, default, found)
end

names.sys = new_tables("sys", {})
names.const = new_tables("const", {})
names.errno = new_tables("errno", { name = errno_name })

return names
