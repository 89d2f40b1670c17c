/* SPDX-License-Identifier: MIT
 *
 * What a run of the suite tells: lines for a person, JSON for a program. */
#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include "run.h"

enum verdict {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_STALE, /* listed as known to fail, and passes: counts as failed */
    VERDICT_KNOWN, /* failed as listed: counts as skipped, like the next two */
    VERDICT_WARN,  /* a SHOULD that does not hold */
    VERDICT_NA,    /* does not apply to this agent */
};

struct report {
    const char *command, *arch;
    const struct bytes *caps; /* as hello listed them, in msgpack */
    unsigned passed, failed, skipped;
    bool verbose;
    struct bytes json; /* the cases so far */
};

/* One case is done: count it and print what is worth it.  Why says why it does not
 * apply, else is NULL. */
void report_case(struct report *report, const struct run *run, enum verdict verdict, const char *why);
void report_last_line(const struct report *report);
bool report_save_json(const struct report *report, const char *path);

#endif
