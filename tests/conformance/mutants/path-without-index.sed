# caught by: bad-input/target
s/path = f"specs\[{index}\]"/path = "specs"/
