# caught by: program/refused/unknown-fields
/^PROGRAM_REQUEST/,/^$/s/strict=True/strict=False/
