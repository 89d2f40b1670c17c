/* SPDX-License-Identifier: MIT
 *
 * x86-64: the program's entry.  Not part of a hosted build, which has a libc's.
 */
        .text

        .globl  _start
_start:
        xor     %ebp, %ebp
        mov     %rsp, %rdi              /* argc, argv, envp, auxv as the kernel laid them */
        and     $-16, %rsp
        call    agent_start
        ud2

        .section .note.GNU-stack, "", @progbits
