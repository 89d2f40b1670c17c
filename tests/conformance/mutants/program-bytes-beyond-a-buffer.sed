# caught by: program/refused/moves
s/if move\[offset\] + move\["width"\] > /if move[offset] > /
