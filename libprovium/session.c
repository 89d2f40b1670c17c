/* SPDX-License-Identifier: MIT
 *
 * The host's half of a session: docs/state-machines.md, "Session".  Opens it, says
 * hello, and knows when it is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session_impl.h"

/* ---- life ---- */

static uint8_t *reserve(void)
{
    void *p =
        mmap(NULL, SESSION_CHANNEL_CAP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

struct provium_session *provium_session_new(void)
{
    struct provium_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->rfd = s->wfd = -1;
    s->timeout_ms = PROVIUM_CALL_TIMEOUT_MS;
    s->info = (struct provium_info){.agent = s->agent, .arch = s->arch, .kernel = s->kernel};
    s->rx = reserve();
    s->tx = reserve();
    if (s->rx != NULL && s->tx != NULL)
        return s;
    provium_session_free(s);
    return NULL;
}

void provium_session_close(struct provium_session *s)
{
    if (s->own_fds && s->rfd >= 0)
        close(s->rfd);
    if (s->own_fds && s->wfd >= 0 && s->wfd != s->rfd)
        close(s->wfd);
    if (s->child > 0) {
        kill(s->child, SIGKILL);
        while (waitpid(s->child, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    s->rfd = s->wfd = -1;
    s->own_fds = false;
    s->child = 0;
}

void provium_session_free(struct provium_session *s)
{
    if (s == NULL)
        return;
    provium_session_close(s);
    if (s->rx != NULL)
        munmap(s->rx, SESSION_CHANNEL_CAP);
    if (s->tx != NULL)
        munmap(s->tx, SESSION_CHANNEL_CAP);
    free(s->scratch.buffers);
    free(s->scratch.specs);
    free(s->scratch.wire_outs);
    free(s->scratch.outs);
    free(s->scratch.slices);
    free(s->scratch.subs);
    provium_program_room_free(s->program);
    free(s->scratch.owners);
    free(s);
}

void provium_session_set_owner(struct provium_session *s, const struct provium_owner *owner)
{
    s->owner = *owner;
}

/* The session is over: later errors repeat the first line of this one, without its caller. */
static void keep_reason(struct provium_session *s, const char *caller)
{
    const char *from = s->error.text;
    size_t len = strlen(caller);
    if (strncmp(from, caller, len) == 0 && strncmp(from + len, ": ", 2) == 0)
        from += len + 2;
    s->state = SESSION_BROKEN;
    s->reason_code = s->error.code;
    snprintf(s->reason, sizeof s->reason, "%.*s", (int)strcspn(from, "\n"), from);
}

enum provium_status provium_session_lost(struct provium_session *s, enum provium_status code, const char *caller,
                                         const char *fmt, ...)
{
    char reason[1024];
    va_list list;
    if (s->state == SESSION_BROKEN)
        return s->error.code;
    va_start(list, fmt);
    vsnprintf(reason, sizeof reason, fmt, list);
    va_end(list);
    provium_fail(&s->error, code, 0, "%s: %s", caller, reason);
    if (s->owner.explain != NULL)
        s->owner.explain(s->owner.context, &s->error);
    keep_reason(s, caller);
    return s->error.code;
}

const char *provium_session_plain(struct wire_bytes text, char *out, size_t cap)
{
    size_t len = text.len < cap - 1 ? text.len : cap - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = text.ptr[i] >= ' ' && text.ptr[i] < 127 ? (char)text.ptr[i] : '?';
    out[len] = '\0';
    return out;
}

/* ---- sync ---- */

static enum provium_status send_sync(struct provium_session *s, int64_t deadline_ms)
{
    uint8_t bytes[WIRE_SYNC_LEN];
    struct wire_slice slice = {bytes, sizeof bytes};
    memcpy(bytes, WIRE_SYNC_HOST, 8);
    memcpy(bytes + 8, s->nonce, sizeof s->nonce);
    return provium_channel_write(s, &slice, 1, deadline_ms);
}

/* Read until our nonce comes back, or until `until`. */
static enum provium_status hunt_echo(struct provium_session *s, int64_t until)
{
    struct wire_bytes frame;
    for (;;) {
        if (wire_stream_next(&s->stream, &frame) == WIRE_FOUND_sync) {
            if (memcmp(s->stream.nonce, s->nonce, sizeof s->nonce) == 0)
                return PROVIUM_OK;
            /* an older session's echo, perhaps cut short by ours: go on hunting behind its word */
            s->stream.start -= sizeof s->nonce;
            s->stream.synced = false;
            continue;
        }
        if (provium_now_ms() >= until) /* however much keeps coming */
            return PROVIUM_E_TIMEOUT;
        enum provium_status status = provium_channel_read(s, until);
        if (status != PROVIUM_OK)
            return status;
    }
}

static enum provium_status synchronise(struct provium_session *s, const char *caller, int64_t deadline_ms)
{
    enum provium_status status;
    if (getrandom(s->nonce, sizeof s->nonce, 0) != (ssize_t)sizeof s->nonce)
        return provium_fail(&s->error, PROVIUM_E_SYSTEM, errno, "%s: getrandom: %s", caller, strerror(errno));
    do {
        int64_t again = provium_now_ms() + SESSION_RESYNC_MS;
        status = send_sync(s, deadline_ms);
        if (status == PROVIUM_OK)
            status = hunt_echo(s, again < deadline_ms ? again : deadline_ms);
    } while (status == PROVIUM_E_TIMEOUT && provium_now_ms() < deadline_ms);
    if (status == PROVIUM_E_CLOSED)
        return provium_session_lost(s, status, caller, "the agent hung up");
    if (status == PROVIUM_E_TIMEOUT)
        return provium_session_lost(s, status, caller, "no agent answered before the deadline");
    return status;
}

/* ---- hello ---- */

static bool within(uint32_t agreed, uint32_t minimum, uint32_t offered)
{
    return agreed >= minimum && agreed <= offered;
}

/* A limit that may be left out. */
static bool sane_limit(bool given, uint32_t limit, uint32_t minimum)
{
    return !given || within(limit, minimum, SESSION_LIST_LIMIT);
}

static bool sane_reply(const struct wire_hello_reply *m)
{
    return within(m->frame_limit, WIRE_MIN_FRAME, SESSION_FRAME_LIMIT) &&
           within(m->buffer_limit, WIRE_MIN_BUFFERS, SESSION_LIST_LIMIT) &&
           within(m->spec_limit, WIRE_MIN_SPECS, SESSION_LIST_LIMIT) &&
           sane_limit(m->has & WIRE_HAS(hello_reply, step_limit), m->step_limit, WIRE_MIN_STEPS) &&
           sane_limit(m->has & WIRE_HAS(hello_reply, move_limit), m->move_limit, WIRE_MIN_MOVES) &&
           within(m->memory_limit, WIRE_MIN_MEMORY, SESSION_MEMORY_LIMIT) &&
           within(m->depth_limit, WIRE_MIN_DEPTH, WIRE_DEPTH_MAX) &&
           within(m->flight_limit, WIRE_MIN_FLIGHT, SESSION_FLIGHT_LIMIT) && m->byte_order <= 1 &&
           (m->pointer_width == 4 || m->pointer_width == 8) && m->instance.len == WIRE_INSTANCE_LEN &&
           m->page_size >= 512;
}

static void keep_reply(struct provium_session *s, const struct wire_hello_reply *m)
{
    s->info = (struct provium_info){.agent = provium_session_plain(m->name, s->agent, sizeof s->agent),
                                    .arch = provium_session_plain(m->arch, s->arch, sizeof s->arch),
                                    .kernel = provium_session_plain(m->kernel, s->kernel, sizeof s->kernel),
                                    .version = m->version,
                                    .frame_limit = m->frame_limit,
                                    .buffer_limit = m->buffer_limit,
                                    .spec_limit = m->spec_limit,
                                    .memory_limit = m->memory_limit,
                                    .page_size = m->page_size,
                                    .pointer_width = m->pointer_width,
                                    .big_endian = m->byte_order == 1,
                                    .caps = wire_caps_of(&m->caps)};
    memcpy(s->info.instance, m->instance.ptr, sizeof s->info.instance);
    s->step_limit = m->has & WIRE_HAS(hello_reply, step_limit) ? m->step_limit : WIRE_MIN_STEPS;
    s->move_limit = m->has & WIRE_HAS(hello_reply, move_limit) ? m->move_limit : WIRE_MIN_MOVES;
    s->stream.limit = m->frame_limit;
    s->generation = m->generation;
}

/* Capabilities of an agent that are looked at. */
enum { CAPS_MAX = 256 };

static enum provium_status take_hello(struct provium_session *s, const struct rpc *rpc)
{
    struct wire_bytes caps[CAPS_MAX];
    struct wire_hello_reply m = {.caps = {caps, 0, CAPS_MAX}};
    size_t at;
    enum wire_status status = wire_decode_hello_reply(rpc->reply.body, &m, &at);
    if (status != WIRE_OK)
        return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent's hello is damaged: %s",
                                    wire_status_text(status));
    if (m.version != WIRE_VERSION)
        return provium_session_lost(s, PROVIUM_E_VERSION, rpc->caller,
                                    "the agent speaks version %" PRIu32 " of the protocol, not %d", m.version,
                                    WIRE_VERSION);
    if (!sane_reply(&m))
        return provium_session_lost(s, PROVIUM_E_PROTOCOL, rpc->caller, "the agent's hello makes no sense");
    keep_reply(s, &m);
    s->state = SESSION_OPEN;
    return PROVIUM_OK;
}

enum { OWN_CAPS_MAX = 33 };

/* All capabilities of ops.def are ours. */
static uint32_t own_caps(struct wire_bytes names[])
{
    uint32_t count = 0;
    for (const struct wire_row *row = wire_caps(); row->name != NULL; row++)
        names[count++] = (struct wire_bytes){(const uint8_t *)row->name, strlen(row->name)};
    return count;
}

static enum provium_status greet(struct provium_session *s, const char *caller, int64_t deadline_ms)
{
    /* an unknown capability now and then keeps agents honest (SPEC, "Unknown things") */
    struct wire_bytes caps[OWN_CAPS_MAX] = {{(const uint8_t *)"x-nobody-knows-this", 19}};
    struct wire_hello_request m = {.has = WIRE_HAS(hello_request, name) | WIRE_HAS(hello_request, step_limit) |
                                          WIRE_HAS(hello_request, move_limit),
                                   .version_min = WIRE_VERSION,
                                   .version_max = WIRE_VERSION,
                                   .caps = {caps, 1 + own_caps(caps + 1), OWN_CAPS_MAX},
                                   .frame_limit = SESSION_FRAME_LIMIT,
                                   .depth_limit = WIRE_DEPTH_MAX,
                                   .buffer_limit = SESSION_LIST_LIMIT,
                                   .spec_limit = SESSION_LIST_LIMIT,
                                   .flight_limit = SESSION_FLIGHT_LIMIT,
                                   .memory_limit = SESSION_MEMORY_LIMIT,
                                   .step_limit = SESSION_LIST_LIMIT,
                                   .move_limit = SESSION_LIST_LIMIT,
                                   .name = {(const uint8_t *)provium_version(), strlen(provium_version())}};
    struct rpc rpc = {.caller = caller, .op = WIRE_OP_hello, .deadline_ms = deadline_ms};
    struct wire_writer w;
    provium_rpc_begin(s, &w, &rpc);
    wire_put_hello_request(&w, &m);
    wire_end(&w);
    enum provium_status status = provium_rpc_call(s, &w, &rpc);
    if (status == PROVIUM_OK)
        return take_hello(s, &rpc);
    if (status == PROVIUM_E_TIMEOUT)
        return provium_session_lost(s, status, caller, "the agent did not answer hello before the deadline");
    if (s->state != SESSION_BROKEN) /* hello was refused */
        keep_reason(s, caller);
    return status;
}

static bool make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

enum provium_status provium_session_start(struct provium_session *s, const char *caller, int64_t deadline_ms)
{
    int type;
    socklen_t len = sizeof type;
    if (!make_nonblocking(s->rfd) || !make_nonblocking(s->wfd))
        return provium_fail(&s->error, PROVIUM_E_SYSTEM, errno, "%s: channel: %s", caller, strerror(errno));
    s->is_socket = getsockopt(s->wfd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
    s->state = SESSION_NEW;
    s->ended.is = false;
    s->owed = 0;
    wire_stream_init(&s->stream, s->rx, SESSION_CHANNEL_CAP, WIRE_SYNC_AGENT);
    enum provium_status status = synchronise(s, caller, deadline_ms);
    return status == PROVIUM_OK ? greet(s, caller, deadline_ms) : status;
}

enum provium_status provium_session_open(struct provium_session *s, int rfd, int wfd, unsigned timeout_ms)
{
    int64_t deadline_ms = provium_now_ms() + timeout_ms;
    if (s->state == SESSION_OPEN)
        return provium_fail(&s->error, PROVIUM_E_STATE, 0, "provium_session_open: the session is open already");
    provium_session_close(s);
    s->rfd = rfd;
    s->wfd = wfd;
    return provium_session_start(s, "provium_session_open", deadline_ms);
}

/* ---- queries ---- */

void provium_session_set_timeout(struct provium_session *s, unsigned timeout_ms)
{
    s->timeout_ms = timeout_ms;
}

const struct provium_info *provium_session_info(const struct provium_session *s)
{
    return &s->info;
}

const struct provium_error *provium_session_error(const struct provium_session *s)
{
    return &s->error;
}

bool provium_session_can_measure(const struct provium_session *s)
{
    return (s->info.caps & WIRE_CAP_measure) != 0;
}

int provium_session_fd(const struct provium_session *s)
{
    return s->rfd;
}

bool provium_session_is_open(const struct provium_session *s)
{
    return s->state == SESSION_OPEN;
}

int64_t provium_session_nr(const struct provium_session *s, const char *name)
{
    static const struct {
        const char *arch, *name;
        int64_t nr;
    } rows[] = {{"x86_64", "ioctl", 16}, {"aarch64", "ioctl", 29}, {"riscv64", "ioctl", 29}, {"s390x", "ioctl", 54}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].arch, s->arch) == 0 && strcmp(rows[i].name, name) == 0)
            return rows[i].nr;
    }
    return -1;
}
