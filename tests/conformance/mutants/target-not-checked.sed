# caught by: bad-input/target
s/if spec\["target"\] >= len(buffers):/if spec["target"] > len(buffers):/
