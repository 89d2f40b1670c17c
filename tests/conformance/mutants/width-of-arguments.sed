# caught by: pointers/width/refused
s/ or "width" in spec and "arg" in spec:/:/
