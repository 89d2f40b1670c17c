/* SPDX-License-Identifier: MIT
 *
 * hello and ping.
 */
#include <string.h>

#include "agent.h"

/* ---- hello ---- */

/* The smaller of two limits; notes the path of one below its minimum. */
static uint32_t agree(uint32_t host, uint32_t own, uint32_t minimum, const char *path, const char **fault)
{
    if (host < minimum && *fault == NULL)
        *fault = path;
    return host < own ? host : own;
}

/* A limit of a capability: the field may be left out. */
static uint32_t offered(bool given, uint32_t limit, uint32_t minimum)
{
    return given ? limit : minimum;
}

static struct agent_limits agree_all(const struct wire_hello_request *m, const char **fault)
{
    uint32_t steps = offered(m->has & WIRE_HAS(hello_request, step_limit), m->step_limit, WIRE_MIN_STEPS);
    uint32_t moves = offered(m->has & WIRE_HAS(hello_request, move_limit), m->move_limit, WIRE_MIN_MOVES);
    return (struct agent_limits){agree(m->frame_limit, AGENT_FRAME_LIMIT, WIRE_MIN_FRAME, "frame_limit", fault),
                                 agree(m->depth_limit, WIRE_DEPTH_MAX, WIRE_MIN_DEPTH, "depth_limit", fault),
                                 agree(m->buffer_limit, AGENT_BUFFER_LIMIT, WIRE_MIN_BUFFERS, "buffer_limit", fault),
                                 agree(m->spec_limit, AGENT_SPEC_LIMIT, WIRE_MIN_SPECS, "spec_limit", fault),
                                 agree(m->flight_limit, AGENT_FLIGHT_LIMIT, WIRE_MIN_FLIGHT, "flight_limit", fault),
                                 agree(m->memory_limit, AGENT_MEMORY_LIMIT, WIRE_MIN_MEMORY, "memory_limit", fault),
                                 wire_caps_of(&m->caps),
                                 agree(steps, AGENT_STEP_LIMIT, WIRE_MIN_STEPS, "step_limit", fault),
                                 agree(moves, AGENT_MOVE_LIMIT, WIRE_MIN_MOVES, "move_limit", fault)};
}

/* All capabilities of ops.def are ours. */
static uint32_t own_caps(struct wire_bytes names[AGENT_CAPS_MAX])
{
    uint32_t count = 0;
    for (const struct wire_row *row = wire_caps(); row->name != NULL; row++)
        names[count++] = agent_bytes(row->name);
    return count;
}

static void reply_hello(struct agent *a, const struct wire_envelope *e)
{
    const struct agent_limits *limits = &a->shared->limits;
    const uint16_t one = 1;
    struct wire_bytes caps[AGENT_CAPS_MAX];
    struct wire_writer w;
    struct wire_hello_reply reply = {.has = WIRE_HAS(hello_reply, name),
                                     .version = WIRE_VERSION,
                                     .caps = {caps, own_caps(caps), AGENT_CAPS_MAX},
                                     .frame_limit = limits->frame,
                                     .depth_limit = limits->depth,
                                     .buffer_limit = limits->buffers,
                                     .spec_limit = limits->specs,
                                     .flight_limit = limits->flight,
                                     .memory_limit = limits->memory,
                                     .name = agent_bytes("provium-agent " AGENT_VERSION),
                                     .arch = agent_bytes(a->arch),
                                     .byte_order = *(const uint8_t *)&one == 0,
                                     .pointer_width = sizeof(void *),
                                     .page_size = a->page,
                                     .kernel = agent_bytes(a->kernel),
                                     .instance = {a->instance, sizeof a->instance},
                                     .generation = a->shared->generation,
                                     .step_limit = limits->steps,
                                     .move_limit = limits->moves};
    if (limits->caps & WIRE_CAP_program)
        reply.has |= WIRE_HAS(hello_reply, step_limit) | WIRE_HAS(hello_reply, move_limit);
    session_begin(a, &w, e, WIRE_REPLY, WIRE_OP_hello);
    wire_put_hello_reply(&w, &reply);
    session_send(a, &w, false);
}

void op_hello(struct agent *a, const struct wire_envelope *e)
{
    struct wire_bytes caps[AGENT_CAPS_MAX];
    struct wire_hello_request m = {.caps = {caps, 0, AGENT_CAPS_MAX}};
    const char *fault = NULL;
    size_t at;
    enum wire_status status = wire_decode_hello_request(e->body, &m, &at);
    if (status != WIRE_OK) {
        session_refuse_body(a, e, "hello_request", status, at);
        return;
    }
    struct agent_limits limits = agree_all(&m, &fault);
    if (m.version_min > WIRE_VERSION || m.version_max < m.version_min) {
        session_refuse(a, e, WIRE_ERR_VERSION, NULL, "this agent speaks version 0");
    } else if (fault != NULL) {
        session_refuse(a, e, WIRE_ERR_BAD_FIELD, fault, "below the guaranteed minimum");
    } else {
        region_reset(a);
        a->shared->limits = limits;
        a->shared->stream.limit = limits.frame;
        a->shared->open = true;
        reply_hello(a, e);
    }
}

/* ---- ping ---- */

void op_ping(struct agent *a, const struct wire_envelope *e)
{
    struct wire_ping_request m;
    struct wire_writer w;
    size_t at;
    enum wire_status status = wire_decode_ping_request(e->body, &m, &at);
    if (status != WIRE_OK) {
        session_refuse_body(a, e, "ping_request", status, at);
    } else if (m.data.len > WIRE_PING_MAX) {
        session_refuse(a, e, WIRE_ERR_BAD_FIELD, "data", "a ping carries at most 1,024 bytes");
    } else {
        struct wire_ping_reply reply = {m.has, m.data};
        session_begin(a, &w, e, WIRE_REPLY, WIRE_OP_ping);
        wire_put_ping_reply(&w, &reply);
        session_send(a, &w, false);
    }
}
