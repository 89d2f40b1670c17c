-- SPDX-License-Identifier: MIT
-- Regions with an agent on this machine: what they are in Lua, and what is refused.
local provium = require "provium"

local program = os.getenv "PROVIUM_TEST_AGENT" or (os.getenv "B" or "build") .. "/provium-agent"
local command = { exec = { program, "--execute-here" } }
local agent <close> = provium.attach(command)

local write, mmap, munmap, exit_group, writev, pread64, memfd_create = 1, 9, 11, 231, 20, 17, 319
local EFAULT = -14

local function raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  assert_eq(false, ok)
  assert_contains(err, text)
end

local function content(fd, n)
  return select(2, agent:syscall_buf(pread64, 1, n, fd, 0, n, 0))
end

test("a region is zeros, keeps what is written, and is an argument", function()
  local r <close> = agent:alloc(6)
  assert_eq(6, #r)
  assert_eq(("\0"):rep(6), r:read())
  assert_eq(3, r:write(1, "abc"))
  assert_eq({ "abc", "c\0\0", "" }, { r:read(1, 3), r:read(3), r:read(6) })
  local fd = agent:syscall_buf(memfd_create, 0, "m\0")
  assert_eq(6, agent:syscall(write, fd, r, 6))
  assert_eq(5, agent:syscall(write, fd, r + 1, 5))
  assert_eq(2, agent:call { nr = write, args = { fd, 1 + r, 2 } }.ret)
  assert_eq("\0abc\0\0abc\0\0ab", content(fd, 13))
  assert_contains(tostring(r), "6 bytes")
end)

test("the kernel faults behind a region", function()
  local r <close> = agent:alloc(8)
  local fd = agent:syscall_buf(memfd_create, 0, "m\0")
  assert_eq(EFAULT, agent:syscall(write, fd, r + 8, 1))
  assert_eq(0, r.address % 8)
  local low <close> = agent:alloc(4096, { guard = "start", low = true })
  assert_eq(0, low.address % 4096)
  assert(low.address < 1 << 32)
end)

test("a pointer spec points into a region", function()
  local r <close> = agent:alloc(8)
  r:write(0, "abcdefgh")
  local fd = agent:syscall_buf(memfd_create, 0, "m\0")
  local ret, iovec = agent:syscall_ptr(writev, { [1] = provium.pack("u64 u64 u64 u64", 0, 2, 0, 3) }, {
    { buf_idx = 1, ptr_offset = 0, region = r },
    { buf_idx = 1, ptr_offset = 16, region = r, plus = 5 },
  }, fd, 0, 2)
  assert_eq(5, ret)
  assert_eq("abfgh", content(fd, 5))
  assert_eq({ r.address, 2, r + 5, 3 }, { provium.unpack("u64 u64 u64 u64", iovec) })
end)

test("peek and poke reach any address, and say how far they came", function()
  local page = agent:info().page_size
  local at = agent:syscall(mmap, 0, 2 * page, 3, 0x22, -1, 0)
  assert_eq(0, agent:syscall(munmap, at + page, page))
  assert_eq(2, agent:poke(at + page - 2, "xy"))
  assert_eq({ 2, EFAULT }, { agent:poke(at + page - 2, "xyz") })
  assert_eq({ "xy", EFAULT }, { agent:peek(at + page - 2, 10) })
  assert_eq({ "", EFAULT }, { agent:peek(0, 1) })
  assert_eq({ "", EFAULT }, { agent:peek(-1, 1) })
  assert_eq({ 0, EFAULT }, { agent:poke(1 << 63, "x") })
  assert_eq({ "" }, { agent:peek(0, 0) })
  assert_eq(0, agent:syscall(munmap, at, page))
  local r <close> = agent:alloc(2)
  assert_eq(2, agent:poke(r, "ok"))
  assert_eq("ok", agent:peek(r, 2))
end)

test("sixteen MiB there and back", function()
  local r <close> = agent:alloc(16 << 20)
  local bytes = ("0123456789abcdef"):rep(1 << 20)
  assert_eq(16 << 20, r:write(0, bytes))
  assert(r:read() == bytes)
end)

test("a region is lost with its executor, and said so", function()
  local r = agent:alloc(8)
  local _, ended = agent:syscall(exit_group, 0)
  assert_eq("exited", ended.what)
  raises("read: region: the region was lost with its executor (generation 1)", r.read, r)
  raises("syscall: a0: the region was lost with its executor", agent.syscall, agent, write, r)
  raises("region: address: the region was lost", function() return r.address end)
  assert_contains(tostring(r), "lost")
  r:free()
  local fresh <close> = agent:alloc(8)
  assert_eq(8, #fresh)
end)

test("a region is lost with the executor also if nobody knows of its end yet", function()
  local r = agent:alloc(8)
  local timer = provium.pack("u64 u64 u64 u64", 0, 0, 0, 20000000) -- SIGKILL ourselves in 20 ms
  local event = provium.pack("u64 u32 u32 bytes[48]", 0, 9, 0, ("\0"):rep(48))
  local ret, _, id = agent:syscall_bufs(222, { [1] = event, [2] = 4 }, 1)
  assert_eq(0, ret)
  assert_eq(0, (agent:syscall_buf(223, 2, timer, provium.unpack("u32", id), 0)))
  local stat = ("while kill -0 %d 2>/dev/null; do sleep 0.01; done"):format(agent:syscall(39))
  assert(os.execute(stat)) -- until it is dead; nothing is sent meanwhile
  raises("read: region: it was lost with its executor (generation 2)", r.read, r)
  local nothing, ended = agent:syscall(39)
  assert_eq({ nil, "killed", 9 }, { nothing, ended.what, ended.signal })
  assert(agent:syscall(39) > 0)
end)

test("a freed region is refused by name", function()
  local r = agent:alloc(8)
  r:free()
  raises("free: region: the region was freed", r.free, r)
  raises("read: region: the region was freed", r.read, r)
  raises("write: region: the region was freed", r.write, r, 0, "x")
  raises("syscall: a1: the region was freed", agent.syscall, agent, write, 1, r)
  raises("syscall_ptr: ptrs[1].region: the region was freed", agent.syscall_ptr, agent, 39, { 16 },
    { { buf_idx = 1, ptr_offset = 0, region = r } })
  assert_contains(tostring(r), "freed")
end)

test("a region of another agent is refused", function()
  local other <close> = provium.attach(command)
  local r = other:alloc(8)
  raises("syscall: a1: the region is another VM's", agent.syscall, agent, write, 1, r)
  raises("peek: address: the region is another VM's", agent.peek, agent, r, 1)
  other:close()
  raises("read: region: the region was lost", r.read, r)
end)

test("what is wrong is named, and nothing happens", function()
  local r <close> = agent:alloc(8)
  raises("alloc: len: a region has at least one byte", agent.alloc, agent, 0)
  raises("alloc: len: -1 is negative", agent.alloc, agent, -1)
  raises("alloc: len: integer expected, got nil", agent.alloc, agent, nil)
  raises("exceed the agreed memory", agent.alloc, agent, 1 << 40)
  raises("alloc: size: unknown key", agent.alloc, agent, 1, { size = 1 })
  raises("alloc: guard: ", agent.alloc, agent, 1, { guard = "left" })
  raises("alloc: align: not for a region", agent.alloc, agent, 1, { align = 8 })
  raises("alloc: dir: not for a region", agent.alloc, agent, 1, { dir = "in" })
  raises("alloc: options: table expected", agent.alloc, agent, 1, 2)
  raises("got more", agent.alloc, agent, 1, {}, 2)
  raises("read: offset: 4 + 5 exceeds the region (8 bytes)", r.read, r, 4, 5)
  raises("read: offset: 9 + 0 exceeds", r.read, r, 9)
  raises("write: offset: 7 + 2 exceeds", r.write, r, 7, "xy")
  raises("write: offset: -1 is negative", r.write, r, -1, "xy")
  raises("write: data: string expected", r.write, r, 0, 5)
  raises("peek: len: -1 is negative", agent.peek, agent, r, -1)
  raises("peek: len: " .. (1 << 40) .. " bytes exceed the agreed frame", agent.peek, agent, r, 1 << 40)
  raises("peek: address: integer expected, got string", agent.peek, agent, "1", 1)
  raises("region: +: integer expected, got string", function() return r + "1" end)
  raises("ptrs[1].region: region expected, got number", agent.syscall_ptr, agent, 39, { 16 },
    { { buf_idx = 1, ptr_offset = 0, region = 5 } })
  raises("ptrs[1].region: excludes data_len", agent.syscall_ptr, agent, 39, { 16 },
    { { buf_idx = 1, ptr_offset = 0, region = r, data_len = 5 } })
  raises("ptrs[1].same: excludes region", agent.syscall_ptr, agent, 39, { 16 },
    { { buf_idx = 1, ptr_offset = 0, region = r, same = 1 } })
  raises("write region:read(...), with a colon", r.read, 5)
  assert_eq(nil, r.nothing)
  assert_eq(("\0"):rep(8), r:read())
end)

test("steps of a program take regions", function()
  local r <close> = agent:alloc(4)
  r:write(0, "abcd")
  local fd = agent:syscall_buf(memfd_create, 0, "m\0")
  agent:program(function(p)
    p:syscall(write, fd, r, 4)
    p:syscall(write, fd, r + 2, 2)
  end)
  assert_eq("abcdcd", content(fd, 6))
end)

test("collected regions make room", function()
  for _ = 1, 3000 do
    agent:alloc(1 << 20) -- 64 MiB hold 64 of them
    collectgarbage()
  end
  local kept = {}
  raises("as many regions as there can be", function()
    for i = 1, 1025 do
      kept[i] = agent:alloc(1)
    end
  end)
  assert_eq(1024, #kept)
  kept[7]:free()
  kept[7] = agent:alloc(1)
  for _, r in ipairs(kept) do
    r:free()
  end
end)

-- ---- an executor that may not copy ----

-- seccomp: this system call gets that action, all others pass.
local function forbid(nr, action)
  local filter = provium.pack("u16 u8 u8 u32 u16 u8 u8 u32 u16 u8 u8 u32 u16 u8 u8 u32",
    0x20, 0, 0, 0, 0x15, 0, 1, nr, 0x06, 0, 0, action, 0x06, 0, 0, 0x7fff0000)
  assert_eq(0, agent:syscall(157, 38, 1, 0, 0, 0)) -- PR_SET_NO_NEW_PRIVS
  assert_eq(0, (agent:syscall_ptr(317, { [2] = provium.pack("u16 pad[6] u64", 4, 0) },
    { { buf_idx = 2, ptr_offset = 8, data = filter } }, 1, 0, 0)))
end

local process_vm_writev = 311

test("a filter that forbids the copy is an error of its own, and the session goes on", function()
  local r = agent:alloc(8)
  forbid(process_vm_writev, 0x50001) -- EPERM
  raises("the kernel does not let the agent copy its own memory", r.read, r)
  assert_eq(1, r:write(0, "x"))
  assert(agent:syscall(39) > 0)
end)

test("a filter that kills for it loses the region, and the next call says how the executor ended", function()
  local r = agent:alloc(8)
  forbid(process_vm_writev, 0x80000000) -- kill the process
  raises("read: region: it was lost with its executor", r.read, r)
  local _, ended = agent:syscall(39)
  assert_eq({ "killed", 31 }, { ended.what, ended.signal })
  raises("the region was lost with its executor", r.read, r)
  local fresh <close> = agent:alloc(8)
  assert_eq(("\0"):rep(8), fresh:read())
end)
