# caught by: call/memory/read-and-write
s/reply\[1\] = outs/reply[1] = [buffer.get("data", b"").ljust(buffer["len"], b"\\0") for buffer in buffers if buffer["dir"] \& 2]/
