# caught by: hello/missing
s/2: ("caps", array_of(text), True)/2: ("caps", array_of(text), False)/
