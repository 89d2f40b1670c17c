/* SPDX-License-Identifier: MIT
 *
 * libwire/frame.c: a stream is cut in the same places however it arrives, and finds
 * its way back from garbage.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../libwire/wire_impl.h"
#include "../support/hex.h"

enum { CAP = 4096, LIMIT = 1000, LOG_MAX = 4096 };

#define SYNC "f5 50 52 4f 56 49 55 4d 01 02 03 04 05 06 07 08 "
#define SYNC2 "f5 50 52 4f 56 49 55 4d 11 12 13 14 15 16 17 18 "

/* A stream and the list of what it found, as text: "sync:01 frame:3:aabbcc oversize broken ". */
struct found {
    struct wire_stream s;
    uint8_t buf[CAP];
    char log[LOG_MAX];
};

static void open_stream(struct found *f)
{
    memset(f, 0, sizeof *f);
    wire_stream_init(&f->s, f->buf, sizeof f->buf, WIRE_SYNC_HOST);
    f->s.limit = LIMIT;
}

static void note(struct found *f, const char *word, const uint8_t *p, size_t len)
{
    size_t at = strlen(f->log);
    at += (size_t)snprintf(f->log + at, LOG_MAX - at, "%s", word);
    for (size_t i = 0; i < len && i < 8 && at < LOG_MAX; i++)
        at += (size_t)snprintf(f->log + at, LOG_MAX - at, "%02x", p[i]);
    if (at + 1 < LOG_MAX)
        strcat(f->log, " ");
}

/* Take everything; frames must obey the limit. */
static void drain(struct found *f)
{
    struct wire_bytes frame;
    char word[32];
    for (;;) {
        switch (wire_stream_next(&f->s, &frame)) {
        case WIRE_FOUND_nothing:
            return;
        case WIRE_FOUND_sync:
            note(f, "sync:", f->s.nonce, 8);
            break;
        case WIRE_FOUND_oversize:
            note(f, "oversize", NULL, 0);
            break;
        case WIRE_FOUND_broken:
            note(f, "broken", NULL, 0);
            break;
        case WIRE_FOUND_frame:
            cr_assert(frame.len > 0 && frame.len <= f->s.limit);
            cr_assert(frame.ptr >= f->buf && frame.ptr + frame.len <= f->buf + CAP);
            snprintf(word, sizeof word, "frame:%zu:", frame.len);
            note(f, word, frame.ptr, frame.len);
        }
    }
}

/* Feed bytes, at most `step` at once. */
static void feed(struct found *f, const uint8_t *bytes, size_t len, size_t step)
{
    while (len > 0) {
        size_t room;
        uint8_t *space = wire_stream_space(&f->s, &room);
        cr_assert_gt(room, 0, "no room is never an answer");
        cr_assert(space >= f->buf && space + room <= f->buf + CAP);
        size_t n = len < step ? len : step;
        n = n < room ? n : room;
        memcpy(space, bytes, n);
        wire_stream_fed(&f->s, n);
        bytes += n;
        len -= n;
        drain(f);
    }
}

static void feed_hex(struct found *f, const char *hex)
{
    uint8_t bytes[2048];
    size_t len = hex_parse(hex, bytes, sizeof bytes);
    cr_assert_neq(len, SIZE_MAX, "not hex: %s", hex);
    feed(f, bytes, len, CAP);
}

/* Feed in pieces of every size: the same must be found. */
static void expect_found(const char *hex, const char *log)
{
    static struct found f;
    uint8_t bytes[2048];
    size_t len = hex_parse(hex, bytes, sizeof bytes);
    cr_assert_neq(len, SIZE_MAX, "not hex: %s", hex);
    for (size_t step = 1; step <= len; step++) {
        open_stream(&f);
        feed(&f, bytes, len, step);
        cr_expect_str_eq(f.log, log, "%zu at a time: %s", step, f.log);
    }
}

/* ---- hunting ---- */

Test(frame, finds_the_sync_word_behind_any_garbage)
{
    expect_found(SYNC, "sync:0102030405060708 ");
    expect_found("00 ff 96 00 00 00 05 " SYNC, "sync:0102030405060708 ");
    expect_found("f5 " SYNC, "sync:0102030405060708 ");
    expect_found("f5 f5 50 f5 50 52 4f 56 49 55 " SYNC, "sync:0102030405060708 ");
    expect_found("f6 50 52 4f 56 49 55 4d 01 02 03 04 05 06 07 08 " SYNC, "sync:0102030405060708 ");
}

Test(frame, takes_no_frame_before_a_sync_word)
{
    expect_found("00 00 00 02 aa bb", "");
    expect_found("00 00 00 02 aa bb " SYNC "00 00 00 02 aa bb", "sync:0102030405060708 frame:2:aabb ");
}

Test(frame, any_eight_bytes_are_a_nonce)
{
    expect_found("f5 50 52 4f 56 49 55 4d f5 50 52 4f 56 49 55 4d 00 00 00 01 cc", "sync:f550524f5649554d frame:1:cc ");
    expect_found("f5 50 52 4f 56 49 55 4d 00 00 00 00 00 00 00 00", "sync:0000000000000000 ");
}

Test(frame, looks_for_the_word_that_it_was_told)
{
    static struct found f;
    open_stream(&f);
    wire_stream_init(&f.s, f.buf, sizeof f.buf, WIRE_SYNC_AGENT);
    feed_hex(&f, SYNC "f6 50 52 4f 56 49 55 4d 01 02 03 04 05 06 07 08");
    cr_expect_str_eq(f.log, "sync:0102030405060708 ");
}

Test(frame, garbage_of_any_length_takes_no_memory)
{
    static struct found f;
    static uint8_t garbage[10 * CAP];
    memset(garbage, 0xf5, sizeof garbage);
    open_stream(&f);
    feed(&f, garbage, sizeof garbage, CAP);
    cr_expect_leq(f.s.end - f.s.start, WIRE_SYNC_LEN);
    feed_hex(&f, SYNC);
    cr_expect_str_eq(f.log, "sync:0102030405060708 ");
}

/* ---- frames ---- */

Test(frame, frames_follow_each_other)
{
    expect_found(SYNC "00 00 00 01 aa 00 00 00 03 bb cc dd 00 00 00 01 ee",
                 "sync:0102030405060708 frame:1:aa frame:3:bbccdd frame:1:ee ");
}

Test(frame, a_sync_word_between_frames_begins_anew)
{
    expect_found(SYNC "00 00 00 01 aa " SYNC2 "00 00 00 01 bb",
                 "sync:0102030405060708 frame:1:aa sync:1112131415161718 frame:1:bb ");
    expect_found(SYNC SYNC2 SYNC, "sync:0102030405060708 sync:1112131415161718 sync:0102030405060708 ");
}

Test(frame, a_sync_word_inside_a_frame_is_a_part_of_it)
{
    expect_found(SYNC "00 00 00 10 " SYNC2 "00 00 00 01 bb",
                 "sync:0102030405060708 frame:16:f550524f5649554d frame:1:bb ");
}

Test(frame, a_length_over_the_limit_is_dropped_and_the_stream_stays_in_step)
{
    uint8_t bytes[2100] = {0};
    static const char *const lens[] = {"00 00 03 e8", "00 00 03 e9", "00 00 07 00"};
    static const char *const logs[] = {"sync:0102030405060708 frame:1000:f5f5f5f5f5f5f5f5 frame:1:cc ",
                                       "sync:0102030405060708 oversize frame:1:cc ",
                                       "sync:0102030405060708 oversize frame:1:cc "};
    for (size_t i = 0; i < 3; i++) {
        for (size_t step = 1; step < sizeof bytes; step += 1 + step / 2) {
            static struct found f;
            size_t len = hex_parse(SYNC, bytes, sizeof bytes);
            len += hex_parse(lens[i], bytes + len, 4);
            uint32_t body = wire_load32(bytes + len - 4);
            memset(bytes + len, 0xf5, body);
            len += body;
            len += hex_parse("00 00 00 01 cc", bytes + len, 5);
            open_stream(&f);
            feed(&f, bytes, len, step);
            cr_expect_str_eq(f.log, logs[i], "%zu at a time: %s", step, f.log);
        }
    }
}

Test(frame, an_oversize_body_larger_than_the_buffer_passes_through_it)
{
    static struct found f;
    static uint8_t body[100000];
    open_stream(&f);
    feed_hex(&f, SYNC "00 01 86 a0"); /* 100,000 */
    cr_expect_str_eq(f.log, "sync:0102030405060708 ");
    cr_expect(wire_stream_midway(&f.s));
    feed(&f, body, sizeof body - 1, CAP);
    cr_expect_str_eq(f.log, "sync:0102030405060708 ", "not before it is over");
    feed(&f, body, 1, 1);
    cr_expect_str_eq(f.log, "sync:0102030405060708 oversize ");
    feed_hex(&f, "00 00 00 01 aa");
    cr_expect_str_eq(f.log, "sync:0102030405060708 oversize frame:1:aa ");
}

Test(frame, the_largest_legal_length_is_skipped_not_broken)
{
    static struct found f;
    open_stream(&f);
    feed_hex(&f, SYNC "7f ff ff ff aa");
    cr_expect_str_eq(f.log, "sync:0102030405060708 ");
    cr_expect_eq(f.s.skip, INT32_MAX - 1);
}

Test(frame, a_frame_that_could_never_fit_the_buffer_is_oversize)
{
    static struct found f;
    static uint8_t body[CAP];
    open_stream(&f);
    f.s.limit = CAP;
    feed_hex(&f, SYNC "00 00 0f fd"); /* CAP - 3 */
    feed(&f, body, CAP - 3, CAP);
    cr_expect_str_eq(f.log, "sync:0102030405060708 oversize ");
    feed_hex(&f, "00 00 0f fc"); /* CAP - 4: with its length just the buffer */
    feed(&f, body, CAP - 4, CAP);
    cr_expect_str_eq(f.log, "sync:0102030405060708 oversize frame:4092:0000000000000000 ");
}

/* ---- out of step ---- */

Test(frame, what_is_no_length_breaks_the_stream_until_the_next_sync)
{
    expect_found(SYNC "00 00 00 00 00 00 00 01 aa " SYNC2, "sync:0102030405060708 broken sync:1112131415161718 ");
    expect_found(SYNC "80 00 00 00 00 00 00 01 aa " SYNC2, "sync:0102030405060708 broken sync:1112131415161718 ");
    expect_found(SYNC "ff ff ff ff " SYNC2, "sync:0102030405060708 broken sync:1112131415161718 ");
    expect_found(SYNC "f5 50 52 4e 00 00 00 01 aa " SYNC2, "sync:0102030405060708 broken sync:1112131415161718 ");
    expect_found(SYNC "f5 50 52 4f 56 49 55 4c 01 02 03 04 05 06 07 08 " SYNC2,
                 "sync:0102030405060708 broken sync:1112131415161718 ");
    expect_found(SYNC "00 00 00 00 " SYNC2 "00 00 00 01 aa",
                 "sync:0102030405060708 broken sync:1112131415161718 frame:1:aa ");
}

Test(frame, a_sync_word_that_begins_inside_the_bad_length_is_found)
{
    expect_found(SYNC "ff " SYNC2, "sync:0102030405060708 broken sync:1112131415161718 ");
    expect_found(SYNC "ff ff ff " SYNC2, "sync:0102030405060708 broken sync:1112131415161718 ");
}

/* ---- midway ---- */

Test(frame, midway_is_true_inside_something_and_nowhere_else)
{
    static const struct {
        const char *hex;
        bool midway;
    } rows[] = {
        {"00 11 22", false},
        {"f5", true},
        {"f5 50 52 4f 56 49 55 4d 01", true},
        {SYNC, false},
        {SYNC "00", true},
        {SYNC "00 00 00 02", true},
        {SYNC "00 00 00 02 aa", true},
        {SYNC "00 00 00 02 aa bb", false},
        {SYNC "f5 50", true},
        {SYNC "00 00 10 00", true},
        {SYNC "00 00 10 00 aa", true},
        {SYNC "00 00 00 00 11", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct found f;
        open_stream(&f);
        feed_hex(&f, rows[i].hex);
        cr_expect_eq(wire_stream_midway(&f.s), rows[i].midway, "%s", rows[i].hex);
    }
}

Test(frame, hunting_again_forgets_half_a_frame_half_a_sync_and_a_skip)
{
    static const char *const halves[] = {SYNC "00 00 00 09 aa bb", SYNC "00 0f", "f5 50 52", SYNC "00 00 ff ff aa",
                                         SYNC};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
        static struct found f;
        open_stream(&f);
        feed_hex(&f, halves[i]);
        wire_stream_hunt(&f.s);
        cr_expect(!wire_stream_midway(&f.s));
        f.log[0] = '\0';
        feed_hex(&f, "00 00 00 01 aa " SYNC2 "00 00 00 01 bb");
        cr_expect_str_eq(f.log, "sync:1112131415161718 frame:1:bb ", "after %s", halves[i]);
    }
}

/* ---- the buffer ---- */

/* Frames of all lengths in a row: each ends up crossing the end of the buffer somewhere. */
Test(frame, frames_that_cross_the_end_of_the_buffer_arrive_whole)
{
    static struct found f;
    uint8_t frame[LIMIT + WIRE_FRAME_HEADER];
    open_stream(&f);
    feed_hex(&f, SYNC);
    for (size_t len = 1; len <= LIMIT; len++) {
        char expected[64];
        frame[0] = frame[1] = 0;
        frame[2] = (uint8_t)(len >> 8);
        frame[3] = (uint8_t)len;
        for (size_t i = 0; i < len; i++)
            frame[4 + i] = (uint8_t)(len + i);
        f.log[0] = '\0';
        feed(&f, frame, len + 4, 1 + len * 7 % 97);
        int n = snprintf(expected, sizeof expected, "frame:%zu:", len);
        for (size_t i = 0; i < len && i < 8; i++)
            n += snprintf(expected + n, sizeof expected - (size_t)n, "%02x", frame[4 + i]);
        strcat(expected, " ");
        cr_assert_str_eq(f.log, expected);
    }
}

Test(frame, a_frame_is_whole_and_unmoved_until_the_next_space)
{
    static struct found f;
    struct wire_bytes first, second;
    uint8_t bytes[64];
    size_t room, len = hex_parse(SYNC "00 00 00 02 aa bb 00 00 00 02 cc dd", bytes, sizeof bytes);
    open_stream(&f);
    memcpy(wire_stream_space(&f.s, &room), bytes, len);
    wire_stream_fed(&f.s, len);
    cr_assert_eq(wire_stream_next(&f.s, &first), WIRE_FOUND_sync);
    cr_assert_eq(wire_stream_next(&f.s, &first), WIRE_FOUND_frame);
    cr_assert_eq(wire_stream_next(&f.s, &second), WIRE_FOUND_frame);
    cr_expect(first.len == 2 && memcmp(first.ptr, "\xaa\xbb", 2) == 0);
    cr_expect(second.len == 2 && memcmp(second.ptr, "\xcc\xdd", 2) == 0);
    cr_expect_eq(wire_stream_next(&f.s, &second), WIRE_FOUND_nothing);
}
