# caught by: bad-input/offset
s/spec\["offset"\] + spec.get("width", POINTER_WIDTH) > /spec["offset"] >= /
