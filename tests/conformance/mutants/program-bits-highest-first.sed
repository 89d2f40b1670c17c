# caught by: program/fail/many-skipped
s/sum(1 << i for i, value/sum(1 << (i ^ 7) for i, value/
