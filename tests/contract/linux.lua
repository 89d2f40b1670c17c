-- SPDX-License-Identifier: MIT
-- What the tests of the contract need of Linux on x86_64, and a few helpers.
local provium = require "provium"

local linux = {
  -- system calls
  read = 0, write = 1, close = 3, lseek = 8, rt_sigprocmask = 14, ioctl = 16, pread64 = 17, pwrite64 = 18, readv = 19,
  writev = 20, dup = 32, getpid = 39, exit = 60, kill = 62, fcntl = 72, getcwd = 79, umask = 95, getppid = 110,
  gettid = 186, exit_group = 231, openat = 257, pipe2 = 293, prlimit64 = 302, memfd_create = 319, execveat = 322,
  -- errors
  EBADF = -9, EFAULT = -14, EINVAL = -22, ENOTTY = -25, ENOSYS = -38,
}

--- A string of n zero bytes.
function linux.zeros(n)
  return ("\0"):rep(n)
end

--- A new memfd of that target with that content.
function linux.memfd(target, content)
  local fd = target:syscall_buf(linux.memfd_create, 0, "test\0", 0, 1)
  assert(fd >= 0, fd)
  if content then
    assert_eq(#content, (target:syscall_buf(linux.write, 1, content, fd, 0, #content)))
  end
  return fd
end

--- The first n bytes of a file.
function linux.content(target, fd, n)
  local got, bytes = target:syscall_buf(linux.pread64, 1, linux.zeros(n), fd, 0, n, 0)
  assert(got >= 0, got)
  return bytes:sub(1, got)
end

--- The smallest program: an ELF file of 132 bytes that exits with that status.
function linux.exit_program(status)
  local code = "\xbf" .. string.pack("<I4", status) .. "\xb8" .. string.pack("<I4", linux.exit) .. "\x0f\x05"
  local base, headers = 0x400000, 64 + 56
  local header = string.pack("<c4BBBBI8 I2I2I4 I8I8I8 I4 I2I2I2 I2I2I2", "\x7fELF", 2, 1, 1, 0, 0,
    2, 62, 1, base + headers, 64, 0, 0, 64, 56, 1, 0, 0, 0)
  local segment = string.pack("<I4I4I8I8I8I8I8I8", 1, 5, 0, base, base, headers + #code, headers + #code, 4096)
  return header .. segment .. code
end

--- The address that stands at that byte.
function linux.address(bytes, offset)
  return (provium.unpack("u64", bytes:sub(offset + 1)))
end

return linux
