# caught by: open
s/for key in sorted(value)\]/for key in sorted(value, reverse=True)]/
