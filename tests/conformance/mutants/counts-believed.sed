# caught by: encoding/count/bomb
s/^        if elements > len(self.data) - self.at: .*/        if elements > 1 << 24:\n            raise MemoryError/
