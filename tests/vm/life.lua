-- SPDX-License-Identifier: MIT
-- The life of a VM as a script sees it: boot, options, shutdown, kill, and guests that end.
local here = arg[0]:match "^(.*/)" or "./"
package.path = here .. "../contract/?.lua;" .. package.path
local provium = require "provium"
local linux = require "linux"

local function raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  assert_eq(false, ok)
  assert_contains(err, text)
  return err
end

local function is_alive(pid)
  local file = io.open(("/proc/%d/stat"):format(pid))
  if not file then
    return false
  end
  local line = file:read "a"
  file:close()
  return line:match "%) (%a)" ~= "Z"
end

local function write_file(vm, path, text)
  local fd = vm:syscall_buf(linux.openat, 1, path .. "\0", -100, 0, 1)
  assert(fd >= 0, path)
  return vm:syscall_buf(linux.write, 1, text, fd, 0, #text)
end

local vm = provium.create { memory = "128M", cmdline = "provium.test=1" }

test("before boot a call says what to do", function()
  raises("syscall: the VM is not booted yet: call vm:boot() first", vm.syscall, vm, linux.getpid)
  assert_eq("provium.vm (not running)", tostring(vm))
  assert_eq(nil, vm:pid())
  vm:shutdown()
  vm:kill()
end)

test("boot returns the VM; options win over the profile; files are there", function()
  local name = os.tmpname()
  local file <close> = assert(io.open(name, "wb"))
  file:write "from the host\0\xff\n"
  file:flush()
  assert_eq(vm, vm:boot { memory = "256M", files = { ["/data/deep/file"] = name }, timeout = "60s" })
  os.remove(name)
  local fd = vm:syscall_buf(linux.openat, 1, "/data/deep/file\0", -100)
  assert_eq("from the host\0\xff\n", linux.content(vm, fd, 99))
  local sysinfo = 99
  local _, info = vm:syscall_buf(sysinfo, 0, linux.zeros(112))
  local total = provium.unpack("u64", info:sub(33)) >> 20
  assert(total > 150 and total < 256, total)
  fd = vm:syscall_buf(linux.openat, 1, "/proc/cmdline\0", -100)
  assert_contains(linux.content(vm, fd, 2000), "provium.test=1")
end)

test("a booted VM tells about itself", function()
  assert_eq("provium.vm (running)", tostring(vm))
  assert_eq({ "x86_64", 8, "little", 4096 },
    { vm:info().arch, vm:info().pointer_width, vm:info().byte_order, vm:info().page_size })
  assert_contains(vm:info().kernel, ".")
  assert(is_alive(vm:pid()))
  vm:ping()
end)

test("a second boot raises and changes nothing", function()
  raises("boot: the VM is booted already", vm.boot, vm)
  assert(vm:syscall(linux.getpid) > 0)
end)

test("options: names, units and types", function()
  local new = provium.create()
  raises('boot: unknown key "memroy"', new.boot, new, { memroy = 1 })
  raises('boot: memory: a size such as "512M"', new.boot, new, { memory = "512 MB" })
  raises("boot: cpus: ", new.boot, new, { cpus = 0 })
  raises('boot: timeout: a duration such as "500ms"', new.boot, new, { timeout = "fast" })
  raises("boot: files: an absolute path of the guest expected", new.boot, new, { files = { ["etc/x"] = "y" } })
  raises('boot: accel: "auto", "kvm" or "tcg" expected', new.boot, new, { accel = "hvf" })
  raises("boot: a table expected, got 5", new.boot, new, 5)
end)

test("shutdown ends QEMU; later calls say so; boot works again", function()
  local pid = vm:pid()
  vm:shutdown()
  assert_eq(false, is_alive(pid))
  raises("syscall: the VM was shut down: call vm:boot() again", vm.syscall, vm, linux.getpid)
  vm:shutdown()
  vm:boot()
  assert(vm:syscall(linux.getpid) > 0)
end)

test("a guest that panics: the call raises with the console's tail, later calls with one line", function()
  local err = raises("syscall_buf: ", write_file, vm, "/proc/sysrq-trigger", "c")
  assert_contains(err, "panic")
  assert_contains(err, "sysrq")
  assert_contains(err, "sysrq triggered crash\nthe call was: write(")
  assert_contains(err, ', buf[1] "c", 1)\n| ')
  local gone = "the VM is gone: the guest panicked: sysrq triggered crash"
  assert_eq({ false, "syscall: " .. gone }, { pcall(vm.syscall, vm, linux.getpid) })
  assert_eq({ false, "syscall_buf: " .. gone }, { pcall(vm.syscall_buf, vm, linux.write, 1, "x") })
  assert_contains(vm:console(), "sysrq")
end)

test("a VM whose second boot failed says so in one line", function()
  raises("boot: ", vm.boot, vm, { kernel = "/nonexistent/vmlinux" })
  local err = raises("syscall: the VM is gone: ", vm.syscall, vm, linux.getpid)
  assert_contains(err, "/nonexistent/vmlinux")
  assert_eq(nil, err:find "boot: ", err)
end)

test("after a panic boot works again", function()
  vm:boot()
  assert(vm:syscall(linux.getpid) > 0)
end)

test("a guest that resets itself", function()
  local reboot, RESTART = 169, 0x01234567
  raises("syscall: ", vm.syscall, vm, reboot, 0xfee1dead, 0x28121969, RESTART)
  vm:boot()
end)

test("a guest that powers itself off, or halts, is an error long before the call's deadline", function()
  local reboot, POWER_OFF, HALT = 169, 0x4321fedc, 0xcdef0123
  for _, command in ipairs { POWER_OFF, HALT } do
    local start = os.time()
    raises("syscall: the guest halted", vm.syscall, vm, reboot, 0xfee1dead, 672274793, command, 0)
    assert(os.time() - start < 20)
    raises("syscall: the VM is gone: the guest halted", vm.syscall, vm, linux.getpid)
    vm:boot()
  end
end)

test("kill ends QEMU at once", function()
  local pid = vm:pid()
  vm:kill()
  assert_eq(false, is_alive(pid))
  raises("syscall: the VM was shut down", vm.syscall, vm, linux.getpid)
end)

test("two VMs at a time are two kernels; shutdown_all ends both", function()
  local a, b = provium.create(), provium.create()
  a:boot { memory = "128M", call_timeout = "700ms" }
  b:boot { memory = "128M" }
  assert_eq(3, linux.memfd(a, "a"))
  assert_eq(linux.EBADF, b:syscall(linux.lseek, 3, 0, 0))
  local pids = { a:pid(), b:pid() }

  -- a call that never returns ends at call_timeout
  local pause = 34
  raises("syscall: ", a.syscall, a, pause)

  provium.shutdown_all()
  assert_eq({ false, false }, { is_alive(pids[1]), is_alive(pids[2]) })
end)

test("a forgotten VM is ended by the collector, a closed variable at its end", function()
  local function forget() -- a function of its own: its frame must not keep the VM
    return (provium.create():boot({ memory = "128M" }):pid())
  end
  local pid = forget()
  collectgarbage()
  collectgarbage()
  assert_eq(false, is_alive(pid))
  do
    local scoped <close> = provium.create():boot { memory = "128M" }
    pid = scoped:pid()
    assert(is_alive(pid))
  end
  assert_eq(false, is_alive(pid))
end)

test("a kernel that is not there, or is none, is one clear error", function()
  local new = provium.create { kernel = "/nonexistent/vmlinux" }
  local err = raises("boot: ", new.boot, new)
  assert_contains(err, "/nonexistent/vmlinux")
  assert_eq(nil, err:find "provium_", err)
  raises("boot: ", new.boot, new, { kernel = arg[0] })
  new = provium.create()
  raises("/nonexistent/file", new.boot, new, { files = { ["/x"] = "/nonexistent/file" } })
end)
