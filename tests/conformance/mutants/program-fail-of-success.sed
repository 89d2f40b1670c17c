# caught by: program/fail/goes-on
s/\(self.steps\[index\].get("fail", index + 1)\) if failed else index + 1/\1/
