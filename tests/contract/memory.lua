-- SPDX-License-Identifier: MIT
-- Sizes, directions, guards, alignment, lists, the table form: what buffers may say beyond a string.
local linux = require "linux"
local provium = require "provium"
local zeros = linux.zeros

return function(target)
  local getpid, write, pread64, readv, writev = linux.getpid, linux.write, linux.pread64, linux.readv, linux.writev
  local fd = linux.memfd(target, "0123456789abcdef")

  -- the address of a buffer: it stands in another one
  local function address(buffer)
    buffer.buf_idx, buffer.ptr_offset = 0, 0
    local _, holder = target:syscall_ptr(getpid, { [0] = 8 }, { buffer })
    return linux.address(holder, 0)
  end

  test("sizes: an integer is so many zero bytes, which come back", function()
    assert_eq({ 4, "0123\0" }, { target:syscall_bufs(pread64, { 5 }, fd, 0, 4, 0) })
    assert_eq({ 4, "0123\0" }, { target:syscall_buf(pread64, 1, 5, fd, 0, 4, 0) })
    assert_eq({ 3, "012\0" }, { target:syscall_bufs(pread64, { { len = 4 } }, fd, 0, 3, 0) })
  end)

  test("tables: data and len, as in specs", function()
    assert_eq({ 2, "01cd\0" }, { target:syscall_bufs(pread64, { { data = "abcd", len = 5 } }, fd, 0, 2, 0) })
    assert_eq({ 2, "01cd" }, { target:syscall_bufs(pread64, { { data = "abcd" } }, fd, 0, 2, 0) })
    assert_eq({ 2, "01\0" }, { target:syscall_bufs(pread64, { { data = "", len = 3 } }, fd, 0, 2, 0) })
  end)

  test("dir: nil stands where nothing comes back, so that positions never shift", function()
    local all = table.pack(target:syscall_bufs(getpid,
      { [0] = { data = "a", dir = "in" }, [1] = "b", [2] = { len = 3, dir = "none" }, [3] = { len = 1, dir = "out" },
        [4] = { data = "c", dir = "inout" } }))
    assert_eq(6, all.n)
    assert_eq({ nil, "b", nil, "\0", "c" }, { table.unpack(all, 2, 6) })
  end)

  test("dir: in specs it returns, or keeps the place of an output", function()
    local all = table.pack(target:syscall_ptr(getpid, { [0] = { len = 8, dir = "none" } }, {
      { buf_idx = 0, ptr_offset = 0, data = "a", dir = "in" },
      { buf_idx = 0, ptr_offset = 0, data = "b", dir = "in", output = true },
      { buf_idx = 0, ptr_offset = 0, data = "c", dir = "inout" },
      { buf_idx = 0, ptr_offset = 0, data_len = 2, dir = "out" },
      { buf_idx = 0, ptr_offset = 0, data_len = 2, dir = "none" },
      { buf_idx = 0, ptr_offset = 0, data = "d", output = true },
    }))
    assert_eq(6, all.n)
    assert_eq({ nil, nil, "c", "\0\0", "d" }, { table.unpack(all, 2, 6) })
  end)

  test("dir: what only goes in is not written back, what only comes out is zero at first", function()
    local all = table.pack(target:syscall_bufs(pread64, { { data = "....", dir = "in" } }, fd, 0, 4, 0))
    assert_eq({ 2, 4 }, { all.n, all[1] })
    assert_eq("01\0\0", (select(2, target:syscall_bufs(pread64, { { len = 4, dir = "out" } }, fd, 0, 2, 0))))
  end)

  test("guard start: the buffer begins a page, and what is in front of it is EFAULT", function()
    assert_eq(0, address { data_len = 5, guard = "start" } & 4095)
    local iovec = provium.pack("u64 u64", 0, 1)
    local function read_at(plus, guard)
      return (target:syscall_ptr(writev, { [1] = iovec },
        { { buf_idx = 1, ptr_offset = 0, data = "abc", guard = guard, plus = plus } }, fd, 0, 1))
    end
    local file = fd
    fd = linux.memfd(target)
    assert_eq({ 1, linux.EFAULT, 1 }, { read_at(0, "start"), read_at(-1, "start"), read_at(3, "start") })
    assert_eq({ 1, linux.EFAULT, 1 }, { read_at(0, "end"), read_at(3, "end"), read_at(-1, "end") })
    assert_eq({ linux.EFAULT, 1, linux.EFAULT }, { read_at(3, "both"), read_at(-1, "both"), read_at(-4096, "both") })
    assert_eq({ 1, 1, 1 }, { read_at(0, "none"), read_at(-64, "none"), read_at(3 + 63, "none") })
    target:syscall(linux.close, fd)
    fd = file
  end)

  test("guard both: whole pages have one at each side, and large buffers too", function()
    local memfd = linux.memfd(target)
    for _, len in ipairs { 4096, 3 * 4096, 5 * 4096 } do
      for _, plus in ipairs { -1, 0, len - 1, len } do
        local ret = target:syscall_ptr(writev, { [1] = provium.pack("u64 u64", 0, 1) },
          { { buf_idx = 1, ptr_offset = 0, data_len = len, guard = "both", plus = plus } }, memfd, 0, 1)
        assert_eq((plus < 0 or plus >= len) and linux.EFAULT or 1, ret, len .. " bytes, at " .. plus)
      end
    end
    target:syscall(linux.close, memfd)
  end)

  test("align: the address is a multiple, with every guard and length", function()
    for _, guard in ipairs { "end", "start", "both", "none" } do
      for _, align in ipairs { 1, 8, 64, 4096, 65536, 1 << 20 } do
        for _, len in ipairs { 0, 1, 5, 4097 } do
          assert_eq(0, address { data_len = len, guard = guard, align = align } & (align - 1),
            ("%s %d %d"):format(guard, align, len))
        end
      end
    end
  end)

  test("guard none: the address is aligned as without it", function()
    for len = 1, 70 do
      assert_eq(0, address { data_len = len, guard = "none" } & ((len & -len) - 1), len)
    end
  end)

  test("low: the address is below 4 GiB, and four bytes hold it", function()
    assert(math.ult(address { data_len = 5, low = true }, 1 << 32))
    local _, holder = target:syscall_ptr(getpid, { [0] = ("\xff"):rep(16) }, {
      { buf_idx = 0, ptr_offset = 4, data = "x", width = 4 },
      { buf_idx = 0, ptr_offset = 8, same = 1, width = 8 },
    })
    local low, all = provium.unpack("u32 u64", holder:sub(5))
    assert_eq({ all, "\xff\xff\xff\xff" }, { low, holder:sub(1, 4) })
  end)

  test("damage: what is written into the slack is a last value, with its place", function()
    local ret, out, how = target:syscall_bufs(pread64, { { len = 5, align = 16 } }, fd, 0, 8, 0)
    assert_eq({ 8, "01234" }, { ret, out })
    assert_eq({ what = "damaged", { buf = 1, offset = 5, len = 3 } }, how)
    assert_eq(2, select("#", target:syscall_bufs(pread64, { { len = 5, align = 16 } }, fd, 0, 5, 0)))
    assert_eq(5, (target:syscall_bufs(pread64, { 5 }, fd, 0, 8, 0)), "without slack the kernel stops at its end")
  end)

  test("damage: in front of a buffer, and of a spec", function()
    local _, _, how = target:syscall_ptr(readv, { [1] = provium.pack("u64 u64", 0, 4) },
      { { buf_idx = 1, ptr_offset = 0, data_len = 8, guard = "none", plus = -4 } },
      (target:syscall(linux.lseek, fd, 0, 0) == 0) and fd or -1, 0, 1)
    assert_eq({ what = "damaged", { ptr = 1, offset = -4, len = 4 } }, how)
  end)

  test("iovec: one line, and a list comes back", function()
    local memfd = linux.memfd(target)
    assert_eq(11, (target:syscall_bufs(writev, { { iovec = { "hello", " ", "world" } } }, memfd, 0, 3)))
    target:syscall(linux.lseek, memfd, 0, 0)
    local ret, parts = target:syscall_bufs(readv, { { iovec = { 3, { data = "......" }, 4 } } }, memfd, 0, 3)
    assert_eq({ 11, { "hel", "lo wor", "ld\0\0" } }, { ret, parts })
    target:syscall(linux.close, memfd)
  end)

  test("iovec: inside a struct, beside other outputs and lists", function()
    local _, pair = target:syscall_buf(53, 3, 8, 1, 2, 0) -- socketpair
    local near, far = provium.unpack("i32 i32", pair)
    local function msghdr(count)
      return provium.pack("u64 u32 u32 u64 u64 u64 u64 u32 u32", 0, 0, 0, 0, count, 0, 0, 0, 0)
    end
    local sent = target:syscall_ptr(46, { [1] = msghdr(2) },
      { { buf_idx = 1, ptr_offset = 16, iovec = { "ab", "cde" } } }, near, 0, 0)
    assert_eq(5, sent)
    local ret, header, first, list, last = target:syscall_ptr(47, { [1] = msghdr(2) }, {
      { buf_idx = 1, ptr_offset = 0, data = "f", output = true },
      { buf_idx = 1, ptr_offset = 16, iovec = { 1, 10 }, output = true },
      { buf_idx = 1, ptr_offset = 0, null = true },
      { buf_idx = 1, ptr_offset = 32, data = "l", output = true },
    }, far, 0, 0)
    assert_eq({ 5, 56, "f", { "a", "bcde" .. zeros(6) }, "l" }, { ret, #header, first, list, last })
    target:syscall(linux.close, near)
    target:syscall(linux.close, far)
  end)

  test("iovec: 8,000 elements in one call", function()
    local memfd, parts = linux.memfd(target), {}
    for i = 1, 1000 do
      parts[i] = tostring(i)
    end
    assert_eq(#table.concat(parts), (target:syscall_bufs(writev, { { iovec = parts } }, memfd, 0, 1000)))
    for i = 1, 8000 do
      parts[i] = 1
    end
    local _, list = target:syscall_bufs(getpid, { { iovec = parts } })
    assert_eq(8000, #list)
    target:syscall(linux.close, memfd)
  end)

  test("argv: strings with their zeros, and NULL behind them", function()
    local program = linux.memfd(target, linux.exit_program(7))
    local ret, path, argv, envp, how = target:syscall_bufs(linux.execveat,
      { [1] = "\0", [2] = { argv = { "name", "-x", "" } }, [3] = { argv = {} } }, program, 0, 0, 0, 0x1000)
    assert_eq({ nil, nil, nil, nil }, { ret, path, argv, envp })
    assert_eq({ "execed", 7 }, { how.what, how.status })
    fd = linux.memfd(target, "0123456789abcdef") -- in the fresh executor
  end)

  test("call: the table form has the contract's outputs in a list", function()
    local r = target:call { nr = pread64, args = { fd, 0, 4, 0 }, bufs = { 6 } }
    assert_eq({ 4, { "0123\0\0", n = 1 } }, { r.ret, r.outs })
    assert(r.errno == nil and r.errname == nil and r.ended == nil and r.changed == nil)
    assert(math.type(r.elapsed_ns) == "integer" and r.elapsed_ns >= 0)
    r = target:call { nr = getpid, bufs = { [0] = { data = "x", dir = "in" }, [1] = "y" } }
    assert_eq({ nil, "y", n = 2 }, r.outs)
  end)

  test("call: a failure has its number and its name", function()
    local r = target:call { nr = linux.close, args = { 999 } }
    assert_eq({ -9, 9, "EBADF", { n = 0 } }, { r.ret, r.errno, r.errname, r.outs })
  end)

  test("call: a name is a number", function()
    local r = target:call { nr = "ioctl", args = { 999, 0, 0 } }
    assert_eq("EBADF", r.errname)
  end)

  test("call: elapsed_ns is the time of the system call", function()
    local r = target:call { nr = 35, bufs = { [0] = provium.pack("u64 u64", 0, 20000000) } } -- nanosleep
    assert(r.elapsed_ns >= 20000000)
  end)

  test("call: changed has the bytes that are not what they were, of every buffer", function()
    local r = target:call { nr = pread64, args = { fd, 0, 8, 0 }, bufs = { { data = "0.2..567", dir = "in" } }, changed = true }
    assert_eq({ 8, { { buf = 1, offset = 1, len = 1 }, { buf = 1, offset = 3, len = 2 } } }, { r.ret, r.changed })
    target:syscall(linux.lseek, fd, 0, 0)
    r = target:call { nr = readv, args = { fd, 0, 2 }, bufs = { provium.pack("u64 u64 u64 u64", 0, 2, 0, 3) }, ptrs = {
      { buf_idx = 1, ptr_offset = 0, data_len = 2 }, { buf_idx = 1, ptr_offset = 16, data = "...." },
    }, changed = true }
    assert_eq({ 5, { { ptr = 1, offset = 0, len = 2 }, { ptr = 2, offset = 0, len = 3 } } }, { r.ret, r.changed })
    assert_eq({}, target:call { nr = getpid, bufs = { "x" }, changed = true }.changed)
  end)

  test("call: changed in 16 MiB finds one byte", function()
    local len = 16 << 20
    local r = target:call { nr = pread64, args = { fd, 0, 1, 9 }, bufs = { { len = len, dir = "none" } }, changed = true }
    assert_eq({ 1, { { buf = 1, offset = 0, len = 1 } } }, { r.ret, r.changed })
  end)

  test("call: a call that never returns says how it ended", function()
    local r = target:call { nr = linux.exit, args = { 7 }, bufs = { [5] = "x" } }
    assert_eq({ nil, "exited", 7, { n = 1 } }, { r.ret, r.ended.what, r.ended.status, r.outs })
    fd = linux.memfd(target, "0123456789abcdef")
  end)

  test("call: a timeout is a result, and the session goes on", function()
    local r = target:call { nr = 35, args = { 0, 0 }, bufs = { [0] = provium.pack("u64 u64", 0, 300000000) },
      timeout = "50ms" }
    assert_eq({ true, nil, { n = 0 } }, { r.timed_out, r.ret, r.outs })
    assert(target:call { nr = getpid }.ret > 0)
  end)

  target:syscall(linux.close, fd)
end
