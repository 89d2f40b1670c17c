-- SPDX-License-Identifier: MIT
-- struct epoll_event is packed on x86_64: twelve bytes, its data unaligned.
local provium = require "provium"
local case = require "case"

local write, epoll_create1, epoll_ctl, epoll_wait, pipe2 = 1, 291, 233, 232, 293 -- x86_64
local vm, see = case.open "epoll_packed"

test("epoll events are packed: twelve bytes each, data unaligned", function()
  local _, ends = see("pipe2", vm:syscall_buf(pipe2, 0, 8, 0, 0))
  local r, w = provium.unpack("i32 i32", ends)
  local ep = see("epoll_create1", vm:syscall(epoll_create1, 0))
  local EPOLLIN, EPOLLOUT, ADD = 1, 4, 1
  local function event(events, data)
    return provium.pack("u32 u64", events, data)
  end
  assert_eq(0, (see("add r", vm:syscall_buf(epoll_ctl, 3, event(EPOLLIN, 0x1122334455667788), ep, ADD, r, 0))))
  assert_eq(0, (see("add w", vm:syscall_buf(epoll_ctl, 3, event(EPOLLOUT, -2), ep, ADD, w, 0))))
  assert_eq(1, (vm:syscall_buf(write, 1, "x", w, 0, 1)))
  local n, list = see("epoll_wait", vm:syscall_buf(epoll_wait, 1, 24, ep, 0, 2, 0))
  assert_eq(2, n)
  local seen = {}
  for at = 1, 24, 12 do
    local events, data = provium.unpack("u32 u64", list:sub(at))
    seen[data] = events
  end
  assert_eq({ [0x1122334455667788] = EPOLLIN, [-2] = EPOLLOUT }, seen)
  -- a buffer for one event, asked for two: the second does not fit, and the guard says so
  local one, first = see("room for one", vm:syscall_buf(epoll_wait, 1, 12, ep, 0, 2, 0))
  assert_eq({ 1, 12 }, { one, #first })
end)

case.compare()
