# caught by: ping/empty-data
s/if "data" in request else {}/if request.get("data") else {}/
