#!/bin/bash
# SPDX-License-Identifier: MIT
# provium.const and provium.errno agree with the C library's headers, which they were not made from; a build
# without the headers of an architecture says so.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export LUA_PATH="$B/lua/?.lua;$B/lua/?/init.lua" LUA_CPATH="$B/lua/?.so"
runtime=$(ldd "$B/lua/provium/core.so" | sed -n 's/.*libasan[^ ]* => \([^ ]*\).*/\1/p')

lua() { LD_PRELOAD=$runtime ASAN_OPTIONS=detect_leaks=0 lua5.4 "$@"; }

cat >"$dir/asserts.lua" <<'L'
local provium = require "provium"
local function check(kind, names)
  for name in names:gmatch "%S+" do
    print(('_Static_assert((long long)(%s) == %dLL, "%s");'):format(name, provium[kind][arg[1]][name], name))
  end
end
check("const", [[O_CREAT O_DIRECTORY O_NOFOLLOW O_DIRECT O_CLOEXEC O_PATH O_TMPFILE AT_FDCWD AT_EMPTY_PATH F_SETLK
  MAP_ANONYMOUS MAP_FIXED MAP_STACK MAP_GROWSDOWN PROT_READ MADV_DONTNEED CLONE_NEWUSER CLONE_VFORK SOCK_STREAM
  SOCK_NONBLOCK AF_INET6 AF_VSOCK SOL_SOCKET SO_PEERCRED MSG_PEEK SCM_RIGHTS EPOLLIN EPOLLET EPOLL_CTL_ADD SIGKILL
  SIGCHLD SA_RESTART SIG_BLOCK S_IFREG S_IFSOCK S_ISUID FIONREAD TCGETS TIOCGWINSZ SIOCGIFCONF CLOCK_MONOTONIC
  RLIMIT_NOFILE MS_BIND IPC_CREAT SHM_RDONLY SEEK_HOLE WNOHANG PTRACE_ATTACH POLLIN PR_SET_NAME DT_DIR FIONBIO]])
check("errno", "EPERM EFAULT EAGAIN EWOULDBLOCK EDEADLOCK ENOTSUP EHWPOISON ELOOP")
for name, nr in pairs(provium.sys[arg[1]]) do
  print(('_Static_assert(__NR_%s == %d, "%s");'):format(name, nr, name))
end
L

headers='poll fcntl errno signal sys/mman sched sys/socket sys/epoll sys/stat sys/ioctl time sys/resource sys/mount
    sys/shm unistd sys/wait sys/ptrace sys/prctl dirent asm/ioctls linux/sockios sys/syscall asm/unistd'
agrees() { # ARCH COMPILER
    {
        echo '#define _GNU_SOURCE'
        printf '#include <%s.h>\n' $headers
        lua "$dir/asserts.lua" "$1"
    } >"$dir/$1.c"
    "$2" -std=gnu11 -fsyntax-only "$dir/$1.c"
}
agrees x86_64 gcc
agrees aarch64 "${CROSS:-aarch64-linux-gnu-}gcc"

# no compiler for it, no names, no failure
lua5.4 tools/names.lua no-such-compiler gcc >"$dir/aarch64.names" 2>"$dir/err"
[ ! -s "$dir/aarch64.names" ]
grep -q 'no kernel headers for no-such-compiler' "$dir/err"

# the module with that empty file in it
mkdir "$dir/provium"
gcc -Wa,-I"$dir",-I"$B/names" -c bindings/lua/names.S -o "$dir/names.o"
objects=$(ls "$B"/obj/bindings/lua/*.o | grep -vE '/(main|names|sources)\.o$')
gcc ${runtime:+-fsanitize=address,undefined} -shared -o "$dir/provium/core.so" $objects "$dir/names.o" \
    "$B/libprovium.a" "$B/libwire-value.a" "$B/libwire.a" -lmsgpackc -ljansson
LUA_CPATH="$dir/?.so" lua -e '
local provium = require "provium"
assert(provium.sys.openat2 == 437)
local ok, err = pcall(function() return provium.sys.aarch64.openat2 end)
assert(not ok and err:find("sys.aarch64: this build has no names for aarch64: the kernel headers", 1, true), err)
for name in pairs(provium.const.aarch64) do error(name) end'
