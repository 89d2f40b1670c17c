/* SPDX-License-Identifier: MIT
 *
 * The agent's session as a test drives it: bytes in, answers out of a file of memory,
 * system calls into a hook that records them and executes nothing.
 */
#ifndef SUPPORT_RIG_H
#define SUPPORT_RIG_H

#include "../../agent/agent.h"
#include "any.h"

struct rig {
    struct agent *a;
    int answers;  /* the file that the agent writes to */
    size_t taken; /* bytes of it that a test has seen */
    /* the hook: what it saw last, what it gives back */
    unsigned calls;
    int64_t nr, args[WIRE_ARGS_MAX];
    int twice;
    int64_t ret;
    void (*during)(struct rig *r); /* runs in the place of the kernel; may be NULL */
};

/* One per process.  An agent that just started, generation 1, no session; NULL when it cannot start. */
struct rig *rig_open(void);

/* Feed bytes to the stream and let the agent serve them. */
void rig_feed(struct rig *r, const void *bytes, size_t len);

/* Feed hex as it is; as the body of a frame.  False when it is not hex. */
bool rig_raw(struct rig *r, const char *hex);
bool rig_frame(struct rig *r, const char *hex);

/* Encode and feed. */
bool rig_send(struct rig *r, const struct any_message *m);

/* The bytes that the agent wrote since the last take, at most cap; none is 0. */
size_t rig_take(struct rig *r, void *out, size_t cap);

/* Take the next frame that it wrote and decode it; it borrows memory until the next one.
 * False when there is no whole frame. */
bool rig_answer(struct rig *r, struct any_message *m);

/* Forget what it wrote. */
void rig_clear(struct rig *r);

/* A sync, and its echo taken.  False when the echo is not the right one. */
bool rig_sync(struct rig *r);

/* A sync and a hello with these limits; its reply in *reply. */
bool rig_hello(struct rig *r, const struct agent_limits *limits, struct any_message *reply);

/* The agent's own limits with all capabilities, and the guaranteed minimum without any. */
extern const struct agent_limits rig_wide, rig_minimum;

/* Memory behind an argument of the recorded call. */
uint8_t *rig_pointer(const struct rig *r, unsigned arg);

#endif
