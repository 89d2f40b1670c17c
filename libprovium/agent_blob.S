/* SPDX-License-Identifier: MIT
 *
 * The agent's binary inside the library, so that host and guest always match.
 * AGENT_FILE is its path.
 */
        .section .rodata
        .globl  provium_agent_start, provium_agent_end
        .hidden provium_agent_start, provium_agent_end
        .balign 16
provium_agent_start:
        .incbin AGENT_FILE
provium_agent_end:
        .byte   0

        .section .note.GNU-stack, "", %progbits
