-- SPDX-License-Identifier: MIT
-- process_vm_readv and process_vm_writev: two arrays of pointers in one call, and how far a copy comes.
local provium = require "provium"
local case = require "case"
local struct, out, errno = provium.struct, provium.out, provium.errno

local vm, see = case.open "process_vm_readv"
local pid = vm:syscall "getpid"
local iovec = struct "struct iovec { ptr base; size_t len = len_of(base); };"
local two = struct("struct iovec v[2];", { iovec })

-- Copy between two pieces here and two there; returns what came back of both arrays.
local function copy(label, call, here, there, flags)
  local ret, local_back, remote_back = vm:syscall(call, pid, two { v = here }, 2, two { v = there }, 2, flags or 0)
  see(label, ret, two:pack(local_back), two:pack(remote_back))
  return ret, local_back.v, remote_back.v
end

test("bytes travel from one array to the other, whatever the pieces", function()
  local ret, here = copy("read", "process_vm_readv",
    { { base = out(3) }, { base = out(9) } }, { { base = "hello " }, { base = "world!" } })
  assert_eq({ 12, "hel", "lo world!" }, { ret, here[1].base, here[2].base })
  see("read bytes", 0, here[1].base, here[2].base)
  local written, _, there = copy("write", "process_vm_writev",
    { { base = "abcd" }, { base = "efgh" } }, { { base = out(1) }, { base = out(7) } })
  assert_eq({ 8, "a", "bcdefgh" }, { written, there[1].base, there[2].base })
  see("written bytes", 0, there[1].base, there[2].base)
end)

test("a remote piece that is not there ends the copy: what came before counts", function()
  local ret, here = copy("second is bad", "process_vm_readv",
    { { base = out(3) }, { base = out(9) } }, { { base = "hello " }, { base = 0, len = 6 } })
  assert_eq({ 6, "hel", "lo " .. ("\0"):rep(6) }, { ret, here[1].base, here[2].base })
  assert_eq(-errno.EFAULT, (copy("first is bad", "process_vm_readv",
    { { base = out(3) }, {} }, { { base = 0, len = 6 }, { base = "hello " } })))
end)

test("flags, counts, and a process that is not there", function()
  assert_eq(-errno.EINVAL, (copy("flags", "process_vm_readv", {}, {}, 1)))
  assert_eq(0, (copy("nothing", "process_vm_readv", {}, {})))
  assert_eq(-errno.ESRCH, (see("no process", (vm:syscall("process_vm_readv", 0x7fffffff,
    two { v = { { base = out(3) } } }, 1, two { v = { { base = "abc" } } }, 1, 0)))))
end)

-- the addresses in both arrays
local addresses = { { 1, 0, 8, 16 }, { 2, 0, 8, 16 } }
case.compare {
  read = addresses, write = addresses, ["second is bad"] = addresses, ["first is bad"] = addresses,
}
