# caught by: call/guard/kernel-writes
s/self.addresses.append(at - buffer\["len"\])/self.addresses.append(at - span)/
