-- SPDX-License-Identifier: MIT
-- Landlock: a ruleset of a struct that may grow, a rule of a packed one, and a process that can do less.
local provium = require "provium"
local case = require "case"
local struct, const, errno, cstr = provium.struct, provium.const, provium.errno, provium.cstr

local vm, see = case.open "landlock"
local ruleset_attr = struct "u64 handled_access_fs;"
local beneath = struct "struct landlock_path_beneath_attr { u64 allowed_access; i32 parent_fd; } packed;"
local READ = const.LANDLOCK_ACCESS_FS_READ_FILE

for _, folder in ipairs { "in", "out" } do
  assert_eq(0, (vm:syscall("mkdirat", const.AT_FDCWD, cstr(folder), 448)))
  case.make_file(folder .. "/file", folder)
end

local function create(label, bytes, size)
  return (see(label, vm:syscall_buf("landlock_create_ruleset", 0, bytes, 0, size or #bytes, 0)))
end

local function open(label, path, flags)
  return (see(label, (vm:syscall("openat", const.AT_FDCWD, cstr(path), flags, 0))))
end

test("the kernel has Landlock, at least of the first version", function()
  local version = vm:syscall("landlock_create_ruleset", 0, 0, const.LANDLOCK_CREATE_RULESET_VERSION)
  assert(see("version", version) >= 1, errno.name(version))
end)

local ruleset
test("a ruleset: sizes, and rights that there are not", function()
  local attr = ruleset_attr:pack { handled_access_fs = READ }
  ruleset = create("8 bytes", attr)
  assert(ruleset >= 0, errno.name(ruleset))
  assert_eq(-errno.EINVAL, create("7 bytes", attr, 7))
  assert_eq(-errno.EFAULT, create("8 of 7", attr:sub(1, 7), 8))
  assert(create("longer, zero", attr .. ("\0"):rep(64)) >= 0)
  assert_eq(-errno.E2BIG, create("longer", attr .. ("\0"):rep(63) .. "\1"))
  assert_eq(-errno.EINVAL, create("unknown right", ruleset_attr:pack { handled_access_fs = 1 << 62 }))
  assert_eq(-errno.ENOMSG, create("no right", ruleset_attr:pack {}))
end)

test("a rule: a packed struct of twelve bytes that names a folder", function()
  local folder = open("folder", "in", const.O_PATH | const.O_DIRECTORY)
  local function add(label, bytes)
    return (see(label, vm:syscall_buf("landlock_add_rule", 2, bytes, ruleset, const.LANDLOCK_RULE_PATH_BENEATH, 0, 0)))
  end
  assert_eq(12, #beneath)
  local rule = beneath:pack { allowed_access = READ, parent_fd = folder }
  assert_eq(-errno.EFAULT, add("eleven bytes", rule:sub(1, 11)))
  assert_eq(-errno.EBADF, add("no folder", beneath:pack { allowed_access = READ, parent_fd = -1 }))
  assert_eq(-errno.EBADFD, add("a ruleset for a folder", beneath:pack { allowed_access = READ, parent_fd = ruleset }))
  assert_eq(-errno.EINVAL, add("unhandled right", beneath:pack { allowed_access = READ << 1, parent_fd = folder }))
  assert_eq(0, add("rule", rule))
end)

test("restricted to it, the process reads there and nowhere else", function()
  assert(open("before", "out/file", const.O_RDONLY) >= 0)
  assert_eq(0, see("landlock_restrict_self", vm:syscall("landlock_restrict_self", ruleset, 0)))
  assert(open("inside", "in/file", const.O_RDONLY) >= 0)
  assert_eq(-errno.EACCES, open("outside", "out/file", const.O_RDONLY))
  assert(open("not handled", "out/file", const.O_WRONLY) >= 0)
end)

case.compare()
