/* SPDX-License-Identifier: MIT
 *
 * One case against one fresh agent. */
#ifndef CONFORMANCE_RUN_H
#define CONFORMANCE_RUN_H

#include "peer.h"
#include "suite.h"

enum { START_MS = 10000 };

struct run {
    const struct suite *suite;
    const struct scenario *scenario;
    const char *command;
    int timeout_ms; /* for each answer; a fresh agent's first one may take START_MS longer */
    bool heard;     /* the agent that runs now has sent something */
    struct env env;
    struct peer peer;
    int64_t started_ms;
    bool over; /* the agent closed the channel where it may: the rest does not apply */
    struct bytes transcript;
    struct bytes failure; /* empty as long as nothing failed */
};

/* Fill in suite, command and timeout_ms; the rest is 0. */
bool run_scenario(struct run *run, const struct scenario *scenario, const char *arch);
void run_free(struct run *run);
/* The first %name in the case or its macros that this architecture lacks, as a
 * word in out. */
bool run_lacks_name(const struct suite *suite, const struct scenario *scenario, const char *arch, struct bytes *out);

#endif
