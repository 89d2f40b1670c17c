# caught by: envelope/malformed/id-zero
s/if envelope\[0\] == 0 and envelope\[1\] == 0:/if False:/
