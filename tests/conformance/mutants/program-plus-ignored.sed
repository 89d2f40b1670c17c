# caught by: program/values
s/return (value + move.get("plus", 0)) %/return value %/
