# caught by: program/not-in-use
s/if "program" in self.in_use:/if True:/
