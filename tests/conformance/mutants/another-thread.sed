# caught by: executor/thread
s/^            return (self.twice if nr in self.TWICE else self.once)(nr, ctypes.addressof(registers))/            import concurrent.futures\n            with concurrent.futures.ThreadPoolExecutor(1) as pool:\n                return pool.submit(self.once, nr, ctypes.addressof(registers)).result()/
