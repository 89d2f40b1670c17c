# caught by: encoding/types/float
s/^def word(value, path):/&\n    value = int(value) if type(value) is float else value/
