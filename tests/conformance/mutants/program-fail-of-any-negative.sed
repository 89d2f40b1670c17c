# caught by: program/fail/what-fails
s/failed = -4095 <= rets\[index\] <= -1/failed = rets[index] < 0/
