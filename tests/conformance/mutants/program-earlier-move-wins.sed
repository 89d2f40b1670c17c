# caught by: program/later-wins
s/self.moves\[move\["step"\]\].append(move)/self.moves[move["step"]].insert(0, move)/
