# caught by: specs/exact-width
s/address.to_bytes(POINTER_WIDTH, sys.byteorder), POINTER_WIDTH)/address.to_bytes(8, sys.byteorder), 4)/
