/* SPDX-License-Identifier: MIT
 *
 * Large bins: decoding is as dear as for small ones, sending copies nothing into a buffer.
 */
#include "codec_bulk.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "codec.h"

enum { MIB = 1024 * 1024, SEND_LEN = MIB, HUGE_LEN = 16 * MIB, HEADS = 256, SLICES = 3, PAGE = 4096, BURSTS = 15 };

/* A ping that carries `data`, encoded into buf; with slices its data is borrowed. */
static void put(struct wire_writer *w, struct wire_bytes data)
{
    struct wire_ping_request ping = {.has = WIRE_HAS(ping_request, data), .data = data};
    wire_begin(w, &(struct wire_envelope){.kind = WIRE_REQUEST, .id = 1, .code = WIRE_OP_ping});
    wire_put_ping_request(w, &ping);
    if (wire_end(w) != WIRE_OK)
        bench_fail("no room for a large message");
}

static void *room_for(size_t len)
{
    void *p = aligned_alloc(PAGE, (len + PAGE - 1) / PAGE * PAGE);
    if (p == NULL)
        bench_fail("no memory for %zu bytes", len);
    memset(p, 1, len); /* its pages are there */
    return p;
}

/* ---- decode ---- */

struct frame {
    uint8_t *bytes;
    size_t len;
};

static struct frame make_frame(size_t data_len)
{
    struct frame f = {room_for(data_len + HEADS), 0};
    uint8_t *data = room_for(data_len);
    struct wire_writer w;
    wire_writer_init(&w, f.bytes, data_len + HEADS);
    put(&w, (struct wire_bytes){data, data_len});
    f.len = w.len;
    free(data);
    return f;
}

/* Decode it; returns where its data lies. */
static const uint8_t *decode(const struct frame *f)
{
    struct wire_envelope e;
    struct wire_ping_request ping;
    size_t at;
    if (wire_get_envelope(f->bytes + WIRE_FRAME_HEADER, f->len - WIRE_FRAME_HEADER, &e, &at) != WIRE_OK ||
        wire_decode_ping_request(e.body, &ping, &at) != WIRE_OK)
        bench_fail("a large message does not decode");
    return ping.data.ptr;
}

static double decode_run(void *context, unsigned count)
{
    int64_t start = bench_now_ns();
    for (unsigned i = 0; i < count; i++)
        decode(context);
    return (double)(bench_now_ns() - start) / count;
}

static void bench_decode(FILE *json)
{
    struct frame huge = make_frame(HUGE_LEN), small = make_frame(16);
    struct bench_side sides[] = {{.run = decode_run, .context = &huge, .count = 4000},
                                 {.run = decode_run, .context = &small, .count = 4000}};
    bench_rounds(sides, 2, BURSTS);
    struct bench_row time = {"codec", "decode, a bin of 16 MiB to one of 16 bytes", "ns", "16 bytes", 1.5, false};
    bench_report(json, &time, &sides[0], &sides[1]);
    const uint8_t *data = decode(&huge);
    bool inside = data >= huge.bytes && data < huge.bytes + huge.len;
    struct bench_row copied = {"codec", "decode, bytes of a 16 MiB bin copied", "B", NULL, BENCH_NOTHING, false};
    bench_fact(json, &copied, inside ? 0 : HUGE_LEN);
    free(huge.bytes);
    free(small.bytes);
}

/* ---- send ---- */

/* Where 1 MiB goes: a file in memory, written at 0, or a socket that a child reads empty. */
struct sink {
    int fd;
    bool file;
    uint8_t *data, *whole; /* the payload; a buffer for all of the message */
    pid_t reader;
};

static void send_slices(const struct sink *s, struct iovec *iov, int count, size_t len)
{
    size_t sent = 0;
    while (sent < len) {
        ssize_t n = s->file ? pwritev(s->fd, iov, count, (off_t)sent) : writev(s->fd, iov, count);
        if (n < 0)
            bench_fail("sending: %s", strerror(errno));
        sent += (size_t)n;
        for (; count > 0 && (size_t)n >= iov->iov_len; iov++, count--)
            n -= (ssize_t)iov->iov_len;
        if (count > 0) {
            iov->iov_base = (uint8_t *)iov->iov_base + n;
            iov->iov_len -= (size_t)n;
        }
    }
}

static double gather_run(void *context, unsigned count)
{
    struct sink *s = context;
    int64_t start = bench_now_ns();
    for (unsigned i = 0; i < count; i++) {
        uint8_t heads[HEADS];
        struct wire_slice slices[SLICES];
        struct iovec iov[SLICES];
        struct wire_writer w;
        wire_writer_init(&w, heads, sizeof heads);
        wire_writer_borrow(&w, slices, SLICES);
        put(&w, (struct wire_bytes){s->data, SEND_LEN});
        uint32_t used = wire_writer_slices(&w);
        for (uint32_t j = 0; j < used; j++)
            iov[j] = (struct iovec){(void *)(uintptr_t)slices[j].ptr, slices[j].len};
        send_slices(s, iov, (int)used, wire_writer_total(&w));
    }
    return (double)(bench_now_ns() - start) / count / 1000;
}

static double copy_run(void *context, unsigned count)
{
    struct sink *s = context;
    int64_t start = bench_now_ns();
    for (unsigned i = 0; i < count; i++) {
        struct wire_writer w;
        wire_writer_init(&w, s->whole, SEND_LEN + HEADS);
        put(&w, (struct wire_bytes){s->data, SEND_LEN});
        send_slices(s, &(struct iovec){w.buf, w.len}, 1, w.len);
    }
    return (double)(bench_now_ns() - start) / count / 1000;
}

/* A child that reads and forgets, on the same processor: on another, what is measured is how that one wakes up. */
static void open_socket(struct sink *s)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || (s->reader = fork()) < 0)
        bench_fail("a socket pair: %s", strerror(errno));
    if (s->reader == 0) {
        close(pair[0]);
        while (read(pair[1], s->whole, 256 * 1024) > 0)
            continue;
        _exit(0);
    }
    close(pair[1]);
    s->fd = pair[0];
}

static void bench_send_to(FILE *json, struct sink *s, const char *name, double bar)
{
    struct bench_side sides[] = {{.run = copy_run, .context = s, .count = 4},
                                 {.run = gather_run, .context = s, .count = 4}};
    struct bench_row row = {"codec", name, "us", "borrow and gather", bar, true};
    bench_rounds(sides, 2, BURSTS);
    bench_report(json, &row, &sides[0], &sides[1]);
}

/* How much of the payload stands in the writer's buffer. */
static void bench_copied(FILE *json, const struct sink *s)
{
    uint8_t heads[HEADS];
    struct wire_slice slices[SLICES];
    struct wire_writer w;
    wire_writer_init(&w, heads, sizeof heads);
    wire_writer_borrow(&w, slices, SLICES);
    put(&w, (struct wire_bytes){s->data, SEND_LEN});
    struct bench_row row = {"codec", "encode, bytes of a 1 MiB bin copied", "B", NULL, BENCH_NOTHING, false};
    bench_fact(json, &row, (double)(SEND_LEN - w.borrowed));
}

/* The payload lies as a Lua string does, 24 bytes into its allocation; and on a page, where some
 * processors' string instructions copy slowly, because it goes to a place a few bytes up in a page. */
enum { STRING_AT = 24 };

void codec_bulk(FILE *json)
{
    uint8_t *payload = room_for(SEND_LEN + STRING_AT);
    struct sink file = {.file = true, .data = payload + STRING_AT, .whole = room_for(SEND_LEN + HEADS)};
    struct sink socket = {.data = file.data, .whole = file.whole};
    signal(SIGPIPE, SIG_IGN);
    bench_decode(json);
    bench_copied(json, &file);
    file.fd = memfd_create("bench", MFD_CLOEXEC);
    if (file.fd < 0)
        bench_fail("memfd_create: %s", strerror(errno));
    open_socket(&socket);
    bench_send_to(json, &socket, "send 1 MiB, copy to gather, socket pair, one core", 1.2);
    bench_send_to(json, &file, "send 1 MiB, copy to gather, memfd", 1.6);
    file.data = payload;
    bench_send_to(json, &file, "the same, the payload on a page", 0);
    close(file.fd);
    close(socket.fd);
    waitpid(socket.reader, NULL, 0);
    free(payload);
    free(file.whole);
}
