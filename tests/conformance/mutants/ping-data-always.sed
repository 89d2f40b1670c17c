# caught by: ping/empty
s/return {0: request\["data"\]} if "data" in request else {}/return {0: request.get("data", b"")}/
