-- SPDX-License-Identifier: MIT
-- provium.trace and last_call: every call is seen, and told in a text.
local provium = require "provium"

local program = os.getenv "PROVIUM_TEST_AGENT" or (os.getenv "B" or "build") .. "/provium-agent"
local agent <close> = provium.attach { exec = { program, "--execute-here" } }
local const = provium.const

local function raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  assert_eq(false, ok)
  assert_contains(err, text)
end

-- The events of what fn calls.
local function watched(fn)
  local events = {}
  provium.trace(function(event) events[#events + 1] = event end)
  fn()
  provium.trace(false)
  return events
end

-- The text of the only call in fn, without its time.
local function text(fn)
  local events = watched(fn)
  assert_eq(1, #events)
  return (tostring(events[1]):gsub(" <[%d.]+ [mu]?s>", "", 1))
end

local function memfd(bytes)
  local fd = agent:syscall_buf("memfd_create", 0, "x\0")
  agent:syscall_buf("pwrite64", 1, bytes, fd, 0, #bytes, 0)
  return fd
end

-- ---- what is seen ----

test("every kind of call is seen, once", function()
  local fd = memfd "abc"
  local timespec = provium.struct "i64 sec, nsec;"
  local events = watched(function()
    agent:syscall(39)
    agent:syscall_buf(1, 1, "x", -1, 0, 1)
    agent:syscall_bufs(1, { "x" }, -1, 0, 1)
    agent:syscall_ptr(20, { 16 }, { { buf_idx = 1, ptr_offset = 0, data = "x" } }, -1, 0, 1)
    agent:ioctl(fd, 0x5401, "x")
    agent:ioctl(fd, 0x5401)
    agent:ioctl_buf(fd, 0x5401, "12345678", { { ptr_offset = 0, data = "x" } })
    agent:call { nr = "getppid" }
    agent:syscall("clock_gettime", 1, timespec {})
  end)
  local names, calls = {}, {}
  for i, e in ipairs(events) do
    names[i], calls[i] = e.name, e.call
  end
  assert_eq({ "getpid", "write", "write", "writev", "ioctl", "ioctl", "ioctl", "getppid", "clock_gettime" }, names)
  assert_eq({ "syscall", "syscall_buf", "syscall_bufs", "syscall_ptr", "ioctl", "ioctl", "ioctl_buf", "call", "syscall_ptr" },
    calls)
end)

test("a watched call returns what it returns unwatched", function()
  local fd = memfd "0123456789"
  local function all()
    return { table.pack(agent:syscall_bufs("preadv", { { iovec = { 3, 4 } } }, fd, 0, 2)),
      table.pack(agent:syscall_bufs("pread64", { { len = 5, align = 16 } }, fd, 0, 8, 0)),
      table.pack(agent:syscall_buf("exit", 5, "x", 3)), table.pack(agent:ioctl(-1, 0x5401, "abc")),
      agent:call { nr = "pread64", args = { -1 }, bufs = { 5 }, changed = true }.outs }
  end
  local plain = all()
  fd = memfd "0123456789" -- in the process after exit
  local seen
  watched(function() seen = all() end)
  assert_eq(plain, seen)
end)

test("an event has the call, its memory and what came back", function()
  local fd = memfd "0123456789"
  local e = watched(function()
    agent:syscall_ptr("preadv", { [1] = provium.pack("u64 u64", 0, 4) },
      { { buf_idx = 1, ptr_offset = 0, data = "ab", data_len = 4, output = true } }, fd, 0, 1, 5, 0)
  end)[1]
  assert_eq({ "preadv", 295, "x86_64", 4, nil }, { e.name, e.nr, e.arch, e.ret, e.errname })
  assert_eq({ fd, 0, 1, 5, 0 }, e.args)
  assert_eq({ 1, 16, "inout" }, { e.bufs[1].arg, e.bufs[1].len, e.bufs[1].dir })
  assert_eq(provium.pack("u64 u64", 0, 4), e.bufs[1].data)
  assert_eq(16, #e.bufs[1].out)
  local p = e.ptrs[1]
  assert_eq({ 1, 0, 8, 4, "ab", "5678" }, { p.buf_idx, p.offset, p.width, p.len, p.data, p.out })
  assert(e.elapsed_ns >= 0)
end)

test("outputs go to their buffers, also where others have none", function()
  local e = watched(function()
    agent:syscall_ptr("getpid", { [3] = "d", [0] = { data = "a", dir = "in" }, [1] = 8 }, {
      { buf_idx = 1, ptr_offset = 0, data = "no" },
      { buf_idx = 1, ptr_offset = 0, data = "in", dir = "in", output = true },
      { buf_idx = 1, ptr_offset = 0, same = 1 },
      { buf_idx = 1, ptr_offset = 0, data = "out", dir = "inout" },
    })
  end)[1]
  assert_eq({ 0, 1, 3 }, { e.bufs[1].arg, e.bufs[2].arg, e.bufs[3].arg })
  assert_eq({ nil, "d" }, { e.bufs[1].out, e.bufs[3].out })
  assert_eq({ nil, nil, nil, "out" }, { e.ptrs[1].out, e.ptrs[2].out, e.ptrs[3].out, e.ptrs[4].out })
end)

test("calls that fail before anything is sent are seen, and raise", function()
  local events = watched(function()
    raises("syscall_ptr: ptrs[1].ptr_offset: 1 + 8 exceeds", agent.syscall_ptr, agent, "readv", { 8 },
      { { buf_idx = 1, ptr_offset = 1, data = "x" } })
  end)
  assert_eq(true, events[1].malformed)
  assert_contains(events[1].error, "syscall_ptr: ptrs[1].ptr_offset: 1 + 8 exceeds")
end)

test("malformed graphs make a text too", function()
  watched(function()
    for _, ptrs in ipairs {
      { { buf_idx = 1, ptr_offset = 0, same = 2 }, { buf_idx = 1, ptr_offset = 0, same = 1 } },
      { { buf_idx = 1, ptr_offset = 0, same = 7 } }, { { parent = 9, ptr_offset = 0, data = "x" } },
      { { buf_idx = 5, ptr_offset = 1 << 62, data = "x" } }, { { parent = 1, ptr_offset = 0, data = "x" } },
    } do
      raises("ptrs[", agent.syscall_ptr, agent, "readv", { 16 }, ptrs)
      assert_contains(tostring(agent:last_call()), "readv(0, buf[1]) = ? syscall_ptr: ptrs[")
    end
  end)
end)

test("a finalizer that calls disturbs neither the event nor the results", function()
  local calls = 0
  local function litter()
    setmetatable({}, { __gc = function()
      calls = calls + 1
      agent:syscall_buf("getpid", 0, ("z"):rep(3000))
      if calls < 300 then
        litter()
      end
    end })
  end
  litter()
  collectgarbage("setpause", 50)
  local big, event = ("b"):rep(3000), nil
  provium.trace(function(e) event = #e.bufs == 2 and e or event end)
  for i = 1, 300 do
    local _, a, b, c = agent:syscall_ptr("getpid", { [0] = "first" .. i, [1] = big .. i },
      { { buf_idx = 1, ptr_offset = 0, data = "third" .. i, output = true } })
    assert_eq({ "first" .. i, tostring(i), "third" .. i }, { a, b:sub(3001), c })
    assert_eq({ a, b, c }, { event.bufs[1].out, event.bufs[2].out, event.ptrs[1].out })
  end
  provium.trace(false)
  collectgarbage("setpause", 200)
  assert(calls > 5, calls)
end)

test("the collector runs on, or stays stopped, as it was", function()
  watched(function() agent:syscall "getpid" end)
  assert_eq(true, collectgarbage "isrunning")
  collectgarbage "stop"
  watched(function() agent:syscall "getpid" end)
  local running = collectgarbage "isrunning"
  collectgarbage "restart"
  assert_eq(false, running)
end)

test("a program: every step is seen, with what it takes from others", function()
  local events = watched(function()
    agent:program(function(p)
      local pair = p:syscall_buf("pipe2", 0, 8, 0, 0)
      local data = p:buffer "hello"
      local n = p:syscall("write", pair.outs[1]:i32(4), data, 5)
      p:syscall_buf("read", 1, 8, pair.outs[1]:i32(0), 0, n + 1)
      p:syscall("close", pair.outs[1]:i32(0))
      p:syscall("close", pair.outs[1]:i32(4))
      p:syscall("close", -1):on_error "stop"
      p:syscall("getpid")
    end)
  end)
  local lines = {}
  for i, e in ipairs(events) do
    lines[i] = tostring(e):match "^[^\n]*"
  end
  assert_eq({
    "step[1] pipe2(buf[0], 0) = 0", "step[2] write(*(step[1].buf[0]+4), &memory[1], 5) = 5",
    "step[3] read(*(step[1].buf[0]), buf[1], step[2]+1) = 5", "step[4] close(*(step[1].buf[0])) = 0",
    "step[5] close(*(step[1].buf[0]+4)) = 0", "step[6] close(-1) = -9 EBADF", "step[7] getpid() = ? skipped",
  }, lines)
  assert_eq({ "program", "hello\0\0\0" }, { events[3].call, events[3].bufs[1].out })
  raises("reproducer: what this step of a program does depends on other steps", provium.reproducer, events[3])
  assert_contains(provium.reproducer(events[6]), "int main")
end)

test("a program: rounds, results that nobody asked for, an end", function()
  local function lines(fn)
    local list = watched(function() agent:program(fn) end)
    for i, e in ipairs(list) do
      list[i] = tostring(e):match "^[^\n]*"
    end
    return list
  end
  assert_eq({ "step[1] close(-1) = ? not asked for", "step[2] close(-2) = -9 EBADF" }, lines(function(p)
    p:syscall("close", -1)
    p:syscall("close", -2):keep()
  end))
  local _, ended = table.unpack(lines(function(p)
    p:syscall("close", -1)
    p:syscall("exit", 5)
  end))
  assert_eq("step[2] exit(5) = ? exited with status 5", ended)
end)

test("a program that is malformed is seen as such", function()
  local events = watched(function()
    raises("exceeds", agent.program, agent, function(p)
      p:syscall_ptr("readv", { 8 }, { { buf_idx = 1, ptr_offset = 1, data = "x" } })
    end)
  end)
  assert_eq(true, events[1].malformed)
  assert_contains(tostring(events[1]), "step[1] readv(0, buf[1]) = ? program: ")
end)

-- ---- who watches ----

test("a function may make calls, which are not watched", function()
  local seen = 0
  provium.trace(function()
    seen = seen + 1
    agent:syscall_buf(1, 1, ("x"):rep(4096), -1, 0, 4096)
  end)
  assert_eq({ -9, "abc" }, { agent:syscall_buf("pread64", 1, "abc", -1, 0, 3, 0) })
  assert_eq(-9, (agent:syscall("close", -1)))
  provium.trace(false)
  assert_eq(2, seen)
end)

test("what a function raises is raised, and it stays", function()
  local seen = 0
  provium.trace(function()
    seen = seen + 1
    error "mine"
  end)
  raises("mine", agent.syscall, agent, "getpid")
  raises("mine", agent.syscall, agent, "getpid")
  provium.trace(false)
  assert(agent:syscall "getpid" > 0)
  assert_eq(2, seen)
end)

test("trace(false) in a function ends it", function()
  local seen = 0
  provium.trace(function()
    seen = seen + 1
    provium.trace(false)
  end)
  agent:syscall "getpid"
  agent:syscall "getpid"
  assert_eq(1, seen)
end)

test("trace returns what was given before", function()
  local function first() end
  assert_eq(false, provium.trace(first))
  assert_eq(first, provium.trace(false))
  assert_eq(false, provium.trace(false))
end)

test("a file, or a path: a call is a line", function()
  local path = os.tmpname()
  for _, to in ipairs { path, io.open(path, "w") } do
    provium.trace(to)
    agent:syscall("close", -1)
    provium.trace(false)
    local file <close> = io.open(path)
    assert_contains(file:read "a", "close(-1) = -9 EBADF")
  end
  os.remove(path)
end)

test("what cannot be written to is refused, and nothing changes", function()
  local function first() end
  provium.trace(first)
  raises("trace: /nonexistent/file: No such file", provium.trace, "/nonexistent/file")
  raises("trace: true, false, a path, a file or a function expected, got number", provium.trace, 5)
  raises("trace: true, false, a path, a file or a function expected, got nil", provium.trace)
  local file = io.tmpfile()
  file:close()
  raises("got closed file", provium.trace, file)
  assert_eq(first, provium.trace(false))
end)

test("a file that takes no more is an error of the call", function()
  provium.trace "/dev/full"
  raises("trace: cannot write: No space left on device", agent.syscall, agent, "getpid")
  provium.trace(false)
end)

test("last_call is the last that was watched, of each", function()
  local other <close> = provium.attach { exec = { program, "--execute-here" } }
  raises("last_call: no call of it was watched", other.last_call, other)
  watched(function()
    other:syscall("close", -1)
    agent:syscall("getpid")
  end)
  agent:syscall("gettid")
  assert_eq({ "close", "getpid" }, { other:last_call().name, agent:last_call().name })
  assert_eq(false, other:last_call().vm == agent:last_call().vm)
end)

-- ---- the text ----

test("text: short texts stand among the arguments, flags and errors by name", function()
  assert_eq('openat(AT_FDCWD, buf[1] "/nonexistent/x\\0", O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 420) = -2 ENOENT', text(function()
    agent:syscall_buf("openat", 1, "/nonexistent/x\0", const.AT_FDCWD, 0,
      const.O_RDWR | const.O_CREAT | const.O_EXCL | const.O_CLOEXEC, 420)
  end))
end)

test("text: numbers near 0 are decimal, others hex; unknown bits stay", function()
  assert_eq("lseek(-1, 0x7fffffffffff0000, 65535) = -9 EBADF", text(function()
    agent:syscall("lseek", -1, 0x7fffffffffff0000, 65535)
  end))
  assert_eq("mprotect(0x10001, 0, PROT_READ|PROT_WRITE|0x1000000) = -22 EINVAL", text(function()
    agent:syscall("mprotect", 0x10001, 0, 3 | 1 << 24)
  end))
  assert_eq("socket(AF_INET, SOCK_STREAM|0x1000000, 0) = -22 EINVAL", text(function()
    agent:syscall("socket", 2, 1 | 1 << 24, 0)
  end))
  assert_eq("syscall_100000() = -38 ENOSYS", text(function() agent:syscall(100000) end))
end)

test("text: pointers name buffers; what changed is shown after the call", function()
  local fd = memfd "0123456789"
  assert_eq(([[
preadv(%d, buf[1], 3) = 6
  buf[1]: 48 bytes
    0000  00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00  |................|
    0010  00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00  |................|
    0020  00 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00  |................|
  buf[1]+0 -> sub[1]: 4 zero bytes
  buf[1]+16 -> sub[1]+2
  buf[1]+32 -> sub[3] (4 bytes wide): 3 bytes "abc"
  buf[1]+36 -> NULL (4 bytes wide)
  sub[1] after: 4 bytes "012\0"
  sub[3] after: 3 bytes "345"]]):format(fd), text(function()
    agent:syscall_ptr("preadv", { provium.pack("u64 u64 u64 u64 u64 u64", 0, 2, 0, 1, 0, 3) }, {
      { buf_idx = 1, ptr_offset = 0, data_len = 4, output = true },
      { buf_idx = 1, ptr_offset = 16, same = 1, plus = 2 },
      { buf_idx = 1, ptr_offset = 32, width = 4, data = "abc", output = true },
      { buf_idx = 1, ptr_offset = 36, width = 4, null = true },
    }, fd, 0, 3)
  end))
end)

test("text: long memory and many pointers are cut, with what is left out", function()
  local long = text(function()
    agent:syscall_buf("write", 1, ("\1"):rep(5000), -1, 0, 0)
  end)
  assert_contains(long, "\n    ... 4872 more bytes")
  assert_contains(text(function() agent:syscall_buf("write", 1, ("y"):rep(5000), -1) end),
    'buf[1] "' .. ("y"):rep(64) .. '"...')
  local list = {}
  for i = 1, 1000 do
    list[i] = "x"
  end
  assert_contains(text(function() agent:syscall_bufs("writev", { { iovec = list } }, -1, 0, 1000) end),
    "\n  ... 936 more pointers")
end)

test("text: the bytes of a peer cannot command a terminal", function()
  local shown = text(function() agent:syscall_buf("write", 1, "\27]0;x\7", -1, 0, 6) end)
  assert_eq(nil, shown:find "[^\n\32-\126]")
end)

test("text: an end instead of a return, and damage", function()
  assert_eq("exit(3) = ? exited with status 3", text(function() agent:syscall("exit", 3) end))
  assert_eq("rt_sigreturn() = ? killed by signal 11", text(function() agent:syscall("rt_sigreturn") end))
  local fd = memfd "0123456789"
  assert_contains(text(function()
    agent:syscall_bufs("pread64", { { len = 5, align = 16 } }, fd, 0, 8, 0)
  end), "\n  buf[1]: 3 bytes written beside it, at +5")
end)

-- ---- the report of a lost agent ----

test("an agent that is gone: the report names the call that was running", function()
  local other <close> = provium.attach { exec = { program, "--execute-here" } }
  local supervisor = other:syscall "getppid"
  assert(supervisor > 1)
  local ok, err = pcall(other.syscall, other, "kill", supervisor, 9)
  while ok do -- its executor ends a little later
    ok, err = pcall(other.syscall, other, "kill", 0x7fffffff, 0)
  end
  assert_contains(err, "\nthe call was: kill(")
  raises("syscall: the agent is gone: ", other.syscall, other, "getpid")
  ok, err = pcall(other.syscall, other, "getpid")
  assert_eq({ false, nil }, { ok, (err:find "\n") })
end)
