#!/bin/bash
# SPDX-License-Identifier: MIT
# Every Lua file of the binding is inside the command and in the rockspec.
set -eu
files=$(cd bindings/lua && printf '%s\n' provium/*.lua | sort)
inside=$(sed -nE 's/^LUA_SOURCE\(.*"(.*)"\)$/\1/p' bindings/lua/sources.def | sort)
packed=$(sed -nE 's|.*"bindings/lua/(provium/.*\.lua)".*|\1|p' bindings/lua/provium-scm-1.rockspec | sort)
diff <(echo "$files") <(echo "$inside")
diff <(echo "$files") <(echo "$packed")
