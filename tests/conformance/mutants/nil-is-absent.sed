# caught by: encoding/types/nil
s/^            name, reader, _ = fields\[number\]/            if content is None:\n                continue\n&/
