# caught by: limits/reply/over
s/^    if sum(returned) + 16 .*/    if False:/
