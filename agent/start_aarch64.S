/* SPDX-License-Identifier: MIT
 *
 * aarch64: the program's entry.  Not part of a hosted build, which has a libc's.
 */
        .text

        .globl  _start
_start:
        mov     x29, #0
        mov     x30, #0
        mov     x0, sp                  /* argc, argv, envp, auxv as the kernel laid them */
        bl      agent_start
        brk     #0

        .section .note.GNU-stack, "", %progbits
