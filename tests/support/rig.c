/* SPDX-License-Identifier: MIT
 *
 * A hosted agent without a channel: the stream is fed by hand.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hex.h"

const struct agent_limits rig_wide = {AGENT_FRAME_LIMIT, WIRE_DEPTH_MAX,     AGENT_BUFFER_LIMIT,
                                      AGENT_SPEC_LIMIT,  AGENT_FLIGHT_LIMIT, AGENT_MEMORY_LIMIT, UINT32_MAX,
                                      AGENT_STEP_LIMIT,  AGENT_MOVE_LIMIT};
const struct agent_limits rig_minimum = {WIRE_MIN_FRAME, WIRE_MIN_DEPTH,  WIRE_MIN_BUFFERS,
                                         WIRE_MIN_SPECS, WIRE_MIN_FLIGHT, WIRE_MIN_MEMORY, 0,
                                         WIRE_MIN_STEPS,  WIRE_MIN_MOVES};

static struct rig the_rig;

static int64_t record(int64_t nr, const int64_t args[6], int twice)
{
    struct rig *r = &the_rig;
    r->calls++;
    r->nr = nr;
    r->twice = twice;
    memcpy(r->args, args, sizeof r->args);
    if (r->during != NULL)
        r->during(r);
    return r->ret;
}

struct rig *rig_open(void)
{
    static struct agent agent;
    static const uint8_t instance[WIRE_INSTANCE_LEN] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                                        0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};
    struct rig *r = &the_rig;
    *r = (struct rig){.a = &agent, .answers = memfd_create("answers", 0)};
    if (r->answers < 0 || !agent_init(&agent, (uint32_t)sysconf(_SC_PAGESIZE), instance))
        return NULL;
    agent.invoke = record;
    agent.rfd = -1;
    agent.wfd = r->answers;
    agent.shared->generation = 1;
    return r;
}

void rig_feed(struct rig *r, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    struct wire_stream *s = &r->a->shared->stream;
    while (len > 0) {
        size_t room;
        uint8_t *space = wire_stream_space(s, &room);
        size_t n = len < room ? len : room;
        memcpy(space, p, n);
        wire_stream_fed(s, n);
        p += n;
        len -= n;
        session_serve(r->a);
    }
}

bool rig_raw(struct rig *r, const char *hex)
{
    uint8_t bytes[4096];
    size_t len = hex_parse(hex, bytes, sizeof bytes);
    if (len == SIZE_MAX)
        return false;
    rig_feed(r, bytes, len);
    return true;
}

bool rig_frame(struct rig *r, const char *hex)
{
    uint8_t bytes[4096] = {0};
    size_t len = hex_parse(hex, bytes + WIRE_FRAME_HEADER, sizeof bytes - WIRE_FRAME_HEADER);
    if (len == SIZE_MAX)
        return false;
    bytes[2] = (uint8_t)(len >> 8);
    bytes[3] = (uint8_t)len;
    rig_feed(r, bytes, len + WIRE_FRAME_HEADER);
    return true;
}

/* Room for the largest message of a test, kept. */
static uint8_t *scratch(unsigned which)
{
    static uint8_t *rooms[2];
    if (rooms[which] == NULL)
        rooms[which] = malloc(AGENT_CHANNEL_CAP);
    return rooms[which];
}

bool rig_send(struct rig *r, const struct any_message *m)
{
    struct wire_writer w;
    wire_writer_init(&w, scratch(0), AGENT_CHANNEL_CAP);
    if (w.buf == NULL || any_put(&w, m) != WIRE_OK)
        return false;
    rig_feed(r, w.buf, w.len);
    return true;
}

size_t rig_take(struct rig *r, void *out, size_t cap)
{
    ssize_t n = pread(r->answers, out, cap, (off_t)r->taken);
    r->taken += n > 0 ? (size_t)n : 0;
    return n > 0 ? (size_t)n : 0;
}

bool rig_answer(struct rig *r, struct any_message *m)
{
    static struct any_room room;
    uint8_t *bytes = scratch(1);
    uint8_t head[WIRE_FRAME_HEADER];
    size_t at, from = r->taken;
    if (bytes == NULL || rig_take(r, head, sizeof head) != sizeof head)
        return r->taken = from, false;
    size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (len > AGENT_CHANNEL_CAP || rig_take(r, bytes, len) != len)
        return r->taken = from, false;
    return any_decode((struct wire_bytes){bytes, len}, m, &room, &at) == WIRE_OK;
}

void rig_clear(struct rig *r)
{
    r->taken = 0;
    if (ftruncate(r->answers, 0) != 0 || lseek(r->answers, 0, SEEK_SET) != 0)
        r->answers = -1;
}

bool rig_sync(struct rig *r)
{
    static const uint8_t nonce[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t sync[WIRE_SYNC_LEN], echo[WIRE_SYNC_LEN];
    memcpy(sync, WIRE_SYNC_HOST, 8);
    memcpy(sync + 8, nonce, 8);
    rig_feed(r, sync, sizeof sync);
    return rig_take(r, echo, sizeof echo) == sizeof echo && memcmp(echo, WIRE_SYNC_AGENT, 8) == 0 &&
           memcmp(echo + 8, nonce, 8) == 0;
}

static uint32_t caps_of(uint32_t bits, struct wire_bytes names[32])
{
    uint32_t count = 0;
    for (const struct wire_row *row = wire_caps(); row->name != NULL; row++)
        if (bits & row->code)
            names[count++] = (struct wire_bytes){(const uint8_t *)row->name, strlen(row->name)};
    return count;
}

bool rig_hello(struct rig *r, const struct agent_limits *limits, struct any_message *reply)
{
    struct any_message m = {.envelope = {.kind = WIRE_REQUEST, .id = 1, .code = WIRE_OP_hello},
                            .record = ANY_hello_request};
    struct wire_bytes caps[32];
    m.body.hello_request = (struct wire_hello_request){.has = WIRE_HAS(hello_request, step_limit) |
                                                              WIRE_HAS(hello_request, move_limit),
                                                       .step_limit = limits->steps,
                                                       .move_limit = limits->moves,
                                                       .caps = {caps, caps_of(limits->caps, caps), 32},
                                                       .frame_limit = limits->frame,
                                                       .depth_limit = limits->depth,
                                                       .buffer_limit = limits->buffers,
                                                       .spec_limit = limits->specs,
                                                       .flight_limit = limits->flight,
                                                       .memory_limit = limits->memory};
    return rig_sync(r) && rig_send(r, &m) && rig_answer(r, reply) && reply->record == ANY_hello_reply;
}

uint8_t *rig_pointer(const struct rig *r, unsigned arg)
{
    return (uint8_t *)(uintptr_t)r->args[arg];
}
