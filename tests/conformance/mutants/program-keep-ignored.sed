# caught by: program/rounds/keep
s/ if step.get("keep", 0) or not results \& 1\]/]/
