# caught by: pointers/width
s/width = spec.get("width", POINTER_WIDTH)/width = POINTER_WIDTH/
