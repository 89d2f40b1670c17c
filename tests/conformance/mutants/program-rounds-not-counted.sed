# caught by: program/rounds
s/rounds += 1/rounds = 1/
