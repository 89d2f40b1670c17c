# caught by: stream/silence/patience
s/^PATIENCE_MS = 2000/PATIENCE_MS = 500/
