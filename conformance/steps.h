/* SPDX-License-Identifier: MIT
 *
 * The verbs of a case: what each does with the agent. */
#ifndef CONFORMANCE_STEPS_H
#define CONFORMANCE_STEPS_H

#include "run.h"

const struct verb *verb_find(const char *word); /* NULL: no such verb */
/* NULL, or the sentence that says what is wrong with the step's arguments. */
const char *verb_check(const struct step *step, const struct suite *suite, const struct env *env);
/* false: the case has failed, and run->failure says why. */
bool verb_run(struct run *run, const struct step *step);

#endif
