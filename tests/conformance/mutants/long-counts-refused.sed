# caught by: encoding/counts
s/0xDD: ("array", 4), //
