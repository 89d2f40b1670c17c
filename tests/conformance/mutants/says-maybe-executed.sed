# caught by: errors/shape bad-input/args
s/body = {0: refusal.text, 2: 0}/body = {0: refusal.text, 2: 1}/
