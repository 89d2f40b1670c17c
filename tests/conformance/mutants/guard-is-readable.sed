# caught by: call/guard/kernel-reads call/guard/kernel-writes call/guard/no-zeros-behind call/memory/zero-length
s/mprotect(at, PAGE, PROT_NONE)/mprotect(at, PAGE, PROT_READ | PROT_WRITE)/
