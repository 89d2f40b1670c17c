# caught by: call/result/wide call/args/six
s/(ctypes.c_uint64 \* 6)(\*args)/(ctypes.c_uint64 * 6)(*[arg \& 0xFFFFFFFF for arg in args])/
