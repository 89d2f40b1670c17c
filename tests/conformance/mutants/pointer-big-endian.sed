# caught by: specs/into-a-buffer
s/address.to_bytes(POINTER_WIDTH, sys.byteorder)/address.to_bytes(POINTER_WIDTH, "big")/
