# caught by: hello/limits/never-above
s/min(request\[name\], ours) for/ours for/
