# caught by: program/values
s/value = self.memory.addresses\[move\["target"\]\]/return self.memory.addresses[move["target"]]/
