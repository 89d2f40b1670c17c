# caught by: executor/twice/fork
s/(self.twice if nr in self.TWICE else self.once)/self.once/
