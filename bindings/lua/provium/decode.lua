-- SPDX-License-Identifier: MIT
-- Names of numbers in a call: the system call's, and those of arguments where a short table knows what they are.
local core = require "provium.core"

local decode = {}

local DEFAULT_ARCH = "x86_64" -- errors have the same numbers on all that we know

-- ---- system calls ----

local by_number = {}

--- The name of a system call, or "syscall_451".
function decode.syscall(arch, nr)
  if not by_number[arch] then
    local found, name, number = {}, core.names_next(arch, "sys")
    while name do
      found[number] = name
      name, number = core.names_next(arch, "sys", name)
    end
    by_number[arch] = found
  end
  return by_number[arch][nr] or ("syscall_%d"):format(nr)
end

--- The name of a failure's error, or nil.
function decode.errno(ret)
  if ret < 0 and ret >= -4095 then
    return core.names_find(DEFAULT_ARCH, "name", tostring(-ret)) or ("errno %d"):format(-ret)
  end
end

-- ---- arguments ----

-- Sets of bits: what holds others stands in front of them.  `choice` is a part that is a number, not bits.
local open = {
  choice = 3, choices = { "O_RDONLY", "O_WRONLY", "O_RDWR" },
  "O_TMPFILE", "O_SYNC", "O_CREAT", "O_EXCL", "O_NOCTTY", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_DSYNC", "O_DIRECT",
  "O_LARGEFILE", "O_DIRECTORY", "O_NOFOLLOW", "O_NOATIME", "O_CLOEXEC", "O_PATH",
}
local fd_flags = { "O_NONBLOCK", "O_DIRECT", "O_CLOEXEC" }
local at_flags = { "AT_SYMLINK_NOFOLLOW", "AT_REMOVEDIR", "AT_SYMLINK_FOLLOW", "AT_NO_AUTOMOUNT", "AT_EMPTY_PATH" }
local access_flags = { "AT_EACCESS", "AT_SYMLINK_NOFOLLOW", "AT_EMPTY_PATH" }
local protection = { "PROT_READ", "PROT_WRITE", "PROT_EXEC" }
local mapping = {
  choice = 15, choices = { "MAP_SHARED", "MAP_PRIVATE", "MAP_SHARED_VALIDATE" },
  "MAP_FIXED", "MAP_ANONYMOUS", "MAP_GROWSDOWN", "MAP_LOCKED", "MAP_NORESERVE", "MAP_POPULATE", "MAP_NONBLOCK",
  "MAP_STACK", "MAP_HUGETLB", "MAP_FIXED_NOREPLACE",
}
local memfd = { "MFD_CLOEXEC", "MFD_ALLOW_SEALING", "MFD_HUGETLB" }
local family = {
  choice = -1, choices = { "AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_ALG", "AF_VSOCK" },
}
local socket = {
  choice = 15, choices = { "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_SEQPACKET" }, "SOCK_NONBLOCK", "SOCK_CLOEXEC",
}
local bits = {} -- without names
local folder = { choice = -1, choices = { "AT_FDCWD" } } -- a descriptor, or this

-- By system call: what its arguments are, from argument 0; false is a number.
local arguments = {
  dup3 = { false, false, fd_flags }, execveat = { folder, false, false, false, at_flags },
  faccessat = { folder }, faccessat2 = { folder, false, false, access_flags }, fchmodat = { folder },
  fchownat = { folder, false, false, false, at_flags }, ioctl = { false, bits }, linkat = { folder, false, folder, false, at_flags },
  memfd_create = { false, memfd }, mkdirat = { folder }, mknodat = { folder },
  mmap = { false, false, protection, mapping }, mprotect = { false, false, protection },
  name_to_handle_at = { folder, false, false, false, at_flags }, newfstatat = { folder, false, false, at_flags },
  open = { false, open }, openat = { folder, false, open }, openat2 = { folder }, pipe2 = { false, fd_flags },
  readlinkat = { folder }, renameat = { folder, false, folder }, renameat2 = { folder, false, folder },
  socket = { family, socket }, socketpair = { family, socket }, statx = { folder, false, at_flags },
  symlinkat = { false, folder }, unlinkat = { folder, false, at_flags },
}

local DECIMAL = 65536 -- what is nearer to 0 is a count, what is not may be an address

local function number(v)
  return (v > -DECIMAL and v < DECIMAL and "%d" or "0x%x"):format(v)
end

-- An int argument: the kernel looks at 32 bits.
local function narrow(v)
  return v & 0xffffffff
end

-- The name of the part that is a number, and what is left; nil if none has that number.
local function choose(arch, set, v)
  for _, name in ipairs(set.choices or {}) do
    local value = core.names_find(arch, "const", name)
    if value and narrow(value) == v & set.choice then
      return name, v & ~narrow(set.choice)
    end
  end
end

local function flags(arch, set, v)
  if set == bits then
    return ("0x%x"):format(v)
  end
  local parts, left = {}, narrow(v)
  if set.choices then
    parts[1], left = choose(arch, set, left)
    if not parts[1] then
      return number(v)
    end
  end
  for _, name in ipairs(set) do
    local value = core.names_find(arch, "const", name)
    if value and value ~= 0 and left & value == value then
      parts[#parts + 1], left = name, left & ~value
    end
  end
  if left ~= 0 or #parts == 0 then
    parts[#parts + 1] = number(left)
  end
  return table.concat(parts, "|")
end

--- Argument `index` (from 0) of a system call.
function decode.argument(arch, name, index, v)
  local set = arguments[name] and arguments[name][index + 1]
  return set and flags(arch, set, v) or number(v)
end

return decode
