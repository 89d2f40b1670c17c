# caught by: program/rounds
s/if not results \& 2:/if True:/
