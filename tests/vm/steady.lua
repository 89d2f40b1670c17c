-- SPDX-License-Identifier: MIT
-- 100,000 calls leave nothing behind: no descriptors, mappings or memory, in guest or host.
local here = arg[0]:match "^(.*/)" or "./"
package.path = here .. "../contract/?.lua;" .. package.path
local provium = require "provium"
local linux = require "linux"

local vm <close> = provium.create():boot { memory = "256M" }
local CALLS = tonumber(arg[1]) or 100000

-- ---- in the guest ----

local function guest_file(path)
  local fd = vm:syscall_buf(linux.openat, 1, path .. "\0", -100)
  assert(fd >= 0, path)
  local parts = {}
  repeat
    local n, bytes = vm:syscall_buf(linux.read, 1, linux.zeros(4096), fd, 0, 4096)
    parts[#parts + 1] = bytes:sub(1, n)
  until n == 0
  vm:syscall(linux.close, fd)
  return table.concat(parts)
end

local function guest_entries(path)
  local O_DIRECTORY, getdents64 = 0x10000, 217
  local fd = vm:syscall_buf(linux.openat, 1, path .. "\0", -100, 0, O_DIRECTORY)
  assert(fd >= 0, path)
  local count = 0
  repeat
    local n, bytes = vm:syscall_buf(getdents64, 1, linux.zeros(4096), fd, 0, 4096)
    local at = 1
    while at <= n do
      count, at = count + 1, at + string.unpack("<I2", bytes, at + 16)
    end
  until n == 0
  vm:syscall(linux.close, fd)
  return count
end

local function lines(text)
  return select(2, text:gsub("\n", ""))
end

local function guest_state(pid)
  local process = "/proc/" .. pid
  return {
    descriptors = guest_entries(process .. "/fd"),
    mappings = lines(guest_file(process .. "/maps")),
    -- statm is not exact
    resident_kib = tonumber(guest_file(process .. "/smaps_rollup"):match "Rss: *(%d+) kB"),
  }
end

-- ---- on the host ----

local function host_file(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local listing = os.tmpname()

local function host_state(pid)
  local process = "/proc/" .. pid
  assert(os.execute(("ls %s/fd >%s"):format(process, listing)))
  return { descriptors = lines(host_file(listing)), mappings = lines(host_file(process .. "/maps")) }
end

local function resident_pages()
  collectgarbage()
  return tonumber(host_file "/proc/self/statm":match "^%d+ (%d+)")
end

local function state()
  return {
    executor = guest_state(vm:syscall(linux.getpid)),
    supervisor = guest_state(1),
    host = host_state(host_file "/proc/self/stat":match "^%d+"),
    qemu = host_state(vm:pid()),
  }
end

local function calls(n)
  local pid = vm:syscall(linux.getpid)
  for _ = 1, n do
    if vm:syscall(linux.getpid) ~= pid then
      error "another process answered"
    end
  end
end

local function pointer_calls(n)
  local struct = linux.zeros(96)
  for i = 1, n do
    local data = ("%08d"):format(i)
    local _, _, out = vm:syscall_ptr(1023, { [0] = struct },
      { { buf_idx = 0, ptr_offset = 8, data = data, output = true } })
    if out ~= data then
      error "another call's bytes"
    end
  end
end

test(("%d calls leave nothing behind"):format(CALLS), function()
  calls(1000)
  pointer_calls(100)
  state()
  local before, resident = state(), resident_pages()
  calls(CALLS)
  pointer_calls(CALLS // 50)
  local after = state()
  assert_eq(before, after)
  assert(resident_pages() - resident < 64, "the host's process has grown")
end)

test("500 executors leave nothing behind", function()
  vm:syscall(linux.exit, 0)
  local before = state()
  for _ = 1, 500 do
    linux.memfd(vm)
    vm:syscall(linux.exit, 0)
  end
  local after = state()
  assert_eq(before.supervisor, after.supervisor)
  assert_eq(before.executor, after.executor)
  assert_eq({ before.host, before.qemu }, { after.host, after.qemu })
end)

os.remove(listing)
