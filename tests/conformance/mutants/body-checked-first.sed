# caught by: errors/order/operation-before-body
s/^        operations = {0: self.hello.*/&\n        if op not in operations:\n            PING_REQUEST(fields)/
