-- SPDX-License-Identifier: MIT
-- provium.reproducer: its C program is compiled and run on this machine, and does what the call did.
local provium = require "provium"

local program = os.getenv "PROVIUM_TEST_AGENT" or (os.getenv "B" or "build") .. "/provium-agent"
local agent <close> = provium.attach { exec = { program, "--execute-here" } }
local const = provium.const
local base = os.tmpname() -- beginning of the names of all files
local FD = 9              -- what calls use, and programs are given

provium.trace(function() end)

local function path(suffix)
  return base .. suffix
end

local function write_file(name, text)
  local file <close> = assert(io.open(name, "w"))
  assert(file:write(text))
end

local function read_file(name)
  local file <close> = assert(io.open(name))
  return file:read "a"
end

local function compile(text)
  write_file(path ".c", text)
  local command = "%s -std=gnu11 -O1 -Wall -Wextra -Wpedantic -Werror -o %s %s"
  assert(os.execute(command:format(os.getenv "CC" or "cc", path ".out", path ".c")))
end

-- What a program printed: the return value, and bytes by the names of buffers.
local function parse(text)
  local outs, name = {}, nil
  for line in text:gmatch "[^\n]+" do
    name = line:match "^(.-) %d+ bytes$" or name
    if line:find "bytes$" then
      outs[name] = ""
    elseif line:find "^%x+  %x" then
      outs[name] = outs[name] .. line:sub(8):gsub(" (%x%x)", function(x) return string.char(tonumber(x, 16)) end)
    end
  end
  return tonumber(text:match "^ret (%-?%d+)"), outs
end

-- Zeros where addresses are, which differ.
local function mask(bytes, event, holder)
  for _, p in ipairs(event.ptrs) do
    if (p.parent and ("sub[%d]"):format(p.parent) or ("buf[%d]"):format(p.buf_idx)) == holder then
      bytes = bytes:sub(1, p.offset) .. ("\0"):rep(p.width) .. bytes:sub(p.offset + p.width + 1)
    end
  end
  return bytes
end

-- Compile the last call, run it with `redirect`; its return value and its outputs are the agent's.
local function same(redirect, command)
  local event = agent:last_call()
  compile(provium.reproducer(event))
  local pipe <close> = io.popen((command or path ".out") .. " " .. (redirect or ""))
  local ret, outs = parse(pipe:read "a")
  assert_eq(event.ret, ret)
  local function compare(name, b)
    if b.out then
      assert_eq(mask(b.out, event, name), mask(outs[name] or "nothing", event, name), name)
      outs[name] = nil
    end
  end
  for _, b in ipairs(event.bufs) do
    compare(("buf[%d]"):format(b.arg), b)
  end
  for i, p in ipairs(event.ptrs) do
    compare(("sub[%d]"):format(i), p)
  end
  assert_eq(nil, (next(outs)))
end

-- Open a file as FD in the agent.
local function open(name, flags)
  local fd = agent:syscall_buf("openat", 1, name .. "\0", const.AT_FDCWD, 0, flags)
  assert(fd >= 0 and agent:syscall("dup3", fd, FD, 0) == FD)
  agent:syscall("close", fd)
end

test("a path that is not there", function()
  assert_eq(-2, (agent:syscall_buf("openat", 1, "/nonexistent/path\0", const.AT_FDCWD, 0, 0)))
  same()
end)

test("a path without its end is EFAULT: a buffer ends at a page that nobody can touch", function()
  assert_eq(-14, (agent:syscall_buf("openat", 1, "/nonexistent", const.AT_FDCWD, 0, 0)))
  same()
end)

test("what the kernel wrote", function()
  write_file(path ".in", "0123456789")
  assert_eq(0, (agent:syscall_bufs("newfstatat", { [1] = path ".in" .. "\0", [2] = 144 }, const.AT_FDCWD)))
  same()
end)

test("writev: addresses inside a buffer, and the file has the same bytes", function()
  open(path ".one", const.O_WRONLY | const.O_TRUNC | const.O_CREAT)
  assert_eq(13, (agent:syscall_bufs("writev", { { iovec = { "Hello, ", "world\n" } } }, FD, 0, 2)))
  same(("%d>%s"):format(FD, path ".two"))
  assert_eq("Hello, world\n", read_file(path ".one"))
  assert_eq("Hello, world\n", read_file(path ".two"))
end)

test("readv: outputs, behind an address with an offset", function()
  open(path ".in", const.O_RDONLY)
  assert_eq(5, (agent:syscall_ptr("readv", { provium.pack("u64 u64 u64 u64", 0, 2, 0, 3) }, {
    { buf_idx = 1, ptr_offset = 0, data = "....", plus = 2, output = true },
    { buf_idx = 1, ptr_offset = 16, data_len = 3, output = true },
  }, FD, 0, 2)))
  assert_eq("..01", agent:last_call().ptrs[1].out)
  same(("%d<%s"):format(FD, path ".in"))
end)

test("bad addresses are as bad", function()
  for _, bad in ipairs { "unmapped", "noncanonical", "kernel", "readonly" } do
    open(path ".in", const.O_RDONLY)
    assert_eq(-14, (agent:syscall_ptr("readv", { provium.pack("u64 u64", 0, 2) },
      { { buf_idx = 1, ptr_offset = 0, bad = bad } }, FD, 0, 1)))
    same(("%d<%s"):format(FD, path ".in"))
  end
end)

test("a null pointer", function()
  open(path ".in", const.O_RDONLY)
  assert_eq(-14, (agent:syscall_ptr("readv", { provium.pack("u64 u64", 9, 2) },
    { { buf_idx = 1, ptr_offset = 0, null = true } }, FD, 0, 1)))
  same(("%d<%s"):format(FD, path ".in"))
end)

test("pointers of four bytes lead below 4 GiB", function()
  open(path ".in", const.O_RDONLY)
  assert_eq(4, (agent:syscall_ptr("readv", { provium.pack("u64 u64 u64 u64", 0, 2, 0, 2) }, {
    { buf_idx = 1, ptr_offset = 0, width = 4, data_len = 2, output = true },
    { buf_idx = 1, ptr_offset = 16, width = 4, data_len = 2, output = true },
  }, FD, 0, 2)))
  same(("%d<%s"):format(FD, path ".in"))
end)

test("guards and alignment leave the same room", function()
  for _, b in ipairs { { len = 3, guard = "start" }, { len = 5, align = 16 }, { len = 5, guard = "none" }, 5 } do
    open(path ".in", const.O_RDONLY)
    agent:syscall_bufs("pread64", { b }, FD, 0, 8, 0)
    assert_eq(type(b) == "table" and 8 or 5, agent:last_call().ret)
    same(("%d<%s"):format(FD, path ".in"))
  end
end)

test("sendmsg: two levels of pointers, one buffer twice, and the other end receives it", function()
  local _, pair = agent:syscall_buf("socketpair", 3, 8, const.AF_UNIX, const.SOCK_DGRAM, 0)
  local near, far = provium.unpack("i32 i32", pair)
  agent:syscall("dup3", near, FD, 0)
  local msghdr = provium.pack("u64 u32 u32 u64 u64 u64 u64 u32 u32", 0, 0, 0, 0, 3, 0, 0, 0, 0)
  assert_eq(6, (agent:syscall_ptr("sendmsg", { msghdr }, {
    { buf_idx = 1, ptr_offset = 16, data = provium.pack("u64 u64 u64 u64 u64 u64", 0, 2, 0, 2, 0, 2) },
    { parent = 1, ptr_offset = 0, data = "ab" },
    { parent = 1, ptr_offset = 16, same = 2 },
    { parent = 1, ptr_offset = 32, data = "cd" },
  }, FD, 0, 0)))
  local python = [[import os, socket, subprocess
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
os.dup2(a.fileno(), %d)
subprocess.run(["%s"], pass_fds=[%d])
open("%s", "wb").write(b.recv(100))
]]
  write_file(path ".py", python:format(FD, path ".out", FD, path ".received"))
  same("", "python3 " .. path ".py")
  assert_eq("ababcd", read_file(path ".received"))
  agent:syscall("close", near)
  agent:syscall("close", far)
end)

test("a call that never returns ends the program as it ended the agent's", function()
  assert_eq(nil, (agent:syscall("exit_group", 7)))
  compile(provium.reproducer(agent:last_call()))
  assert_eq({ nil, "exit", 7 }, { os.execute(path ".out") })
end)

test("all integers pass", function()
  for _, n in ipairs { 0, -1, math.mininteger, math.maxinteger, 0xffffffff, -0x80000000 } do
    agent:syscall("lseek", n, n, n)
    same()
  end
end)

test("what was never made, and what is no call, is refused", function()
  pcall(agent.syscall_ptr, agent, "readv", { 8 }, { { buf_idx = 1, ptr_offset = 1, data = "x" } })
  local ok, err = pcall(provium.reproducer, agent:last_call())
  assert_eq(false, ok)
  assert_contains(err, "reproducer: the call was never made: syscall_ptr: ptrs[1].ptr_offset: 1 + 8 exceeds buffer 1 (8 bytes)")
  for _, v in ipairs { {}, "x", 5, { nr = 1, args = {} } } do
    ok, err = pcall(provium.reproducer, v)
    assert_eq(false, ok)
    assert_contains(err, "reproducer: a call as vm:last_call() or provium.trace gives it expected, got " .. type(v))
  end
end)

for _, suffix in ipairs { "", ".c", ".out", ".in", ".one", ".two", ".py", ".received" } do
  os.remove(path(suffix))
end
