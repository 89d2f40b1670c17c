# caught by: program/fail/ends
s/index = self.steps\[index\].get("fail", index + 1) if failed/index = (lambda n: n + (n == len(self.steps)))(self.steps[index].get("fail", index + 1)) if failed/
