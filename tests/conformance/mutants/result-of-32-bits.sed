# caught by: call/result/wide
s/ctypes.CFUNCTYPE(ctypes.c_int64, /ctypes.CFUNCTYPE(ctypes.c_int32, /
