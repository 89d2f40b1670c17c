-- SPDX-License-Identifier: MIT
-- Struct values in calls: as the plain tables that they become, and made by an agent that runs on this machine.
local provium = require "provium"
local graph = require "provium.graph"
local struct, out, cstr = provium.struct, provium.out, provium.cstr

local program = os.getenv "PROVIUM_TEST_AGENT" or (os.getenv "B" or "build") .. "/provium-agent"
local agent <close> = provium.attach { exec = { program, "--execute-here" } }

local function raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  assert_eq(false, ok)
  assert_contains(err, text)
end

-- ---- calls as plain tables ----

local function flat(bufs, specs)
  local f = graph.flatten(bufs, specs)
  return f.bufs, f.ptrs
end

test("flatten: a pointer becomes a spec, nothing else does", function()
  local t = struct "u32 a; ptr p; ptr q; ptr r;"
  local bufs, ptrs = flat { [1] = t { p = "abc", q = 0x1000 } }
  assert_eq({ [1] = provium.pack("u32 u32 ptr ptr ptr", 0, 0, 0, 0x1000, 0) }, bufs)
  assert_eq({ { buf_idx = 1, ptr_offset = 8, data = "abc" } }, ptrs)
end)

test("flatten: what comes back is asked for, what the kernel only reads is not", function()
  local t = struct "ptr a, b, c, d;"
  local _, ptrs = flat { [0] = t { a = out(3), b = out "xy", c = cstr "path", d = struct "u16 n;" { n = 5 } } }
  assert_eq({
    { buf_idx = 0, ptr_offset = 0, data = "\0\0\0", output = true },
    { buf_idx = 0, ptr_offset = 8, data = "xy", output = true },
    { buf_idx = 0, ptr_offset = 16, data = "path\0" },
    { buf_idx = 0, ptr_offset = 24, data = "\5\0", output = true },
  }, ptrs)
end)

local iovec = struct "struct iovec { ptr base; u64 len = len_of(base); };"
local msghdr = struct([[ ptr name; u32 namelen = len_of(name); iovec *iov; u64 iovlen = count_of(iov); ptr control;
  u64 controllen = len_of(control); u32 flags; ]], { iovec })

test("flatten: pointers in what is pointed to, to any depth", function()
  local bufs, ptrs = flat { [1] = msghdr { iov = { { base = "ab" }, { base = out(3) } } } }
  assert_eq(provium.pack("u64 u64 u64 u64 u64 u64 u64", 0, 0, 0, 2, 0, 0, 0), bufs[1])
  assert_eq({
    { buf_idx = 1, ptr_offset = 16, data = provium.pack("u64 u64 u64 u64", 0, 2, 0, 3), output = true },
    { parent = 1, ptr_offset = 0, data = "ab" },
    { parent = 1, ptr_offset = 16, data = "\0\0\0", output = true },
  }, ptrs)
end)

test("flatten: one value in two places is one sub-buffer; a string is one for each", function()
  local t = struct "ptr a, b, c, d;"
  local shared = out(4)
  local _, ptrs = flat { [0] = t { a = shared, b = shared, c = "x", d = "x" } }
  assert_eq({
    { buf_idx = 0, ptr_offset = 0, data = "\0\0\0\0", output = true },
    { buf_idx = 0, ptr_offset = 8, same = 1 },
    { buf_idx = 0, ptr_offset = 16, data = "x" },
    { buf_idx = 0, ptr_offset = 24, data = "x" },
  }, ptrs)
end)

local node = struct "struct node { struct node *next; u32 n; };"

test("flatten: circles, and long lists without recursion", function()
  local a, b = node { n = 1 }, node { n = 2 }
  a.next, b.next = b, a
  local _, ptrs = flat { [0] = node { next = a } }
  assert_eq({
    { buf_idx = 0, ptr_offset = 0, data = node:pack { n = 1 }, output = true },
    { parent = 1, ptr_offset = 0, data = node:pack { n = 2 }, output = true },
    { parent = 2, ptr_offset = 0, same = 1 },
  }, ptrs)
  local last = node {}
  for i = 1, 5000 do
    last = node { next = last, n = i }
  end
  _, ptrs = flat { [0] = last }
  assert_eq({ 5000, 4999 }, { #ptrs, ptrs[5000].parent })
end)

test("flatten: plain tables stand for the struct that a pointer leads to, and may go in circles", function()
  local loop = { n = 1 }
  loop.next = loop
  local _, ptrs = flat { [0] = node { next = loop } }
  assert_eq({
    { buf_idx = 0, ptr_offset = 0, data = node:pack { n = 1 }, output = true },
    { parent = 1, ptr_offset = 0, same = 1 },
  }, ptrs)
end)

test("flatten: an array of strings, and of integers", function()
  local t = struct "ptr *argv; int *fds;"
  local _, ptrs = flat { [0] = t { argv = { cstr "a", "b", 0 }, fds = { 5, -1 } } }
  assert_eq({
    { buf_idx = 0, ptr_offset = 0, data = ("\0"):rep(24), output = true },
    { buf_idx = 0, ptr_offset = 8, data = provium.pack("i32 i32", 5, -1), output = true },
    { parent = 1, ptr_offset = 0, data = "a\0" },
    { parent = 1, ptr_offset = 8, data = "b" },
  }, ptrs)
  raises("a0.p: a list, and the type of its elements is not known", flat, { [0] = struct "ptr p;" { p = { "x" } } })
  raises("a0.next.n: integer expected, got boolean", flat, { [0] = node { next = { n = true } } })
  raises('a0.next.next: no field "m"', flat, { [0] = node { next = { next = { m = 1 } } } })
end)

test("flatten: a script's own specs come first and keep their places", function()
  local bufs, ptrs = flat({ [0] = ("\0"):rep(8), [1] = node { next = "x" } },
    { { buf_idx = 0, ptr_offset = 0, data = iovec { base = "y" }, output = true } })
  assert_eq(("\0"):rep(8), bufs[0])
  assert_eq({
    { buf_idx = 0, ptr_offset = 0, data = provium.pack("u64 u64", 0, 1), output = true },
    { parent = 1, ptr_offset = 0, data = "y" },
    { buf_idx = 1, ptr_offset = 0, data = "x" },
  }, ptrs)
end)

test("flatten: a pointer back to the buffer of an argument is refused", function()
  local head = node {}
  head.next = head
  raises("a2.next: points back to the buffer of argument 2, which no spec can say", flat, { [2] = head })
end)

test("collect: outputs become fields, shared ones stay one, circles stay circles", function()
  local a, b = node { n = 1 }, node { n = 2 }
  a.next, b.next = b, a
  local head = struct "ptr first, again, data, text; u32 n;" { first = a, again = a, data = out(2), text = "in" }
  local f = graph.flatten { [0] = head }
  local function address(n)
    return provium.pack("ptr u32 u32", 0x7000, n, 0)
  end
  local memory = provium.pack("ptr ptr ptr ptr u32 u32", 1, 2, 3, 4, 9, 0)
  local r = graph.collect(f, { n = 5, 7, memory, address(10), "xy", address(20) })
  assert_eq({ 2, 7 }, { r.n, r[1] })
  local v = r[2]
  assert_eq({ "xy", "in", 9, 10, 20 }, { v.data, v.text, v.n, v.first.n, v.first.next.n })
  assert(v.again == v.first and v.first.next.next == v.first)
  assert_eq({ 1, 2 }, { a.n, b.n }, "the script's values are as they were")
  assert_eq(provium.pack("ptr u32 u32", 0x7000, 10, 0), node:pack(v.first), "the bytes are as they came")
end)

test("collect: a list comes back as a list", function()
  local f = graph.flatten { [1] = msghdr { iov = { { base = out(2) }, { base = "in" } } } }
  local r = graph.collect(f, { n = 4, 2, ("\1"):rep(56), provium.pack("ptr u64 ptr u64", 1, 2, 3, 4), "xy" })
  assert_eq({ "xy", 2, "in", 4 }, { r[2].iov[1].base, r[2].iov[1].len, r[2].iov[2].base, r[2].iov[2].len })
  assert_eq(2, #r[2].iov)
end)

-- ---- calls ----

local pair = struct("iovec v[2];", { iovec })

local function memfd(content)
  local fd = agent:syscall_buf("memfd_create", 0, "x\0")
  assert_eq(#content, (agent:syscall_buf("pwrite64", 1, content, fd, 0, #content, 0)))
  return fd
end

test("vm:syscall takes struct values, bytes, cstr and out, and returns them in order", function()
  local fd = memfd "hello world"
  local ret, v = agent:syscall("readv", fd, pair { v = { { base = out(5) }, { base = out(6) } } }, 2)
  assert_eq({ 11, "hello", " world" }, { ret, v.v[1].base, v.v[2].base })
  assert_eq({ n = 2, 4, "hell" }, table.pack(agent:syscall("pread64", fd, out(4), 4, 0)))
  assert_eq({ 3, "abc" }, { agent:syscall("pwrite64", fd, provium.bytes "abc", 3, 0) }, "exactly these, and they are returned")
  local const = provium.const
  local stat = struct [[ u64 dev, ino, nlink; u32 mode, uid, gid, pad; u64 rdev; i64 size, rest[11]; ]]
  local ret, path, st = agent:syscall("newfstatat", const.AT_FDCWD, cstr "/", stat {}, 0)
  assert_eq({ 0, "/\0", const.S_IFDIR }, { ret, path, st.mode & const.S_IFMT })
  agent:syscall("close", fd)
end)

test("struct values in syscall_buf, syscall_bufs and syscall_ptr", function()
  local fd = memfd "hello world"
  local function value()
    return pair { v = { { base = out(5) }, { base = out(6) } } }
  end
  local ret, v = agent:syscall_buf("readv", 1, value(), fd, 0, 2)
  assert_eq({ 11, "hello" }, { ret, v.v[1].base })
  agent:syscall("lseek", fd, 0, 0)
  ret, v = agent:syscall_bufs("readv", { [1] = value() }, fd, 0, 2)
  assert_eq({ 11, " world" }, { ret, v.v[2].base })
  local first, second
  local bufs = { [0] = "buf", [1] = pair { v = { {}, { base = out(6), len = 6 } } } }
  ret, first, v, second = agent:syscall_ptr("preadv", bufs, {
    { buf_idx = 1, ptr_offset = 0, data_len = 5, output = true } }, 0, 0, 2, 0, 0)
  assert_eq({ -9, "buf", "\0\0\0\0\0", 6 }, { ret, first, second, #v.v[2].base }) -- its address is no descriptor
  agent:syscall("close", fd)
end)

test("ioctl and ioctl_buf", function()
  local const = provium.const
  local fd = agent:syscall("socket", const.AF_INET, const.SOCK_DGRAM, 0)
  local ifconf = struct "i32 len = len_of(buf); ptr buf;"
  for _, call in ipairs { "ioctl", "ioctl_buf" } do
    local specs = call == "ioctl_buf" and {} or nil
    local ret, v = agent[call](agent, fd, const.SIOCGIFCONF, ifconf { buf = out(400) }, specs)
    assert_eq({ 0, 400 }, { ret, #v.buf })
    assert(v.len % 40 == 0, v.len)
  end
  local ret, n = agent:ioctl(fd, const.FIONREAD, struct "i32 n;" { n = 7 })
  assert_eq({ 0, 0 }, { ret, n.n })
  agent:syscall("close", fd)
end)

test("a call that never returns gives nil for each value, then how it ended", function()
  local exit = table.pack(agent:syscall("exit", 3, pair {}, out(4)))
  assert_eq({ n = 4, nil, nil, nil, { what = "exited", status = 3, fresh = true } }, exit)
end)

test("a value may be used again; a returned one too", function()
  local fd = memfd "abcdef"
  local v = pair { v = { { base = out(2) }, { base = out(1) } } }
  local _, first = agent:syscall("readv", fd, v, 2)
  local _, second = agent:syscall("readv", fd, v, 2)
  assert_eq({ "ab", "c", "de", "f" }, { first.v[1].base, first.v[2].base, second.v[1].base, second.v[2].base })
  local ret, third = agent:syscall("preadv", fd, first, 2, 3, 0)
  assert_eq({ 3, "de", "f" }, { ret, third.v[1].base, third.v[2].base })
  agent:syscall("close", fd)
end)

test("malformed calls raise as any others do, with the script's line", function()
  local v = pair {}
  for expected, fn in pairs {
    ["syscall: a0: integer expected, got table"] = function() agent:syscall("readv", {}, v, 2) end,
    ["syscall: a0: integer expected, got string"] = function() agent:syscall("readv", "3", v, 2) end,
    ["syscall: arguments: 7 given, a system call takes at most 6"] = function()
      agent:syscall(39, v, 0, 0, 0, 0, 0, 0)
    end,
    ['has no system call "readvv" (did you mean readv'] = function() agent:syscall("readvv", 0, v, 2) end,
    ["syscall_buf: idx: 6 is not an argument index (0 to 5)"] = function() agent:syscall_buf(39, 6, v) end,
    ['syscall_bufs: bufs: key "x" is not an argument index (0 to 5)'] = function()
      agent:syscall_bufs(39, { x = v })
    end,
    ["syscall_bufs: bufs[6]: 6 is not an argument index (0 to 5)"] = function() agent:syscall_bufs(39, { [6] = v }) end,
    ["syscall_ptr: ptrs: table expected, got number"] = function() agent:syscall_ptr(39, { v }, 5) end,
    ["syscall_ptr: ptrs[1].ofset: unknown key"] = function()
      agent:syscall_ptr(39, { v }, { { ofset = 1, data = v } })
    end,
    ["ioctl: fd: integer expected, got string"] = function() agent:ioctl("3", 0, v) end,
    ["a0.next.n: integer expected, got boolean"] = function() agent:syscall(39, node { next = { n = true } }) end,
  } do
    local ok, err = pcall(fn)
    assert_eq(false, ok)
    assert_contains(err, expected)
    assert(err:find("struct_calls.lua:", 1, true), err)
  end
  raises("syscall: not called on a VM", agent.syscall, io.stdout, 39, v)
  assert_eq("integer", math.type(agent:syscall "getpid"))
end)
