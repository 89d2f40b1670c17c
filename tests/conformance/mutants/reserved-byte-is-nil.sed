# caught by: frame/reserved-byte
s/WORDS = {0xC0: None,/WORDS = {0xC0: None, 0xC1: None,/
