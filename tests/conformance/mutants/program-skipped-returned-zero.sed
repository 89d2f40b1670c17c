# caught by: program/fail/leads
s/rets, executed, index = \[-1\]/rets, executed, index = [0]/
