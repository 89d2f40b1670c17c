/* SPDX-License-Identifier: MIT
 *
 * What comes from the agent: taken, judged, and described when it is wrong. */
#ifndef CONFORMANCE_EXPECT_H
#define CONFORMANCE_EXPECT_H

#include "run.h"
#include "value.h"

/* The next frame matches the pattern.  Events are passed over, unless the
 * pattern is one of an event. */
bool expect_frame(struct run *run, const struct step *step, const char *pattern);
/* The next two frames match the two patterns, in either order. */
bool expect_pair(struct run *run, const struct step *step, const char *first, const char *second);
bool expect_bytes(struct run *run, const struct step *step, const struct bytes *bytes);
bool expect_silence(struct run *run, const struct step *step, int ms);
bool expect_end(struct run *run, const struct step *step);

/* Begin the failure's text; more may be printed to run->failure.  Always false. */
bool fail(struct run *run, const struct step *step, const char *what);
/* A line of the transcript: the bytes, and if it is a frame what they mean. */
void note(struct run *run, const char *who, const struct bytes *bytes, size_t head);

#endif
