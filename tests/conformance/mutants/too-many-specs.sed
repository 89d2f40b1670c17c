# caught by: limits/specs/over
s/if len(specs) > limits\["spec_limit"\]:/if False:/
