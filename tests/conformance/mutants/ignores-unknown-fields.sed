# caught by: unknown/field/call unknown/field/buffer unknown/field/spec
s/strict=True/strict=False/
