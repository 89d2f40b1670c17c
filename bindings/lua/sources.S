/* SPDX-License-Identifier: MIT
 *
 * The Lua sources as bytes, so that the command is one file that runs from anywhere.
 * Assemble with -I on the folder of provium/.
 */
#define LUA_SOURCE(module, symbol, file) \
    .globl provium_lua_##symbol##_start, provium_lua_##symbol##_end; \
    provium_lua_##symbol##_start: .incbin file; \
    provium_lua_##symbol##_end:

    .section .rodata
#include "sources.def"

    .section .note.GNU-stack, "", %progbits
