# caught by: errors/order/worker-before-operation
s/^        if worker != 0:/        if op not in (0, 1, 16):\n            raise Refused(UNKNOWN_OP, "no")\n&/
