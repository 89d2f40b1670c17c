# caught by: bad-input/data/longer-than-len
s/^        if len(buffer.get("data", b"")) > buffer\["len"\]:/        buffer["data"] = buffer.get("data", b"")[:buffer["len"]]\n        if False:/
