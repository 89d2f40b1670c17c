# caught by: pointers/readonly
s/PROT_READ if kind == READONLY else PROT_NONE/PROT_NONE/
