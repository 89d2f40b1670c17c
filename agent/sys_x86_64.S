/* SPDX-License-Identifier: MIT
 *
 * x86-64: the one system call that scripts make.
 */
        .text

/* int64_t agent_syscall6(int64_t nr, const int64_t args[6], int twice)
 *
 * `twice`: this number returns a second time, as 0, in a child that may share our
 * memory and our stack.  That child ends here, without touching either. */
        .globl  agent_syscall6
        .type   agent_syscall6, @function
agent_syscall6:
        push    %rbx
        mov     %edx, %ebx
        mov     %rdi, %rax
        mov     %rsi, %r11
        mov     0(%r11), %rdi
        mov     8(%r11), %rsi
        mov     16(%r11), %rdx
        mov     24(%r11), %r10
        mov     32(%r11), %r8
        mov     40(%r11), %r9
        syscall
        test    %ebx, %ebx
        jnz     1f
0:      pop     %rbx
        ret
1:      test    %rax, %rax
        jnz     0b
        xor     %edi, %edi
        mov     $60, %eax               /* exit: this thread alone */
        syscall
        ud2
        .size   agent_syscall6, . - agent_syscall6

        .section .note.GNU-stack, "", @progbits
