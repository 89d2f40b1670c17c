# caught by: bad-input/offset
s/spec\["offset"\] + POINTER_WIDTH > /spec["offset"] >= /
