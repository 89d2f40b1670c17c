# caught by: pointers/readonly
s/PROT_READ if kind == READONLY/PROT_READ | PROT_WRITE if kind == READONLY/
