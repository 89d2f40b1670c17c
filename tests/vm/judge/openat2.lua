-- SPDX-License-Identifier: MIT
-- openat2: a struct that may be shorter or longer than the kernel's, and a path beside it.
local provium = require "provium"
local case = require "case"
local struct, const, errno = provium.struct, provium.const, provium.errno

local vm, see = case.open "openat2"
case.make_file("file", "content")
local open_how = struct "u64 flags, mode, resolve;"

-- `bytes` is where the struct is, `size` what the kernel is told of it
local function open(label, path, bytes, size)
  local fd, _, how = vm:syscall_bufs("openat2", { [1] = path .. "\0", [2] = bytes }, const.AT_FDCWD, 0, 0, size or #bytes)
  return (see(label, fd, how))
end

local function how(fields, tail)
  return open_how:pack(fields) .. (tail or "")
end

test("the size of its first version opens; a byte less is EINVAL", function()
  assert(open("24", "file", how {}) >= 0)
  assert_eq(-errno.EINVAL, open("23", "file", how {}, 23))
  assert_eq(-errno.EINVAL, open("0", "file", how {}, 0))
end)

test("a longer struct is taken if what the kernel does not know is zero", function()
  assert(open("32", "file", how({}, ("\0"):rep(8))) >= 0)
  assert(open("a page", "file", how({}, ("\0"):rep(4096 - 24))) >= 0)
  assert_eq(-errno.E2BIG, open("32 and a bit", "file", how({}, "\0\0\0\0\0\0\0\x80")))
  assert_eq(-errno.E2BIG, open("more than a page", "file", how({}, ("\0"):rep(4096))))
end)

test("a size that goes beyond the memory is EFAULT", function()
  assert_eq(-errno.EFAULT, open("24 of 16", "file", ("\0"):rep(16), 24))
  assert_eq(-errno.EFAULT, open("32 of 24", "file", how {}, 32))
end)

test("flags, modes and ways of resolving are checked", function()
  assert_eq(-errno.EINVAL, open("flag", "file", how { flags = 1 << 40 }))
  assert_eq(-errno.EINVAL, open("mode", "file", how { mode = 384 }))
  assert_eq(-errno.EINVAL, open("resolve", "file", how { resolve = 1 << 30 }))
  assert(open("create", "new", how { flags = const.O_CREAT | const.O_RDWR, mode = 384 }) >= 0)
  assert_eq(-errno.EXDEV, open("beneath", "../judge", how { resolve = const.RESOLVE_BENEATH }))
  assert_eq(-errno.ENOENT, open("in root", "../judge", how { resolve = const.RESOLVE_IN_ROOT }))
end)

case.compare()
