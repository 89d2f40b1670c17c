/* SPDX-License-Identifier: MIT
 *
 * What the group `call` lets run against each other: a raw ping-pong, calls from C, calls
 * from Lua.  Each `run` is one of struct bench_side.
 */
#ifndef BENCH_SIDES_H
#define BENCH_SIDES_H

#include "../libprovium/provium.h"
#include "bench.h"

/* ---- raw: the same bytes as a call, and nothing else ---- */

struct raw {
    int fd; /* blocking; the other end is an echo peer (echo.h) */
    size_t request_len, reply_len;
};

/* Fork an echo peer at the other end of a socketpair; it ends with us.  Returns our end. */
int raw_fork_peer(pid_t *pid);

/* Microseconds of a round trip; MB/s of bytes there and back. */
double raw_run(void *raw, unsigned count);
double raw_run_rate(void *raw, unsigned count);

/* The port of a VM that booted the echo guest: its session has done its part. */
int raw_port(struct provium_vm *vm);

/* The lengths of a call and its answer on the wire: getppid, and the syscall_ptr of call.lua. */
void raw_set_plain(struct raw *raw);
void raw_set_pointers(struct raw *raw);

/* ---- C ---- */

/* Microseconds of provium_syscall(getppid) on a struct provium_session. */
double call_run(void *session, unsigned count);

/* The same of the call that syscall_ptr of call.lua makes: two buffers, two pointers. */
double call_run_pointers(void *session, unsigned count);

enum { BULK_LEN = 16 << 20 }; /* bytes of a large buffer */

/* MB/s of a call whose one buffer, of BULK_LEN bytes, goes both ways. */
double bulk_run(void *session, unsigned count);

/* ---- Lua ---- */

/* `provium run call.lua` as a child, which waits for orders. */
struct lua {
    pid_t pid;
    pid_t far[2]; /* processes of its agent, 0 when there are fewer */
    FILE *in, *out;
};

/* argv ends with NULL. */
void lua_start(struct lua *lua, const char *const argv[]);
void lua_stop(struct lua *lua);

/* Microseconds of vm:syscall(39), and of vm:syscall_ptr with two buffers and two pointers. */
double lua_run_syscall(void *lua, unsigned count);
double lua_run_pointers(void *lua, unsigned count);

#endif
