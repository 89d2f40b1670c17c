/* SPDX-License-Identifier: MIT
 *
 * x86-64: the smallest program there is, the floor of starting one.
 */
        .text

        .globl  _start
_start:
        xor     %edi, %edi
        mov     $60, %eax               /* exit */
        syscall

        .section .note.GNU-stack, "", @progbits
