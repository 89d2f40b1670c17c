# caught by: frame/trailing frame/two-in-one
s/if reader.at != len(body):/if False:/
