/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a frame's body, and as the body of every record: what decodes can be
 * encoded and decodes to the same; what does not has an offset, a path and a line.
 */
#include <string.h>

#include "../tests/support/any.h"
#include "fuzz.h"

enum { ROOM = 1 << 20, SLICES = 2 * ANY_ITEMS + 4 };

static uint8_t plain[ROOM], gathered[ROOM], joined[ROOM];
static struct any_room first, second;

static size_t join(const struct wire_slice *slices, uint32_t count)
{
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        must(slices[i].len > 0 && slices[i].len <= ROOM - len);
        memcpy(joined + len, slices[i].ptr, slices[i].len);
        len += slices[i].len;
    }
    return len;
}

/* Borrowing or not, the same bytes. */
static void must_gather(const struct any_message *m, size_t len)
{
    static struct wire_slice slices[SLICES];
    struct wire_writer w;
    wire_writer_init(&w, gathered, ROOM);
    wire_writer_borrow(&w, slices, SLICES);
    must(any_put(&w, m) == WIRE_OK);
    must(wire_writer_total(&w) == len);
    must(join(slices, wire_writer_slices(&w)) == len && memcmp(joined, plain, len) == 0);
}

static void must_survive(const struct any_message *m)
{
    struct wire_writer w;
    struct any_message again;
    size_t at;
    wire_writer_init(&w, plain, ROOM);
    if (any_put(&w, m) != WIRE_OK) /* a text of more than 65,535 bytes: read, never written */
        return;
    struct wire_bytes frame = {plain + WIRE_FRAME_HEADER, w.len - WIRE_FRAME_HEADER};
    must_gather(m, w.len);
    must(any_decode(frame, &again, &second, &at) == WIRE_OK);
    must(any_equal(m, &again));
}

static void must_explain(const struct any_message *m, struct wire_bytes body, size_t at)
{
    char path[64];
    const struct wire_record_row *record = wire_record_find(any_name(m->record));
    if (m->record == ANY_nothing)
        return;
    must(at <= body.len);
    wire_path(record, body, at, path, sizeof path);
    must(strlen(path) < sizeof path);
}

static void must_print(const uint8_t *data, size_t len)
{
    static char line[1 << 16];
    size_t whole = wire_print(data, len, line, sizeof line);
    must(strlen(line) == (whole < sizeof line ? whole : sizeof line - 1));
    must(wire_print(data, len, line, len % 32) == whole);
}

/* As one record, which the first byte picks. */
static void decode_record(const uint8_t *data, size_t len)
{
    struct any_message m = {.envelope = {.kind = WIRE_CANCEL}, .record = (enum any_record)(data[0] % ANY_nothing)};
    struct wire_bytes body = {data + 1, len - 1};
    union any_body again;
    struct wire_writer w;
    size_t at;
    if (any_decode_body(m.record, body, &m.body, &first, &at) != WIRE_OK) {
        must_explain(&m, body, at);
        return;
    }
    wire_writer_init(&w, plain, ROOM);
    any_put_body(&w, m.record, &m.body);
    if (w.status != WIRE_OK)
        return;
    must(any_decode_body(m.record, (struct wire_bytes){plain, w.len}, &again, &second, &at) == WIRE_OK);
    must(any_equal_body(m.record, &m.body, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct any_message m;
    size_t at;
    if (len == 0 || len > ROOM / 4)
        return 0;
    must_print(data, len);
    enum wire_status status = any_decode((struct wire_bytes){data, len}, &m, &first, &at);
    if (status == WIRE_OK)
        must_survive(&m);
    else if (m.envelope.body.ptr != NULL && status != WIRE_E_UNKNOWN)
        must_explain(&m, m.envelope.body, at - (size_t)(m.envelope.body.ptr - data));
    decode_record(data, len);
    return 0;
}
