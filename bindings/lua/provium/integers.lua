-- SPDX-License-Identifier: MIT
-- Integers and bit fields of structs, as bytes.  A node says their size, sign and byte order (layout.lua).
local integers = {}

-- How string.unpack names the integers of a node.
local function format_of(node)
  node.format = node.format or (node.big and ">" or "<") .. (node.signed and "i" or "I") .. node.size
  return node.format
end

--- v, if it is one of so many bits; raises otherwise.
function integers.check(bits, signed, v, text, path)
  local rest = v >> bits - 1 -- the bits from the sign on, as an unsigned number
  local fits = signed and (rest == 0 or rest == -1 >> bits - 1) or not signed and v >> bits == 0
  if bits < 64 and not fits then
    error(("%s: %d is out of range of %s"):format(path, v, text), 0)
  end
  return v
end

-- The bytes of an integer that has been checked, little endian.
local function put(node, v)
  return string.pack("<I8", v):sub(1, node.size)
end

--- Its bytes.
function integers.encode(node, v)
  return node.big and put(node, v):reverse() or put(node, v)
end

function integers.decode(node, bytes, at)
  return (string.unpack(format_of(node), bytes, at + 1))
end

--- The bit field f of a record that lies at `at`.
function integers.get_bits(base, at, f)
  local v, got, bit = 0, 0, f.bit
  at = at + f.offset
  while got < f.bits do
    local take = math.min(8 - bit, f.bits - got)
    v = v | (base:byte(at + 1) >> bit & (1 << take) - 1) << got
    got, bit, at = got + take, 0, at + 1
  end
  if f.node.signed and f.bits < 64 and v >> f.bits - 1 == 1 then
    v = v - (1 << f.bits)
  end
  return v
end

--- Add a bit field to the bytes of a record that hold bits: bytes[place] = {mask, value}.
function integers.put_bits(bytes, f, v)
  local done, bit, at = 0, f.bit, f.offset
  while done < f.bits do
    local take = math.min(8 - bit, f.bits - done)
    local mask = (1 << take) - 1
    local byte = bytes[at] or { 0, 0 }
    byte[1] = byte[1] | mask << bit
    byte[2] = byte[2] & ~(mask << bit) | (v >> done & mask) << bit
    bytes[at] = byte
    done, bit, at = done + take, 0, at + 1
  end
end

return integers
