# caught by: program/limits-agreed
s/if request.get(name, minimum) < minimum:/if False:/
