# caught by: pointers/plus
s/args\[spec\["arg"\]\] = address/args[spec["arg"]] = address - spec.get("plus", 0)/
