# caught by: call/args/six
s/(ctypes.c_uint64 \* 6)(\*args)/(ctypes.c_uint64 * 6)(*args[:5])/
