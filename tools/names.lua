-- SPDX-License-Identifier: MIT
--
-- Names for numbers, from the kernel's headers: names.lua CC HOST-CC
--
-- Prints "KIND NAME VALUE" lines, sorted by their bytes, for bindings/lua/lnames.c to search: KIND is const,
-- errno, sys, or name (the number of an errno comes first then).  Values are the compiler's: it sees every
-- expansion, and what is no integer constant it refuses by line number.  Nothing is executed, so a cross
-- compiler will do.  Without headers nothing is printed: the table is absent.
local cc, host_cc = arg[1], arg[2]

-- Headers that the kernel gives to user space, with what a test of system calls needs.
local headers = [[
  linux/stat.h linux/time.h asm/fcntl.h asm/mman.h asm/signal.h asm/siginfo.h asm/socket.h asm/stat.h
  asm/statfs.h asm/poll.h asm/resource.h asm/ioctls.h asm/termbits.h asm/prctl.h asm/ldt.h asm/hwcap.h
  asm/hwcap2.h asm/sembuf.h asm/shmbuf.h asm/msgbuf.h linux/acct.h linux/aio_abi.h linux/audit.h
  linux/auxvec.h linux/binfmts.h linux/bpf.h linux/bpf_common.h linux/btf.h linux/btrfs.h linux/capability.h
  linux/close_range.h linux/cn_proc.h linux/connector.h linux/dm-ioctl.h linux/elf.h linux/errqueue.h
  linux/eventfd.h linux/eventpoll.h linux/falloc.h linux/fanotify.h linux/fcntl.h linux/fib_rules.h
  linux/fiemap.h linux/filter.h linux/fs.h linux/fscrypt.h linux/fsmap.h linux/fsverity.h linux/fuse.h
  linux/futex.h linux/genetlink.h linux/icmp.h linux/icmpv6.h linux/if.h linux/if_addr.h linux/if_alg.h
  linux/if_arp.h linux/if_ether.h linux/if_link.h linux/if_packet.h linux/if_tun.h linux/if_vlan.h linux/in.h
  linux/in6.h linux/inotify.h linux/io_uring.h linux/ioctl.h linux/ioprio.h linux/ip.h linux/ipc.h
  linux/ipv6.h linux/kcmp.h linux/kcov.h linux/kd.h linux/kexec.h linux/keyctl.h linux/kvm.h linux/landlock.h
  linux/limits.h linux/loop.h linux/magic.h linux/major.h linux/membarrier.h linux/memfd.h linux/mempolicy.h
  linux/mman.h linux/mount.h linux/mqueue.h linux/msg.h linux/neighbour.h linux/net.h linux/netfilter.h
  linux/netfilter/nf_tables.h linux/netfilter/nfnetlink.h linux/netlink.h linux/nsfs.h linux/openat2.h
  linux/packet_diag.h linux/perf_event.h linux/personality.h linux/pidfd.h linux/pkt_cls.h linux/pkt_sched.h
  linux/poll.h linux/posix_acl.h linux/prctl.h linux/ptrace.h linux/quota.h linux/random.h linux/reboot.h
  linux/resource.h linux/rseq.h linux/rtc.h linux/rtnetlink.h linux/sched.h linux/sched/types.h
  linux/seccomp.h linux/securebits.h linux/sem.h linux/shm.h linux/signal.h linux/signalfd.h linux/sock_diag.h
  linux/inet_diag.h linux/unix_diag.h linux/sockios.h linux/stddef.h linux/swab.h linux/sysinfo.h
  linux/taskstats.h linux/tcp.h linux/termios.h linux/time.h linux/time_types.h linux/timerfd.h linux/times.h
  linux/timex.h linux/tty.h linux/types.h linux/udp.h linux/uio.h linux/un.h linux/unistd.h
  linux/userfaultfd.h linux/utsname.h linux/vfio.h linux/vhost.h linux/virtio_ids.h linux/vm_sockets.h
  linux/vt.h linux/wait.h linux/watch_queue.h linux/watchdog.h linux/xattr.h linux/xfrm.h linux/if_xdp.h
  linux/rfkill.h linux/nvme_ioctl.h linux/lsm.h linux/mptcp.h
]]

-- What those headers leave to the C library.  The numbers are the same on both architectures.
local libc_headers = "errno.h sys/socket.h dirent.h"
local libc_prefixes = {
  AF_ = true, PF_ = true, SOCK_ = true, MSG_ = true, SHUT_ = true, SOL_ = true, SCM_ = true, DT_ = true,
}

-- Constants of pointer type, as the integers that a struct holds.
local pointers = { SIG_DFL = true, SIG_IGN = true, SIG_ERR = true }

-- Stands in for the C library's, which does not go with the kernel's.
local socket_stub = [[
#pragma once
#include <linux/socket.h>
typedef unsigned short sa_family_t;
struct sockaddr { sa_family_t sa_family; char sa_data[14]; };
]]

local folder = os.tmpname()
os.remove(folder)
assert(os.execute(("mkdir -p %s/stub/sys %s/stub/netinet"):format(folder, folder)))

local function fail(text)
  os.execute("rm -r " .. folder)
  io.stderr:write("names.lua: ", text, "\n")
  os.exit(1)
end

local function write(name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
end

-- Run the compiler in the folder; returns whether it succeeded, its output and its messages.
local function run(compiler, arguments)
  local command = ("cd %s && LC_ALL=C %s -w -x c %s >out 2>messages"):format(folder, compiler, arguments)
  local ok = os.execute(command)
  local out <close> = assert(io.open(folder .. "/out"))
  local messages <close> = assert(io.open(folder .. "/messages"))
  return ok, out:read "a", messages:read "a"
end

local function expect(compiler, arguments)
  local ok, out, messages = run(compiler, arguments)
  if not ok then
    fail(("%s %s:\n%s"):format(compiler, arguments, messages))
  end
  return out
end

-- ---- which names there are ----

-- Every macro without parameters that begins with a capital letter, and every __NR_.
local function macros(compiler)
  local found = {}
  for line in expect(compiler, "-E -dM headers.h"):gmatch "[^\n]+" do
    local name, text = line:match "^#define ([%w_]+) (.+)$"
    if name and (name:find "^%u" or name:find "^__NR_%l") then
      found[name] = text
    end
  end
  return found
end

-- Every enumerator, by its own name.
local function enumerators(compiler, found)
  local text = expect(compiler, "-E -P headers.h"):gsub("%s+", " ")
  for body in text:gmatch "enum [%w_]* ?(%b{})" do
    body = body:sub(2, -2):gsub("%b()", "")
    for item in body:gmatch "[^,]+" do
      local name = item:match "^ ?(%u[%w_]*)"
      if name then
        found[name] = found[name] or name
      end
    end
  end
end

-- ---- their values ----

local function sorted(names)
  local list = {}
  for name in pairs(names) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

-- Each name with what the preprocessor makes of it, if that may be an integer.
local function expansions(compiler, names)
  local lines, found = { '#include "headers.h"', "provium_names" }, {}
  for _, name in ipairs(sorted(names)) do
    lines[#lines + 1] = ('"%s" %s'):format(name, name)
  end
  write("expand.h", table.concat(lines, "\n") .. "\n")
  local text = expect(compiler, "-E -P expand.h")
  for line in text:sub((text:find("provium_names", 1, true))):gmatch "[^\n]+" do
    local name, expansion = line:match '^"([%w_]+)" (.+)$'
    if name and not expansion:find '[;{}"]' then
      found[#found + 1] = { name = name, text = (pointers[name] and "(long)" or "") .. expansion }
    end
  end
  return found
end

-- A C file with one constant to a line, and the number of the line before the first.
local function constants(list)
  local lines = { '#include "headers.h"', "const long long provium_values[] = {" }
  for _, item in ipairs(list) do
    lines[#lines + 1] = ("(long long)((%s) | 0),"):format(item.text)
  end
  lines[#lines + 1] = "};"
  return table.concat(lines, "\n") .. "\n", 2
end

-- Drop the lines that the compiler refuses; returns whether there were any.
local function drop_refused(list, messages, before)
  local refused = {}
  for line in messages:gmatch "values%.h:(%d+):[%d:]* error" do
    refused[tonumber(line) - before] = true
  end
  local kept = {}
  for i, item in ipairs(list) do
    if not refused[i] then
      kept[#kept + 1] = item
    end
  end
  return kept, #kept < #list
end

local function compile(compiler, list)
  local limit = run(compiler, "-ferror-limit=0 -E /dev/null") and "-ferror-limit=0" or "" -- clang stops at 20
  for _ = 1, 20 do
    local text, before = constants(list)
    write("values.h", text)
    local ok, out, messages = run(compiler, limit .. " -S -O1 -o - values.h")
    if ok then
      return list, out
    end
    local dropped
    list, dropped = drop_refused(list, messages, before)
    if not dropped then
      fail("the headers do not compile:\n" .. messages)
    end
  end
  fail "the compiler refuses more and more"
end

-- A decimal as a 64-bit pattern: clang writes constants as unsigned, gcc as signed ones.
local function pattern(text)
  local sign, digits = text:match "^(-?)(%d+)$"
  local value = 0
  for digit in digits:gmatch "%d" do
    value = value * 10 + math.tointeger(digit)
  end
  return sign == "-" and -value or value
end

-- The numbers of the array in the assembler's text.
local function values(compiler, list)
  local kept, text = compile(compiler, list)
  local at, i = assert(text:find "\nprovium_values:"), 0
  for directive, number in text:sub(at):gmatch "\t%.(%w+)\t([%w_-]+)" do
    local is_word = directive == "quad" or directive == "xword"
    for _ = 1, is_word and 1 or directive == "zero" and number // 8 or 0 do
      i = i + 1
      kept[i].value = is_word and pattern(number) or 0
    end
    if directive == "size" then
      break
    end
  end
  if i ~= #kept then
    fail(("%d values for %d names"):format(i, #kept))
  end
  return kept
end

-- ---- all of it ----

-- Make headers.h of a list; returns whether it compiles.
local function include(compiler, list)
  local text = {}
  for i, header in ipairs(list) do
    text[i] = ("#if __has_include(<%s>)\n#include <%s>\n#endif\n"):format(header, header)
  end
  write("headers.h", table.concat(text))
  return (run(compiler, "-fsyntax-only headers.h"))
end

-- The same without those that do not go with the ones before them.
local function include_usable(compiler, list)
  local usable = {}
  for _, header in ipairs(list) do
    usable[#usable + 1] = header
    if not include(compiler, usable) then
      usable[#usable] = nil
      io.stderr:write("names.lua: without <", header, ">, which does not go with the others\n")
    end
  end
  include(compiler, usable)
end

-- The names of these headers with their values, and the texts of the macros among them.
local function collect(compiler, text)
  local list = {}
  for header in text:gmatch "%S+" do
    list[#list + 1] = header
  end
  if not include(compiler, list) then
    include_usable(compiler, list)
  end
  local found = macros(compiler)
  enumerators(compiler, found)
  return values(compiler, expansions(compiler, found)), found
end

local lines = {}
local function put(kind, name, value)
  lines[#lines + 1] = ("%s %s %s"):format(kind, name, value)
end

local function put_calls()
  for _, item in ipairs(collect(cc, "asm/unistd.h")) do
    local name = item.name:match "^__NR_(.*)"
    if name and name ~= "syscalls" and name ~= "arch_specific_syscall" then
      put("sys", name, item.value)
    end
  end
end

-- Both ways; of two names for a number the one that is not defined by the other.
local function put_errors(known)
  local list, texts = collect(cc, "asm/errno.h")
  for _, item in ipairs(list) do
    put("errno", item.name, item.value)
    known[item.name] = "errno"
    if texts[item.name]:find "^%d+$" then
      put("name", item.value, item.name)
    end
  end
end

local function put_constants(known)
  for _, item in ipairs(collect(cc .. " -Istub", headers)) do
    if not known[item.name] and item.name:find "^%u" then
      put("const", item.name, item.value)
      known[item.name] = "const"
    end
  end
end

local function put_libc(known)
  local list, texts = collect(host_cc, libc_headers)
  for _, item in ipairs(list) do
    if not known[item.name] and libc_prefixes[item.name:match "^%u+_"] then
      put("const", item.name, item.value)
    elseif not known[item.name] and known[texts[item.name]] == "errno" then -- ENOTSUP
      put("errno", item.name, item.value)
    end
  end
end

write("stub/sys/socket.h", socket_stub)
write("stub/netinet/in.h", "#include <linux/in.h>\n")
write("probe.h", "#include <asm/unistd.h>\n#include <linux/types.h>\n")
if run(cc, "-E probe.h") then
  local known = {}
  put_calls()
  put_errors(known)
  put_constants(known)
  put_libc(known)
  table.sort(lines)
  io.write(table.concat(lines, "\n"), "\n")
else
  io.stderr:write("names.lua: no kernel headers for ", cc, ": no names for its architecture\n")
end
os.execute("rm -r " .. folder)
