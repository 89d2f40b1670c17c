# caught by: call/memory/zero-length
s/self.addresses.append(at - buffer\["len"\])/self.addresses.append(at - buffer["len"] if buffer["len"] else 0)/
