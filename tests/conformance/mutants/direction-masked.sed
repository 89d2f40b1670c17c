# caught by: bad-input/dir
s/if buffer\["dir"\] > 3:/if False:/
