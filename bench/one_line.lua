test("a kernel answers", function() assert(require "provium".create():boot { memory = "256M" }:syscall(39) > 0) end)
