/* SPDX-License-Identifier: MIT
 *
 * Any bytes as one value: what is well formed can be taken apart and put together again as
 * the same value, its shortest form is canonical exactly if its keys ascend, and a scan in
 * pieces says what the whole says.  The first byte picks pieces, limit and forms.
 */
#include <string.h>

#include "../tests/support/generic.h"
#include "fuzz.h"

enum { INPUT_MAX = 1 << 16, SLICES = 64 };

static uint8_t first[INPUT_MAX * 4], second[INPUT_MAX * 4], joined[INPUT_MAX * 4];

static struct wire_bytes written(const struct wire_writer *w)
{
    return (struct wire_bytes){w->buf, w->len};
}

static bool same_bytes(struct wire_bytes a, struct wire_bytes b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* ---- pieces ---- */

static void must_scan_alike(const uint8_t *data, size_t len, size_t piece, unsigned flags)
{
    struct wire_scan whole, parts;
    wire_scan_init(&whole, SIZE_MAX, flags);
    wire_scan_init(&parts, SIZE_MAX, flags);
    enum wire_status status = wire_scan(&whole, data, len), part = WIRE_E_SHORT;
    for (size_t n = 0; n < len && part == WIRE_E_SHORT;) {
        n = len - n < piece ? len : n + piece;
        part = wire_scan(&parts, data, n);
        must(parts.pos <= n);
    }
    must(part == status && parts.pos == whole.pos);
}

/* Within a limit: never more bytes asked for, and the same value found where it fits. */
static void must_keep_limit(const uint8_t *data, size_t len, size_t limit)
{
    struct wire_scan free, bound;
    wire_scan_init(&free, SIZE_MAX, 0);
    wire_scan_init(&bound, limit, 0);
    enum wire_status status = wire_scan(&free, data, len);
    enum wire_status within = wire_scan(&bound, data, len < limit ? len : limit);
    must(within != WIRE_E_SHORT || len < limit);
    if (status == WIRE_OK)
        must(within == (free.pos <= limit ? WIRE_OK : WIRE_E_LIMIT));
    if (within == WIRE_OK)
        must(status == WIRE_OK && free.pos == bound.pos);
}

/* ---- apart and together ---- */

/* Take the value apart into out; false where a text is not UTF-8, which only the reader minds. */
static bool copy(struct wire_bytes from, uint8_t *out, bool open, struct wire_writer *w)
{
    struct wire_reader r;
    wire_reader_init(&r, from.ptr, from.len);
    wire_writer_init(w, out, sizeof first);
    generic_copy(&r, w, open);
    enum wire_status read = wire_reader_end(&r);
    if (read == WIRE_E_UTF8)
        return false;
    must(read == WIRE_OK);
    must(wire_writer_end(w) == WIRE_OK);
    return true;
}

static void must_measure(struct wire_bytes from, size_t len, bool open)
{
    struct wire_reader r;
    struct wire_writer w;
    wire_reader_init(&r, from.ptr, from.len);
    wire_writer_measure(&w);
    generic_copy(&r, &w, open);
    must(wire_writer_end(&w) == WIRE_OK && wire_writer_total(&w) == len);
}

/* Borrowed slices, joined, are the copied bytes. */
static void must_gather(struct wire_bytes from, struct wire_bytes wanted)
{
    struct wire_slice slices[SLICES];
    struct wire_reader r;
    struct wire_writer w;
    size_t len = 0;
    wire_reader_init(&r, from.ptr, from.len);
    wire_writer_init(&w, second, wanted.len); /* no more room than the bytes need */
    wire_writer_borrow(&w, slices, SLICES);
    generic_copy(&r, &w, true);
    must(wire_writer_end(&w) == WIRE_OK);
    for (uint32_t i = 0, n = wire_writer_slices(&w); i < n; len += slices[i++].len) {
        must(slices[i].len > 0 && slices[i].len <= wanted.len - len);
        memcpy(joined + len, slices[i].ptr, slices[i].len);
    }
    must(same_bytes((struct wire_bytes){joined, len}, wanted));
}

/* Does each map's keys ascend?  By taking the value apart, for the sake of another way than the scan's. */
static bool keys_ascend(struct wire_reader *r)
{
    bool map = wire_peek(r) == WIRE_TYPE_map, ascend = true;
    struct wire_bytes last = {NULL, 0};
    if (!map && wire_peek(r) != WIRE_TYPE_array) {
        wire_skip(r);
        return true;
    }
    uint64_t count = map ? 2 * (uint64_t)wire_get_map(r) : wire_get_array(r);
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *at = r->p;
        ascend &= keys_ascend(r);
        struct wire_bytes key = {at, (size_t)(r->p - at)};
        if (!map || i % 2 != 0)
            continue;
        size_t shorter = key.len < last.len ? key.len : last.len;
        ascend &= i == 0 || memcmp(last.ptr, key.ptr, shorter) < 0;
        last = key;
    }
    return ascend;
}

static void must_be_canonical(struct wire_bytes shortest)
{
    struct wire_reader r;
    size_t at;
    wire_reader_init(&r, shortest.ptr, shortest.len);
    bool ascend = keys_ascend(&r);
    must(wire_reader_end(&r) == WIRE_OK);
    must(wire_check(shortest, WIRE_SCAN_CANONICAL | WIRE_SCAN_UTF8, &at) == (ascend ? WIRE_OK : WIRE_E_CANONICAL));
    must(ascend ? at == shortest.len : at < shortest.len);
}

static void must_survive(struct wire_bytes value, bool open)
{
    struct wire_writer w, again;
    size_t at;
    if (!copy(value, first, open, &w))
        return;
    struct wire_bytes shortest = written(&w);
    must(shortest.len <= value.len);
    must(copy(shortest, second, !open, &again));
    must(same_bytes(shortest, written(&again)));
    must(generic_their_len(shortest.ptr, shortest.len) == shortest.len);
    must_measure(value, shortest.len, open);
    must_gather(value, shortest);
    must_be_canonical(shortest);
    if (wire_check(value, WIRE_SCAN_CANONICAL, &at) == WIRE_OK)
        must(same_bytes(value, shortest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t at, where;
    if (len == 0 || len > INPUT_MAX)
        return 0;
    uint8_t pick = *data++;
    struct wire_bytes value = {data, --len};
    must_scan_alike(data, len, 1 + pick % 7, 0);
    must_scan_alike(data, len, 1 + pick % 5, WIRE_SCAN_UTF8 | WIRE_SCAN_CANONICAL);
    must_keep_limit(data, len, pick);
    enum wire_status status = wire_check(value, 0, &at), strict = wire_check(value, WIRE_SCAN_UTF8, &where);
    must(at <= len && where <= at && (strict == status || strict == WIRE_E_UTF8));
    if (status == WIRE_OK)
        must_survive(value, pick % 2 == 0);
    return 0;
}
