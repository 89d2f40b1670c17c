# caught by: unknown/operation
s/raise Refused(UNKNOWN_OP, f"there is no.*/raise Goodbye/
