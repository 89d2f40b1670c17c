# caught by: call/memory/directions
s/reply\[1\] = outs/reply[1] = outs[::-1]/
