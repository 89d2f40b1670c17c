# caught by: call/result/errno
s/^            return (self.twice if nr in self.TWICE else self.once)(nr, ctypes.addressof(registers))/            return max(-1, self.once(nr, ctypes.addressof(registers)))/
