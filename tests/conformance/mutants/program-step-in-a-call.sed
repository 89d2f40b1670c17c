# caught by: program/refused/memory
s/if "step" in spec:  /if False:  /
