# caught by: call/args/missing-are-zero
s/args += \[0\] \* (6 - len(args))/args += [5] * (6 - len(args))/
