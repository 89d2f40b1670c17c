# caught by: frame/zero
s/^        if size == 0 or size >= 1 << 31:/        if size == 0:\n            del self.pending[:4]\n            return self.next(limit)\n        if size >= 1 << 31:/
