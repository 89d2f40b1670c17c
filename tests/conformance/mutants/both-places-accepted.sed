# caught by: bad-input/both-places bad-input/no-place
s/if ("arg" in spec) == ("buffer" in spec) or/if/
