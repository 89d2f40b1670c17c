# caught by: program/from-a-buffer/widths
s/signed=move.get("sign", 0) == 1/signed=False/
