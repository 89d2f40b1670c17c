# caught by: program/memory
s/program.args\[spec.get("step", 0)\]/program.args[0]/
