/* SPDX-License-Identifier: MIT
 *
 * The session in hex at the head of SPEC.md: its lengths are right, its bytes are the
 * golden ones, and a real agent that is sent the host's half answers with the other.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "../support/agent_process.h"
#include "../support/process.h"
#include "../support/vectors.h"

/* What one side says before the other answers. */
struct turn {
    bool host;
    uint8_t bytes[256];
    size_t len;
};

enum { TURNS = 6 };
static struct turn turns[TURNS + 1];
static unsigned turn_count;

/* The pairs of hex digits that a line begins with; the rest is a comment. */
static void take_hex(const char *p, struct turn *t)
{
    unsigned byte;
    for (;;) {
        while (*p == ' ')
            p++;
        bool pair = isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]) && !isalnum((unsigned char)p[2]);
        if (!pair || t->len == sizeof t->bytes || sscanf(p, "%2x", &byte) != 1)
            return;
        t->bytes[t->len++] = (uint8_t)byte;
        p += 2;
    }
}

static void read_session(void)
{
    FILE *f = fopen("SPEC.md", "r");
    char line[512];
    bool inside = false;
    cr_assert_not_null(f);
    while (fgets(line, sizeof line, f) != NULL && strncmp(line, "## Conventions", 14) != 0) {
        if (strncmp(line, "```", 3) == 0)
            inside = !inside;
        if (!inside || line[0] == '`')
            continue;
        bool begins = line[1] == '>';
        if (begins && turn_count < TURNS + 1)
            turns[turn_count++].host = line[0] == 'H';
        cr_assert_gt(turn_count, 0);
        take_hex(line + (begins ? 2 : 0), &turns[turn_count - 1]);
    }
    fclose(f);
    cr_assert_eq(turn_count, TURNS);
}

TestSuite(spec, .init = read_session, .timeout = 20);

Test(spec, its_session_is_the_golden_one)
{
    static const char *const names[TURNS] = {"sync.host",           "sync.agent",           "session.hello_request",
                                             "session.hello_reply", "session.call_request", "session.call_reply"};
    for (unsigned i = 0; i < TURNS; i++) {
        const struct vector *v = vector_find(names[i]);
        cr_assert_not_null(v);
        cr_expect_eq(turns[i].host, i % 2 == 0);
        cr_expect_eq(turns[i].len, v->len, "%s: %zu bytes instead of %zu", names[i], turns[i].len, v->len);
        cr_expect(turns[i].len == v->len && memcmp(turns[i].bytes, v->bytes, v->len) == 0, "%s", names[i]);
    }
}

/* ---- against a real agent ---- */

static struct agent_process agent;

/* Exactly the bytes of a turn. */
static void expect_bytes(const struct turn *t)
{
    uint8_t got[256];
    size_t len = 0;
    while (len < t->len) {
        ssize_t n = child_read(&agent, got + len, t->len - len, AGENT_PROCESS_MS);
        cr_assert_gt(n, 0);
        len += (size_t)n;
    }
    cr_expect_arr_eq(got, t->bytes, t->len);
}

static void decode_turn(const struct turn *t, struct any_message *m, struct any_room *room)
{
    size_t at;
    struct wire_bytes frame = {t->bytes + WIRE_FRAME_HEADER, t->len - WIRE_FRAME_HEADER};
    cr_assert_eq(any_decode(frame, m, room, &at), WIRE_OK);
}

/* The next frame, which has the envelope of that turn. */
static void expect_envelope(const struct any_message *written, struct any_message *got)
{
    cr_assert(child_next(&agent, got, AGENT_PROCESS_MS));
    cr_expect_eq(got->record, written->record);
    cr_expect_eq(got->envelope.id, written->envelope.id);
    cr_expect_eq(got->envelope.worker, written->envelope.worker);
    cr_expect_eq(got->envelope.generation, written->envelope.generation);
}

/* All but what is the machine's own, or random. */
static void expect_hello_reply(const struct wire_hello_reply *written, const struct wire_hello_reply *got)
{
    struct utsname name;
    uname(&name);
    cr_expect_eq(got->version, written->version);
    cr_expect_eq(got->frame_limit, written->frame_limit);
    cr_expect_eq(got->depth_limit, written->depth_limit);
    cr_expect_eq(got->buffer_limit, written->buffer_limit);
    cr_expect_eq(got->spec_limit, written->spec_limit);
    cr_expect_eq(got->flight_limit, written->flight_limit);
    cr_expect_eq(got->memory_limit, written->memory_limit);
    cr_expect_eq(got->instance.len, written->instance.len);
    cr_expect_eq(got->generation, written->generation);
    cr_expect(got->arch.len == strlen(name.machine) && memcmp(got->arch.ptr, name.machine, got->arch.len) == 0);
    if (strcmp(name.machine, "x86_64") != 0)
        return;
    cr_expect(got->arch.len == written->arch.len && memcmp(got->arch.ptr, written->arch.ptr, got->arch.len) == 0);
    cr_expect_eq(got->byte_order, written->byte_order);
    cr_expect_eq(got->pointer_width, written->pointer_width);
    cr_expect_eq(got->page_size, written->page_size);
}

Test(spec, a_real_agent_answers_the_host_s_half_with_the_other)
{
    static struct any_room room;
    struct any_message written, got;
    signal(SIGPIPE, SIG_IGN);
    cr_assert(child_spawn(&agent, (const char *const[]){"--execute-here", NULL}));
    cr_assert(child_write(&agent, turns[0].bytes, turns[0].len));
    expect_bytes(&turns[1]);
    agent.stream.synced = true; /* the echo was taken by hand */

    cr_assert(child_write(&agent, turns[2].bytes, turns[2].len));
    decode_turn(&turns[3], &written, &room);
    expect_envelope(&written, &got);
    expect_hello_reply(&written.body.hello_reply, &got.body.hello_reply);

    cr_assert(child_write(&agent, turns[4].bytes, turns[4].len));
    decode_turn(&turns[5], &written, &room);
    expect_envelope(&written, &got);
    cr_expect_eq(got.body.call_reply.has, written.body.call_reply.has);
#ifdef __x86_64__ /* 39 is getpid there */
    cr_expect_eq(parent_of((pid_t)got.body.call_reply.ret), agent.pid);
#endif
    cr_expect_eq(child_finish(&agent), 0);
}
