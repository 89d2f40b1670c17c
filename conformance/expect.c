/* SPDX-License-Identifier: MIT
 *
 * Takes frames and bytes from the agent, and compares.  Knows of the protocol
 * only what every frame of an agent must be. */
#include "expect.h"

#include <inttypes.h>
#include <string.h>

#include "pattern.h"

enum { GUARANTEED_FRAME = 65536 };

/* What an agent may send at all (Envelopes, ERR-1). */
static const char any_envelope[] = "[1, 1..0xffffffff, 0..0xffffffff, 0..0xffffffff, 1..0xffffffff, {}]"
                                   "| [2, 0..0xffffffff, 1..0xffffffff, 0..0xffffffff, 0..0xffffffff,"
                                   "   {0: str, 1?: str, 2: 0..2}]"
                                   "| [3, 0, 0..0xffffffff, 0..0xffffffff, 0..0xffffffff, {}]"
                                   "| [5, 0, 0..0xffffffff, 0..0xffffffff, 0..0xffffffff, {0: str}]";

bool fail(struct run *run, const struct step *step, const char *what)
{
    bytes_print(&run->failure, "%s:%u: %s %.200s%s\n", step->file, step->line, step->word, step->args,
                strlen(step->args) > 200 ? "..." : "");
    if (what)
        bytes_print(&run->failure, "%s\n", what);
    return false;
}

void note(struct run *run, const char *who, const struct bytes *bytes, size_t head)
{
    struct bytes hex = {0};
    struct value value;

    print_hex(&hex, bytes->ptr, bytes->len);
    bytes_print(&run->transcript, "%6" PRId64 " ms  %s  %s\n", now_ms() - run->started_ms, who, bytes_text(&hex));
    bytes_free(&hex);
    if (bytes->len <= head || head == 0 || !value_read(&value, bytes->ptr + head, bytes->ptr + bytes->len))
        return;
    if (!value_skip(&value)) /* a case may send what is too deep to print */
        return;
    bytes_print(&run->transcript, "                ");
    value_print(&run->transcript, &value);
    bytes_byte(&run->transcript, '\n');
}

/* Wait for len bytes of an answer. */
static enum peer_state need(struct run *run, size_t len)
{
    enum peer_state state = peer_need(&run->peer, len, run->timeout_ms + (run->heard ? 0 : START_MS));

    run->heard = run->heard || run->peer.inbox.len > 0;
    return state;
}

static bool show(struct run *run, const char *label, const struct bytes *bytes)
{
    bytes_print(&run->failure, "%s ", label);
    print_hex(&run->failure, bytes->ptr, bytes->len);
    bytes_byte(&run->failure, '\n');
    return false;
}

static bool show_rest(struct run *run)
{
    if (run->peer.inbox.len > 0)
        show(run, "received  ", &run->peer.inbox);
    return false;
}

/* The agent is gone or silent, though something was expected. */
static bool nothing_came(struct run *run, const struct step *step, enum peer_state state)
{
    fail(run, step, NULL);
    if (state == PEER_SILENT) {
        bytes_print(&run->failure, "the agent sent nothing (more) within %d ms\n", run->timeout_ms);
    } else {
        peer_autopsy(&run->peer, &run->failure);
        bytes_byte(&run->failure, '\n');
    }
    return show_rest(run);
}

static uint64_t agreed_frame(const struct run *run)
{
    const struct bytes *known = env_capture(&run->env, "frame_limit");
    struct value value;

    if (known && value_read(&value, known->ptr, known->ptr + known->len) && value.kind == VALUE_INT)
        return value.number;
    return GUARANTEED_FRAME;
}

/* The next whole frame, length and body, into frame. */
static bool take_frame(struct run *run, const struct step *step, struct bytes *frame)
{
    struct bytes *inbox = &run->peer.inbox;
    enum peer_state state = need(run, 4);
    size_t len;

    if (state != PEER_OK)
        return nothing_came(run, step, state);
    len = (size_t)inbox->ptr[0] << 24 | (size_t)inbox->ptr[1] << 16 | (size_t)inbox->ptr[2] << 8 | inbox->ptr[3];
    if (len == 0 || len > agreed_frame(run)) {
        fail(run, step, "these bytes are not the length of a frame (FRAME-3, FRAME-6)");
        return show_rest(run);
    }
    state = need(run, 4 + len);
    if (state != PEER_OK)
        return nothing_came(run, step, state);
    bytes_put(frame, inbox->ptr, 4 + len);
    bytes_drop(inbox, 4 + len);
    note(run, "A>", frame, 4);
    return true;
}

static bool whole_frame(struct run *run, const struct step *step, const struct bytes *frame, struct value *value)
{
    const char *fault = value_fault(frame->ptr + 4, frame->len - 4);

    if (fault) {
        fail(run, step, "the agent sent a frame that is not in the sender's form:");
        bytes_print(&run->failure, "%s\n", fault);
        return show(run, "bytes     ", frame);
    }
    value_read(value, frame->ptr + 4, frame->ptr + frame->len);
    if (pattern_match(any_envelope, value, &run->env))
        return true;
    fail(run, step, "the agent sent what no agent may send (Envelopes, ERR-1):");
    bytes_print(&run->failure, "got        ");
    value_print(&run->failure, value);
    bytes_byte(&run->failure, '\n');
    return show(run, "bytes     ", frame);
}

/* The next frame that is no event (or is one, if wanted), judged as a frame. */
static bool next_frame(struct run *run, const struct step *step, bool event, struct bytes *frame)
{
    struct value value;

    for (;;) {
        bytes_free(frame);
        if (!take_frame(run, step, frame) || !whole_frame(run, step, frame, &value))
            return false;
        if (event || !pattern_match("[3, ...]", &value, &run->env))
            return true;
    }
}

static bool matches(struct run *run, const char *pattern, const struct bytes *frame)
{
    struct value value;

    value_read(&value, frame->ptr + 4, frame->ptr + frame->len);
    return pattern_match(pattern, &value, &run->env);
}

static bool differs(struct run *run, const struct step *step, const char *pattern, const struct bytes *frame)
{
    struct value value;

    value_read(&value, frame->ptr + 4, frame->ptr + frame->len);
    fail(run, step, NULL);
    bytes_print(&run->failure, "expected   %.2000s\ngot        ", pattern);
    value_print(&run->failure, &value);
    bytes_byte(&run->failure, '\n');
    return show(run, "bytes     ", frame);
}

bool expect_frame(struct run *run, const struct step *step, const char *pattern)
{
    struct bytes frame = {0};
    bool fine = next_frame(run, step, strncmp(pattern, "[3", 2) == 0, &frame);

    if (fine && !matches(run, pattern, &frame))
        fine = differs(run, step, pattern, &frame);
    bytes_free(&frame);
    return fine;
}

bool expect_pair(struct run *run, const struct step *step, const char *first, const char *second)
{
    struct bytes frame = {0};
    bool fine = next_frame(run, step, false, &frame);

    if (fine && matches(run, first, &frame))
        fine = expect_frame(run, step, second);
    else if (fine && matches(run, second, &frame))
        fine = expect_frame(run, step, first);
    else if (fine)
        fine = differs(run, step, step->args, &frame);
    bytes_free(&frame);
    return fine;
}

bool expect_bytes(struct run *run, const struct step *step, const struct bytes *bytes)
{
    enum peer_state state = need(run, bytes->len);
    struct bytes got = {0};
    bool fine;

    if (state != PEER_OK)
        return nothing_came(run, step, state);
    bytes_put(&got, run->peer.inbox.ptr, bytes->len);
    fine = memcmp(got.ptr, bytes->ptr, bytes->len) == 0;
    if (!fine) {
        fail(run, step, NULL);
        show(run, "expected  ", bytes);
        show_rest(run);
    }
    bytes_drop(&run->peer.inbox, bytes->len);
    note(run, "A>", &got, 0);
    bytes_free(&got);
    return fine;
}

bool expect_silence(struct run *run, const struct step *step, int ms)
{
    enum peer_state state = peer_need(&run->peer, 1, ms);

    if (state == PEER_SILENT)
        return true;
    if (state == PEER_ENDED)
        return nothing_came(run, step, state);
    fail(run, step, "the agent sent something where nothing was expected");
    return show_rest(run);
}

bool expect_end(struct run *run, const struct step *step)
{
    switch (need(run, 1)) {
    case PEER_ENDED:
        return true;
    case PEER_SILENT:
        bytes_print(&run->transcript, "%6" PRId64 " ms  the channel is still open\n", now_ms() - run->started_ms);
        return fail(run, step, "the agent did not close the channel");
    case PEER_OK:
        break;
    }
    fail(run, step, "the agent sent something where the channel should end");
    return show_rest(run);
}
