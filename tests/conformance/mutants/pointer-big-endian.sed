# caught by: specs/into-a-buffer
s/\.to_bytes(width, sys.byteorder)/.to_bytes(width, "big")/
