# caught by: call/guard/each-buffer
s/            if libc.mprotect(at, PAGE, PROT_NONE) != 0:/            if buffer is buffers[-1] and libc.mprotect(at, PAGE, PROT_NONE) != 0:/
