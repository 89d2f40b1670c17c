-- SPDX-License-Identifier: MIT
-- provium.sys, provium.errno, provium.const, and names in the place of nr.
local provium = require "provium"
local sys, errno, const = provium.sys, provium.errno, provium.const

local program = os.getenv "PROVIUM_TEST_AGENT" or (os.getenv "B" or "build") .. "/provium-agent"
local agent <close> = provium.attach { exec = { program, "--execute-here" } }
local arch = agent:info().arch

local function raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  assert_eq(false, ok)
  assert_contains(err, text)
end

local function get(t, name)
  return t[name]
end

test("numbers of system calls, by architecture", function()
  assert_eq({ 437, 437, 1, 257, 56 },
    { sys.openat2, sys.aarch64.openat2, sys.x86_64.write, sys.openat, sys.aarch64.openat })
  assert_eq(agent:syscall(39), agent:syscall(sys[arch].getpid))
end)

test("names that only one architecture has", function()
  assert_eq(2, sys.open)
  raises('sys.aarch64: no "open" (did you mean ', get, sys.aarch64, "open")
  assert_eq({ 65536, 16384 }, { const.O_DIRECTORY, const.aarch64.O_DIRECTORY })
end)

test("errors, both ways", function()
  assert_eq({ 13, "EACCES", "EACCES" }, { errno.EACCES, errno[13], errno[-13] })
  assert_eq("EAGAIN", errno[errno.EWOULDBLOCK], "of two names the one that is defined by a number")
  assert_eq({ "EACCES", "errno 4095" }, { errno.name(-13), errno.name(-4095) })
end)

test("errno.name: a success has none, even one that is the number of an error", function()
  for _, ret in ipairs { 0, 13, math.maxinteger, math.mininteger, -4096 } do
    assert_eq(nil, errno.name(ret))
  end
  raises("errno.name: what a call returned expected, got nil", errno.name, nil)
  raises("errno.name: what a call returned expected, got string", errno.name, "-13")
end)

test("constants: macros, enumerators, ioctls with sizes, pointers, the C library's", function()
  assert_eq({ 64, -100, 5, 1, 2148012658, 0x8912, 0x80086601, 1, -1, 1, 2, 1, 0x8000, 4 }, {
    const.O_CREAT, const.AT_FDCWD, const.BPF_PROG_LOAD, const.IORING_OP_READV, const.BLKGETSIZE64, const.SIOCGIFCONF,
    const.FS_IOC_GETFLAGS, const.SIG_IGN, const.SIG_ERR, const.SOCK_STREAM, const.AF_INET, const.SCM_RIGHTS,
    const.S_IFREG, const.DT_DIR,
  })
end)

test("64 bits, exactly", function()
  assert_eq({ 0xfffff << 32, 9223372036854775807, math.mininteger, 0xffffffff },
    { const.BPF_F_CTXLEN_MASK, const.INT64_MAX, const.INT64_MIN, const.INADDR_BROADCAST })
end)

test("a name that is not there raises, with names that are near", function()
  raises('sys: no "openta2" (did you mean openat2', get, sys, "openta2")
  raises('const: no "O_CREATE" (did you mean O_CREAT', get, const, "O_CREATE")
  raises('errno: no "eacces" (did you mean EACCES?)', get, errno, "eacces")
  raises('const: no "EACCES" (there is provium.errno.EACCES)', get, const, "EACCES")
  raises('const: no "PERF_COUNT_HW_CPU_CYC" (did you mean PERF_COUNT_HW_CPU_CYCLES', get, const, "PERF_COUNT_HW_CPU_CYC")
  raises('sys: no "sparc64x"', get, sys, "sparc64x")
  raises("errno: no error has the number 4000", get, errno, 4000)
  raises("sys: a name expected, got number", get, sys, 5)
  raises("const: a name expected, got nil", function() return const[nil] end)
  for _, odd in ipairs { "", " ", "openat ", "openat 257", "a\nb", "a\0b", ("x"):rep(1000), "\n" } do
    raises(("sys: no %q"):format(odd), get, sys, odd)
  end
end)

test("every name there is can be iterated and looked up", function()
  for kind, least in pairs { sys = 300, errno = 130, const = 5000 } do
    for _, t in ipairs { provium[kind], provium[kind].x86_64 } do
      local count = 0
      for name, value in pairs(t) do
        assert(math.type(value) == "integer" and t[name] == value, name)
        count = count + 1
      end
      assert(count > least, count)
    end
  end
end)

test("the tables are not to be written to", function()
  raises("const: O_CREAT is not to be set", function() const.O_CREAT = 1 end)
  assert_eq(false, getmetatable(sys))
end)

test("nr may be a name, in every call that takes one", function()
  local pid = agent:syscall(sys[arch].getpid)
  assert_eq(pid, agent:syscall "getpid")
  assert_eq(pid, (agent:syscall_buf("getpid", 0, "x")))
  assert_eq(pid, (agent:syscall_bufs("getpid", { [0] = "x" })))
  assert_eq(pid, (agent:syscall_ptr("getpid", { [0] = ("\0"):rep(8) }, { { buf_idx = 0, ptr_offset = 0, data = "x" } })))
end)

test("nr: a name that is not there raises, and nothing is executed", function()
  raises(('syscall: nr: %s has no system call "getpidd" (did you mean getpid'):format(arch),
    function() agent:syscall "getpidd" end)
  raises("syscall_buf: nr: ", agent.syscall_buf, agent, "no_such_call", 0, "x")
  raises("syscall: nr: integer expected, got string", agent.syscall, agent, "39")
  raises("syscall: the VM is not booted yet", provium.create().syscall, provium.create(), "getpid")
end)
