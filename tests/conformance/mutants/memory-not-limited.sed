# caught by: limits/memory/over limits/memory/sum
s/if sum(buffer\["len"\] for buffer in buffers) > limits/if max([buffer["len"] for buffer in buffers] + [0]) % (1 << 31) > 1 << 40 and limits/
