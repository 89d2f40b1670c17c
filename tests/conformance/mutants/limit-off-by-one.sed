# caught by: frame/largest
s/^        if size > limit:/        if size >= limit:/
