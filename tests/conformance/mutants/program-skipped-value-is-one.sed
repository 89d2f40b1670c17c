# caught by: program/fail/leads
s/\[0 if value is None else value/[-1 if value is None else value/
