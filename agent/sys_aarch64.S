/* SPDX-License-Identifier: MIT
 *
 * aarch64: the one system call that scripts make.
 */
        .text

/* int64_t agent_syscall6(int64_t nr, const int64_t args[6], int twice)
 *
 * `twice`: this number returns a second time, as 0, in a child that may share our
 * memory and our stack.  That child ends here, without touching either. */
        .globl  agent_syscall6
        .type   agent_syscall6, %function
agent_syscall6:
        mov     w9, w2
        mov     x8, x0
        mov     x10, x1
        ldp     x0, x1, [x10]
        ldp     x2, x3, [x10, #16]
        ldp     x4, x5, [x10, #32]
        svc     #0
        cbz     w9, 0f
        cbz     x0, 1f
0:      ret
1:      mov     x8, #93                 /* exit: this thread alone */
        svc     #0
        brk     #0
        .size   agent_syscall6, . - agent_syscall6

        .section .note.GNU-stack, "", %progbits
