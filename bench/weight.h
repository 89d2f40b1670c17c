/* SPDX-License-Identifier: MIT
 *
 * A local agent, and what it weighs: bytes, memory, time to start.
 */
#ifndef BENCH_WEIGHT_H
#define BENCH_WEIGHT_H

#include "../libprovium/provium.h"
#include "bench.h"

/* A session with an agent of its own. */
struct provium_session *agent_spawn(const char *program);

/* The agent's processes, by asking it: executor, supervisor. */
void agent_pids(struct provium_session *session, int64_t pids[2]);

/* Print and append the rows.  empty: a program that ends at once. */
void weigh_agent(FILE *json, char *program, char *empty);

#endif
