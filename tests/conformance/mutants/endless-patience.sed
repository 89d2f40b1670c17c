# caught by: stream/silence/in-a-frame stream/silence/in-a-length stream/silence/in-a-sync stream/silence/in-a-skipped-body
s/^PATIENCE_MS = 2000/PATIENCE_MS = 60000/
