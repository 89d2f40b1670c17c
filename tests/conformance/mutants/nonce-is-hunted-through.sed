# caught by: stream/sync/nonce-like-a-word
s/^                at = self.pending.find(HOST_WORD)/                at = self.pending.rfind(HOST_WORD)/
