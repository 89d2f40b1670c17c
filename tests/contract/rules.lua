-- SPDX-License-Identifier: MIT
-- The rules of the Lua calls, one by one, on any target: a VM or an agent on this machine.
local provium = require "provium"
local linux = require "linux"
local zeros, memfd, content = linux.zeros, linux.memfd, linux.content

local function returned(...)
  return { n = select("#", ...), ... }
end

-- ---- what each call returns ----

local function returns(target)
  test("returns: syscall gives ret and nothing else", function()
    local all = returned(target:syscall(linux.getppid))
    assert_eq(1, all.n)
    assert_eq("integer", math.type(all[1]))
  end)

  test("returns: syscall_buf gives ret, then the buffer", function()
    local fd = memfd(target, "abc")
    local all = returned(target:syscall_buf(linux.pread64, 1, "xxxxx", fd, 0, 5, 0))
    assert_eq({ n = 2, 3, "abcxx" }, all)
    target:syscall(linux.close, fd)
  end)

  test("returns: syscall_bufs gives every buffer in ascending argument index", function()
    local all = returned(target:syscall_bufs(linux.getppid, { [5] = "f", [0] = "a", [3] = "d", [2] = "", [1] = "b" }))
    all[1] = nil
    assert_eq({ n = 6, [2] = "a", [3] = "b", [4] = "", [5] = "d", [6] = "f" }, all)
  end)

  test("returns: syscall_ptr gives ret, buffers by index, then outputs in spec order", function()
    local all = returned(target:syscall_ptr(linux.getppid, { [4] = "four four", [1] = zeros(16) }, {
      { buf_idx = 1, ptr_offset = 8, data = "second", output = true },
      { buf_idx = 1, ptr_offset = 0, data = "hidden" },
      { buf_idx = 4, ptr_offset = 0, data = "third", output = true },
    }))
    assert_eq(5, all.n)
    assert_eq(16, #all[2])
    assert_eq("r", all[3]:sub(9))
    assert_eq({ "second", "third" }, { all[4], all[5] })
  end)

  test("returns: a failure is the raw negative value, and outputs come back too", function()
    assert_eq({ n = 2, linux.EBADF, "abc" }, returned(target:syscall_buf(linux.write, 1, "abc", -1, 0, 3)))
    assert_eq(linux.ENOSYS, target:syscall(100000))
    assert_eq(linux.ENOSYS, target:syscall(-5))
  end)
end

-- ---- ioctl ----

local FIONREAD, TCGETS, FIOASYNC = 0x541b, 0x5401, 0x5452
local write_only, read_only = 0x40085400, 0x80085400 -- _IOW and _IOR of eight bytes that no driver knows

local function ioctls(target)
  local _, pipe = target:syscall_buf(linux.pipe2, 0, zeros(8))
  local reader, writer = provium.unpack("i32 i32", pipe)
  target:syscall_buf(linux.write, 1, "12345", writer, 0, 5)

  test("ioctl: a string is a buffer, and comes back when cmd has no direction", function()
    local ret, out = target:ioctl(reader, FIONREAD, zeros(4))
    assert_eq({ 0, 5 }, { ret, provium.unpack("i32", out) })
  end)

  test("ioctl: an integer is passed by value, and so is nothing", function()
    assert_eq({ n = 2, linux.EFAULT, nil }, returned(target:ioctl(reader, FIOASYNC, 1)))
    assert_eq({ n = 2, linux.EFAULT, nil }, returned(target:ioctl(reader, FIOASYNC)))
  end)

  test("ioctl: the size and the direction in cmd", function()
    assert_eq({ n = 2, linux.ENOTTY, "x" .. zeros(7) }, returned(target:ioctl(reader, read_only, "x")))
    local long = "longer than eight"
    assert_eq({ n = 2, linux.ENOTTY, long }, returned(target:ioctl(reader, read_only, long)))
    assert_eq({ n = 2, linux.ENOTTY, nil }, returned(target:ioctl(reader, write_only, "x")))
    assert_eq({ n = 2, linux.EBADF, nil }, returned(target:ioctl(-1, TCGETS)))
  end)

  test("ioctl_buf: the struct, then the outputs", function()
    local all = returned(target:ioctl_buf(reader, read_only, zeros(16), {
      { ptr_offset = 0, buf_len = 4, data = "ab", output = true },
      { ptr_offset = 8, data_len = 2 },
    }))
    assert_eq({ 3, linux.ENOTTY, "ab\0\0" }, { all.n, all[1], all[3] })
    assert(linux.address(all[2], 0) ~= 0 and linux.address(all[2], 8) ~= 0)
  end)

  test("ioctl_buf: the struct is nil when cmd only writes, and extended to the size in cmd", function()
    local all = returned(target:ioctl_buf(reader, write_only, "", { { ptr_offset = 0, data = "xy", output = true } }))
    assert_eq({ n = 3, linux.ENOTTY, nil, "xy" }, all)
  end)

  target:syscall(linux.close, reader)
  target:syscall(linux.close, writer)
end

-- ---- rules 1 to 6 ----

local function buffers(target)
  test("rule 1: the key is the argument index; a plain list means argument 1", function()
    local fd = memfd(target)
    assert_eq(5, (target:syscall_bufs(linux.write, { "hello" }, fd, 0, 5)))
    assert_eq("hello", content(target, fd, 9))
    target:syscall(linux.close, fd)
  end)

  test("rule 1: a float key with an integral value is that index", function()
    local fd = memfd(target)
    assert_eq(2, (target:syscall_bufs(linux.write, { [1.0] = "hi" }, fd, 0, 2)))
    target:syscall(linux.close, fd)
  end)

  test("rule 2: the list holds a placeholder for every buffer", function()
    local dir = target:syscall_bufs(linux.openat, { [1] = "/proc/self\0" }, -100, 0, 0x10000, 0)
    local fd = target:syscall_bufs(linux.openat, { [1] = "comm\0" }, dir, 0, 0, 0)
    assert(fd > dir and dir >= 3, fd)
    target:syscall(linux.close, fd)
    target:syscall(linux.close, dir)
  end)

  test("rule 2: missing arguments are 0", function()
    local fd = memfd(target, "abc")
    assert_eq({ 3, "abc" }, { target:syscall_bufs(linux.pread64, { [1] = zeros(3) }, fd, 0, 3) })
    assert_eq(0, (target:syscall(linux.lseek, fd)))
    target:syscall(linux.close, fd)
  end)

  test("rule 2: a buffer beyond the list extends it, and nothing is compacted", function()
    local RLIMIT_NOFILE = 7
    local ret, old = target:syscall_bufs(linux.prlimit64, { [3] = zeros(16) }, 0, RLIMIT_NOFILE)
    assert_eq(0, ret)
    assert(provium.unpack("u64", old) > 0)
    assert_eq(0, (target:syscall_bufs(linux.pipe2, { [0] = zeros(8) })))
  end)

  test("rule 2: the placeholder of a buffer may hold anything", function()
    local fd = memfd(target)
    assert_eq(2, (target:syscall_bufs(linux.write, { [1] = "hi" }, fd, -77, 2)))
    target:syscall(linux.close, fd)
  end)
end

-- writev of one element whose pointer a spec fills in; returns what arrived in the file.
local function written(target, len, specs, iovec)
  local fd = memfd(target)
  local ret = target:syscall_ptr(linux.writev, { [1] = iovec or provium.pack("u64 u64", 0, len) }, specs, fd, 0, 1)
  local result = content(target, fd, 64)
  target:syscall(linux.close, fd)
  return result, ret
end

local function pointers(target)
  test("rule 3: buf_idx is a key of bufs, not an ordinal", function()
    assert_eq("payload", (written(target, 7, { { buf_idx = 1, ptr_offset = 0, data = "payload" } })))
  end)

  test("rule 3: the pointer is eight bytes at any alignment", function()
    for offset = 0, 9 do
      local _, out = target:syscall_ptr(linux.getppid, { [0] = ("\xee"):rep(17) },
        { { buf_idx = 0, ptr_offset = offset, data = "x" } })
      assert_eq(("\xee"):rep(offset), out:sub(1, offset))
      assert_eq(("\xee"):rep(9 - offset), out:sub(offset + 9))
      assert_eq(0, linux.address(out, offset) >> 47)
    end
    local odd = provium.pack("u64 u64 u8", 0, 3, 0) -- 17 bytes at the end of a page: an odd address
    assert_eq("odd", (written(target, 3, { { buf_idx = 1, ptr_offset = 0, data = "odd" } }, odd)))
  end)

  test("rule 3: of two specs at one place the later wins", function()
    assert_eq("later", (written(target, 5, {
      { buf_idx = 1, ptr_offset = 0, data = "first" },
      { buf_idx = 1, ptr_offset = 0, data = "later" },
    })))
  end)

  test("rule 4: data shorter than data_len leaves zeros behind it", function()
    assert_eq("ab\0\0\0\0\0\0", (written(target, 8, { { buf_idx = 1, ptr_offset = 0, data = "ab", data_len = 8 } })))
    assert_eq(zeros(8), (written(target, 8, { { buf_idx = 1, ptr_offset = 0, data_len = 8 } })))
  end)

  test("rule 4: data_len left out means #data", function()
    local _, ret = written(target, 5, { { buf_idx = 1, ptr_offset = 0, data = "four" } })
    assert(ret < 5, "a fifth byte is there")
    assert_eq("four", (written(target, 4, { { buf_idx = 1, ptr_offset = 0, data = "four" } })))
  end)

  test("rule 4: output with data returns the memory after the call", function()
    local fd = memfd(target, "NEW")
    target:syscall(linux.lseek, fd, 0, 0)
    local ret, _, out = target:syscall_ptr(linux.readv, { [1] = provium.pack("u64 u64", 0, 6) },
      { { buf_idx = 1, ptr_offset = 0, data = "before", output = true } }, fd, 0, 1)
    assert_eq({ 3, "NEWore" }, { ret, out })
    target:syscall(linux.close, fd)
  end)

  test("rule 4: a zero-length buffer is a valid address with nothing behind it", function()
    local fd = memfd(target)
    local all = returned(target:syscall_ptr(linux.writev, { [1] = provium.pack("u64 u64", 0, 0) },
      { { buf_idx = 1, ptr_offset = 0, data = "", output = true } }, fd, 0, 1))
    assert_eq({ 0, "" }, { all[1], all[3] })
    assert(linux.address(all[2], 0) ~= 0)
    assert_eq({ 0, "" }, { target:syscall_buf(linux.write, 1, "", fd, 0, 0) })
    assert_eq({ linux.EFAULT, "" }, { target:syscall_buf(linux.write, 1, "", fd, 0, 1) })
    target:syscall(linux.close, fd)
  end)

  test("rule 5: only specs with output = true come back", function()
    local all = returned(target:syscall_ptr(1023, { [0] = zeros(24) },
      { { buf_idx = 0, ptr_offset = 8, data_len = 4, data = "sd..", output = false } }, 0))
    assert_eq(2, all.n)
    assert_eq(linux.ENOSYS, all[1])
  end)

  test("rule 6: a returned buffer holds the patched addresses", function()
    local before = provium.pack("u32 i32 u64 u32 u32", 96, 3, 0, 4, 1)
    local _, after = target:syscall_ptr(1023, { [0] = before }, { { buf_idx = 0, ptr_offset = 8, data = "desc" } }, 0)
    assert_eq(before:sub(1, 8), after:sub(1, 8))
    assert_eq(before:sub(17), after:sub(17))
    assert(linux.address(after, 8) ~= 0)
  end)

  test("pointers of several buffers and a list without specs", function()
    local _, a, b = target:syscall_ptr(linux.getppid, { [0] = zeros(8), [5] = zeros(8) },
      { { buf_idx = 5, ptr_offset = 0, data = "x" } })
    assert_eq(zeros(8), a)
    assert(b ~= zeros(8))
    assert_eq({ n = 1, (target:syscall(linux.getppid)) }, returned(target:syscall_ptr(linux.getppid, {}, {})))
  end)
end

-- ---- rules 8 to 11 ----

local function values(target)
  test("rule 8: 64 bits, exactly", function()
    local fd = memfd(target)
    for _, offset in ipairs { 2 ^ 53 // 1 | 1, math.maxinteger, 0x0123456789abcdef } do
      assert_eq(offset, target:syscall(linux.lseek, fd, offset, 0))
    end
    assert_eq(-1, 0xffffffffffffffff)
    assert_eq(linux.EBADF, target:syscall(linux.close, 0xffffffffffffffff))
    target:syscall(linux.close, fd)
  end)

  test("rule 8: a large negative number may be a success", function()
    local fd = target:syscall_buf(linux.openat, 1, "/proc/self/mem\0", -100)
    local offset = 0xffff800000000001 | 0
    assert_eq(offset, target:syscall(linux.lseek, fd, offset, 0))
    target:syscall(linux.close, fd)
  end)

  test("rule 8: a float with an integral value is accepted everywhere", function()
    local fd = memfd(target)
    local ret = target:syscall_ptr(linux.writev + 0.0, { [1] = provium.pack("u64 u64", 0.0, 2.0) },
      { { buf_idx = 1.0, ptr_offset = 0.0, data = "hi", data_len = 2.0 } }, fd + 0.0, 0, 1.0)
    assert_eq(2, ret)
    target:syscall(linux.close, fd)
  end)

  test("rule 9: more than the negotiated limit is refused before anything is sent", function()
    local limit = target:info().memory_limit
    local ok, err = pcall(target.syscall_ptr, target, linux.getppid, { [0] = zeros(8) },
      { { buf_idx = 0, ptr_offset = 0, data_len = limit + 1 } })
    assert_eq(false, ok)
    assert_contains(err, "syscall_ptr: ")
    ok, err = pcall(target.syscall_ptr, target, linux.getppid, { [0] = zeros(8) },
      { { buf_idx = 0, ptr_offset = 0, data_len = math.maxinteger, output = true },
        { buf_idx = 0, ptr_offset = 0, data_len = math.maxinteger, output = true } })
    assert_eq(false, ok)
    assert_contains(err, "syscall_ptr: ")
    assert(target:syscall(linux.getppid) >= 0)
  end)

  test("rule 10: process, thread, descriptors and masks persist from call to call", function()
    local pid, tid = target:syscall(linux.getpid), target:syscall(linux.gettid)
    local fd = memfd(target, "kept")
    local old = target:syscall(linux.umask, 0x15)
    target:syscall_buf(linux.rt_sigprocmask, 1, provium.pack("u64", 1 << 9), 0, 0, 0, 8) -- block SIGUSR1
    assert_eq({ pid, tid }, { target:syscall(linux.getpid), target:syscall(linux.gettid) })
    assert_eq(0x15, target:syscall(linux.umask, old))
    local _, mask = target:syscall_buf(linux.rt_sigprocmask, 2, zeros(8), 0, 0, 0, 8)
    assert_eq(1 << 9, provium.unpack("u64", mask) & 1 << 9)
    assert_eq("kept", content(target, fd, 9))
    target:syscall(linux.close, fd)
  end)

  test("rule 10: nothing of an earlier buffer shows through", function()
    for _ = 1, 3 do
      target:syscall_buf(linux.getppid, 0, ("\xff"):rep(256))
      local _, _, out = target:syscall_ptr(linux.getppid, { [0] = zeros(8) },
        { { buf_idx = 0, ptr_offset = 0, data_len = 256, output = true } })
      assert_eq(zeros(256), out)
    end
  end)

  test("rule 11: a buffer ends at an unmapped page", function()
    local fd = memfd(target)
    for _, len in ipairs { 1, 7, 8, 100, 4095, 4096, 4097, 70000 } do
      assert_eq(len, (target:syscall_buf(linux.pwrite64, 1, ("x"):rep(len), fd, 0, len, 0)))
      local ret = target:syscall_buf(linux.pread64, 1, zeros(len), fd, 0, len, 0)
      assert_eq(len, ret)
    end
    assert_eq(linux.EFAULT, (target:syscall_buf(linux.pipe2, 0, zeros(7))))
    assert_eq(linux.EFAULT, (target:syscall_buf(linux.write, 1, "", fd, 0, 1)))
    target:syscall(linux.close, fd)
  end)

  test("rule 11: a path without its own zero is -14", function()
    assert_eq(linux.EFAULT, (target:syscall_buf(linux.openat, 1, "/proc", -100)))
    local fd = target:syscall_buf(linux.openat, 1, "/proc\0", -100)
    assert(fd >= 0, fd)
    target:syscall(linux.close, fd)
  end)

  test("rule 11: an address is aligned to the lowest set bit of the length", function()
    for _, len in ipairs { 1, 2, 3, 4, 6, 8, 12, 24, 96, 1024, 4096, 4100, 6144 } do
      local _, out = target:syscall_ptr(linux.getppid, { [0] = zeros(8) },
        { { buf_idx = 0, ptr_offset = 0, data_len = len } })
      assert_eq(0, linux.address(out, 0) % (len & -len), "length " .. len)
    end
  end)
end

-- ---- rule 12 ----

local function endings(target)
  local function ended(...)
    local all = returned(...)
    local how = all[all.n]
    for i = 1, all.n - 1 do
      assert_eq(nil, all[i])
    end
    return how, all.n
  end

  test("rule 12: exit gives nil, then how it ended; the next call works", function()
    local how, n = ended(target:syscall(linux.exit, 7))
    assert_eq({ what = "exited", status = 7, fresh = true }, how)
    assert_eq(2, n)
    assert(target:syscall(linux.getpid) > 0)
    assert_eq({ what = "exited", status = 3, fresh = true }, (ended(target:syscall(linux.exit_group, 0x103))))
  end)

  test("rule 12: nil stands in the place of every output", function()
    local _, n = ended(target:syscall_ptr(linux.exit, { [1] = zeros(8), [2] = "b" },
      { { buf_idx = 1, ptr_offset = 0, data = "x", output = true } }, 0))
    assert_eq(5, n)
    _, n = ended(target:syscall_buf(linux.exit, 3, "x", 0))
    assert_eq(3, n)
  end)

  test("rule 12: a fatal signal", function()
    local how = ended(target:syscall(linux.kill, target:syscall(linux.getpid), 9))
    assert_eq({ what = "killed", signal = 9, fresh = true }, how)
    assert(target:syscall(linux.getpid) > 0)
  end)

  test("rule 12: a successful execve gives the program's exit", function()
    local fd = memfd(target, linux.exit_program(42))
    local AT_EMPTY_PATH = 0x1000
    local how, n = ended(target:syscall_bufs(linux.execveat, { [1] = "\0" }, fd, 0, 0, 0, AT_EMPTY_PATH))
    assert_eq({ what = "execed", status = 42, fresh = true }, how)
    assert_eq(3, n)
    assert_eq(linux.EBADF, (target:syscall(linux.close, fd)))
  end)

  test("rule 12: a failed execve returns like any call", function()
    local fd = memfd(target, "no program")
    assert_eq({ -8, "\0" }, { target:syscall_bufs(linux.execveat, { [1] = "\0" }, fd, 0, 0, 0, 0x1000) })
    target:syscall(linux.close, fd)
  end)

  test("rule 12: descriptors and state start anew", function()
    local pid = target:syscall(linux.getpid)
    local fd = memfd(target)
    local mask = target:syscall(linux.umask, 0x7f)
    ended(target:syscall(linux.exit, 0))
    assert(pid ~= target:syscall(linux.getpid))
    assert_eq(linux.EBADF, target:syscall(linux.lseek, fd, 0, 0))
    assert_eq(mask, target:syscall(linux.umask, mask))
    assert_eq(3, memfd(target))
    target:syscall(linux.close, 3)
  end)
end

return function(target)
  returns(target)
  ioctls(target)
  buffers(target)
  pointers(target)
  values(target)
  endings(target)
end
