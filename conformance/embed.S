/* SPDX-License-Identifier: MIT
 *
 * The case files, put together by the Makefile with a line "file NAME" before
 * each, and SPEC.md, for spec.c.  The assembler finds them by its -I. */
    .section .rodata
    .global conformance_cases, conformance_cases_end, conformance_spec, conformance_spec_end
conformance_cases:
    .incbin "all.case"
conformance_cases_end:
    .byte 0
conformance_spec:
    .incbin "SPEC.md"
conformance_spec_end:
    .byte 0
    .section .note.GNU-stack,"",%progbits
