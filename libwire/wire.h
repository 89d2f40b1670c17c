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
 * Functions are safe to call from several threads on different objects. Link with
 * -lwire, nothing else.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- limits and constants ---- */

enum {
    WIRE_VERSION = 0,        /* the protocol version that this library speaks: a draft */
    WIRE_FRAME_HEADER = 4,   /* bytes of the length before a frame */
    WIRE_SYNC_LEN = 16,      /* sync word and nonce, bytes */
    WIRE_ARGS_MAX = 6,       /* arguments of a system call */
    WIRE_DEPTH_MAX = 16,     /* nesting that this library reads and writes */
    WIRE_INSTANCE_LEN = 16,  /* bytes of hello's instance */
    WIRE_PING_MAX = 1024,    /* bytes that a ping may carry */
    WIRE_BORROW_MIN = 16384, /* a bin of this length or more is borrowed, not copied */

    /* what every peer takes (SPEC [LIMIT-1]) */
    WIRE_MIN_FRAME = 65536,
    WIRE_MIN_DEPTH = 16,
    WIRE_MIN_BUFFERS = 64,
    WIRE_MIN_SPECS = 64,
    WIRE_MIN_FLIGHT = 1,
    WIRE_MIN_MEMORY = 65536
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
};

enum wire_event {
#define WIRE_EVENT(name, code, since, doc) WIRE_EVENT_##name = code,
#include "ops.def"
};

enum wire_dir { WIRE_DIR_none, WIRE_DIR_in, WIRE_DIR_out, WIRE_DIR_both };
enum wire_ended { WIRE_ENDED_no, WIRE_ENDED_exited, WIRE_ENDED_execed, WIRE_ENDED_killed, WIRE_ENDED_stopped };
enum wire_executed { WIRE_EXECUTED_no, WIRE_EXECUTED_maybe, WIRE_EXECUTED_yes };

/* Up to six 64-bit patterns. */
struct wire_words {
    uint32_t count;
    int64_t at[WIRE_ARGS_MAX];
};

/* An array of bin or of str.  Before decoding, the caller sets items and cap. */
struct wire_list {
    struct wire_bytes *items;
    uint32_t count, cap;
};

/* One struct a record, wire_NAME, one member a field.  `has` tells which fields
 * are there: bit n is field number n (see WIRE_HAS).  Members of optional fields
 * that are absent are zero.  A list of records is {items, count, cap}: before
 * decoding, the caller sets items and cap, and more elements are WIRE_E_COUNT. */
#define WIRE_C_u8 uint8_t
#define WIRE_C_u32 uint32_t
#define WIRE_C_i64 int64_t
#define WIRE_C_word int64_t
#define WIRE_C_bin struct wire_bytes
#define WIRE_C_str struct wire_bytes
#define WIRE_C_words struct wire_words
#define WIRE_C_bins struct wire_list
#define WIRE_C_strs struct wire_list

#define WIRE_RECORD(name, unknown, doc) \
    struct wire_##name { \
        uint32_t has;
#define WIRE_FIELD(record, number, name, type, need, doc) WIRE_C_##type name;
#define WIRE_LIST(record, number, name, of, need, doc) \
    struct { \
        struct wire_##of *items; \
        uint32_t count, cap; \
    } name;
#define WIRE_END(record) \
    } \
    ;
#include "ops.def"

/* Field numbers: WIRE_N_spec_offset is 3. */
enum wire_number {
#define WIRE_FIELD(record, number, name, type, need, doc) WIRE_N_##record##_##name = number,
#define WIRE_LIST(record, number, name, of, need, doc) WIRE_N_##record##_##name = number,
#include "ops.def"
    WIRE_N_end
};

/* The bit of a field in its struct's `has`. */
#define WIRE_HAS(record, name) (UINT32_C(1) << WIRE_N_##record##_##name)

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
    struct wire_slice *slices; /* NULL: everything is copied into buf */
    uint32_t slice_cap, slice_count;
    size_t slice_from; /* buf offset where the open slice starts */
    size_t borrowed;   /* bytes that are not in buf */
    size_t frame_at;   /* buf offset of the open frame's header */
    size_t frame_borrowed;
};

/* Write into buf[0..cap), which the caller owns. */
void wire_writer_init(struct wire_writer *w, void *buf, size_t cap);

/* Keep large bins out of buf: they become slices that point at the caller's
 * bytes, which must live until the slices are sent.  2n+1 slices serve n bins. */
void wire_writer_borrow(struct wire_writer *w, struct wire_slice *slices, uint32_t cap);

/* Open a frame: room for its length, the envelope.  The body must follow. */
void wire_begin(struct wire_writer *w, const struct wire_envelope *e);

/* Close the frame: fill in its length.  Returns the writer's status. */
enum wire_status wire_end(struct wire_writer *w);

/* Close the last slice and say how many there are (with wire_writer_borrow).
 * Sent in order they are the whole output. */
uint32_t wire_writer_slices(struct wire_writer *w);

/* Bytes of output so far, borrowed ones included. */
size_t wire_writer_total(const struct wire_writer *w);

/* The empty body, for kinds that carry none. */
void wire_put_nothing(struct wire_writer *w);

/* ---- reader ---- */

/* The first error stays: later gets return zero and do not advance. */
struct wire_reader {
    const uint8_t *start, *p, *end;
    enum wire_status status; /* the first error */
    size_t at;               /* byte offset of the value at fault */
    uint32_t depth;          /* arrays and maps around the next value, as far as skip counts them */
};

/* Read the bytes [ptr, ptr + len), which must outlive what is decoded. */
void wire_reader_init(struct wire_reader *r, const void *ptr, size_t len);

/* Decode a frame's body (without its length) up to the envelope's body.  Returns
 * WIRE_OK, or the error with its offset in *at.  When the fault lies behind the
 * id, e->id holds it; otherwise it is 0. */
enum wire_status wire_get_envelope(const void *ptr, size_t len, struct wire_envelope *e, size_t *at);

/* Pass over one value of any type, in constant memory. */
void wire_skip(struct wire_reader *r);

/* Everything read?  Sets WIRE_E_TRAILING if not; returns the status. */
enum wire_status wire_reader_end(struct wire_reader *r);

/* wire_put_NAME(w, m) writes a body.  Optional fields are written when their bit
 * stands in m->has; a writer that overflows says so in w->status.
 *
 * wire_get_NAME(r, m) reads one and checks everything that its table says: types,
 * ranges, required fields, duplicates, unknown keys, counts against the bytes
 * that remain.  Sets m->has.  bin and str borrow the reader's bytes.
 *
 * wire_decode_NAME(bytes, m, at) is wire_get_NAME on a whole body: nothing may
 * follow.  Returns the status, and the offset of a fault in *at. */
#define WIRE_RECORD(name, unknown, doc) \
    void wire_put_##name(struct wire_writer *w, const struct wire_##name *m); \
    void wire_get_##name(struct wire_reader *r, struct wire_##name *m); \
    enum wire_status wire_decode_##name(struct wire_bytes body, struct wire_##name *m, size_t *at);
#include "ops.def"

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
    size_t start, end;   /* bytes fed and not yet taken are buf[start..end) */
    uint64_t skip;       /* bytes of an oversize frame still to be dropped */
    uint32_t limit;      /* largest frame body taken, bytes */
    uint8_t word[8];     /* the sync word to look for */
    uint8_t nonce[8];    /* of the last sync found */
    bool synced;
};

/* Start hunting for `word`, WIRE_SYNC_HOST or WIRE_SYNC_AGENT. */
void wire_stream_init(struct wire_stream *s, void *buf, size_t cap, const char *word);

/* Where to put the next bytes; *room tells how many fit (never 0).  Frames taken
 * before are invalid from here on. */
uint8_t *wire_stream_space(struct wire_stream *s, size_t *room);

/* Say that n bytes were put there. */
void wire_stream_fed(struct wire_stream *s, size_t n);

/* Take the next thing.  A frame borrows the stream's buffer until the next
 * wire_stream_space(). */
enum wire_found wire_stream_next(struct wire_stream *s, struct wire_bytes *frame);

/* True inside a frame, a sync word or a skip: silence now means a vanished peer. */
bool wire_stream_midway(const struct wire_stream *s);

/* Drop what is there and hunt for the next sync word. */
void wire_stream_hunt(struct wire_stream *s);

/* ---- names and printing: for traces, tests and documents ---- */

struct wire_field_row {
    uint8_t number;
    const char *name, *type; /* type as in ops.def, or "list" */
    const char *of;          /* the record of a list's elements, or NULL */
    bool required;
    const char *doc;
};

struct wire_record_row {
    const char *name;
    bool refuse_unknown;
    const struct wire_field_row *fields;
    uint32_t field_count;
    const char *doc;
};

/* An operation, an event or an error. */
struct wire_row {
    const char *name;
    uint32_t code, since;
    const char *doc;
};

/* Tables, ended by a row whose name is NULL. */
const struct wire_record_row *wire_records(void);
const struct wire_row *wire_ops(void);
const struct wire_row *wire_events(void);
const struct wire_row *wire_errors(void);

/* Look up by name or code; NULL when there is none. */
const struct wire_record_row *wire_record_find(const char *name);
const struct wire_row *wire_op_find(uint32_t code);

/* Texts of codes; never NULL. */
const char *wire_status_text(enum wire_status status);
const char *wire_error_name(uint32_t code);
const char *wire_error_text(uint32_t code);

/* Write any frame's body as one line into out (NUL-terminated, cut to cap).
 * Never fails: what cannot be decoded is shown as hex.  Returns the length of
 * the line, as snprintf does. */
size_t wire_print(const void *ptr, size_t len, char *out, size_t cap);

/* The path of the field that holds byte `at` of a body of this record, as
 * "specs[2].offset", into out; "" when it is the body itself.  At the start of a
 * record that lacks a required field it is the path of that field. */
void wire_path(const struct wire_record_row *record, struct wire_bytes body, size_t at, char *out, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
