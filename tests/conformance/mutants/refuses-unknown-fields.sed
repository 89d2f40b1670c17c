# caught by: hello/unknown/field unknown/field/ping
s/strict=False/strict=True/
