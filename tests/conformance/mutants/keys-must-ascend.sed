# caught by: encoding/key-order
s/^        for number, content in value:/        if [n for n, _ in value] != sorted(n for n, _ in value):\n            raise Refused(BAD_FIELD, "order", path)\n&/
