-- Proves: ioctl_buf patches the pointer inside an ioctl's struct (SIOCGIFCONF lists the interfaces).
local provium = require "provium"

local socket = 41 -- x86_64
local AF_INET, SOCK_DGRAM = 2, 2
local SIOCGIFCONF, SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR = 0x8912, 0x8913, 0x8914, 0x8916
local IFF_UP, IFREQ = 1, 40 -- bytes of a struct ifreq
local vm <close> = provium.create():boot()

local fd = vm:syscall(socket, AF_INET, SOCK_DGRAM, 0)

local function name16(name)
  return name .. ("\0"):rep(16 - #name)
end

test("give lo an address and bring it up", function()
  assert(fd >= 0, "socket failed: " .. fd)
  local sockaddr = provium.pack("u16 u16", AF_INET, 0) .. "\127\0\0\1" .. ("\0"):rep(16)
  assert_eq(0, (vm:ioctl(fd, SIOCSIFADDR, name16 "lo" .. sockaddr)))
  local ret, ifreq = vm:ioctl(fd, SIOCGIFFLAGS, name16 "lo" .. ("\0"):rep(24))
  assert_eq(0, ret)
  local flags = provium.unpack("u16", ifreq:sub(17)) | IFF_UP
  assert_eq(0, (vm:ioctl(fd, SIOCSIFFLAGS, name16 "lo" .. provium.pack("u16", flags) .. ("\0"):rep(22))))
end)

test("SIOCGIFCONF fills the buffer that the struct points to", function()
  -- struct ifconf { int len; char *buf; }: the pointer is at byte 8
  local room = 4 * IFREQ
  local ret, ifconf, list = vm:ioctl_buf(fd, SIOCGIFCONF,
    provium.pack("i32 u32 u64", room, 0, 0),
    { { ptr_offset = 8, buf_len = room, output = true } })
  assert_eq(0, ret)

  local len, _, address = provium.unpack("i32 u32 u64", ifconf)
  assert_eq(IFREQ, len) -- one interface
  assert(address ~= 0)
  assert_eq(room, #list)
  assert_eq("lo", list:sub(1, 16):match "^[^\0]*")
  assert_eq("\127\0\0\1", list:sub(21, 24))
end)
