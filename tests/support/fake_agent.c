/* SPDX-License-Identifier: MIT
 *
 * The scripted agent: blocking reads and writes of a thread.  Knows what an agent says,
 * not what a test wants to hear.
 */
#include "fake_agent.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- life ---- */

static const struct wire_hello_reply usual_hello = {.frame_limit = WIRE_MIN_FRAME,
                                                    .depth_limit = WIRE_MIN_DEPTH,
                                                    .buffer_limit = WIRE_MIN_BUFFERS,
                                                    .spec_limit = WIRE_MIN_SPECS,
                                                    .flight_limit = WIRE_MIN_FLIGHT,
                                                    .memory_limit = WIRE_MIN_MEMORY,
                                                    .arch = {(const uint8_t *)"x86_64", 6},
                                                    .pointer_width = 8,
                                                    .page_size = 4096,
                                                    .kernel = {(const uint8_t *)"6.1", 3},
                                                    .instance = {(const uint8_t *)"0123456789abcdef", 16},
                                                    .generation = 1};

static void *play(void *context)
{
    struct fake *f = context;
    f->script(f);
    return NULL;
}

void fake_start(struct fake *f, fake_script *script, const void *context)
{
    int ends[2];
    *f = (struct fake){.context = context, .hello = usual_hello, .script = script};
    f->rx =
        mmap(NULL, 3 * (size_t)FAKE_CAP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cr_assert_neq(f->rx, MAP_FAILED);
    f->tx = f->rx + FAKE_CAP;
    f->blank = f->tx + FAKE_CAP;
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    f->host = ends[0];
    f->fd = ends[1];
    cr_assert(pthread_create(&f->thread, NULL, play, f) == 0);
}

void fake_join(struct fake *f)
{
    if (!f->joined)
        pthread_join(f->thread, NULL);
    f->joined = true;
}

void fake_stop(struct fake *f)
{
    shutdown(f->host, SHUT_RDWR);
    fake_join(f);
    close(f->host);
    close(f->fd);
    munmap(f->rx, 3 * (size_t)FAKE_CAP);
    cr_assert_str_empty(f->fault, "the script: %s", f->fault);
}

struct provium_session *fake_session(struct fake *f, fake_script *script)
{
    struct provium_session *s = provium_session_new();
    fake_start(f, script, NULL);
    cr_assert_eq(provium_session_open(s, f->host, f->host, 2000), PROVIUM_OK, "%s", provium_session_error(s)->text);
    return s;
}

void fake_end(struct fake *f, struct provium_session *s)
{
    fake_stop(f);
    provium_session_free(s);
}

/* ---- bytes ---- */

void fake_expect_at(struct fake *f, bool condition, const char *text, int line)
{
    if (!condition && !f->over && f->fault[0] == '\0')
        snprintf(f->fault, sizeof f->fault, "line %d: not so: %s", line, text);
}

void fake_sleep(unsigned ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&left, &left) && errno == EINTR)
        continue;
}

static bool read_all(struct fake *f, void *ptr, size_t len)
{
    for (size_t done = 0; done < len && !f->over;) {
        ssize_t n = read(f->fd, (uint8_t *)ptr + done, len - done);
        if (n > 0) {
            done += (size_t)n;
            f->received += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            f->over = true;
        }
    }
    return !f->over;
}

void fake_write(struct fake *f, const void *ptr, size_t len)
{
    for (size_t done = 0; done < len && !f->over;) {
        ssize_t n = send(f->fd, (const uint8_t *)ptr + done, len - done, MSG_NOSIGNAL);
        if (n >= 0) {
            done += (size_t)n;
            f->sent += (size_t)n;
        } else if (errno != EINTR) {
            f->over = true;
        }
    }
}

void fake_send(struct fake *f, struct fake_bytes bytes)
{
    fake_write(f, bytes.at, bytes.len);
}

void fake_dribble(struct fake *f, struct fake_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        fake_write(f, &bytes.at[i], 1);
        sched_yield();
    }
}

/* In large pieces, so that there is always something for the host to read. */
void fake_flood(struct fake *f, struct fake_bytes bytes)
{
    size_t len = 0;
    for (; len + bytes.len <= 1 << 20; len += bytes.len)
        memcpy(f->tx + len, bytes.at, bytes.len);
    while (!f->over)
        fake_write(f, f->tx, len);
}

void fake_drain(struct fake *f)
{
    ssize_t n;
    while ((n = read(f->fd, f->rx, FAKE_CAP)) > 0 || (n < 0 && errno == EINTR))
        f->drained += n > 0 ? (size_t)n : 0;
    f->over = true;
}

void fake_hang_up(struct fake *f)
{
    shutdown(f->fd, SHUT_RDWR);
    f->over = true;
}

/* ---- steps ---- */

void fake_read_sync(struct fake *f)
{
    uint8_t bytes[WIRE_SYNC_LEN];
    if (!read_all(f, bytes, sizeof bytes))
        return;
    fake_expect(f, memcmp(bytes, WIRE_SYNC_HOST, 8) == 0);
    memcpy(f->nonce, bytes + 8, sizeof f->nonce);
}

void fake_echo(struct fake *f)
{
    fake_write(f, WIRE_SYNC_AGENT, 8);
    fake_write(f, f->nonce, sizeof f->nonce);
}

void fake_sync(struct fake *f)
{
    fake_read_sync(f);
    fake_echo(f);
}

bool fake_request(struct fake *f)
{
    uint8_t head[WIRE_FRAME_HEADER];
    size_t at;
    if (!read_all(f, head, sizeof head))
        return false;
    size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    fake_expect(f, len <= FAKE_CAP);
    if (len > FAKE_CAP || !read_all(f, f->rx, len))
        return false;
    fake_expect(f, wire_get_envelope(f->rx, len, &f->request, &at) == WIRE_OK);
    fake_expect(f, f->request.kind == WIRE_REQUEST);
    return true;
}

void fake_hello(struct fake *f)
{
    struct wire_hello_request m = {.caps = {f->outs, 0, FAKE_LIST_CAP}};
    size_t at;
    if (!fake_request(f))
        return;
    fake_expect(f, f->request.code == WIRE_OP_hello);
    fake_expect(f, wire_decode_hello_request(f->request.body, &m, &at) == WIRE_OK);
    fake_send(f, fake_hello_reply(f->request.id, &f->hello));
}

void fake_open(struct fake *f)
{
    fake_sync(f);
    fake_hello(f);
}

bool fake_call(struct fake *f)
{
    size_t at;
    if (!fake_request(f))
        return false;
    f->call.buffers.items = f->buffers;
    f->call.specs.items = f->specs;
    f->call.buffers.cap = f->call.specs.cap = FAKE_LIST_CAP;
    fake_expect(f, f->request.code == WIRE_OP_call);
    fake_expect(f, wire_decode_call_request(f->request.body, &f->call, &at) == WIRE_OK);
    return true;
}

void fake_answer(struct fake *f)
{
    struct wire_call_reply m = {
        .has = WIRE_HAS(call_reply, ret) | WIRE_HAS(call_reply, outs), .ret = 7, .outs = {f->outs, 0, FAKE_LIST_CAP}};
    struct wire_envelope e = {.kind = WIRE_REPLY, .id = f->request.id, .code = WIRE_OP_call, .generation = 1};
    struct wire_writer w;
    for (uint32_t i = 0; i < f->call.buffers.count; i++) {
        const struct wire_buffer *b = &f->call.buffers.items[i];
        if (b->dir & WIRE_DIR_out)
            f->outs[m.outs.count++] = (struct wire_bytes){b->data.len == b->len ? b->data.ptr : f->blank, b->len};
    }
    wire_writer_init(&w, f->tx, FAKE_CAP);
    wire_begin(&w, &e);
    wire_put_call_reply(&w, &m);
    fake_expect(f, wire_end(&w) == WIRE_OK);
    fake_write(f, w.buf, w.len);
}

void fake_serve(struct fake *f)
{
    fake_open(f);
    while (fake_call(f))
        fake_answer(f);
}

/* ---- frames ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct fake_bytes fake_raw(const char *hex)
{
    struct fake_bytes b = {.len = 0};
    for (; *hex != '\0'; hex++) {
        if (hex_digit(hex[0]) >= 0 && hex_digit(hex[1]) >= 0 && b.len < sizeof b.at) {
            b.at[b.len++] = (uint8_t)(hex_digit(hex[0]) * 16 + hex_digit(hex[1]));
            hex++;
        }
    }
    return b;
}

struct fake_bytes fake_joined(struct fake_bytes a, struct fake_bytes b)
{
    size_t len = b.len < sizeof a.at - a.len ? b.len : sizeof a.at - a.len;
    memcpy(a.at + a.len, b.at, len);
    a.len += len;
    return a;
}

static struct wire_bytes text_of(const char *text)
{
    return (struct wire_bytes){(const uint8_t *)text, strlen(text)};
}

/* A frame with the record `m` as its body; needs `e` and `b`. */
#define FRAME(record, m, ...) \
    struct fake_bytes b; \
    struct wire_writer w; \
    wire_writer_init(&w, b.at, sizeof b.at); \
    wire_begin(&w, &(struct wire_envelope){__VA_ARGS__}); \
    wire_put_##record(&w, m); \
    b.len = wire_end(&w) == WIRE_OK ? w.len : 0

struct fake_bytes fake_hello_reply(uint32_t id, const struct wire_hello_reply *m)
{
    FRAME(hello_reply, m, .kind = WIRE_REPLY, .id = id, .code = WIRE_OP_hello, .generation = m->generation);
    return b;
}

struct fake_bytes fake_call_reply(uint32_t id, const struct wire_call_reply *m)
{
    FRAME(call_reply, m, .kind = WIRE_REPLY, .id = id, .code = WIRE_OP_call, .generation = 1);
    return b;
}

struct fake_bytes fake_returned(uint32_t id, int64_t ret)
{
    struct wire_call_reply m = {.has = WIRE_HAS(call_reply, ret), .ret = ret};
    return fake_call_reply(id, &m);
}

struct fake_bytes fake_ping_reply(uint32_t id)
{
    struct wire_ping_reply m = {.has = 0};
    FRAME(ping_reply, &m, .kind = WIRE_REPLY, .id = id, .code = WIRE_OP_ping, .generation = 1);
    return b;
}

struct fake_bytes fake_error(uint32_t id, uint32_t code, uint32_t generation, const char *text)
{
    struct wire_error m = {.text = text_of(text)};
    FRAME(error, &m, .kind = WIRE_ERROR, .id = id, .code = code, .generation = generation);
    return b;
}

struct fake_bytes fake_worker_ended(const struct wire_worker_ended *m)
{
    FRAME(worker_ended, m, .kind = WIRE_EVENT, .code = WIRE_EVENT_worker_ended);
    return b;
}

struct fake_bytes fake_goodbye(const char *text)
{
    struct wire_goodbye m = {.text = text_of(text)};
    FRAME(goodbye, &m, .kind = WIRE_GOODBYE);
    return b;
}

struct fake_bytes fake_empty(enum wire_kind kind, uint32_t id, uint32_t code)
{
    struct wire_ping_reply m = {.has = 0};
    FRAME(ping_reply, &m, .kind = kind, .id = id, .code = code);
    return b;
}
