# caught by: pointers/width/refused
s/spec.get("width", 8) not in (4, 8)/spec.get("width", 8) > 16/
