-- Proves: the worked example of pointer patching runs as it is written, and the struct comes back patched.
local provium = require "provium"

local vm <close> = provium.create():boot()
local sd = "\1\0\4\x80" .. ("\0"):rep(16) -- a security descriptor
local token_fd, desired = 3, 1

test("a struct with a pointer to a security descriptor", function()
  -- Build the struct with a placeholder zero at the pointer offset
  local args = provium.pack("u32 i32 u64 u32 u32",
      96,       -- size
      token_fd, -- token_fd
      0,        -- sd_ptr (placeholder: will be patched)
      #sd,      -- sd_len
      desired)  -- desired access

  -- Call with pointer patching
  local ret, args_out, sd_out = vm:syscall_ptr(1023,
      {[0] = args},                                                 -- buffer args
      {{buf_idx = 0, ptr_offset = 8, data_len = #sd, data = sd}},   -- pointer specs
      0)                                                            -- remaining int args

  -- System call 1023 is one of a kernel that has it.  A stock kernel answers -38 (ENOSYS): a
  -- kernel's failure is a value, so this line is where a test decides what it means.
  assert(ret >= 0 or ret == -38, "access check failed: " .. ret)

  -- Whatever it answered, the struct is back as guest memory holds it: the address is in its place.
  local size, fd, sd_ptr, sd_len = provium.unpack("u32 i32 u64 u32", args_out)
  assert_eq({ 96, token_fd, #sd }, { size, fd, sd_len })
  assert(sd_ptr ~= 0, "the pointer was not patched")
  assert_eq(nil, sd_out) -- its spec does not say output = true
end)
