# caught by: envelope/malformed/kind envelope/malformed/kind-of-an-agent
s/if envelope\[0\] not in (0, 4, 5):/if False:/
