# caught by: call/memory/directions
s/buffer, address in zip(buffers, memory.addresses) if buffer\["dir"\] \& 2\]/buffer, address in zip(buffers, memory.addresses) if buffer["dir"] == 3]/
