# caught by: program/just-before
s/for move in self.moves\[index\]:/for move in [m for some in self.moves for m in some if index == 0]:/
