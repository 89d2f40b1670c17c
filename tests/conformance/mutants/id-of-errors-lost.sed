# caught by: envelope/malformed/count envelope/malformed/kind
s/self.refuse(self.find_id(body), 0, 0,/self.refuse(0, 0, 0,/
