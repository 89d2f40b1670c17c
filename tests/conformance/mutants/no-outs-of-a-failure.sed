# caught by: call/memory/outs-of-a-failure
s/^            if outs:/            if outs and reply[0] >= 0:/
