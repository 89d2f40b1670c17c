# caught by: hello/limits/below
s/^            if request\[name\] < minimum:/            if False:/
