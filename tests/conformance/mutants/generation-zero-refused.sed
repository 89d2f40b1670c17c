# caught by: executor/generation/current
s/if generation not in (0, self.GENERATION):/if generation != self.GENERATION and op:/
