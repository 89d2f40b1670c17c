# caught by: executor/descriptors/channel
s/^    source, sink = .*/    source, sink = 0, 1/; s/^        os.dup2(null, fd)/        pass/
