-- SPDX-License-Identifier: MIT
-- statx into a buffer that is one byte short: the guard behind it says so.
local provium = require "provium"
local case = require "case"
local struct, const, errno, cstr = provium.struct, provium.const, provium.errno, provium.cstr

local vm, see = case.open "statx_short"
case.make_file("file", "content")
local timespec = struct "struct timespec { i64 sec, nsec; };"
local times = struct("struct timespec access, modification;", { timespec }) {
  access = { sec = 1000000000, nsec = 1 }, modification = { sec = 2000000000, nsec = 999999999 },
}
local statx = struct [[
  struct statx_timestamp { i64 sec; u32 nsec; i32 pad; };
  struct statx {
    u32 mask, blksize; u64 attributes; u32 nlink, uid, gid; u16 mode, spare0; u64 ino, size, blocks, attributes_mask;
    struct statx_timestamp atime, btime, ctime, mtime;
    u32 rdev_major, rdev_minor, dev_major, dev_minor; u64 mnt_id; u32 dio_mem_align, dio_offset_align; u64 spare[12];
  };]]

local function stat(label, path, room)
  return see(label, vm:syscall_bufs("statx", { [1] = { data = path .. "\0", dir = "in" }, [4] = room },
    const.AT_FDCWD, 0, 0, const.STATX_BASIC_STATS | const.STATX_BTIME))
end

test("256 bytes are enough", function()
  assert_eq(256, #statx)
  assert_eq(0, (see("utimensat", (vm:syscall("utimensat", const.AT_FDCWD, cstr "file", times, 0)))))
  local ret, _, bytes = stat("whole", "file", 256)
  local s = statx:unpack(bytes)
  assert_eq({ 0, 7, 1, 420 | const.S_IFREG }, { ret, s.size, s.nlink, s.mode })
  assert_eq({ 1000000000, 1, 2000000000, 999999999 }, { s.atime.sec, s.atime.nsec, s.mtime.sec, s.mtime.nsec })
end)

test("255 bytes are not", function()
  assert_eq(-errno.EFAULT, (stat("short", "file", 255)))
  assert_eq(-errno.EFAULT, (stat("none", "file", 0)))
  assert_eq(-errno.ENOENT, (stat("no file", "other", 255)))
end)

test("a flag of the wrong kind is refused", function()
  local RESERVED = 1 << 31
  local ret = vm:syscall_bufs("statx", { [1] = "file\0", [4] = 256 }, const.AT_FDCWD, 0, 0, RESERVED)
  assert_eq(-errno.EINVAL, (see("reserved", ret)))
end)

-- what a file is numbered, and when it was made and changed
local function volatile(output)
  local mask = {}
  for i, field in ipairs { "ino", "btime.sec", "btime.nsec", "ctime.sec", "ctime.nsec" } do
    mask[i] = { output, statx:offset(field), field:find "nsec" and 4 or 8 }
  end
  return mask
end
case.compare { whole = volatile(1), short = volatile(1) }
