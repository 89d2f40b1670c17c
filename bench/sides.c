/* SPDX-License-Identifier: MIT
 *
 * The contestants of the group `call`: raw bytes, C, Lua.  Does not know rows or bars.
 */
#include "sides.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../libwire/wire.h"
#include "echo.h"

/* ---- raw ---- */

/* All of it, over a blocking descriptor; content does not matter. */
static bool send_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool receive_all(int fd, uint8_t *scratch, size_t cap, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, scratch, len < cap ? len : cap);
        if (n <= 0)
            return false;
        len -= (size_t)n;
    }
    return true;
}

static _Noreturn void echo_for_ever(int fd)
{
    static uint8_t bytes[1 << 16];
    struct echo_order order;
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < (ssize_t)sizeof order)
            _exit(0);
        memcpy(&order, bytes, sizeof order);
        if (!receive_all(fd, bytes, sizeof bytes, order.request_len - (size_t)n) ||
            !send_all(fd, bytes, order.reply_len))
            _exit(0);
    }
}

int raw_fork_peer(pid_t *pid)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        bench_fail("socketpair: %s", strerror(errno));
    *pid = fork();
    if (*pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        echo_for_ever(ends[1]);
    }
    close(ends[1]);
    return ends[0];
}

int raw_port(struct provium_vm *vm)
{
    int fd = provium_session_fd(provium_vm_session(vm));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

/* Nanoseconds of one of count round trips. */
static double ping_pong(const struct raw *raw, unsigned count)
{
    static uint8_t out[BULK_LEN], in[BULK_LEN];
    const struct echo_order order = {(uint32_t)raw->request_len, (uint32_t)raw->reply_len};
    memcpy(out, &order, sizeof order);
    int64_t start = bench_now_ns();
    for (unsigned i = 0; i < count; i++) {
        if (!send_all(raw->fd, out, raw->request_len) || !receive_all(raw->fd, in, sizeof in, raw->reply_len))
            bench_fail("the echo peer hung up");
    }
    return (double)(bench_now_ns() - start) / count;
}

double raw_run(void *raw, unsigned count)
{
    return ping_pong(raw, count) / 1e3;
}

double raw_run_rate(void *context, unsigned count)
{
    const struct raw *raw = context;
    return (double)(raw->request_len + raw->reply_len) * 1e3 / ping_pong(raw, count);
}

/* ---- lengths on the wire ---- */

static size_t frame_len(enum wire_kind kind, const struct wire_call_request *request,
                        const struct wire_call_reply *reply)
{
    uint8_t bytes[4096];
    struct wire_writer w;
    wire_writer_init(&w, bytes, sizeof bytes);
    wire_begin(&w, &(struct wire_envelope){.kind = kind, .id = 100000, .code = WIRE_OP_call, .generation = 1});
    if (request != NULL)
        wire_put_call_request(&w, request);
    else
        wire_put_call_reply(&w, reply);
    return wire_end(&w) == WIRE_OK ? w.len : 0;
}

void raw_set_plain(struct raw *raw)
{
    const struct wire_call_request request = {.nr = SYS_getppid};
    const struct wire_call_reply reply = {.has = WIRE_HAS(call_reply, ret), .ret = 1000};
    raw->request_len = frame_len(WIRE_REQUEST, &request, NULL);
    raw->reply_len = frame_len(WIRE_REPLY, NULL, &reply);
}

void raw_set_pointers(struct raw *raw)
{
    static const uint8_t zeros[128];
    const uint32_t data = WIRE_HAS(buffer, data), arg = WIRE_HAS(spec, arg);
    const uint32_t place = WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset);
    struct wire_buffer buffers[] = {{.has = data, .len = 96, .data = {zeros, 96}, .dir = WIRE_DIR_both},
                                    {.has = data, .len = 32, .data = {zeros, 32}, .dir = WIRE_DIR_both},
                                    {.has = data, .len = 128, .data = {zeros, 128}, .dir = WIRE_DIR_in},
                                    {.len = 64, .dir = WIRE_DIR_out}};
    struct wire_spec specs[] = {{.has = arg, .target = 0, .arg = 0},
                                {.has = arg, .target = 1, .arg = 1},
                                {.has = place, .target = 2, .buffer = 0, .offset = 8},
                                {.has = place, .target = 3, .buffer = 1, .offset = 16}};
    struct wire_bytes outs[] = {{zeros, 96}, {zeros, 32}, {zeros, 64}};
    const struct wire_call_request request = {.has = WIRE_HAS(call_request, buffers) | WIRE_HAS(call_request, specs),
                                              .nr = SYS_getppid,
                                              .buffers = {buffers, 4, 4},
                                              .specs = {specs, 4, 4}};
    const struct wire_call_reply reply = {
        .has = WIRE_HAS(call_reply, ret) | WIRE_HAS(call_reply, outs), .ret = 1000, .outs = {outs, 3, 3}};
    raw->request_len = frame_len(WIRE_REQUEST, &request, NULL);
    raw->reply_len = frame_len(WIRE_REPLY, NULL, &reply);
}

/* ---- C ---- */

/* Nanoseconds of one of count calls. */
static double repeat(struct provium_session *session, const struct provium_call *call, unsigned count)
{
    struct provium_result result;
    int64_t start = bench_now_ns();
    for (unsigned i = 0; i < count; i++) {
        if (provium_call(session, call, &result) != PROVIUM_OK)
            bench_fail("%s", provium_session_error(session)->text);
    }
    return (double)(bench_now_ns() - start) / count;
}

double call_run(void *session, unsigned count)
{
    int64_t start = bench_now_ns(), ret;
    for (unsigned i = 0; i < count; i++) {
        if (provium_syscall(session, SYS_getppid, NULL, 0, &ret) != PROVIUM_OK)
            bench_fail("%s", provium_session_error(session)->text);
    }
    return (double)(bench_now_ns() - start) / count / 1e3;
}

double call_run_pointers(void *session, unsigned count)
{
    static const uint8_t bytes[128];
    const struct provium_buffer bufs[] = {{.arg = 0, .data = bytes, .len = 96}, {.arg = 1, .data = bytes, .len = 32}};
    const struct provium_ptr ptrs[] = {
        {.buf_idx = 0, .ptr_offset = 8, .data_len = 128, .data = bytes, .data_size = 128},
        {.buf_idx = 1, .ptr_offset = 16, .data_len = 64, .output = true}};
    const struct provium_call call = {.nr = SYS_getppid, .bufs = bufs, .buf_count = 2, .ptrs = ptrs, .ptr_count = 2};
    return repeat(session, &call, count) / 1e3;
}

/* getrandom of no bytes: the kernel leaves the buffer alone. */
double bulk_run(void *session, unsigned count)
{
    static uint8_t bytes[BULK_LEN];
    const struct provium_buffer buffer = {.arg = 0, .data = bytes, .len = sizeof bytes};
    const struct provium_call call = {.nr = SYS_getrandom, .bufs = &buffer, .buf_count = 1};
    return 2.0 * BULK_LEN * 1e3 / repeat(session, &call, count);
}

/* ---- Lua ---- */

/* A line that begins with `word`; others, the runner's, are passed over.  What follows the word, or NULL. */
static const char *next_line(struct lua *lua, const char *word, char *line, int cap)
{
    size_t len = strlen(word);
    while (fgets(line, cap, lua->out) != NULL) {
        if (strncmp(line, word, len) == 0)
            return line + len;
    }
    return NULL;
}

static _Noreturn void become_lua(const char *const argv[], const int in[2], const int out[2])
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in[0], 0);
    dup2(out[1], 1);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

void lua_start(struct lua *lua, const char *const argv[])
{
    char line[256], *end;
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        bench_fail("pipe2: %s", strerror(errno));
    lua->pid = fork();
    if (lua->pid == 0)
        become_lua(argv, in, out);
    close(in[0]);
    close(out[1]);
    lua->in = fdopen(in[1], "w");
    lua->out = fdopen(out[0], "r");
    const char *far = next_line(lua, "far ", line, sizeof line);
    if (far == NULL)
        bench_fail("%s run call.lua does not start", argv[0]);
    lua->far[0] = (pid_t)strtol(far, &end, 10);
    lua->far[1] = (pid_t)strtol(end, NULL, 10);
}

void lua_stop(struct lua *lua)
{
    char line[256];
    fclose(lua->in);
    while (fgets(line, sizeof line, lua->out) != NULL) /* it says goodbye */
        continue;
    fclose(lua->out);
    waitpid(lua->pid, NULL, 0);
}

static double ask(struct lua *lua, const char *what, unsigned count)
{
    char line[256];
    fprintf(lua->in, "%s %u\n", what, count);
    fflush(lua->in);
    const char *us = next_line(lua, "us ", line, sizeof line);
    if (us == NULL)
        bench_fail("call.lua ended early");
    return strtod(us, NULL);
}

double lua_run_syscall(void *lua, unsigned count)
{
    return ask(lua, "syscall", count);
}

double lua_run_pointers(void *lua, unsigned count)
{
    return ask(lua, "syscall_ptr", count);
}
