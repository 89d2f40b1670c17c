# caught by: pointers/plus
s/address + spec.get("plus", 0)/address/
