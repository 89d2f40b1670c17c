-- Proves: openat2 takes a path and a struct as buffers, and its RESOLVE_BENEATH holds.
local provium = require "provium"

local openat2, openat, close = 437, 257, 3 -- x86_64
local AT_FDCWD, O_DIRECTORY, RESOLVE_BENEATH = -100, 0x10000, 8
local ENOENT, EINVAL, EXDEV = -2, -22, -18
local vm <close> = provium.create():boot()

-- struct open_how { __u64 flags; __u64 mode; __u64 resolve; }
local function open(dir, path, resolve, extra)
  local how = provium.pack("u64 u64 u64", 0, 0, resolve) .. (extra or "")
  -- the zeros are the places of the two buffers, arguments 1 and 2
  return (vm:syscall_bufs(openat2, { [1] = path .. "\0", [2] = how }, dir, 0, 0, #how))
end

local proc = vm:syscall_buf(openat, 1, "/proc\0", AT_FDCWD, 0, O_DIRECTORY)

test("a path beneath the folder opens", function()
  local fd = open(proc, "self/../cmdline", 0)
  assert(fd >= 0, fd)
  assert_eq(0, vm:syscall(close, fd))
  assert_eq(ENOENT, open(proc, "no such file", RESOLVE_BENEATH))
end)

test("RESOLVE_BENEATH refuses what leaves it", function()
  assert_eq(EXDEV, open(proc, "../dev", RESOLVE_BENEATH))
  assert_eq(EXDEV, open(proc, "/proc/cmdline", RESOLVE_BENEATH))
  assert(open(proc, "../dev", 0) >= 0)
end)

test("a longer struct is taken if what the kernel does not know is zero", function()
  local fd = open(proc, "cmdline", 0, ("\0"):rep(8))
  assert(fd >= 0, fd)
  assert_eq(-7, open(proc, "cmdline", 0, "\0\0\0\1\0\0\0\0")) -- E2BIG
  assert_eq(EINVAL, open(proc, "cmdline", 1 << 40))
end)
