-- SPDX-License-Identifier: MIT
-- A call maps nothing in the steady state: the guest's own /proc/self/maps, before and after.
local provium = require "provium"

local openat, read, close, getpid = 257, 0, 3, 39 -- x86_64
local vm <close> = provium.create():boot { memory = "256M" }

local function mappings()
  local fd = vm:syscall_buf(openat, 1, "/proc/self/maps\0", -100)
  local lines = 0
  repeat
    local n, text = vm:syscall_buf(read, 1, 4096, fd, 0, 4096)
    lines = lines + select(2, text:sub(1, n):gsub("\n", ""))
  until n == 0
  vm:syscall(close, fd)
  return lines
end

-- calls of many kinds: plain, large, aligned, guarded, low, bad, measured
local function calls(count)
  for i = 1, count do
    vm:syscall(getpid)
    vm:syscall_bufs(getpid, { [0] = 100, [1] = 5000, [2] = 100000 })
    vm:syscall_ptr(getpid, { [0] = { len = 64, align = 4096 }, [1] = { len = 5, guard = "start" } }, {
      { buf_idx = 0, ptr_offset = 0, data_len = 3 * 4096, guard = "both" },
      { buf_idx = 0, ptr_offset = 8, data_len = 10, guard = "none", output = true },
      { buf_idx = 0, ptr_offset = 16, data_len = 10, width = 4 },
      { buf_idx = 0, ptr_offset = 20, bad = i % 2 == 0 and "readonly" or "unmapped" },
    })
    vm:call { nr = getpid, bufs = { 1000 }, changed = true }
  end
end

test("a thousand calls of every kind map nothing more than the first", function()
  calls(1)
  mappings()
  local before = mappings()
  calls(1000)
  assert_eq(before, mappings())
end)

test("what a call full of buffers opened stays for the next, and is bounded", function()
  local specs = {}
  for i = 1, 8000 do
    specs[i] = { buf_idx = 0, ptr_offset = 0, data = "x" }
  end
  local function full()
    assert_eq("number", type(vm:syscall_ptr(getpid, { [0] = 8 }, specs)))
  end
  full()
  local before = mappings()
  assert(before < 17000, before)
  full()
  assert_eq(before, mappings())
end)

test("8,000 buffers of one page, then 8,000 of two, and back", function()
  for round = 1, 2 do
    for pages = 1, 2 do
      local specs = {}
      for i = 1, 8000 do
        specs[i] = { buf_idx = 0, ptr_offset = 0, data_len = 4096 * pages }
      end
      local pid = vm:syscall_ptr(getpid, { [0] = 8 }, specs)
      assert(pid > 0)
      assert(mappings() < 17000, ("round %d, %d pages: %d mappings"):format(round, pages, mappings()))
    end
  end
end)
