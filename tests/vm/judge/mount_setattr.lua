-- SPDX-License-Identifier: MIT
-- mount_setattr: an extensible struct and a path, which make a mount read-only and writable again.
local provium = require "provium"
local case = require "case"
local struct, const, errno, cstr = provium.struct, provium.const, provium.errno, provium.cstr

local vm, see = case.open "mount_setattr"
local mount_attr = struct "u64 attr_set, attr_clr, propagation, userns_fd;"
local RDONLY, NOEXEC = const.MOUNT_ATTR_RDONLY, const.MOUNT_ATTR_NOEXEC

assert_eq(0, (vm:syscall("mkdirat", const.AT_FDCWD, cstr "point", 448)))
assert_eq(0, (see("mount", (vm:syscall("mount", cstr "judge", cstr "point", cstr "tmpfs", 0, cstr "size=64k")))))

local function set(label, bytes, size, flags)
  local ret, _, back = vm:syscall_bufs("mount_setattr", { [1] = { data = "point\0", dir = "in" }, [3] = bytes },
    const.AT_FDCWD, 0, flags or 0, 0, size or #bytes)
  return (see(label, ret, back))
end

local function create(label)
  return (see(label, (vm:syscall("openat", const.AT_FDCWD, cstr "point/file", const.O_CREAT | const.O_WRONLY, 384))))
end

local statfs = struct "i64 type, bsize, blocks, bfree, bavail, files, ffree; u32 fsid[2]; i64 namelen, frsize, flags, spare[4];"
local function mount_flags()
  local ret, _, back = vm:syscall_bufs("statfs", { [0] = { data = "point\0", dir = "in" }, [1] = #statfs })
  see("statfs", ret, back)
  return statfs:unpack(back).flags
end

test("read-only, not executable, and back", function()
  assert_eq(0, set("set", mount_attr:pack { attr_set = RDONLY | NOEXEC }))
  assert_eq(-errno.EROFS, create("read-only"))
  assert_eq(RDONLY | NOEXEC, mount_flags() & (RDONLY | NOEXEC)) -- ST_RDONLY and ST_NOEXEC are the same bits
  assert_eq(0, set("clear", mount_attr:pack { attr_clr = RDONLY }))
  local fd = create("writable")
  assert(fd >= 0)
  assert_eq(-errno.EBUSY, set("busy", mount_attr:pack { attr_set = RDONLY }))
  assert_eq(0, vm:syscall("close", fd))
  assert_eq(NOEXEC, mount_flags() & (RDONLY | NOEXEC))
end)

test("sizes: 32 bytes, less, longer with zeros, longer with more, beyond the memory", function()
  local attr = mount_attr:pack { attr_set = NOEXEC }
  assert_eq(32, #attr)
  assert_eq(-errno.EINVAL, set("31", attr, 31))
  assert_eq(0, set("40", attr .. ("\0"):rep(8)))
  assert_eq(-errno.E2BIG, set("40 and a bit", attr .. ("\0"):rep(7) .. "\1"))
  assert_eq(-errno.E2BIG, set("more than a page", attr .. ("\0"):rep(4096)))
  assert_eq(-errno.EFAULT, set("32 of 24", attr:sub(1, 24), 32))
end)

test("what is refused: unknown attributes and flags, propagation of two kinds, a user namespace that is none", function()
  assert_eq(-errno.EINVAL, set("attribute", mount_attr:pack { attr_set = 1 << 40 }))
  assert_eq(-errno.EINVAL, set("propagation", mount_attr:pack { propagation = const.MS_SHARED | const.MS_PRIVATE }))
  assert_eq(-errno.EINVAL, set("flags", mount_attr:pack {}, 32, 1 << 20))
  assert_eq(-errno.EBADF, set("namespace", mount_attr:pack { attr_set = const.MOUNT_ATTR_IDMAP, userns_fd = 999 }))
  assert_eq(0, (see("umount2", (vm:syscall("umount2", cstr "point", 0)))))
  assert_eq(-errno.EINVAL, set("no mount", mount_attr:pack { attr_set = NOEXEC }))
end)

-- the number of the file system
case.compare { statfs = { { 1, statfs:offset "fsid", 8 } } }
