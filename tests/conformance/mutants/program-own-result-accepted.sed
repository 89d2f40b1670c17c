# caught by: program/refused/moves
s/move\["ret"\] >= move\["step"\]/move["ret"] > move["step"]/
