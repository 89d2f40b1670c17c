# caught by: program/refused/moves
s/if not before <= move\["step"\] < steps:/if move["step"] >= steps:/
