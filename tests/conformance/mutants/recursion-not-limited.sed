# caught by: encoding/depth/bomb
s/if depth > self.depth:/if False:/
