-- From a checkout, in its top folder: luarocks make bindings/lua/provium-scm-1.rockspec
rockspec_format = "3.0"
package = "provium"
version = "scm-1"
source = { url = "." }
description = {
  summary = "Script real kernels: raw system calls in a guest, with buffers and pointer patching",
  license = "MIT",
  labels = { "kernel", "testing", "qemu" },
}
supported_platforms = { "linux" }
dependencies = { "lua >= 5.4" }
external_dependencies = {
  JANSSON = { header = "jansson.h" },
  MSGPACK = { header = "msgpack.h" },
}
build = {
  type = "make",
  makefile = "Makefile",
  build_target = "build/lua/provium/core.so",
  build_variables = { LUA_CFLAGS = "-I$(LUA_INCDIR)" },
  install_pass = false,
  install = {
    lua = {
      ["provium"] = "bindings/lua/provium/init.lua",
      ["provium.cdecl"] = "bindings/lua/provium/cdecl.lua",
      ["provium.config"] = "bindings/lua/provium/config.lua",
      ["provium.ctokens"] = "bindings/lua/provium/ctokens.lua",
      ["provium.decode"] = "bindings/lua/provium/decode.lua",
      ["provium.encode"] = "bindings/lua/provium/encode.lua",
      ["provium.graph"] = "bindings/lua/provium/graph.lua",
      ["provium.integers"] = "bindings/lua/provium/integers.lua",
      ["provium.layout"] = "bindings/lua/provium/layout.lua",
      ["provium.names"] = "bindings/lua/provium/names.lua",
      ["provium.msgpack"] = "bindings/lua/provium/msgpack.lua",
      ["provium.program"] = "bindings/lua/provium/program.lua",
      ["provium.reproducer"] = "bindings/lua/provium/reproducer.lua",
      ["provium.runner"] = "bindings/lua/provium/runner.lua",
      ["provium.show"] = "bindings/lua/provium/show.lua",
      ["provium.struct"] = "bindings/lua/provium/struct.lua",
      ["provium.testing"] = "bindings/lua/provium/testing.lua",
      ["provium.trace"] = "bindings/lua/provium/trace.lua",
      ["provium.value"] = "bindings/lua/provium/value.lua",
    },
    lib = {
      ["provium.core"] = "build/lua/provium/core.so",
    },
  },
}
