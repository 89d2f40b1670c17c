# caught by: specs/exact-width
s/\.to_bytes(width, sys.byteorder), width)/.to_bytes(width, sys.byteorder), 4)/
