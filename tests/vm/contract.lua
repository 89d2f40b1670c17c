-- SPDX-License-Identifier: MIT
-- The contract of the Lua calls on a real kernel, and what needs one: privileges, sizes.
local here = arg[0]:match "^(.*/)" or "./"
package.path = here .. "../contract/?.lua;" .. package.path
local provium = require "provium"
local linux = require "linux"

local vm <close> = provium.create():boot { memory = "512M" }
require "raises"(vm)
require "rules"(vm)
require "memory"(vm)

local MiB = 1 << 20

test("rule 9: 16 MiB in one buffer, both ways", function()
  local block = {}
  for i = 1, 16 do
    block[i] = string.pack("<I8", i):rep(MiB // 8)
  end
  local data = table.concat(block)
  local fd = linux.memfd(vm)
  assert_eq(16 * MiB, (vm:syscall_buf(linux.pwrite64, 1, data, fd, 0, 16 * MiB, 0)))
  local ret, back = vm:syscall_buf(linux.pread64, 1, linux.zeros(16 * MiB), fd, 0, 16 * MiB, 0)
  assert_eq(16 * MiB, ret)
  assert(back == data, "what came back is not what went in")
  vm:syscall(linux.close, fd)
end)

test("rule 9: 16 MiB behind a pointer, both ways", function()
  local data = string.pack("<I8", 0x1122334455667788):rep(2 * MiB)
  local fd = linux.memfd(vm)
  local iovec = provium.pack("u64 u64", 0, 16 * MiB)
  local ret = vm:syscall_ptr(linux.writev, { [1] = iovec }, { { buf_idx = 1, ptr_offset = 0, data = data } }, fd, 0, 1)
  assert_eq(16 * MiB, ret)
  vm:syscall(linux.lseek, fd, 0, 0)
  local out
  ret, iovec, out = vm:syscall_ptr(linux.readv, { [1] = iovec },
    { { buf_idx = 1, ptr_offset = 0, data_len = 16 * MiB, output = true } }, fd, 0, 1)
  assert_eq({ 16 * MiB, 16 }, { ret, #iovec })
  assert(out == data, "what came back is not what went in")
  vm:syscall(linux.close, fd)
end)

test("1,024 pointers in one call", function()
  local fd = linux.memfd(vm)
  local iovec, specs, expected = {}, {}, {}
  for i = 1, 1024 do
    expected[i] = ("<%d>"):format(i)
    iovec[i] = provium.pack("u64 u64", 0, #expected[i])
    specs[i] = { buf_idx = 1, ptr_offset = 16 * (i - 1), data = expected[i] }
  end
  local text, vector = table.concat(expected), table.concat(iovec)
  assert_eq(#text, (vm:syscall_ptr(linux.writev, { [1] = vector }, specs, fd, 0, 1024)))
  for i = 1, 1024 do
    specs[i] = { buf_idx = 1, ptr_offset = 16 * (i - 1), data_len = #expected[i], output = true }
  end
  vm:syscall(linux.lseek, fd, 0, 0)
  local all = { vm:syscall_ptr(linux.readv, { [1] = vector }, specs, fd, 0, 1024) }
  assert_eq(1026, #all)
  assert_eq(#text, all[1])
  assert_eq(expected, { table.unpack(all, 3) })
  vm:syscall(linux.close, fd)
end)

test("rule 10: credentials persist, and an exit brings fresh ones", function()
  local setresuid, getuid = 117, 102
  assert_eq(0, vm:syscall(getuid))
  assert_eq(0, vm:syscall(setresuid, 1000, 1000, 1000))
  assert_eq(1000, vm:syscall(getuid))
  assert_eq(-1, vm:syscall(setresuid, 0, 0, 0)) -- EPERM: the privilege is really gone
  vm:syscall(linux.exit, 0)
  assert_eq(0, vm:syscall(getuid))
end)

test("rule 12: an execve of a program that is killed", function()
  local fd = linux.memfd(vm, (linux.exit_program(1):gsub("\x0f\x05$", "\x0f\x0b"))) -- ud2 for its system call
  local ret, path, how = vm:syscall_bufs(linux.execveat, { [1] = "\0" }, fd, 0, 0, 0, 0x1000)
  assert_eq({ n = 3, nil, nil, { what = "execed", signal = 4, fresh = true } }, { n = 3, ret, path, how })
end)

test("rule 12: a stop is an end", function()
  local SIGSTOP = 19
  local ret, how = vm:syscall(linux.kill, vm:syscall(linux.getpid), SIGSTOP)
  assert_eq({ n = 2, nil, { what = "stopped", signal = 19, fresh = true } }, { n = 2, ret, how })
  assert(vm:syscall(linux.getpid) > 0)
end)
