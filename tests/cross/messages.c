/* SPDX-License-Identifier: MIT
 *
 * The golden messages on another machine: the same bytes out, the same fields in, the same line,
 * wherever in memory they stand.
 */
#include <string.h>

#include "cross.h"

/* messages.json as rows of {name, record, text, bytes, len}: made by tests/embed/cross.sh. */
struct row {
    const char *name, *record, *text, *bytes;
    size_t len;
};

static const struct row rows[] = {
#include "vectors.inc"
    {NULL, NULL, NULL, NULL, 0}};

static void encodes(const struct row *row)
{
    static uint8_t out[1024 + CROSS_ALIGNMENTS];
    const struct sample *sample = sample_find(row->name);
    expect(row->name, sample != NULL);
    for (unsigned i = 0; sample != NULL && i < CROSS_ALIGNMENTS; i++) {
        struct wire_writer w;
        wire_writer_init(&w, out + i, sizeof out - CROSS_ALIGNMENTS);
        expect(row->name, any_put(&w, &sample->message) == WIRE_OK);
        expect(row->name, w.len == row->len && memcmp(w.buf, row->bytes, row->len) == 0);
    }
}

static void decodes(const struct row *row)
{
    static struct any_room room;
    struct wire_bytes frame = {(const uint8_t *)row->bytes + WIRE_FRAME_HEADER, row->len - WIRE_FRAME_HEADER};
    for (unsigned i = 0; i < CROSS_ALIGNMENTS; i++) {
        struct wire_bytes at = misplaced(frame, i);
        struct any_message m;
        size_t fault;
        char line[1024];
        expect(row->name, any_decode(at, &m, &room, &fault) == WIRE_OK);
        expect(row->name, strcmp(any_name(m.record), row->record) == 0);
        expect(row->name, any_equal(&m, &sample_find(row->name)->message));
        wire_print(at.ptr, at.len, line, sizeof line);
        expect(row->name, strcmp(line, row->text) == 0);
    }
}

/* The stream of all messages, fed in pieces of `piece` bytes. */
static void streams(size_t piece)
{
    static uint8_t buf[2048];
    struct wire_stream s;
    struct wire_bytes frame;
    wire_stream_init(&s, buf + 1, sizeof buf - 1, WIRE_SYNC_HOST);
    wire_stream_space(&s, &(size_t){0});
    memcpy(s.buf, WIRE_SYNC_HOST "12345678", WIRE_SYNC_LEN);
    wire_stream_fed(&s, WIRE_SYNC_LEN);
    expect("sync", wire_stream_next(&s, &frame) == WIRE_FOUND_sync);
    for (const struct row *row = rows; row->name != NULL; row++) {
        enum wire_found found = WIRE_FOUND_nothing;
        for (size_t at = 0; at < row->len; at += piece) {
            size_t room, n = row->len - at < piece ? row->len - at : piece;
            uint8_t *to = wire_stream_space(&s, &room);
            expect(row->name, found == WIRE_FOUND_nothing && room >= n);
            memcpy(to, row->bytes + at, n);
            wire_stream_fed(&s, n);
            found = wire_stream_next(&s, &frame);
        }
        expect(row->name, found == WIRE_FOUND_frame && frame.len == row->len - WIRE_FRAME_HEADER);
        expect(row->name, memcmp(frame.ptr, row->bytes + WIRE_FRAME_HEADER, frame.len) == 0);
    }
}

void test_messages(void)
{
    for (const struct row *row = rows; row->name != NULL; row++) {
        encodes(row);
        decodes(row);
    }
    streams(1);
    streams(7);
    streams(1024);
}
