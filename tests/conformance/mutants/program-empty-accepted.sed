# caught by: program/refused/steps
s/    if not steps:/    if False:/
