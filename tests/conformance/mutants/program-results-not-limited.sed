# caught by: program/refused/limits
s/ + 10 \* values > limits/ > limits/
