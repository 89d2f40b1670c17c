# caught by: program/refused/moves
s/ or move.get("width", 8) not in (1, 2, 4, 8):/:/
