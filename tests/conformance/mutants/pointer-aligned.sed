# caught by: specs/unaligned specs/last-place
s/\] + spec\["offset"\],/] + spec["offset"] \/\/ 4 * 4,/
