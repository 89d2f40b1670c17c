# caught by: pointers/not-in-use
s/if "pointers" not in in_use and /if False and /
