# caught by: call/plain
s/^            if outs:/            if True:/
