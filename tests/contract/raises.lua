-- SPDX-License-Identifier: MIT
-- Rule 7: what raises, by its exact text, and that nothing of it was executed.
local linux = require "linux"
local zeros = linux.zeros

-- {text, method, arguments...}: all of them would write to the file `fd` if they were executed.
local function cases(fd, limit)
  local w, v = linux.write, linux.writev
  local case = table.pack -- keeps nils, and how many arguments there are
  local iovec = string.pack("<I8I8", 0, 1)
  local function spec(fields)
    return "syscall_ptr", v, { [1] = iovec }, { fields }, fd, 0, 1
  end
  local function second(fields)
    local good = { buf_idx = 1, ptr_offset = 0, data = "x" }
    return "syscall_ptr", v, { [1] = iovec, [2] = zeros(96) }, { good, fields }, fd, 0, 1
  end
  return {
    -- numbers
    case("syscall: nr: integer expected, got no value", "syscall"),
    case('syscall: nr: x86_64 has no system call "writ" (did you mean write, writev?)', "syscall", "writ", fd, 0, 0),
    case("syscall_buf: nr: integer expected, got string: a system call goes by its number on the guest's " ..
      'architecture or by its name, such as 39 or "getpid" on x86_64', "syscall_buf", "1", 1, "x", fd, 0, 1),
    case("syscall: nr: 1.5 is not a 64-bit integer", "syscall", 1.5),
    case("syscall: a0: integer expected, got string: bytes are given as a buffer, see syscall_buf", "syscall", w, "3"),
    case("syscall: a1: integer expected, got nil", "syscall", w, fd, nil, 0),
    case("syscall: a2: integer expected, got boolean", "syscall", w, fd, 0, true),
    case("syscall: a5: 0.1 is not a 64-bit integer", "syscall", w, fd, 0, 0, 0, 0, 0.1),
    case("syscall: a0: 1.844674407371e+19 is not a 64-bit integer", "syscall", w, 2.0 ^ 64),
    case("syscall: a0: inf is not a 64-bit integer", "syscall", w, math.huge),
    case("syscall: arguments: 7 given, a system call takes at most 6", "syscall", w, fd, 0, 0, 0, 0, 0, 0),
    -- one buffer
    case("syscall_buf: idx: 6 is not an argument index (0 to 5)", "syscall_buf", w, 6, "x", fd, 0, 1),
    case("syscall_buf: idx: -1 is not an argument index (0 to 5)", "syscall_buf", w, -1, "x", fd, 0, 1),
    case("syscall_buf: idx: integer expected, got string", "syscall_buf", w, "1", "x", fd, 0, 1),
    case("syscall_buf: data: -1 is negative", "syscall_buf", w, 1, -1, fd, 0, 1),
    case("syscall_buf: data: 1.5 is not a 64-bit integer", "syscall_buf", w, 1, 1.5, fd, 0, 1),
    case("syscall_buf: data: string, size or table expected, got no value", "syscall_buf", w, 1),
    case("syscall_buf: data: neither data nor len", "syscall_buf", w, 1, {}, fd, 0, 1),
    case("syscall_buf: data.gard: unknown key", "syscall_buf", w, 1, { len = 1, gard = "end" }, fd, 0, 1),
    case("syscall_buf: data.argv: unknown key", "syscall_buf", w, 1, { argv = {} }, fd, 0, 1),
    case("syscall_buf: arguments: 7 given, a system call takes at most 6",
      "syscall_buf", w, 1, "x", fd, 0, 1, 0, 0, 0, 0),
    -- a table of buffers
    case("syscall_bufs: bufs: table expected, got string", "syscall_bufs", w, "x", fd, 0, 1),
    case("syscall_bufs: bufs[6]: 6 is not an argument index (0 to 5)", "syscall_bufs", w, { [6] = "x" }, fd, 0, 1),
    case("syscall_bufs: bufs[-1]: -1 is not an argument index (0 to 5)", "syscall_bufs", w, { [-1] = "x" }, fd, 0, 1),
    case('syscall_bufs: bufs: key "1" is not an argument index (0 to 5)', "syscall_bufs", w, { ["1"] = "x" }, fd, 0, 1),
    case("syscall_bufs: bufs: key 1.5 is not an argument index (0 to 5)", "syscall_bufs", w, { [1.5] = "x" }, fd, 0, 1),
    case("syscall_bufs: bufs[1]: string, size or table expected, got boolean", "syscall_bufs", w, { false }, fd, 0, 1),
    case("syscall_bufs: bufs[1]: 1.5 is not a 64-bit integer", "syscall_bufs", w, { 1.5 }, fd, 0, 1),
    case("syscall_bufs: bufs[1]: -1 is negative", "syscall_bufs", w, { -1 }, fd, 0, 1),
    case("syscall_bufs: bufs[1]: key [1] is not a field's name", "syscall_bufs", w, { { "x" } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].ofset: unknown key", "syscall_bufs", w, { { data = "x", ofset = 1 } }, fd, 0, 1),
    case("syscall_bufs: bufs[1]: neither data nor len", "syscall_bufs", w, { { guard = "end" } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].len: -1 is negative", "syscall_bufs", w, { { len = -1 } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].data: string expected, got number", "syscall_bufs", w, { { data = 1 } }, fd, 0, 1),
    case("syscall_bufs: bufs[1]: data: 2 bytes exceed its length of 1",
      "syscall_bufs", w, { { data = "ab", len = 1 } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].align: 3 is not a power of two up to 1048576",
      "syscall_bufs", w, { { data = "ab", align = 3 } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].align: 2097152 is not a power of two up to 1048576",
      "syscall_bufs", w, { { data = "ab", align = 1 << 21 } }, fd, 0, 1),
    case('syscall_bufs: bufs[1].guard: "end", "start", "both" or "none" expected, got middle',
      "syscall_bufs", w, { { data = "ab", guard = "middle" } }, fd, 0, 1),
    case('syscall_bufs: bufs[1].dir: "in", "out", "inout" or "none" expected, got 1',
      "syscall_bufs", w, { { data = "ab", dir = 1 } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].dir: data does not go out, or nowhere",
      "syscall_bufs", w, { { data = "ab", dir = "out" } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].low: boolean expected, got number",
      "syscall_bufs", w, { { data = "ab", low = 1 } }, fd, 0, 1),
    -- lists
    case("syscall_bufs: bufs[1]: iovec excludes every other field",
      "syscall_bufs", v, { { iovec = { "x" }, dir = "in" } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].iovec: table expected, got string", "syscall_bufs", v, { { iovec = "x" } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].iovec: key 3 does not belong to a list of 1",
      "syscall_bufs", v, { { iovec = { "x", [3] = "y" } } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].iovec[2]: string, size or table expected, got boolean",
      "syscall_bufs", v, { { iovec = { "x", true } } }, fd, 0, 2),
    case("syscall_bufs: bufs[1].iovec[1].guard: \"end\", \"start\", \"both\" or \"none\" expected, got nowhere",
      "syscall_bufs", v, { { iovec = { { len = 1, guard = "nowhere" } } } }, fd, 0, 1),
    case("syscall_bufs: bufs[1].argv[1]: string expected, got number", "syscall_bufs", v, { { argv = { 5 } } }, fd, 0, 1),
    -- lists of specs
    case("syscall_ptr: bufs: table expected, got nil", "syscall_ptr", v, nil, {}, fd, 0, 1),
    case("syscall_ptr: ptrs: table expected, got number", "syscall_ptr", v, { [1] = iovec }, fd, 0, 1),
    case("syscall_ptr: ptrs: table expected, got no value", "syscall_ptr", v, { [1] = iovec }),
    case('syscall_ptr: ptrs: key "buf_idx" in what must be a list of tables: {{...}, ...}', "syscall_ptr", v, { [1] = iovec },
      { buf_idx = 1 }, fd, 0, 1),
    case("syscall_ptr: ptrs: index 0 does not belong to a list of 0",
      "syscall_ptr", v, { [1] = iovec }, { [0] = {} }, fd, 0, 1),
    case("syscall_ptr: ptrs[1]: table expected, got string", "syscall_ptr", v, { [1] = iovec }, { "x" }, fd, 0, 1),
    -- fields of a spec
    case("syscall_ptr: ptrs[1].ofset: unknown key", spec { buf_idx = 1, ofset = 0, data = "x" }),
    case("syscall_ptr: ptrs[1].buf_len: unknown key", spec { buf_idx = 1, ptr_offset = 0, data = "x", buf_len = 1 }),
    case("syscall_ptr: ptrs[2].outptu: unknown key", second { buf_idx = 2, ptr_offset = 0, data = "x", outptu = true }),
    case("syscall_ptr: ptrs[1]: key [1] is not a field's name",
      spec { "x", buf_idx = 1, ptr_offset = 0, data_len = 1 }),
    case("syscall_ptr: ptrs[1].buf_idx: missing", spec { ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[1].ptr_offset: missing", spec { buf_idx = 1, data = "x" }),
    case("syscall_ptr: ptrs[1].data_len: missing, and there is no data to take it from",
      spec { buf_idx = 1, ptr_offset = 0 }),
    case("syscall_ptr: ptrs[1].buf_idx: 6 is not an argument index (0 to 5)",
      spec { buf_idx = 6, ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[1].buf_idx: integer expected, got string",
      spec { buf_idx = "1", ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[1].ptr_offset: -1 is negative", spec { buf_idx = 1, ptr_offset = -1, data = "x" }),
    case("syscall_ptr: ptrs[1].ptr_offset: 0.5 is not a 64-bit integer",
      spec { buf_idx = 1, ptr_offset = 0.5, data = "x" }),
    case("syscall_ptr: ptrs[1].data_len: -1 is negative", spec { buf_idx = 1, ptr_offset = 0, data_len = -1 }),
    case("syscall_ptr: ptrs[1].data_len: 1.5 is not a 64-bit integer",
      spec { buf_idx = 1, ptr_offset = 0, data_len = 1.5 }),
    case("syscall_ptr: ptrs[1].data: string expected, got number", spec { buf_idx = 1, ptr_offset = 0, data = 42 }),
    case("syscall_ptr: ptrs[1].output: boolean expected, got number",
      spec { buf_idx = 1, ptr_offset = 0, data = "x", output = 1 }),
    -- how specs and buffers fit together
    case("syscall_ptr: ptrs[2].ptr_offset: 93 + 8 exceeds buffer 2 (96 bytes)",
      second { buf_idx = 2, ptr_offset = 93, data = "x" }),
    case("syscall_ptr: ptrs[1].ptr_offset: 9 + 8 exceeds buffer 1 (16 bytes)",
      spec { buf_idx = 1, ptr_offset = 9, data = "x" }),
    case("syscall_ptr: ptrs[1].ptr_offset: 9223372036854775807 + 8 exceeds buffer 1 (16 bytes)",
      spec { buf_idx = 1, ptr_offset = math.maxinteger, data = "x" }),
    case("syscall_ptr: ptrs[1].ptr_offset: 0 + 8 exceeds buffer 0 (7 bytes)", "syscall_ptr", v, { [0] = zeros(7) },
      { { buf_idx = 0, ptr_offset = 0, data = "x" } }),
    case("syscall_ptr: ptrs[1].buf_idx: no buffer is argument 0", spec { buf_idx = 0, ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[2].buf_idx: no buffer is argument 5", second { buf_idx = 5, ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[1].data: 2 bytes exceed its length of 1",
      spec { buf_idx = 1, ptr_offset = 0, data = "ab", data_len = 1 }),
    case("syscall_ptr: ptrs[2].data: 1 bytes exceed its length of 0",
      second { buf_idx = 2, ptr_offset = 0, data = "x", data_len = 0 }),
    -- pointers in sub-buffers, and to them
    case("syscall_ptr: ptrs[2].parent: excludes buf_idx", second { buf_idx = 2, parent = 1, ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[2].parent: 3 is no place in ptrs (2 specs)", second { parent = 3, ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[2].parent: 0 is no place in ptrs (2 specs)", second { parent = 0, ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[2].argv: excludes iovec", second { buf_idx = 2, ptr_offset = 0, argv = {}, iovec = {} }),
    case("syscall_ptr: ptrs[2].iovec: excludes data", second { buf_idx = 2, ptr_offset = 0, data = "", iovec = {} }),
    case("syscall_ptr: ptrs[2].same: excludes argv", second { buf_idx = 2, ptr_offset = 0, same = 1, argv = {} }),
    case("syscall_ptr: ptrs[2].iovec[1]: string, size or table expected, got boolean",
      second { buf_idx = 2, ptr_offset = 0, iovec = { true } }),
    case("syscall_ptr: ptrs[2].dir: contradicts output = false",
      second { buf_idx = 2, ptr_offset = 0, data_len = 1, output = false, dir = "out" }),
    case("syscall_ptr: ptrs[2].dir: data does not go out, or nowhere",
      second { buf_idx = 2, ptr_offset = 0, data = "x", dir = "none" }),
    case("syscall_ptr: ptrs[2].same: excludes guard",
      second { buf_idx = 2, ptr_offset = 0, same = 1, guard = "both" }),
    case("syscall_ptr: ptrs[2].align: 0 is not a power of two up to 1048576",
      second { buf_idx = 2, ptr_offset = 0, data = "x", align = 0 }),
    case("syscall_ptr: ptrs[2].parent: -1 is negative", second { parent = -1, ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[2].parent: integer expected, got boolean", second { parent = true, ptr_offset = 0, data = "" }),
    case("syscall_ptr: ptrs[2].ptr_offset: 0 + 8 exceeds the sub-buffer of ptrs[1] (1 bytes)",
      second { parent = 1, ptr_offset = 0, data = "x" }),
    case("syscall_ptr: ptrs[1].ptr_offset: missing", spec { parent = 1, data = "x" }),
    case("syscall_ptr: ptrs[2].buf_idx: missing", second { ptr_offset = 0, same = 1 }),
    case("syscall_ptr: ptrs[2].same: excludes data", second { buf_idx = 2, ptr_offset = 0, same = 1, data = "x" }),
    case("syscall_ptr: ptrs[2].same: excludes data_len", second { buf_idx = 2, ptr_offset = 0, same = 1, data_len = 0 }),
    case("syscall_ptr: ptrs[2].same: excludes output", second { buf_idx = 2, ptr_offset = 0, same = 1, output = false }),
    case("syscall_ptr: ptrs[2].same: 3 is no place in ptrs (2 specs)", second { buf_idx = 2, ptr_offset = 0, same = 3 }),
    case("syscall_ptr: ptrs[2].same: leads in a circle, not to a sub-buffer",
      second { buf_idx = 2, ptr_offset = 0, same = 2 }),
    case("syscall_ptr: ptrs[2].same: excludes null", second { buf_idx = 2, ptr_offset = 0, same = 1, null = true }),
    case("syscall_ptr: ptrs[2].same: excludes bad", second { buf_idx = 2, ptr_offset = 0, same = 1, bad = "kernel" }),
    case("syscall_ptr: ptrs[2].null: excludes bad", second { buf_idx = 2, ptr_offset = 0, null = true, bad = "kernel" }),
    case("syscall_ptr: ptrs[2].null: excludes data", second { buf_idx = 2, ptr_offset = 0, null = true, data = "" }),
    case("syscall_ptr: ptrs[2].null: boolean expected, got number", second { buf_idx = 2, ptr_offset = 0, null = 1 }),
    case("syscall_ptr: ptrs[2].bad: excludes data_len",
      second { buf_idx = 2, ptr_offset = 0, bad = "unmapped", data_len = 1 }),
    case('syscall_ptr: ptrs[2].bad: "unmapped", "noncanonical", "kernel" or "readonly" expected, got usermode',
      second { buf_idx = 2, ptr_offset = 0, bad = "usermode" }),
    case('syscall_ptr: ptrs[2].bad: "unmapped", "noncanonical", "kernel" or "readonly" expected, got true',
      second { buf_idx = 2, ptr_offset = 0, bad = true }),
    case("syscall_ptr: ptrs[2].width: 2 is not 4 or 8", second { buf_idx = 2, ptr_offset = 0, data = "x", width = 2 }),
    case("syscall_ptr: ptrs[2].width: this bad address takes more than 4 bytes",
      second { buf_idx = 2, ptr_offset = 0, bad = "kernel", width = 4 }),
    case("syscall_ptr: ptrs[2].ptr_offset: 93 + 4 exceeds buffer 2 (96 bytes)",
      second { buf_idx = 2, ptr_offset = 93, null = true, width = 4 }),
    case("syscall_ptr: ptrs[2].plus: 0.5 is not a 64-bit integer",
      second { buf_idx = 2, ptr_offset = 0, data = "x", plus = 0.5 }),
    case("syscall_ptr: ptrs[2].data_len: missing, and there is no data to take it from",
      second { buf_idx = 2, ptr_offset = 0, null = false }),
    case("syscall_ptr: ptrs[2].same: ptrs[1] points at no sub-buffer", "syscall_ptr", v, { [1] = iovec },
      { { buf_idx = 1, ptr_offset = 0, null = true }, { buf_idx = 1, ptr_offset = 0, same = 1 } }, fd, 0, 1),
    case("syscall_ptr: ptrs[2].parent: ptrs[1] points at no sub-buffer", "syscall_ptr", v, { [1] = iovec },
      { { buf_idx = 1, ptr_offset = 0, bad = "unmapped" }, { parent = 1, ptr_offset = 0, data = "x" } }, fd, 0, 1),
    -- the table form
    case("call: arguments: one table expected", "call", w),
    case("call: arguments: one table expected", "call", { nr = w }, 1),
    case("call: number: unknown key", "call", { number = w }),
    case("call: nr: integer expected, got nil", "call", {}),
    case('call: nr: x86_64 has no system call "writ" (did you mean write, writev?)', "call", { nr = "writ" }),
    case("call: args: table expected, got number", "call", { nr = w, args = 1 }),
    case("call: args: 7 given, a system call takes at most 6", "call", { nr = w, args = { fd, 0, 1, 0, 0, 0, 0 } }),
    case("call: args[2]: integer expected, got string", "call", { nr = w, args = { fd, "0", 1 } }),
    case("call: bufs[1]: string, size or table expected, got boolean", "call", { nr = w, bufs = { true } }),
    case("call: ptrs[1].buf_idx: no buffer is argument 1", "call",
      { nr = w, args = { fd, 0, 1 }, ptrs = { { buf_idx = 1, ptr_offset = 0, data = "x" } } }),
    case("call: changed: boolean expected, got number", "call", { nr = w, changed = 1 }),
    case('call: timeout: a duration such as "500ms", "2s", "5m" or a number of seconds expected, got 5h', "call",
      { nr = w, args = { fd, 0, 1 }, timeout = "5h" }),
    -- ioctls
    case("ioctl: fd: integer expected, got string", "ioctl", "3", 0, 0),
    case("ioctl: cmd: integer expected, got nil", "ioctl", fd, nil, 0),
    case("ioctl: data: string or integer expected, got table", "ioctl", fd, 0, {}),
    case("ioctl: data: 1.5 is not a 64-bit integer", "ioctl", fd, 0, 1.5),
    case("ioctl: arguments: fd, cmd and data expected, got more", "ioctl", fd, 0, 0, 0),
    case("ioctl_buf: struct: string expected, got number", "ioctl_buf", fd, 0, 0, {}),
    case("ioctl_buf: specs: table expected, got nil", "ioctl_buf", fd, 0, zeros(8)),
    case("ioctl_buf: specs[1].buf_idx: unknown key",
      "ioctl_buf", fd, 0, zeros(8), { { buf_idx = 2, ptr_offset = 0, buf_len = 1 } }),
    case("ioctl_buf: specs[2].same: excludes buf_len", "ioctl_buf", fd, 0, zeros(8),
      { { ptr_offset = 0, buf_len = 1 }, { ptr_offset = 0, buf_len = 1, same = 1 } }),
    case("ioctl_buf: specs[1].parent: 2 is no place in specs (1 specs)", "ioctl_buf", fd, 0, zeros(8),
      { { ptr_offset = 0, parent = 2, buf_len = 1 } }),
    case("ioctl_buf: specs[1].ptr_offset: 1 + 8 exceeds the struct (8 bytes)", "ioctl_buf", fd, 0, zeros(8),
      { { ptr_offset = 1, buf_len = 1 } }),
    case("ioctl_buf: specs[1].data: 2 bytes exceed its length of 1", "ioctl_buf", fd, 0, zeros(8),
      { { ptr_offset = 0, buf_len = 1, data = "ab" } }),
    case("ioctl_buf: specs[2].buf_len: 1099511627776 bytes exceed the agreed " .. limit, "ioctl_buf", fd, 0, zeros(16),
      { { ptr_offset = 0, buf_len = 1 }, { ptr_offset = 8, buf_len = 1 << 40 } }),
    case("ioctl_buf: specs[1].buf_len: given twice, as buf_len and as data_len", "ioctl_buf", fd, 0, zeros(8),
      { { ptr_offset = 0, buf_len = 1, data_len = 1 } }),
    case("ioctl_buf: specs[1].buf_len: missing, and there is no data to take it from", "ioctl_buf", fd, 0, zeros(8),
      { { ptr_offset = 0 } }),
  }
end

return function(target)
  local fd = linux.memfd(target)
  for _, case in ipairs(cases(fd, target:info().memory_limit)) do
    test("rule 7: " .. case[1], function()
      local ok, err = pcall(target[case[2]], target, table.unpack(case, 3, case.n))
      assert_eq({ false, case[1] }, { ok, err })
      assert_eq("", linux.content(target, fd, 9), "nothing was executed")
    end)
  end

  test("rule 7: the text begins with the script's position", function()
    local ok, err = pcall(function() target:syscall(39, "x") end)
    assert_eq(false, ok)
    assert_contains(err, "raises.lua:")
    assert_contains(err, ": syscall: a0: integer expected, got string")
  end)

  test("rule 7: a call without the colon says so", function()
    local ok, err = pcall(target.syscall, 39)
    assert_eq({ false, "syscall: not called on a VM: write vm:syscall(...), with a colon" }, { ok, err })
  end)

  target:syscall(linux.close, fd)
end
