# caught by: program/refused/steps
s/not index < step\["fail"\] <= len(steps) + 1/step["fail"] > len(steps) + 1/
