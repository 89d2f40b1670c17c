# caught by: program/fail/leads
s/self.steps\[index\].get("fail", index + 1) if failed else index + 1/index + 1/
