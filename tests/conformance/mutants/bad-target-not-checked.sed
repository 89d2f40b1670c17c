# caught by: pointers/bad/refused
s/if spec\["target"\] != 0:/if spec["target"] > len(buffers):/
