# caught by: limits/memory/sum
s/if sum(buffer\["len"\] for buffer in buffers) > /if sum(buffer["len"] for buffer in buffers) % (1 << 32) > /
