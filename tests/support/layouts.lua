-- SPDX-License-Identifier: MIT
-- For tests/tools/layout.sh: structs as provium.struct lays them out, as C that the compiler checks.
--   layouts.lua asserts ARCH   prints C with one static assertion for each size and offset
--   layouts.lua program        prints C that prints the bytes of every bit field, all its bits set
--   layouts.lua compare        reads what that program printed, compares, prints how many agree
local provium = require "provium"

-- {type in C, its fields as the header has them}
local kernel = {
  { "struct iovec", "void *iov_base; __kernel_size_t iov_len;" },
  { "struct stat", [[ __kernel_ulong_t st_dev, st_ino, st_nlink; unsigned int st_mode, st_uid, st_gid, __pad0;
      __kernel_ulong_t st_rdev; __kernel_long_t st_size, st_blksize, st_blocks; __kernel_ulong_t st_atime,
      st_atime_nsec, st_mtime, st_mtime_nsec, st_ctime, st_ctime_nsec; __kernel_long_t __unused[3]; ]],
    only = "x86_64" },
  { "struct statx", [[ __u32 stx_mask, stx_blksize; __u64 stx_attributes; __u32 stx_nlink, stx_uid, stx_gid;
      __u16 stx_mode, __spare0[1]; __u64 stx_ino, stx_size, stx_blocks, stx_attributes_mask;
      struct statx_timestamp { __s64 tv_sec; __u32 tv_nsec; __s32 __reserved; } stx_atime, stx_btime, stx_ctime, stx_mtime;
      __u32 stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor; __u64 stx_mnt_id;
      __u32 stx_dio_mem_align, stx_dio_offset_align; __u64 __spare3[12]; ]] },
  { "struct epoll_event", "struct { __poll_t events; __u64 data; } __attribute__((packed))", only = "x86_64" },
  { "struct epoll_event", "__poll_t events; __u64 data;", only = "aarch64" },
  { "struct sockaddr_un", "__kernel_sa_family_t sun_family; char sun_path[UNIX_PATH_MAX];" },
  { "struct sockaddr_in", [[ __kernel_sa_family_t sin_family; __be16 sin_port; struct in_addr { __be32 s_addr; } sin_addr;
      unsigned char __pad[16 - 2 - 2 - 4]; ]] },
  { "struct sockaddr_in6", [[ unsigned short int sin6_family; __be16 sin6_port; __be32 sin6_flowinfo;
      struct in6_addr { union { __u8 u6_addr8[16]; __be16 u6_addr16[8]; __be32 u6_addr32[4]; } in6_u; } sin6_addr;
      __u32 sin6_scope_id; ]] },
  { "struct perf_event_attr", [[ __u32 type, size; __u64 config;
      union { __u64 sample_period; __u64 sample_freq; }; __u64 sample_type, read_format;
      __u64 disabled : 1, inherit : 1, pinned : 1, exclusive : 1, exclude_user : 1, exclude_kernel : 1, exclude_hv : 1,
        exclude_idle : 1, mmap : 1, comm : 1, freq : 1, inherit_stat : 1, enable_on_exec : 1, task : 1, watermark : 1,
        precise_ip : 2, mmap_data : 1, sample_id_all : 1, exclude_host : 1, exclude_guest : 1,
        exclude_callchain_kernel : 1, exclude_callchain_user : 1, mmap2 : 1, comm_exec : 1, use_clockid : 1,
        context_switch : 1, write_backward : 1, namespaces : 1, ksymbol : 1, bpf_event : 1, aux_output : 1,
        cgroup : 1, text_poke : 1, build_id : 1, inherit_thread : 1, remove_on_exec : 1, sigtrap : 1,
        __reserved_1 : 26;
      union { __u32 wakeup_events; __u32 wakeup_watermark; }; __u32 bp_type;
      union { __u64 bp_addr; __u64 kprobe_func; __u64 uprobe_path; __u64 config1; };
      union { __u64 bp_len; __u64 kprobe_addr; __u64 probe_offset; __u64 config2; };
      __u64 branch_sample_type, sample_regs_user; __u32 sample_stack_user; __s32 clockid; __u64 sample_regs_intr;
      __u32 aux_watermark; __u16 sample_max_stack, __reserved_2; __u32 aux_sample_size, __reserved_3; __u64 sig_data; ]] },
  { "struct io_uring_params", [[ __u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, resv[3];
      struct io_sqring_offsets { __u32 head, tail, ring_mask, ring_entries, flags, dropped, array, resv1; __u64 resv2; } sq_off;
      struct io_cqring_offsets { __u32 head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1; __u64 resv2; } cq_off; ]] },
  { "struct io_uring_sqe", [[ __u8 opcode, flags; __u16 ioprio; __s32 fd;
      union { __u64 off; __u64 addr2; struct { __u32 cmd_op; __u32 __pad1; }; };
      union { __u64 addr; __u64 splice_off_in; }; __u32 len;
      union { __kernel_rwf_t rw_flags; __u32 fsync_flags; __u16 poll_events; __u32 poll32_events; __u32 open_flags; };
      __u64 user_data; union { __u16 buf_index; __u16 buf_group; } packed; __u16 personality;
      union { __s32 splice_fd_in; __u32 file_index; struct { __u16 addr_len; __u16 __pad3[1]; }; };
      union { struct { __u64 addr3; __u64 __pad2[1]; }; __u8 cmd[0]; }; ]] },
  { "union bpf_attr", [[ union bpf_attr {
      struct { __u32 map_type, key_size, value_size, max_entries, map_flags, inner_map_fd, numa_node;
        char map_name[BPF_OBJ_NAME_LEN]; __u32 map_ifindex, btf_fd, btf_key_type_id, btf_value_type_id,
        btf_vmlinux_value_type_id; __u64 map_extra; };
      struct { __u32 prog_type, insn_cnt; __aligned_u64 insns, license; __u32 log_level, log_size; __aligned_u64 log_buf;
        __u32 kern_version, prog_flags; char prog_name[BPF_OBJ_NAME_LEN]; __u32 prog_ifindex, expected_attach_type,
        prog_btf_fd, func_info_rec_size; __aligned_u64 func_info; __u32 func_info_cnt, line_info_rec_size;
        __aligned_u64 line_info; __u32 line_info_cnt, attach_btf_id;
        union { __u32 attach_prog_fd; __u32 attach_btf_obj_fd; }; __u32 core_relo_cnt; __aligned_u64 fd_array, core_relos;
        __u32 core_relo_rec_size; };
      struct { __aligned_u64 in_batch, out_batch, keys, values; __u32 count, map_fd; __u64 elem_flags, flags; } batch;
      struct { __u32 prog_fd, retval, data_size_in, data_size_out; __aligned_u64 data_in, data_out; __u32 repeat, duration,
        ctx_size_in, ctx_size_out; __aligned_u64 ctx_in, ctx_out; __u32 flags, cpu, batch_size; } test;
    } __attribute__((aligned(8))); ]] },
  { "struct clone_args", [[ __aligned_u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
      set_tid_size, cgroup; ]] },
  { "struct landlock_path_beneath_attr", "struct { __u64 allowed_access; __s32 parent_fd; } __attribute__((packed))" },
  { "struct open_how", "__u64 flags, mode, resolve;" },
  { "struct sock_fprog", "unsigned short len; struct sock_filter *filter;" },
  { "struct fiemap", [[ __u64 fm_start, fm_length; __u32 fm_flags, fm_mapped_extents, fm_extent_count, fm_reserved;
      struct fiemap_extent { __u64 fe_logical, fe_physical, fe_length, fe_reserved64[2]; __u32 fe_flags, fe_reserved[3]; }
      fm_extents[0]; ]] },
  { "struct sigevent", [[ union sigval { int sival_int; void *sival_ptr; } sigev_value; int sigev_signo, sigev_notify;
      union { int _pad[12]; int _tid; struct { void (*_function)(sigval); void *_attribute; } _sigev_thread; } _sigev_un; ]],
    only = "64" },
  { "struct io_event", "__u64 data, obj; __s64 res, res2;" },
  { "struct iocb", [[ __u64 aio_data; __u32 aio_key; __kernel_rwf_t aio_rw_flags; __u16 aio_lio_opcode; __s16 aio_reqprio;
      __u32 aio_fildes; __u64 aio_buf, aio_nbytes; __s64 aio_offset; __u64 aio_reserved2; __u32 aio_flags, aio_resfd; ]] },
  { "struct seccomp_data", "int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6];" },
  { "struct mount_attr", "__u64 attr_set, attr_clr, propagation, userns_fd;" },
  { "struct timex", [[ unsigned int modes; __kernel_long_t offset, freq, maxerror, esterror; int status; __kernel_long_t constant,
      precision, tolerance; struct timeval { __kernel_old_time_t tv_sec; __kernel_long_t tv_usec; } time;
      __kernel_long_t tick, ppsfreq, jitter; int shift; __kernel_long_t stabil, jitcnt, calcnt, errcnt, stbcnt; int tai;
      int :32; int :32; int :32; int :32; int :32; int :32; int :32; int :32; int :32; int :32; int :32; ]] },
  { "struct file_handle", "__u32 handle_bytes; int handle_type; unsigned char f_handle[];",
    c = "struct file_handle { __u32 handle_bytes; int handle_type; unsigned char f_handle[]; };" },
}

local headers = [[
#include <stddef.h>
#include <linux/time.h>
#include <linux/types.h>
#include <linux/stat.h>
#include <asm/stat.h>
#include <asm/siginfo.h>
#include <linux/uio.h>
#include <linux/eventpoll.h>
#include <linux/un.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/perf_event.h>
#include <linux/io_uring.h>
#include <linux/bpf.h>
#include <linux/sched.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/filter.h>
#include <linux/fiemap.h>
#include <linux/aio_abi.h>
#include <linux/seccomp.h>
#include <linux/mount.h>
#include <linux/timex.h>
]]

-- ---- structs of all sorts, made up ----

math.randomseed(20)
local integers = { "__u8", "__s8", "__u16", "__s16", "__u32", "__s32", "__u64", "__s64", "int", "unsigned long", "long long",
  "unsigned char", "char", "void *", "short" }
local bit_types = { { "__u8", 8 }, { "__u16", 16 }, { "__u32", 32 }, { "__u64", 64 }, { "int", 32 }, { "__s64", 64 }, { "__s16", 16 } }
local count

local body

local function new_name()
  count = count + 1
  return "f" .. count
end

local function member(depth, in_packed)
  local kind = math.random(12)
  if kind <= 4 then
    local t = bit_types[math.random(#bit_types)]
    local bits = math.random(0, t[2])
    if bits == 0 or math.random(6) == 1 then
      return ("%s :%d;"):format(t[1], bits)
    end
    return ("%s %s:%d;"):format(t[1], new_name(), bits)
  elseif kind == 5 then
    return ("%s %s[%d];"):format(integers[math.random(#integers)], new_name(), math.random(5))
  elseif kind == 6 and depth < 3 then
    return ("%s { %s} %s;"):format(math.random(2) == 1 and "struct" or "union", body(depth + 1), new_name())
  elseif kind == 7 and depth < 3 then
    return ("%s { %s};"):format(math.random(2) == 1 and "struct" or "union", body(depth + 1))
  elseif kind == 8 then
    return ("%s %s __attribute__((aligned(%d)));"):format(integers[math.random(#integers)], new_name(), 1 << math.random(0, 4))
  elseif kind == 9 and depth < 3 then
    return ("struct { %s} __attribute__((packed)) %s;"):format(body(depth + 1, true), new_name())
  end
  return ("%s %s;"):format(integers[math.random(#integers)], new_name())
end

function body(depth, in_packed)
  local parts = { ("%s %s;"):format(integers[math.random(#integers)], new_name()) }
  for i = 1, math.random(6) do
    parts[i + 1] = member(depth, in_packed)
  end
  return table.concat(parts, " ") .. " "
end

local made = {}
for i = 1, 400 do
  count = 0
  local packed = math.random(4) == 1 and " __attribute__((packed))" or ""
  local text = ("%s made%d { %s}%s;"):format(math.random(8) == 1 and "union" or "struct", i, body(0), packed)
  made[i] = { text:match "^%a+ %w+", text, c = text }
end

-- ---- checking ----

local fields_of = require "provium.layout"
local cdecl = require "provium.cdecl"

-- The node behind a definition.
local function node(text, arch)
  return fields_of.node(cdecl.parse(text, {}), fields_of.models[arch])
end

local function each(fn)
  for _, list in ipairs { kernel, made } do
    for _, item in ipairs(list) do
      fn(item)
    end
  end
end

local function has(item, arch)
  return not item.only or item.only == arch or item.only == "64" and (arch == "x86_64" or arch == "aarch64")
end

local function asserts(arch)
  print(headers)
  each(function(item)
    if not has(item, arch) then
      return
    end
    local n = node(item[2], arch)
    if item.c then
      print(item.c)
    end
    print(('_Static_assert(sizeof(%s) == %d, "%s");'):format(item[1], n.size, item[1]))
    print(('_Static_assert(_Alignof(%s) == %d, "%s");'):format(item[1], n.align, item[1]))
    for _, f in ipairs(n.fields) do
      if not f.bits and not (arch == "i386" and f.node.size == 0) then
        print(('_Static_assert(offsetof(%s, %s) == %d, "%s.%s");'):format(item[1], f.name, f.offset, item[1], f.name))
      end
    end
  end)
end

-- Bit fields of structs that lie in others are those of anonymous ones, whose names are hoisted.
local function each_bit_field(fn)
  each(function(item)
    if has(item, "x86_64") then
      for _, f in ipairs(node(item[2], "x86_64").fields) do
        if f.bits then
          fn(item, f)
        end
      end
    end
  end)
end

local function program()
  print(headers)
  print "int printf(const char *, ...);\nvoid *memset(void *, int, size_t);"
  each(function(item) print(item.c or "") end)
  print [[static void show(const char *name, const unsigned char *p, size_t n) {
    printf("%s ", name); while (n-- > 0) printf("%02x", *p++); printf("\n"); }
  int main(void) {]]
  each_bit_field(function(item, f)
    print(('{ %s s; memset(&s, 0, sizeof s); s.%s = (__u64)0x%x; show("%s/%s", (void *)&s, sizeof s); }'):format(
      item[1], f.name, math.tointeger(0xA5C396F05A3C690F & (f.bits == 64 and -1 or (1 << f.bits) - 1)), item[1]:gsub(" ", "-"), f.name))
  end)
  print "return 0; }"
end

local function compare()
  local passed, failed = 0, 0
  each_bit_field(function(item, f)
    local T = provium.struct(item[2])
    local v = 0xA5C396F05A3C690F & (f.bits == 64 and -1 or (1 << f.bits) - 1)
    if f.node.signed and f.bits < 64 and v >> f.bits - 1 == 1 then
      v = v - (1 << f.bits)
    end
    local bytes = T:pack { [f.name] = v }
    local hex = bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
    local expected = ("%s/%s %s"):format(item[1]:gsub(" ", "-"), f.name, hex)
    local actual = io.read "l"
    if expected == actual and T:unpack(bytes)[f.name] == v then
      passed = passed + 1
    else
      failed = failed + 1
      print(item[2], "expected", actual, "got", expected, T:unpack(bytes)[f.name], v)
    end
  end)
  print(("%d passed, %d failed"):format(passed, failed))
  os.exit(failed == 0)
end

if arg[1] == "asserts" then
  asserts(arg[2])
elseif arg[1] == "program" then
  program()
else
  compare()
end
