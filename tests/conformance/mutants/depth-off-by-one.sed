# caught by: encoding/depth/at-the-limit
s/if depth > self.depth:/if depth >= self.depth:/
