# caught by: stream/silence/between-frames
s/self.fill(PATIENCE_MS if self.pending else None)/self.fill(PATIENCE_MS)/
