/* SPDX-License-Identifier: MIT
 *
 * Any stream from a host to the agent's session, whose system calls go to a hook:
 * nothing is touched beyond its buffers, and whatever is answered is a message of the
 * protocol, at most one a frame.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "../tests/support/rig.h"
#include "fuzz.h"

enum { INPUT_MAX = 8192, CALLS_MAX = 20000 };

static struct rig *rig;
static jmp_buf enough; /* a program of four thousand million rounds is given up */

/* In the place of the kernel: some value comes back, and the first buffer is written to its end. */
static void answer_somehow(struct rig *r)
{
    const struct wire_buffer *b = &r->a->buffers[0];
    if (r->calls > CALLS_MAX)
        longjmp(enough, 1);
    if (r->args[0] != 0 && r->args[0] == (int64_t)(uintptr_t)r->a->placed[0])
        memset(r->a->placed[0], 0xff, b->len);
    r->ret = r->nr ^ r->args[0];
}

/* In the place of the kernel's copying: addresses are the fuzzer's own. */
static int64_t move_some(long nr, uint64_t address, const void *ours, uint32_t len)
{
    (void)nr;
    (void)ours;
    return (int64_t)(address % ((uint64_t)len + 1));
}

/* Every answer decodes; an echo of a sync stands where a frame may begin. */
static unsigned count_answers(struct rig *r)
{
    struct any_message m;
    uint8_t word[WIRE_SYNC_LEN];
    unsigned count = 0;
    for (;; count++) {
        size_t from = r->taken;
        size_t n = rig_take(r, word, sizeof word);
        if (n == sizeof word && memcmp(word, WIRE_SYNC_AGENT, 8) == 0)
            continue;
        r->taken = from;
        if (n == 0)
            return count;
        must(rig_answer(r, &m));
        must(m.envelope.kind == WIRE_REPLY || m.envelope.kind == WIRE_ERROR || m.envelope.kind == WIRE_GOODBYE);
    }
}

/* The most things that a stream of this length can hold: each takes five bytes or more, and a broken one a byte. */
static unsigned most_answers(size_t len)
{
    return (unsigned)len + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct any_message reply;
    sigset_t mask;
    if (rig == NULL) {
        rig = rig_open();
        must(rig != NULL);
        rig->during = answer_somehow;
        rig->a->move = move_some;
    }
    if (len > INPUT_MAX)
        return 0;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    wire_stream_hunt(&rig->a->shared->stream);
    struct agent_limits limits = rig_minimum;
    limits.caps = UINT32_MAX;
    rig->calls = 0;
    if (setjmp(enough) == 0) {
        must(rig_hello(rig, &limits, &reply));
        rig_feed(rig, data, len);
        must(rig->a->shared->state == AGENT_READING);
    }
    must(count_answers(rig) <= most_answers(len));
    rig->a->shared->state = AGENT_READING;
    arena_reset(&rig->a->arena);
    rig_clear(rig);
    sigprocmask(SIG_SETMASK, &mask, NULL); /* a call leaves every signal blocked, the fuzzer's alarm too */
    return 0;
}
