# caught by: stream/sync/false-starts
s/^                at = self.pending.find(HOST_WORD)/                at = self.pending.find(HOST_WORD)\n                at = at if self.pending.find(b"\\xf5") == at else -1/
