# caught by: limits/buffers/over
s/if len(buffers) > limits\["buffer_limit"\]:/if False:/
