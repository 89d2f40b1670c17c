-- SPDX-License-Identifier: MIT
-- Keys: texts and payloads behind plain arguments, and the two structs of Diffie-Hellman with what they point to.
local provium = require "provium"
local case = require "case"
local struct, const, errno, cstr = provium.struct, provium.const, provium.errno, provium.cstr
local bytes, out = provium.bytes, provium.out

local vm, see = case.open "keyctl"
local PROCESS = const.KEY_SPEC_PROCESS_KEYRING

-- Ids are random, so calls that return one say only whether there is one.
local function add(label, name, payload)
  local ret = vm:syscall("add_key", cstr "user", cstr(name), bytes(payload), #payload, PROCESS)
  see(label, ret > 0 and 1 or ret)
  return ret
end

local key
test("a key's payload and description come back", function()
  key = add("add_key", "judge:one", "secret payload")
  assert(key > 0, errno.name(key))
  local n, payload = see("read", vm:syscall_buf("keyctl", 2, 20, const.KEYCTL_READ, key, 0, 20))
  assert_eq({ 14, "secret payload" }, { n, payload:sub(1, n) })
  local len, text = see("describe", vm:syscall_buf("keyctl", 2, 64, const.KEYCTL_DESCRIBE, key, 0, 64))
  assert_eq("user;0;0;3f010000;judge:one\0", text:sub(1, len))
  assert_eq(0, (see("update", (vm:syscall("keyctl", const.KEYCTL_UPDATE, key, bytes "other", 5)))))
  assert_eq(5, (see("read", vm:syscall_buf("keyctl", 2, 20, const.KEYCTL_READ, key, 0, 20))))
end)

test("a buffer that is too small learns how much there is", function()
  assert_eq(5, (see("length", vm:syscall("keyctl", const.KEYCTL_READ, key, 0, 0))))
  assert_eq(5, (see("two bytes", vm:syscall_buf("keyctl", 2, 2, const.KEYCTL_READ, key, 0, 2))))
  assert_eq(-errno.EFAULT, (see("four of five", vm:syscall_buf("keyctl", 2, 4, const.KEYCTL_READ, key, 0, 5))))
end)

test("search finds it; text without an end is EFAULT", function()
  local found = vm:syscall("keyctl", const.KEYCTL_SEARCH, PROCESS, cstr "user", cstr "judge:one", 0)
  assert_eq(key, found)
  local function search(label, kind, name)
    return (see(label, (vm:syscall("keyctl", const.KEYCTL_SEARCH, PROCESS, kind, name, 0))))
  end
  assert_eq(-errno.ENOKEY, search("no such key", cstr "user", cstr "judge:two"))
  assert_eq(-errno.EFAULT, search("no end", cstr "user", bytes "judge:one"))
  assert_eq(-errno.EPERM, search("hidden type", cstr ".user", cstr "judge:one"))
end)

local params = struct "i32 private, prime, base;"
local kdf = struct "ptr hashname, otherinfo; u32 otherinfolen = len_of(otherinfo); u32 spare[8];"

local SIZE = 192 -- bytes; the kernel wants 1536 bits

-- base ^ private modulo prime, of big endian numbers that are keys
local function compute(label, prime, room, with)
  local keys = { prime = prime, base = add("base", "judge:base", "\3"), private = add("private", "judge:private", "\5") }
  local ret, _, result, derived = vm:syscall("keyctl", const.KEYCTL_DH_COMPUTE, params(keys), out(room), room, with or 0)
  return see(label, ret, result, derived and kdf:pack(derived))
end

test("KEYCTL_DH_COMPUTE: a struct of keys, or -95 (EOPNOTSUPP) of a kernel without it", function()
  local prime = add("prime", "judge:prime", ("\xff"):rep(SIZE)) -- it is none: nobody minds
  local ret, result = compute("compute", prime, SIZE)
  if ret ~= -errno.EOPNOTSUPP then
    assert_eq({ SIZE, ("\0"):rep(SIZE - 1) .. "\243" }, { ret, result }) -- 3 ^ 5 = 243
    assert_eq(-errno.EOVERFLOW, (compute("no room", prime, SIZE - 1)))
    assert_eq(SIZE, (compute("length", prime, 0)))
  end
  compute("hash", prime, 8, kdf { hashname = cstr "sha256", otherinfo = "info" })
  compute("no hash", prime, 8, kdf { hashname = cstr "nosuchhash", otherinfo = "info" })
end)

test("a revoked key is EKEYREVOKED", function()
  assert_eq(0, (see("revoke", vm:syscall("keyctl", const.KEYCTL_REVOKE, key))))
  assert_eq(-errno.EKEYREVOKED, (see("read revoked", vm:syscall_buf("keyctl", 2, 20, const.KEYCTL_READ, key, 0, 20))))
  assert_eq(-errno.EOPNOTSUPP, (see("no such command", vm:syscall("keyctl", 999))))
end)

-- addresses
case.compare { hash = { { 2, 0, 8 }, { 2, 8, 8 } }, ["no hash"] = { { 2, 0, 8 }, { 2, 8, 8 } } }
