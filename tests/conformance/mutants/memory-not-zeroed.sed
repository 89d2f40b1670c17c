# caught by: call/memory/zero-fill call/memory/nothing-shows-through
s/^            ctypes.memmove(self.addresses\[-1\], data, len(data))/            ctypes.memset(self.addresses[-1], 0x41, buffer["len"])\n&/
