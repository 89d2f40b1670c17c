# caught by: encoding/depth/over-the-limit
s/if depth > self.depth:/if depth > 500:/
