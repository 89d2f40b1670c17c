/* SPDX-License-Identifier: MIT
 *
 * For tests with a real guest (x86-64): system calls in one line, and agents of a few bytes
 * that misbehave.
 */
#ifndef SUPPORT_GUEST_H
#define SUPPORT_GUEST_H

#include "../../libprovium/provium.h"

/* System calls by number.  Anything but an answer of the agent fails the test. */
int64_t guest_call(struct provium_vm *vm, int64_t nr, int64_t a0, int64_t a1, int64_t a2);
int64_t guest_open(struct provium_vm *vm, const char *path, int flags);

/* Up to cap - 1 bytes of a file as text; the length, or what open or read returned. */
int64_t guest_read(struct provium_vm *vm, const char *path, char *out, size_t cap);

/* Write bytes to a file of the guest; says how the call went, the guest may not survive it. */
enum provium_status guest_write(struct provium_vm *vm, const char *path, const char *bytes);

enum guest_agent { AGENT_SLEEPS, AGENT_EXITS, AGENT_FLOODS };

/* Make a static program of that kind at path. */
void guest_make_agent(const char *path, enum guest_agent kind);

#endif
