/* SPDX-License-Identifier: MIT
 *
 * What the tests of the hosted agent expect of an answer.
 */
#ifndef TEST_AGENT_EXPECT_H
#define TEST_AGENT_EXPECT_H

#include <criterion/criterion.h>
#include <string.h>

#include "../support/rig.h"

static inline bool text_is(struct wire_bytes b, const char *text)
{
    return b.len == strlen(text) && memcmp(b.ptr, text, b.len) == 0;
}

/* Nothing more was answered. */
static inline void expect_silence(struct rig *r, const char *what)
{
    uint8_t byte;
    cr_expect_eq(rig_take(r, &byte, 1), 0, "%s: one answer too many", what);
}

/* The next answer is this error; path NULL: without one.  Nothing was executed, nothing follows. */
static inline void expect_error(struct rig *r, uint32_t id, enum wire_error_code code, const char *path,
                                const char *what)
{
    struct any_message m;
    unsigned calls = r->calls;
    cr_assert(rig_answer(r, &m), "%s: no answer", what);
    cr_assert_eq(m.record, ANY_error, "%s: another answer than an error", what);
    cr_expect_eq(m.envelope.id, id, "%s: id %u", what, m.envelope.id);
    cr_expect_eq(m.envelope.code, code, "%s: %s instead of %s", what, wire_error_name(m.envelope.code),
                 wire_error_name(code));
    cr_expect_eq(m.body.error.executed, WIRE_EXECUTED_no, "%s", what);
    cr_expect_gt(m.body.error.text.len, 0, "%s: no text", what);
    cr_expect_eq((m.body.error.has & WIRE_HAS(error, path)) != 0, path != NULL, "%s: path \"%.*s\"", what,
                 (int)m.body.error.path.len, m.body.error.path.ptr != NULL ? (const char *)m.body.error.path.ptr : "");
    cr_expect(path == NULL || text_is(m.body.error.path, path), "%s: path \"%.*s\" instead of \"%s\"", what,
              (int)m.body.error.path.len, m.body.error.path.ptr != NULL ? (const char *)m.body.error.path.ptr : "",
              path);
    cr_expect_eq(r->calls, calls);
    expect_silence(r, what);
}

/* The session lives: a ping is answered. */
static inline void expect_alive(struct rig *r, const char *what)
{
    struct any_message m;
    cr_assert(rig_frame(r, "96 00 72 01 00 00 80"));
    cr_assert(rig_answer(r, &m), "%s: the session is dead", what);
    cr_expect(m.record == ANY_ping_reply && m.envelope.id == 0x72, "%s", what);
    expect_silence(r, what);
}

#endif
