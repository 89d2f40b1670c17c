# caught by: specs/later-wins
s/            for spec in specs:  /            for spec in reversed(specs):  /
