/* SPDX-License-Identifier: MIT
 *
 * What op_call.c shares with programs: checks of memory, and placing it.  `m` is a call, or
 * the buffers and specs of a program as if they were a call's.
 */
#ifndef AGENT_CALL_H
#define AGENT_CALL_H

#include "agent.h"

/* A fault of a request: where, and which error. */
struct fault {
    enum wire_error_code code; /* 0: none */
    const char *text;
    char path[48];
};

/* Note a fault at `path`, or of one element of a list: "moves[3]", ".step".  Both return false. */
bool call_fault(struct fault *f, enum wire_error_code code, const char *path, const char *text);
bool call_element_fault(struct fault *f, const char *place[2], uint32_t index, const char *text);

/* Buffers and specs: all that SPEC [CALL-8] and [CALL-9] ask for. */
bool call_check_memory(const struct wire_call_request *m, const struct agent_limits *limits, struct fault *f);

/* May nr and args of this call be executed here? */
bool call_check_policy(const struct agent *a, const struct wire_call_request *m, struct fault *f);

/* Addresses of all buffers into a->placed, filled and patched; args: six for each step.  False without memory. */
bool call_place(struct agent *a, const struct wire_call_request *m, int64_t args[]);

/* Does this number return a second time in a child? */
int call_returns_twice(int64_t nr);

/* Those that come back, into a->outs; returns how many. */
uint32_t call_collect(struct agent *a, const struct wire_call_request *m);

/* ---- program_check.c, op_program.c ---- */

#define PROGRAM_NO_SLOT UINT32_MAX /* of a step whose result is not wanted */

/* A program that was checked. */
struct program {
    struct wire_call_request memory; /* its buffers and specs */
    uint32_t steps, moves, rounds;
    uint32_t kept;    /* results of a round */
    uint32_t results; /* in the reply, if no round is missing */
    bool every;       /* round's results are wanted */
};

/* Check everything, fill in p and a->plan. */
bool program_check(struct agent *a, const struct wire_program_request *m, struct program *p, struct fault *f);

#endif
