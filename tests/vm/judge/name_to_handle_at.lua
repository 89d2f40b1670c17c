-- SPDX-License-Identifier: MIT
-- name_to_handle_at: a struct with room at its end for as many bytes as it says; open_by_handle_at takes it.
local provium = require "provium"
local case = require "case"
local struct, const, errno, cstr = provium.struct, provium.const, provium.errno, provium.cstr

local vm, see = case.open "name_to_handle_at"
case.make_file("file", "found by its handle")
local file_handle = struct "u32 handle_bytes; i32 handle_type; u8 f_handle[];"

-- Ask with a struct that has room for `room` bytes and says `says`.
local function handle_of(label, path, room, says, flags)
  local bytes = file_handle:pack { handle_bytes = says, f_handle = ("\0"):rep(room) }
  local ret, _, handle, id = vm:syscall_bufs("name_to_handle_at",
    { [1] = { data = path .. "\0", dir = "in" }, [2] = bytes, [3] = 4 }, const.AT_FDCWD, 0, 0, 0, flags or 0)
  see(label, ret, handle, id)
  return ret, file_handle:unpack(handle), handle
end

local needed
test("without room it says how much it takes", function()
  local ret, handle = handle_of("no room", "file", 0, 0)
  assert_eq(-errno.EOVERFLOW, ret)
  needed = handle.handle_bytes
  assert(needed > 0 and needed <= 128)
  assert_eq(-errno.EOVERFLOW, (handle_of("little room", "file", 4, 4)))
  assert_eq(-errno.EINVAL, (handle_of("too much", "file", 129, 129)))
end)

test("the handle opens the file, also when it has no name any more", function()
  local ret, _, bytes = handle_of("handle", "file", needed, needed)
  assert_eq(0, ret)
  local fd = see("open_by_handle_at", (vm:syscall_buf("open_by_handle_at", 1, bytes, const.AT_FDCWD, 0, const.O_RDONLY)))
  local n, text = see("read", vm:syscall_buf("read", 1, 30, fd, 0, 30))
  assert_eq({ 19, "found by its handle" }, { n, text:sub(1, n) })
  assert_eq(0, (see("unlinkat", (vm:syscall("unlinkat", const.AT_FDCWD, cstr "file", 0)))))
  vm:syscall("close", fd)
  assert_eq(-errno.ESTALE, (see("gone", (vm:syscall_buf("open_by_handle_at", 1, bytes, const.AT_FDCWD, 0, 0)))))
end)

test("a handle that says more than there is memory is EFAULT, a file that is not there ENOENT", function()
  case.make_file("other", "")
  assert_eq(-errno.EFAULT, (handle_of("beyond the memory", "other", needed - 1, needed)))
  assert_eq(-errno.ENOENT, (handle_of("no file", "file", needed, needed)))
  assert_eq(-errno.EINVAL, (handle_of("flags", "other", needed, needed, 1)))
  local bytes = file_handle:pack { handle_bytes = needed, handle_type = 0x1234, f_handle = ("\0"):rep(needed) }
  assert_eq(-errno.ESTALE, (see("made up", (vm:syscall_buf("open_by_handle_at", 1, bytes, const.AT_FDCWD, 0, 0)))))
end)

-- the handle is made of the file's number
case.compare { handle = { { 1, 8, needed } }, ["beyond the memory"] = { { 1, 8, needed - 1 } } }
