# caught by: bad-input/half-a-place
s/ or ("offset" in spec) != ("buffer" in spec):/ or ("buffer" in spec and "offset" not in spec):/
