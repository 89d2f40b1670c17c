# caught by: limits/reply/at
s/^    if sum(returned) + 16 .*/    if sum(returned) > 60000:/
