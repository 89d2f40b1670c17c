-- SPDX-License-Identifier: MIT
-- Struct values in calls, with the kernel as the judge: pointers in what is pointed to, shared ones, circles.
local here = arg[0]:match "^(.*/)" or "./"
package.path = here .. "../contract/?.lua;" .. package.path
local provium = require "provium"
local linux = require "linux"
local struct, out, cstr, const, errno = provium.struct, provium.out, provium.cstr, provium.const, provium.errno

local vm <close> = provium.create():boot { memory = "256M" }

local iovec = struct "struct iovec { ptr base; size_t len = len_of(base); };"
local msghdr = struct([[
  struct msghdr {
    void *name;           u32 namelen = len_of(name);
    struct iovec *iov;    size_t iovlen = count_of(iov);
    void *control;        size_t controllen = len_of(control);
    u32 flags;
  };]], { iovec })

local function ok(ret, ...)
  assert(math.type(ret) == "integer", "the call did not return")
  assert(ret >= 0, errno.name(ret))
  return ret, ...
end

local function memfd(content)
  local fd = ok(vm:syscall("memfd_create", cstr "x", 0))
  ok(vm:syscall_buf("pwrite64", 1, content, fd, 0, #content, 0))
  return fd
end

local function socketpair()
  local _, pair = ok(vm:syscall("socketpair", const.AF_UNIX, const.SOCK_DGRAM, 0, struct "i32 fd[2];" {}))
  return pair.fd[1], pair.fd[2]
end

test("the seed's example: no offset, no length, no spec", function()
  local args = struct "u32 size = sizeof(self); i32 token_fd; ptr sd; u32 sd_len = len_of(sd); u32 desired;"
  local ret, back = vm:syscall(1023, args { sd = "descriptor", token_fd = -1, desired = 7 })
  assert_eq({ -errno.ENOSYS, "descriptor", 10, 7 }, { ret, back.sd, back.sd_len, back.desired })
  assert(args:unpack(args:pack(back)).sd ~= 0, "its bytes hold the address")
end)

test("sendmsg and recvmsg: struct, array, data, and a descriptor beside them", function()
  local near, far = socketpair()
  local file = memfd "through the socket"
  local rights = struct "size_t len = sizeof(self); i32 level, type; i32 fd; u32 pad;"
  local sent = vm:syscall("sendmsg", near, msghdr {
    iov = { { base = "hello " }, { base = "world" } },
    control = rights { level = const.SOL_SOCKET, type = const.SCM_RIGHTS, fd = file, len = 20 },
  }, 0)
  assert_eq(11, sent)
  local ret, got = vm:syscall("recvmsg", far, msghdr {
    iov = { { base = out(4) }, { base = out(20) } }, control = rights {}, name = out(16),
  }, 0)
  assert_eq({ 11, "hell", "o world" .. ("\0"):rep(13) }, { ret, got.iov[1].base, got.iov[2].base })
  assert_eq({ 0, 24, 20, const.SCM_RIGHTS }, { got.namelen, got.controllen, got.control.len, got.control.type })
  local n, text = vm:syscall("pread64", got.control.fd, out(18), 18, 0)
  assert_eq({ 18, "through the socket" }, { n, text })
end)

test("io_submit: an array of pointers to structs that point to arrays that point to data", function()
  local _, context = ok(vm:syscall("io_setup", 4, struct "u64 id;" {}))
  local fd = memfd "abcdefgh"
  local iocb = struct([[
    struct iocb {
      u64 data; u32 key, rw_flags; u16 opcode = IOCB_CMD_PREADV; i16 prio; u32 fd;
      struct iovec *buf; u64 nbytes = count_of(buf); i64 offset; u64 reserved; u32 flags, resfd;
    };]], { iovec })
  local list = struct("struct iocb *at[2];", { iocb })
  local function read(offset)
    return iocb { fd = fd, data = 100 + offset, offset = offset, buf = { { base = out(2) }, { base = out(1) } } }
  end
  local ret, back = vm:syscall("io_submit", context.id, 2, list { at = { read(0), read(4) } })
  assert_eq(2, ret)
  local function text(i)
    return back.at[i].buf[1].base .. back.at[i].buf[2].base
  end
  assert_eq({ "abc", "efg" }, { text(1), text(2) })
  local event = struct "struct io_event { u64 data, obj; i64 res, res2; };"
  local n, events = vm:syscall("io_getevents", context.id, 2, 2, struct("io_event e[2];", { event }) {}, 0)
  assert_eq({ 2, 100, 3, 104, 3 }, { n, events.e[1].data, events.e[1].res, events.e[2].data, events.e[2].res })
end)

local node = struct "struct node { struct node *next; u64 n; };"

-- Read nodes as the kernel finds them in the memory of the call; returns them, and their addresses.
local function read_back(nodes)
  local remote, here = { v = {} }, { v = {} }
  for i, v in ipairs(nodes) do
    remote.v[i], here.v[i] = { base = v }, { base = out(16) }
  end
  local vector = struct(("iovec v[%d];"):format(#nodes), { iovec })
  local pid = vm:syscall "getpid"
  local ret, here_back, remote_back =
    vm:syscall("process_vm_readv", pid, vector(here), #nodes, vector(remote), #nodes, 0)
  assert_eq(16 * #nodes, ret)
  local raw, found, addresses = vector:unpack(vector:pack(remote_back)), {}, {}
  for i = 1, #nodes do
    found[i], addresses[i] = node:unpack(here_back.v[i].base), raw.v[i].base
  end
  return found, addresses, remote_back
end

test("a circle is one in the guest, and one when it comes back", function()
  local a, b, c = node { n = 1 }, node { n = 2 }, node { n = 3 }
  a.next, b.next, c.next = b, c, a
  local found, at, back = read_back { a, b, c }
  assert_eq({ at[2], at[3], at[1] }, { found[1].next, found[2].next, found[3].next })
  assert_eq({ 1, 2, 3 }, { found[1].n, found[2].n, found[3].n })
  local first = back.v[1].base
  assert(first.next == back.v[2].base and first.next.next.next == first)
end)

test("a list of 500, each pointing to the next", function()
  local nodes = {}
  for i = 500, 1, -1 do
    nodes[i] = node { n = i, next = nodes[i + 1] or 0 }
  end
  local found, at = read_back(nodes)
  for i = 1, 500 do
    assert_eq({ i, at[i + 1] or 0 }, { found[i].n, found[i].next })
  end
end)

test("argv and envp: arrays of pointers to strings", function()
  local exits = linux.exit_program(0)
  local at = exits:find("\xbf\0\0\0\0", 1, true) -- mov edi, 0; what follows is mov edi, [rsp]: argc
  local program = exits:sub(1, at - 1) .. "\x8b\x3c\x24\x90\x90" .. exits:sub(at + 5)
  local strings = struct "ptr at[4];"
  for count = 1, 3 do
    local words = { cstr "program", cstr "a", cstr "b" }
    local fd = memfd(program)
    local ret, _, _, _, how = vm:syscall("execveat", fd, cstr "", strings { at = { table.unpack(words, 1, count) } },
      strings { at = { cstr "A=1" } }, const.AT_EMPTY_PATH)
    assert_eq({ nil, { what = "execed", status = count, fresh = true } }, { ret, how })
  end
end)

test("bpf: a program, its license and its log", function()
  local insn = struct "struct bpf_insn { u8 code; u8 dst:4, src:4; i16 off; i32 imm; };"
  local attr = struct([[
    u32 prog_type, insn_cnt = count_of(insns);
    struct bpf_insn *insns; __aligned_u64 license;
    u32 log_level, log_size = len_of(log_buf); __aligned_u64 log_buf;
    u32 kern_version, prog_flags; char prog_name[BPF_OBJ_NAME_LEN]; u32 rest[5]; ]], { insn })
  local function load(insns)
    return vm:syscall("bpf", const.BPF_PROG_LOAD, attr {
      prog_type = const.BPF_PROG_TYPE_SOCKET_FILTER, insns = insns, license = cstr "GPL",
      log_level = 1, log_buf = out(4096),
    }, #attr)
  end
  local set, exit = { code = 0xb7 }, { code = 0x95 } -- r0 = 0; exit
  assert(ok(load { set, exit }) > 2)
  local ret, refused = load { exit }
  assert_eq(-errno.EACCES, ret)
  assert_contains(refused.log_buf, "R0 !read_ok")
end)

test("perf_event_open: bit fields", function()
  local attr = struct [[
    u32 type, size = sizeof(self); u64 config, sample_period, sample_type, read_format;
    u64 disabled:1, inherit:1, pinned:1, exclusive:1, exclude_user:1, exclude_kernel:1, rest:58;
    u32 wakeup, bp_type; u64 config1; ]]
  local fd = ok(vm:syscall("perf_event_open",
    attr { type = const.PERF_TYPE_SOFTWARE, config = const.PERF_COUNT_SW_TASK_CLOCK, disabled = 1 }, 0, -1, -1, 0))
  local _, count = ok(vm:syscall("read", fd, out(8), 8))
  assert_eq(0, (provium.unpack("u64", count)))
  local ret = vm:syscall("perf_event_open", attr { type = const.PERF_TYPE_SOFTWARE, rest = 1 << 57 }, 0, -1, -1, 0)
  assert_eq(-errno.EINVAL, ret) -- a reserved bit
end)

test("epoll: a packed struct, in and out", function()
  local event = struct "struct epoll_event { u32 events; u64 data; } packed;"
  local epoll = ok(vm:syscall("epoll_create1", 0))
  local near, far = socketpair()
  local add = { events = const.EPOLLIN, data = 0x1122334455667788 }
  ok(vm:syscall("epoll_ctl", epoll, const.EPOLL_CTL_ADD, far, event(add)))
  ok(vm:syscall_buf("write", 1, "x", near, 0, 1))
  local n, events = vm:syscall("epoll_wait", epoll, struct("epoll_event e[2];", { event }) {}, 2, 0)
  assert_eq({ 1, add }, { n, events.e[1] })
end)

test("a struct that ends too early is -EFAULT, and what was written before is there", function()
  local short = struct "u32 mask, blksize; u8 rest[240];"
  local ret, _, back = vm:syscall("statx", const.AT_FDCWD, cstr "/", 0, const.STATX_BASIC_STATS, short {})
  assert_eq(-errno.EFAULT, ret)
  assert_eq(240, #back.rest)
end)
