# caught by: pointers/bad/refused
s/if spec\["bad"\] not in FIXED and spec\["bad"\] not in (UNMAPPED, READONLY):/if False:/
