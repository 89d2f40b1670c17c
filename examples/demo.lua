-- Proves: a pointer inside a struct is patched in the guest and followed by its kernel. `make demo` runs this.
local provium = require "provium"

local writev, pread64, memfd_create = 20, 17, 319 -- x86_64

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x "):format(c:byte()) end))
end

local function show(title, vector)
  print(title)
  for i = 0, 1 do
    local element = vector:sub(16 * i + 1, 16 * i + 16)
    local base, len = provium.unpack("u64 u64", element)
    local line = "  iovec[%d]  %s %s  base = 0x%x, len = %d"
    print(line:format(i, hex(element:sub(1, 8)), hex(element:sub(9)), base, len))
  end
end

print "Booting a Linux kernel in QEMU, with Provium's agent as its first process ..."
local vm <close> = provium.create():boot()
local it = vm:info()
print(("It is Linux %s on %s. Scripts run on this side, system calls on that one.\n"):format(it.kernel, it.arch))

-- A file to write to, then the array that writev(2) takes: two structs with a pointer each.
local fd = vm:syscall_buf(memfd_create, 0, "demo\0")
local vector = provium.pack("u64 u64 u64 u64", 0, 7, 0, 13)
show("The struct as the script made it. Its pointers are zero: the guest's addresses are the guest's business.", vector)

print '\nThe pointers to be patched:\n  byte 0 of it  -> "Hello, "\n  byte 16 of it -> "real kernel!\\n"'
local ret, patched = vm:syscall_ptr(writev, { [1] = vector }, {
  { buf_idx = 1, ptr_offset = 0, data = "Hello, " },
  { buf_idx = 1, ptr_offset = 16, data = "real kernel!\n" },
}, fd, 0, 2)

print(("\nwritev(%d, struct, 2) = %d\n"):format(fd, ret))
show("The struct after the call, as the kernel saw it:", patched)

local n, text = vm:syscall_buf(pread64, 1, ("\0"):rep(64), fd, 0, 64, 0)
print(("\nWhat the kernel found behind the addresses, read back from the file:\n  %s"):format(text:sub(1, n)))

local missing = vm:syscall_ptr(writev, { [1] = vector }, {}, fd, 0, 2)
print(("The same call without the pointers: %d (EFAULT). A failure is a value.\n"):format(missing))

assert(ret == 20 and missing == -14 and text:sub(1, n) == "Hello, real kernel!\n")
