/* SPDX-License-Identifier: MIT
 *
 * libwire: the Provium protocol as bytes.
 *
 * A stream becomes frames, a frame becomes an envelope, its body becomes one
 * of the structs that ops.def lists; and back.  Nothing here reads, writes,
 * allocates or keeps global state: the caller owns every buffer, and what is
 * decoded borrows the frame it came from.  SPEC.md says what the bytes mean.
 *
 *     struct wire_writer w;
 *     struct wire_ping_request ping = {0};
 *     wire_writer_init(&w, buf, sizeof buf);
 *     wire_begin(&w, &(struct wire_envelope){.kind = WIRE_REQUEST, .id = 1, .code = WIRE_OP_ping});
 *     wire_put_ping_request(&w, &ping);
 *     if (wire_end(&w) == WIRE_OK) send(fd, w.buf, w.len, 0);
 *
 * Functions are safe to call from several threads on different objects.  Link with
 * -lwire, nothing else.  wire(7) has the policy: ABI, threads, stack, subsets.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What stands before every function: visible in a shared library.  Define it to change that. */
#ifndef WIRE_API
#define WIRE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- limits and constants ---- */

enum {
    WIRE_VERSION = 0,         /* the protocol version that this library speaks: a draft */
    WIRE_FRAME_HEADER = 4,    /* bytes of the length before a frame */
    WIRE_SYNC_LEN = 16,       /* sync word and nonce, bytes */
    WIRE_ARGS_MAX = 6,        /* arguments of a system call */
    WIRE_DEPTH_MAX = 16,      /* nesting that this library reads and writes */
    WIRE_INSTANCE_LEN = 16,   /* bytes of hello's instance */
    WIRE_PING_MAX = 1024,     /* bytes that a ping may carry */
    WIRE_ALIGN_MAX = 1 << 20, /* largest alignment of a buffer (SPEC [PLACE-3]) */
    WIRE_RANGES_MAX = 512,    /* ranges in a reply, of both lists (SPEC [CALL-13]) */
    WIRE_RANGES_ROOM = 16384, /* what they count for in the reply's size */
    WIRE_REGIONS_MAX = 1024,  /* regions at a time (SPEC [REGION-4]) */
    WIRE_BORROW_MIN = 16384,  /* a bin of this length or more is borrowed, not copied */

    /* what every peer takes (SPEC [LIMIT-1]) */
    WIRE_MIN_FRAME = 65536,
    WIRE_MIN_DEPTH = 16,
    WIRE_MIN_BUFFERS = 64,
    WIRE_MIN_SPECS = 64,
    WIRE_MIN_FLIGHT = 1,
    WIRE_MIN_MEMORY = 65536,
    WIRE_MIN_STEPS = 64,
    WIRE_MIN_MOVES = 64
};

/* The first eight bytes of a session, each way; a nonce of eight follows. */
#define WIRE_SYNC_HOST "\xf5PROVIUM"
#define WIRE_SYNC_AGENT "\xf6PROVIUM"

/* ---- status and errors ---- */

/* What went wrong in this library: errors.def.  0 is WIRE_OK. */
enum wire_status {
#define WIRE_STATUS(name, text) WIRE_##name,
#include "errors.def"
};

/* Codes of error and goodbye envelopes: errors.def. */
enum wire_error_code {
#define WIRE_ERROR(name, code, word, text) WIRE_ERR_##name = code,
#include "errors.def"
    WIRE_ERR_none = 0
};

/* ---- envelopes ---- */

enum wire_kind { WIRE_REQUEST, WIRE_REPLY, WIRE_ERROR, WIRE_EVENT, WIRE_CANCEL, WIRE_GOODBYE };

/* Bytes that somebody else owns. */
struct wire_bytes {
    const uint8_t *ptr;
    size_t len;
};

struct wire_envelope {
    enum wire_kind kind;
    uint32_t id;            /* chosen by the requester; 0: none */
    uint32_t code;          /* op of a request or reply, event, error or goodbye code */
    uint32_t worker;        /* 0 is the main worker */
    uint32_t generation;    /* executor that answers; in a request 0: whichever */
    struct wire_bytes body; /* one map, still encoded; borrows the frame */
};

/* ---- operations, events, bodies: ops.def ---- */

enum wire_op {
#define WIRE_OP(name, code, since, doc) WIRE_OP_##name = code,
#include "ops.def"
    WIRE_OP_none = INT32_MAX /* not an operation */
};

enum wire_event {
#define WIRE_EVENT(name, code, since, doc) WIRE_EVENT_##name = code,
#include "ops.def"
};

/* Bits of the capabilities that both sides listed. */
enum wire_cap {
#define WIRE_CAP(name, bit, doc) WIRE_CAP_##name = 1 << (bit),
#include "ops.def"
    WIRE_CAP_none = 0
};

enum wire_dir { WIRE_DIR_none, WIRE_DIR_in, WIRE_DIR_out, WIRE_DIR_both };
enum wire_guard { WIRE_GUARD_end, WIRE_GUARD_start, WIRE_GUARD_both, WIRE_GUARD_none };
enum wire_want { WIRE_WANT_elapsed = 1, WIRE_WANT_changed = 2, WIRE_WANT_all = 3 };
enum wire_bad { WIRE_BAD_null, WIRE_BAD_unmapped, WIRE_BAD_noncanonical, WIRE_BAD_kernel, WIRE_BAD_readonly };
enum wire_ended { WIRE_ENDED_no, WIRE_ENDED_exited, WIRE_ENDED_execed, WIRE_ENDED_killed, WIRE_ENDED_stopped };
enum wire_results { WIRE_RESULTS_kept = 1, WIRE_RESULTS_every_round = 2 }; /* bits */
enum wire_executed { WIRE_EXECUTED_no, WIRE_EXECUTED_maybe, WIRE_EXECUTED_yes };

/* Up to six 64-bit patterns. */
struct wire_words {
    uint32_t count;
    int64_t at[WIRE_ARGS_MAX];
};

/* An array of bin or of str.  Before decoding, the caller sets items and cap.  More elements
 * are WIRE_E_COUNT; of `names` those that fit are kept and all are checked. */
struct wire_list {
    struct wire_bytes *items;
    uint32_t count, cap;
};

/* An array of integers.  Before decoding, the caller sets items and cap. */
struct wire_integers {
    int64_t *items;
    uint32_t count, cap;
};

/* ---- nesting ----
 *
 * Writer and reader know which arrays and maps are open, so that the nesting is bounded
 * both ways and a container that lacks elements is noticed.  For their own use. */
struct wire_nest {
    uint32_t depth; /* containers that are open */
    struct {
        uint64_t left;   /* values to come in it; in one whose count is open, those that came */
        size_t at, from; /* writer: where the head is whose count is open; scan: the last two keys */
    } level[WIRE_DEPTH_MAX];
};

/* ---- writer ---- */

/* A piece of output: bytes in the writer's buffer, or borrowed from the caller. */
struct wire_slice {
    const void *ptr;
    size_t len;
};

/* The first error stays, later puts do nothing.  Check once, at the end. */
struct wire_writer {
    uint8_t *buf;
    size_t cap, len;           /* bytes; len is what stands in buf */
    enum wire_status status;   /* the first error */
    bool measures;             /* counts, and writes nothing */
    struct wire_slice *slices; /* NULL: everything is copied into buf */
    uint32_t slice_cap, slice_count;
    size_t slice_from; /* buf offset where the open slice starts */
    size_t borrowed;   /* bytes that are not in buf */
    uint32_t depth;    /* containers around what is put: 1 in a frame */
    size_t frame_at;   /* buf offset of the open frame's header */
    size_t frame_borrowed;
    struct wire_nest nest;
};

/* Write into buf[0..cap), which the caller owns. */
WIRE_API void wire_writer_init(struct wire_writer *w, void *buf, size_t cap);

/* Write nothing, count only: after the same puts wire_writer_total() is their size. */
WIRE_API void wire_writer_measure(struct wire_writer *w);

/* Keep large bins out of buf: they become slices that point at the caller's
 * bytes, which must live until the slices are sent.  2n+1 slices serve n bins. */
WIRE_API void wire_writer_borrow(struct wire_writer *w, struct wire_slice *slices, uint32_t cap);

/* One value each, in its shortest form.  Values of a map alternate: key, value. */
WIRE_API void wire_put_nil(struct wire_writer *w);
WIRE_API void wire_put_bool(struct wire_writer *w, bool value);
WIRE_API void wire_put_uint(struct wire_writer *w, uint64_t value);
WIRE_API void wire_put_int(struct wire_writer *w, int64_t value);
WIRE_API void wire_put_f32(struct wire_writer *w, float value);
WIRE_API void wire_put_f64(struct wire_writer *w, double value);
WIRE_API void wire_put_bin(struct wire_writer *w, struct wire_bytes value);
WIRE_API void wire_put_str(struct wire_writer *w, struct wire_bytes value); /* UTF-8, which is not checked here */
WIRE_API void wire_put_ext(struct wire_writer *w, int8_t type, struct wire_bytes value);

/* The timestamp of msgpack, ext type -1.  nanoseconds < 1,000,000,000. */
WIRE_API void wire_put_time(struct wire_writer *w, int64_t seconds, uint32_t nanoseconds);

/* One value that is encoded already: wire_check() says whether it is one.  Its nesting is
 * not counted. */
WIRE_API void wire_put_raw(struct wire_writer *w, struct wire_bytes encoded);

/* The head of an array or a map: exactly `count` elements or entries must follow.  More
 * than WIRE_DEPTH_MAX of them inside each other are WIRE_E_DEPTH. */
WIRE_API void wire_put_array(struct wire_writer *w, uint32_t count);
WIRE_API void wire_put_map(struct wire_writer *w, uint32_t count);

/* The same when the count is not known yet: wire_close() ends the innermost one and
 * fills it in.  No room is wasted: the head gets its shortest form, and what stands behind
 * it in buf moves when that is longer than one byte. */
WIRE_API void wire_open_array(struct wire_writer *w);
WIRE_API void wire_open_map(struct wire_writer *w);
WIRE_API void wire_close(struct wire_writer *w);

/* Is every container complete?  Sets WIRE_E_OPEN if not; returns the status. */
WIRE_API enum wire_status wire_writer_end(struct wire_writer *w);

/* Close the last slice and say how many there are (with wire_writer_borrow).
 * Sent in order they are the whole output. */
WIRE_API uint32_t wire_writer_slices(struct wire_writer *w);

/* Bytes of output so far, borrowed ones included. */
WIRE_API size_t wire_writer_total(const struct wire_writer *w);

/* Bytes that a put of this value writes; for bin, str and ext of `len` bytes all of them. */
WIRE_API size_t wire_size_uint(uint64_t value);
WIRE_API size_t wire_size_int(int64_t value);
WIRE_API size_t wire_size_bin(size_t len);
WIRE_API size_t wire_size_str(size_t len);
WIRE_API size_t wire_size_ext(size_t len);
WIRE_API size_t wire_size_time(int64_t seconds, uint32_t nanoseconds);
WIRE_API size_t wire_size_head(uint32_t count); /* of an array or a map */

/* ---- reader ---- */

/* The first error stays: later gets return zero and do not advance. */
struct wire_reader {
    const uint8_t *start, *p, *end;
    enum wire_status status; /* the first error */
    size_t at;               /* byte offset of the value at fault */
    uint32_t depth;          /* containers around the bytes that are read */
    struct wire_nest nest;
};

/* Read the bytes [ptr, ptr + len), which must outlive what is decoded. */
WIRE_API void wire_reader_init(struct wire_reader *r, const void *ptr, size_t len);

/* What stands next.  none: nothing, or an error. */
enum wire_type {
    WIRE_TYPE_none,
    WIRE_TYPE_nil,
    WIRE_TYPE_bool,
    WIRE_TYPE_int,
    WIRE_TYPE_f32,
    WIRE_TYPE_f64,
    WIRE_TYPE_str,
    WIRE_TYPE_bin,
    WIRE_TYPE_array,
    WIRE_TYPE_map,
    WIRE_TYPE_ext
};
WIRE_API enum wire_type wire_peek(const struct wire_reader *r);

/* One value each, in any of its forms; another type is WIRE_E_TYPE.  Bytes are borrowed. */
WIRE_API void wire_get_nil(struct wire_reader *r);
WIRE_API bool wire_get_bool(struct wire_reader *r);
WIRE_API uint64_t wire_get_uint(struct wire_reader *r, uint64_t max);
WIRE_API int64_t wire_get_int(struct wire_reader *r, int64_t min, int64_t max);
WIRE_API float wire_get_f32(struct wire_reader *r);
WIRE_API double wire_get_f64(struct wire_reader *r); /* or an f32 */
WIRE_API void wire_get_bin(struct wire_reader *r, struct wire_bytes *value);
WIRE_API void wire_get_str(struct wire_reader *r, struct wire_bytes *value); /* must be UTF-8 */

struct wire_ext {
    int8_t type;
    struct wire_bytes data;
};
WIRE_API void wire_get_ext(struct wire_reader *r, struct wire_ext *value);

struct wire_time {
    int64_t seconds; /* since 1970-01-01 00:00 UTC */
    uint32_t nanoseconds;
};
WIRE_API void wire_get_time(struct wire_reader *r, struct wire_time *value);

/* An integer of any sign as its bits, for values that need all of int64 and uint64;
 * *negative says whether they are those of a number below 0. */
WIRE_API uint64_t wire_get_integer(struct wire_reader *r, bool *negative);

/* The count of an array or a map: so many elements or entries follow.  It is not more than
 * the bytes that remain could hold. */
WIRE_API uint32_t wire_get_array(struct wire_reader *r);
WIRE_API uint32_t wire_get_map(struct wire_reader *r);

/* Pass over one value of any type, in constant memory. */
WIRE_API void wire_skip(struct wire_reader *r);

/* The same, and return it as it is encoded. */
WIRE_API struct wire_bytes wire_get_raw(struct wire_reader *r);

/* Everything read?  Sets WIRE_E_TRAILING if not, and WIRE_E_OPEN if an array or a map was left
 * before its last element; returns the status. */
WIRE_API enum wire_status wire_reader_end(struct wire_reader *r);

/* ---- whole values that nobody decodes ---- */

enum {
    WIRE_SCAN_UTF8 = 1,     /* every str must be UTF-8 */
    WIRE_SCAN_CANONICAL = 2 /* shortest forms only (of timestamps too), the keys of a map ascending as bytes, no two equal */
};

/* Are the bytes exactly one value?  In constant memory and one pass; flags are WIRE_SCAN_.
 * Returns the status, and the offset of a fault in *at. */
WIRE_API enum wire_status wire_check(struct wire_bytes encoded, unsigned flags, size_t *at);

/* Is it text, as RFC 3629 wants it? */
WIRE_API bool wire_is_utf8(struct wire_bytes text);

/* Finds the end of a value that comes piece by piece; looks at no byte twice, apart from
 * the head of the value that is not whole yet. */
struct wire_scan {
    size_t pos;   /* bytes passed: once it is over, the length of the value */
    size_t limit; /* longest value taken, bytes */
    unsigned flags;
    uint32_t around; /* containers around the value, 0 if not set otherwise */
    uint32_t maps;   /* of its own: which levels of the nest are maps */
    struct wire_nest nest;
};
WIRE_API void wire_scan_init(struct wire_scan *s, size_t limit, unsigned flags);

/* buf[0..len) is everything that came so far.  WIRE_OK: the value is whole.  WIRE_E_SHORT:
 * call again when more has come; never when limit bytes have.  WIRE_E_LIMIT: it would be
 * longer than the limit, said as soon as the heads that came tell.
 * Anything else is an error too, of the value at s->pos. */
WIRE_API enum wire_status wire_scan(struct wire_scan *s, const void *buf, size_t len);

/* ---- messages: ops.def ----
 *
 * struct wire_NAME, wire_put_NAME, wire_size_NAME, wire_get_NAME, wire_decode_NAME and
 * wire_row_NAME for every record of ops.def; wire_ops.h says what they do. */

struct wire_record_row;

struct wire_field_row {
    uint8_t number;
    bool required;
    const char *name;
    const struct wire_record_row *(*of)(void); /* the record of a list's elements, or NULL */
};

struct wire_record_row {
    const char *name;
    const struct wire_field_row *fields;
    uint32_t field_count;
    bool refuse_unknown;
};

#ifdef __cplusplus
}
#endif

#define WIRE_OPS_FILE "ops.def"
#define WIRE_OPS_PREFIX wire_
#define WIRE_OPS_UPPER WIRE_
#include "wire_ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The bit of a field in its struct's `has`. */
#define WIRE_HAS(record, name) (UINT32_C(1) << WIRE_N_##record##_##name)

/* ---- frames and envelopes ---- */

/* Open a frame: room for its length, the envelope.  The body must follow. */
WIRE_API void wire_begin(struct wire_writer *w, const struct wire_envelope *e);

/* Close the frame: fill in its length.  Returns the writer's status. */
WIRE_API enum wire_status wire_end(struct wire_writer *w);

/* The empty body, for kinds that carry none. */
WIRE_API void wire_put_nothing(struct wire_writer *w);

/* Decode a frame's body (without its length) up to the envelope's body.  Returns
 * WIRE_OK, or the error with its offset in *at.  When the fault lies behind the
 * id, e->id holds it; otherwise it is 0. */
WIRE_API enum wire_status wire_get_envelope(const void *ptr, size_t len, struct wire_envelope *e, size_t *at);

/* ---- stream to frames ---- */

/* What wire_stream_next found. */
enum wire_found {
    WIRE_FOUND_nothing,  /* feed more bytes */
    WIRE_FOUND_frame,    /* a frame: its body is in *frame */
    WIRE_FOUND_sync,     /* a sync word: its nonce is in stream->nonce */
    WIRE_FOUND_oversize, /* a frame over the limit has gone by, dropped */
    WIRE_FOUND_broken    /* not a length: hunting for a sync word from here on */
};

/* Cuts a byte stream into frames.  Hunts for the other side's sync word until
 * one was found; from then on takes frames, and sync words between frames.
 * buf must hold a frame of the limit and its header, or it never completes. */
struct wire_stream {
    uint8_t *buf;
    size_t cap;
    size_t start, end; /* bytes fed and not yet taken are buf[start..end) */
    uint64_t skip;     /* bytes of an oversize frame still to be dropped */
    uint32_t limit;    /* largest frame body taken, bytes */
    uint8_t word[8];   /* the sync word to look for */
    uint8_t nonce[8];  /* of the last sync found */
    bool synced;
};

/* Start hunting for `word`, WIRE_SYNC_HOST or WIRE_SYNC_AGENT. */
WIRE_API void wire_stream_init(struct wire_stream *s, void *buf, size_t cap, const char *word);

/* Where to put the next bytes; *room tells how many fit (never 0).  Frames taken
 * before are invalid from here on. */
WIRE_API uint8_t *wire_stream_space(struct wire_stream *s, size_t *room);

/* Say that n bytes were put there. */
WIRE_API void wire_stream_fed(struct wire_stream *s, size_t n);

/* Take the next thing.  A frame borrows the stream's buffer until the next
 * wire_stream_space(). */
WIRE_API enum wire_found wire_stream_next(struct wire_stream *s, struct wire_bytes *frame);

/* True inside a frame, a sync word or a skip: silence now means a vanished peer. */
WIRE_API bool wire_stream_midway(const struct wire_stream *s);

/* Drop what is there and hunt for the next sync word. */
WIRE_API void wire_stream_hunt(struct wire_stream *s);

/* ---- names and printing: for traces, tests and documents ---- */

#ifndef WIRE_WITHOUT_names

/* An operation, an event, an error, or a capability, whose code is its bit. */
struct wire_row {
    const char *name;
    uint32_t code, since;
};

/* Tables, ended by a row whose name is NULL. */
WIRE_API const struct wire_row *wire_ops(void);
WIRE_API const struct wire_row *wire_events(void);
WIRE_API const struct wire_row *wire_errors(void);
WIRE_API const struct wire_row *wire_caps(void);

/* The records of ops.def in its order; NULL behind the last. */
WIRE_API const struct wire_record_row *wire_record_at(uint32_t index);

/* Look up by name or code; NULL when there is none. */
WIRE_API const struct wire_record_row *wire_record_find(const char *name);
WIRE_API const struct wire_row *wire_op_find(uint32_t code);

/* The capabilities among these names, as bits of enum wire_cap. */
WIRE_API uint32_t wire_caps_of(const struct wire_list *names);

/* Texts of codes; never NULL. */
WIRE_API const char *wire_status_text(enum wire_status status);
WIRE_API const char *wire_error_name(uint32_t code);
WIRE_API const char *wire_error_text(uint32_t code);

/* Write any frame's body as one line into out (NUL-terminated, cut to cap).
 * Never fails: what cannot be decoded is shown as hex.  Returns the length of
 * the line, as snprintf does.  wire_print_record does it with one record. */
WIRE_API size_t wire_print(const void *ptr, size_t len, char *out, size_t cap);

WIRE_API size_t wire_print_record(const struct wire_record_row *record, struct wire_bytes body, char *out, size_t cap);

/* The path of the field that holds byte `at` of a body of this record, as
 * "specs[2].offset", into out; "" when it is the body itself.  At the start of a
 * record that lacks a required field it is the path of that field. */
WIRE_API void wire_path(const struct wire_record_row *record, struct wire_bytes body, size_t at, char *out, size_t cap);

#endif

#ifdef __cplusplus
}
#endif
#endif
