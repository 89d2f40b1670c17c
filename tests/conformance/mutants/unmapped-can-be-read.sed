# caught by: pointers/unmapped
s/if kind == READONLY else PROT_NONE/if kind == READONLY else PROT_READ/
