/* SPDX-License-Identifier: MIT
 *
 * Process 1 of a guest that only shows what the channel can do.  It does as little as
 * possible before the first byte, which is the floor of a boot; then it opens a session, so
 * that provium_vm_boot takes it for an agent; then it is an echo peer (echo.h).
 */
#include <string.h>

#include "../agent/agent.h"
#include "../agent/sys.h"
#include "echo.h"

enum { LIST_CAP = 8192 };

static long open_at(const char *path)
{
    return sys4(__NR_openat, SYS_AT_FDCWD, sys_ptr(path), SYS_O_RDWR, 0);
}

/* ---- boot ---- */

static void load_module(const char *path)
{
    long fd = sys4(__NR_openat, SYS_AT_FDCWD, sys_ptr(path), 0, 0);
    sys3(__NR_finit_module, fd, sys_ptr(""), 0);
}

static void load_modules(void)
{
    static char list[LIST_CAP];
    long fd = sys4(__NR_openat, SYS_AT_FDCWD, sys_ptr("/.provium/modules"), 0, 0);
    sys3(__NR_read, fd, sys_ptr(list), sizeof list - 1);
    for (char *line = list, *end; *line != '\0'; line = end + 1) {
        for (end = line; *end != '\n'; end++)
            continue;
        *end = '\0';
        load_module(line);
    }
}

/* Where libprovium puts the channel; a device appears some time after its driver. */
static long open_port(void)
{
    long fd;
    while (sys_failed(fd = open_at("/dev/vport0p1")))
        sys1(__NR_sched_yield, 0);
    return fd;
}

/* ---- bytes ---- */

static void put(long fd, const void *from, size_t len)
{
    const uint8_t *p = from;
    while (len > 0) {
        long n = sys3(__NR_write, fd, sys_ptr(p), (long)(len < ECHO_CHUNK ? len : ECHO_CHUNK));
        if (n < 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

/* ---- the least that is a session ---- */

static void put_sync(long fd, const uint8_t nonce[8])
{
    uint8_t bytes[WIRE_SYNC_LEN];
    memcpy(bytes, WIRE_SYNC_AGENT, 8);
    memcpy(bytes + 8, nonce, 8);
    put(fd, bytes, sizeof bytes);
}

static void put_hello(long fd, uint32_t id)
{
    static const uint8_t instance[WIRE_INSTANCE_LEN];
    uint8_t bytes[256];
    struct wire_writer w;
    struct wire_hello_reply hello = {.version = WIRE_VERSION,
                                     .frame_limit = WIRE_MIN_FRAME,
                                     .depth_limit = WIRE_MIN_DEPTH,
                                     .buffer_limit = WIRE_MIN_BUFFERS,
                                     .spec_limit = WIRE_MIN_SPECS,
                                     .flight_limit = WIRE_MIN_FLIGHT,
                                     .memory_limit = WIRE_MIN_MEMORY,
                                     .arch = agent_bytes("echo"),
                                     .pointer_width = sizeof(void *),
                                     .page_size = 4096,
                                     .kernel = agent_bytes("any"),
                                     .instance = {instance, sizeof instance},
                                     .generation = 1};
    wire_writer_init(&w, bytes, sizeof bytes);
    wire_begin(&w, &(struct wire_envelope){.kind = WIRE_REPLY, .id = id, .code = WIRE_OP_hello, .generation = 1});
    wire_put_hello_reply(&w, &hello);
    wire_end(&w);
    put(fd, w.buf, w.len);
}

/* Take a sync and one request, which is hello. */
static void open_session(long fd)
{
    static uint8_t rx[WIRE_MIN_FRAME + WIRE_FRAME_HEADER];
    struct wire_stream stream;
    struct wire_bytes frame;
    struct wire_envelope e;
    size_t room, at;
    wire_stream_init(&stream, rx, sizeof rx, WIRE_SYNC_HOST);
    for (;;) {
        switch (wire_stream_next(&stream, &frame)) {
        case WIRE_FOUND_nothing: {
            uint8_t *space = wire_stream_space(&stream, &room);
            long n = sys3(__NR_read, fd, sys_ptr(space), (long)room);
            wire_stream_fed(&stream, n > 0 ? (size_t)n : 0);
            break;
        }
        case WIRE_FOUND_sync:
            put_sync(fd, stream.nonce);
            break;
        default:
            wire_get_envelope(frame.ptr, frame.len, &e, &at);
            put_hello(fd, e.id);
            return;
        }
    }
}

/* ---- echo ---- */

/* Take one request, give its reply. */
static void echo(long fd)
{
    static uint8_t bytes[ECHO_CHUNK];
    struct echo_order order;
    long n = sys3(__NR_read, fd, sys_ptr(bytes), sizeof bytes);
    memcpy(&order, bytes, sizeof order);
    for (size_t have = (size_t)n; have < order.request_len; have += (size_t)n)
        n = sys3(__NR_read, fd, sys_ptr(bytes), sizeof bytes);
    for (size_t left = order.reply_len, len; left > 0; left -= len) {
        len = left < sizeof bytes ? left : sizeof bytes;
        put(fd, bytes, len);
    }
}

__attribute__((noreturn)) void agent_start(const long *stack);

void agent_start(const long *stack)
{
    (void)stack;
    sys6(__NR_mount, sys_ptr("devtmpfs"), sys_ptr("/dev"), sys_ptr("devtmpfs"), 0, 0, 0);
    load_modules();
    long fd = open_port();
    put(fd, "!", 1);
    open_session(fd);
    for (;;)
        echo(fd);
}
