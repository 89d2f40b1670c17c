# caught by: program/refused/limits
s/if len(items) > limits\[name\[:-1\] + "_limit"\]:/if False:/
