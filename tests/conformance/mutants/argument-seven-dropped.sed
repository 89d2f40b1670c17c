# caught by: bad-input/args
s/array_of(word, most=6)/lambda value, path: array_of(word)(value, path)[:6]/
