# caught by: envelope/worker
s/if worker != 0:/if False:/
