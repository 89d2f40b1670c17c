-- SPDX-License-Identifier: MIT
-- Structs and their values as text, with offsets.
local value = require "provium.value"

local show = {}

local function show_bytes(s)
  local cut = #s > 32 and s:sub(1, 32) or s
  if cut:find "^[\32-\126]*%z*$" then
    return ("%q"):format(cut:gsub("%z+$", "")) .. (#s > 32 and "..." or "")
  end
  return cut:gsub(".", function(c) return ("%02x "):format(c:byte()) end):sub(1, -2) .. (#s > 32 and " ..." or "")
end

local function show_target(v)
  local b = value.buffer_state(v)
  if type(v) == "string" or b then
    local data = b and b.data or v
    return ("-> %d bytes  %s"):format(#data, show_bytes(data))
  elseif value.struct_state(v) then
    return ("-> %s (%d bytes)"):format(value.struct_state(v).node.text, #v)
  elseif type(v) == "table" then
    return ("-> %d elements"):format(#v)
  end
  return ("0x%x"):format(v)
end

local show_value

local function show_list(node, list, at, lines, name)
  local shown = {}
  for i, v in ipairs(list) do
    if node.of.kind == "int" then
      shown[#shown + 1] = i <= 16 and tostring(v) or i == 17 and "..." or nil
    else
      show_value(node.of, v, at + (i - 1) * node.of.size, lines, ("%s[%d]"):format(name, i))
    end
  end
  if node.of.kind == "int" then
    lines[#lines + 1] = { at, node.text, name, "{" .. table.concat(shown, ", ") .. "}" }
  end
end

local function show_record(node, v, at, lines, name)
  for _, f in ipairs(node.fields) do
    local inner = name == "" and f.name or name .. "." .. f.name
    if f.bits then
      local text = ("%s:%d"):format(f.node.text, f.bits)
      lines[#lines + 1] = { ("%d.%d"):format(at + f.offset, f.bit), text, inner, tostring(value.get(v, f)) }
    else
      show_value(f.node, value.get(v, f), at + f.offset, lines, inner)
    end
  end
end

function show_value(node, v, at, lines, name)
  if node.kind == "record" then
    show_record(node, v, at, lines, name)
  elseif node.kind == "array" and type(v) == "table" then
    show_list(node, v, at, lines, name)
  else
    local text = node.kind == "array" and show_bytes(v) or node.kind == "ptr" and show_target(v) or tostring(v)
    lines[#lines + 1] = { at, node.text, name, text }
  end
end

-- Lines of columns, each as wide as what it holds.
local function columns(lines)
  local width = { 0, 0, 0 }
  for _, line in ipairs(lines) do
    for i = 1, 3 do
      width[i] = math.max(width[i], #tostring(line[i]))
    end
  end
  local format = ("  %%%ds  %%-%ds  %%-%ds  %%s"):format(width[1], width[2], width[3])
  local text = {}
  for i, line in ipairs(lines) do
    text[i] = format:format(tostring(line[1]), line[2], line[3], line[4]):gsub("%s+$", "")
  end
  return table.concat(text, "\n")
end

value.set_tostring(function(v)
  local node, lines = value.struct_state(v).node, {}
  show_record(node, v, 0, lines, "")
  return ("%s (%d bytes)\n%s"):format(node.text, #v, columns(lines))
end)

--- The fields of a type.
function show.type(node)
  local lines = {}
  for i, f in ipairs(node.fields) do
    local at = f.bits and ("%d.%d"):format(f.offset, f.bit) or f.offset
    lines[i] = { at, f.node.text .. (f.bits and ":" .. f.bits or ""), f.name, "" }
  end
  return ("%s (%d bytes, aligned to %d)\n%s"):format(node.text, node.size, node.align, columns(lines))
end

return show
