# caught by: program/fail/ends
s/for i in range(len(self.steps))\], index <= len(self.steps)/for i in range(len(self.steps))], True/
