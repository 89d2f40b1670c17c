# caught by: program/into-a-buffer
s/low, move\["width"\])/low, 1)/
