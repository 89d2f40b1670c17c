# caught by: pointers/width
s/(address % (1 << 8 \* width))/(address >> 64 - 8 * width)/
