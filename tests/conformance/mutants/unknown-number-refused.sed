# caught by: call/result/no-such-number
s/^        if request\["nr"\] in DENIED_CALLS:/        if request["nr"] > 1000:\n            raise Refused(UNKNOWN_OP, "no such call", "nr")\n&/
