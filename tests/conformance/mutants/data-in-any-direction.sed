# caught by: bad-input/data/direction
s/if "data" in buffer and not buffer\["dir"\] \& 1:/if False:/
