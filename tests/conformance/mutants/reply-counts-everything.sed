# caught by: limits/reply/in-does-not-count
s/for buffer in buffers if buffer\["dir"\] \& 2\]$/for buffer in buffers]/
