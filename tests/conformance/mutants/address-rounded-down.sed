# caught by: call/guard/kernel-reads
s/self.addresses.append(at - buffer\["len"\])/self.addresses.append((at - buffer["len"]) \& -8)/
