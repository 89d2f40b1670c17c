# caught by: pointers/width/last-place
s/spec\["offset"\] + spec.get("width", POINTER_WIDTH)/spec["offset"] + POINTER_WIDTH/
