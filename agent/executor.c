/* SPDX-License-Identifier: MIT
 *
 * The process that makes a script's system calls, and in the common case also the
 * one that reads the channel: docs/state-machines.md, "Executor".
 */
#include <string.h>

#include "agent.h"
#include "sys.h"

/* The page may have been scribbled on by the executor before this one. */
static void repair(struct agent *a)
{
    struct shared *shared = a->shared;
    struct wire_stream *s = &shared->stream;
    struct agent_limits *l = &shared->limits;
    bool sane = s->start <= s->end && s->end <= AGENT_CHANNEL_CAP && s->limit <= AGENT_FRAME_LIMIT &&
                s->skip <= INT32_MAX && l->frame <= AGENT_FRAME_LIMIT && l->buffers <= AGENT_BUFFER_LIMIT &&
                l->specs <= AGENT_SPEC_LIMIT && l->memory <= AGENT_MEMORY_LIMIT && l->steps <= AGENT_STEP_LIMIT &&
                l->moves <= AGENT_MOVE_LIMIT;
    s->buf = a->rx;
    s->cap = AGENT_CHANNEL_CAP;
    memcpy(s->word, WIRE_SYNC_HOST, sizeof s->word);
    if (sane)
        return;
    shared->open = false;
    s->limit = WIRE_MIN_FRAME;
    wire_stream_hunt(s);
}

void executor_run(struct agent *a)
{
    repair(a);
    a->shared->state = AGENT_READING;
    while (a->shared->state == AGENT_READING) {
        session_serve(a);
        if (a->shared->state == AGENT_READING && !channel_read(a))
            a->shared->state = AGENT_CLOSED;
    }
}
