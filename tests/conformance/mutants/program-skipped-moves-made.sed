# caught by: program/fail/leads
s/for move in self.moves\[index\]:/for move in [m for n in range(index + 1) if n not in executed for m in self.moves[n]]:/
