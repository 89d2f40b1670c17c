/* SPDX-License-Identifier: MIT
 *
 * The names that tools/names.lua took from the kernel's headers, one text for each
 * architecture.  Assemble with -I on the folder of the .names files.
 */
#define NAMES(arch, file) \
    .globl provium_names_##arch##_start, provium_names_##arch##_end; \
    .hidden provium_names_##arch##_start, provium_names_##arch##_end; \
    provium_names_##arch##_start: .incbin file; \
    provium_names_##arch##_end:

    .section .rodata
    NAMES(x86_64, "x86_64.names")
    NAMES(aarch64, "aarch64.names")

    .section .note.GNU-stack, "", %progbits
