# caught by: bad-input/offset
s/if spec\["offset"\] + spec.get("width", POINTER_WIDTH) > /if (spec["offset"] + POINTER_WIDTH) % (1 << 32) > /
