# caught by: stream/sync/dribbled
s/^                self.pending\[:\] = tail/                self.pending.clear()/
