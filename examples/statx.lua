-- Proves: a struct that the kernel fills comes back as bytes that provium.unpack can read.
local provium = require "provium"

local statx = 332 -- x86_64
local AT_FDCWD, STATX_BASIC_STATS = -100, 0x7ff
local S_IFMT, S_IFDIR, S_IFCHR = 0xf000, 0x4000, 0x2000
local vm <close> = provium.create():boot()

local function stat(path)
  local ret, _, buf = vm:syscall_bufs(statx, { [1] = path .. "\0", [4] = ("\0"):rep(256) },
    AT_FDCWD, 0, 0, STATX_BASIC_STATS, 0)
  if ret < 0 then
    return ret
  end
  -- mask, blksize, attributes, nlink, uid, gid, mode, spare, ino
  local mask, _, _, nlink, uid, gid, mode, _, ino = provium.unpack("u32 u32 u64 u32 u32 u32 u16 u16 u64", buf)
  local major, minor = provium.unpack("u32 u32", buf:sub(128 + 1))
  return ret, { mask = mask, nlink = nlink, uid = uid, gid = gid, mode = mode, ino = ino, rdev = { major, minor } }
end

test("a directory", function()
  local ret, root = stat "/"
  assert_eq(0, ret)
  assert_eq(S_IFDIR, root.mode & S_IFMT)
  assert_eq({ 0, 0 }, { root.uid, root.gid })
  assert(root.nlink >= 2 and root.ino > 0)
end)

test("a device", function()
  local _, null = stat "/dev/null"
  assert_eq(S_IFCHR, null.mode & S_IFMT)
  assert_eq({ 1, 3 }, null.rdev)
end)

test("nothing", function()
  assert_eq(-2, (stat "/nothing"))
end)
