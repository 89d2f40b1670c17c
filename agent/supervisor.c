/* SPDX-License-Identifier: MIT
 *
 * Keeps an executor running and answers for one that ended: docs/state-machines.md,
 * "Executor".  Trusts nothing that the executor could have written.
 */
#include <string.h>

#include "agent.h"
#include "sys.h"

enum {
    TICK_MS = 50, /* how often we look where no event tells: for an exec, for the end of a host's patience */
    P_ALL = 0,
    WAIT_NOHANG_EXITED_STOPPED = 1 | 4 | 2,
    CLD_EXITED_CODE = 1,
    CLD_KILLED_CODE = 2,
    CLD_DUMPED_CODE = 3,
    CLD_STOPPED_CODE = 5,
    PR_SET_PDEATHSIG_OPTION = 1
};

/* One life of an executor, as the supervisor sees it. */
struct life {
    long pid;
    int pipe;     /* read end; -1 once it was seen closed and explained */
    int signals;  /* signalfd for SIGCHLD */
    bool closed;  /* the script closed the write end: look for an exec now and then */
    bool execed;
    bool hung_up;     /* the host is gone */
    int orphaned_ms;  /* for that long */
    bool abandoned;   /* and that was too long for the running call */
    uint8_t ended; /* enum wire_ended */
    uint32_t status, signal;
};

/* The part of siginfo_t that waitid fills in. */
struct child_info {
    int32_t signo, err, code, pad;
    int32_t pid, uid, status;
    int32_t rest[25];
};

/* ---- start ---- */

static void become_executor(struct agent *a, int pipe[2], long parent)
{
    const uint64_t all = UINT64_MAX;
    sys2(__NR_prctl, PR_SET_PDEATHSIG_OPTION, SYS_SIGKILL);
    if (sys1(__NR_getppid, 0) != parent)
        sys1(__NR_exit_group, 1);
    if (!a->guest)
        sys1(__NR_setsid, 0); /* kill(0, ...) of a script must not reach whoever started us */
    sys4(__NR_rt_sigprocmask, SYS_SIG_SETMASK, sys_ptr(&all), 0, 8);
    sys1(__NR_close, pipe[0]);
    agent_move_up(pipe[1]);
    executor_run(a);
    sys1(__NR_exit_group, 0);
}

/* Fork the next executor; false when the kernel refuses. */
static bool start(struct agent *a, struct life *life)
{
    int pipe[2];
    long parent = sys1(__NR_getpid, 0);
    if (sys_failed(sys2(__NR_pipe2, sys_ptr(pipe), SYS_O_CLOEXEC)))
        return false;
    pipe[0] = agent_move_up(pipe[0]);
    memcpy(&a->witness, a->instance, sizeof a->witness);
    a->witness ^= a->shared->generation;
    long pid = sys6(__NR_clone, SYS_SIGCHLD, 0, 0, 0, 0, 0);
    if (pid == 0) {
        sys1(__NR_close, life->signals);
        become_executor(a, pipe, parent);
    }
    sys1(__NR_close, pipe[1]);
    *life = (struct life){.pid = pid, .pipe = pipe[0], .signals = life->signals};
    return !sys_failed(pid);
}

/* ---- watch ---- */

enum program { PROGRAM_OURS, PROGRAM_ANOTHER, PROGRAM_NONE };

/* What does the executor's process run?  Our witness is at the same address in it, if it is still us. */
static enum program running_program(const struct agent *a, const struct life *life)
{
    uint64_t seen = 0;
    struct sys_iovec local = {&seen, sizeof seen};
    struct sys_iovec remote = {&a->witness, sizeof a->witness};
    long n = sys6(__NR_process_vm_readv, life->pid, sys_ptr(&local), 1, sys_ptr(&remote), 1, 0);
    if (n == -3 /* ESRCH */)
        return PROGRAM_NONE;
    return n == (long)sizeof seen && seen == a->witness ? PROGRAM_OURS : PROGRAM_ANOTHER;
}

static void look_for_exec(const struct agent *a, struct life *life)
{
    enum program program = running_program(a, life);
    life->closed = program == PROGRAM_OURS;
    life->execed = program == PROGRAM_ANOTHER;
    if (life->pipe >= 0)
        sys1(__NR_close, life->pipe);
    life->pipe = -1;
}

static void note_end(struct life *life, const struct child_info *info)
{
    life->ended = WIRE_ENDED_killed;
    if (info->code == CLD_EXITED_CODE)
        life->ended = WIRE_ENDED_exited;
    else if (info->code == CLD_STOPPED_CODE)
        life->ended = WIRE_ENDED_stopped;
    life->status = info->code == CLD_EXITED_CODE ? (uint32_t)info->status : 0;
    life->signal = info->code == CLD_EXITED_CODE ? 0 : (uint32_t)info->status;
}

/* Take every child that ended; true when the executor is among them, or stopped. */
static bool reap(struct life *life)
{
    struct child_info info = {0};
    bool over = false;
    while (sys6(__NR_waitid, P_ALL, 0, sys_ptr(&info), WAIT_NOHANG_EXITED_STOPPED, 0, 0) == 0 && info.pid != 0) {
        if (info.pid == life->pid) {
            note_end(life, &info);
            over = true;
        }
        info.pid = 0;
    }
    return over;
}

static void end_stopped(struct life *life)
{
    struct child_info info;
    sys2(__NR_kill, life->pid, SYS_SIGKILL);
    while (sys6(__NR_waitid, 1 /* P_PID */, life->pid, sys_ptr(&info), 4 /* WEXITED */, 0, 0) == -SYS_EINTR)
        continue;
}

/* A tick without a host: what was sent may still be answered, but a call that blocks must not outlive it. */
static void wait_orphaned(struct life *life)
{
    life->orphaned_ms += TICK_MS;
    if (life->orphaned_ms < AGENT_SILENCE_MS)
        return;
    life->abandoned = true;
    sys2(__NR_kill, life->pid, SYS_SIGKILL);
}

/* Sleep until something happens to the executor; an exec and a host that hangs up are noticed on the way. */
static void wait_event(const struct agent *a, struct life *life)
{
    uint8_t drain[128];
    int channel = life->hung_up || a->channel == AGENT_PORT ? -1 : a->rfd;
    struct sys_pollfd fds[3] = {{life->signals, SYS_POLLIN, 0}, {life->pipe, SYS_POLLIN, 0}, {channel, 0, 0}};
    struct sys_timespec tick = {0, TICK_MS * 1000000};
    bool ticking = life->closed || life->hung_up;
    long n = sys6(__NR_ppoll, sys_ptr(fds), 3, ticking ? sys_ptr(&tick) : 0, 0, 0, 0);
    if (fds[0].revents != 0)
        sys3(__NR_read, life->signals, sys_ptr(drain), sizeof drain);
    if (fds[1].revents != 0 || life->closed)
        look_for_exec(a, life);
    if (fds[2].revents != 0)
        life->hung_up = true;
    if (n == 0 && life->hung_up)
        wait_orphaned(life);
}

/* Until the executor ended. */
static void watch(const struct agent *a, struct life *life)
{
    while (!reap(life))
        wait_event(a, life);
    if (life->ended == WIRE_ENDED_stopped)
        end_stopped(life);
    bool called_exec = a->shared->state == AGENT_RUNNING && a->shared->execs; /* and was gone before we looked */
    if (life->execed || (called_exec && life->ended != WIRE_ENDED_stopped))
        life->ended = WIRE_ENDED_execed;
    if (life->pipe >= 0)
        sys1(__NR_close, life->pipe);
}

/* ---- answer ---- */

/* The running call never returned: say how it ended. */
static void answer_ended(struct agent *a, const struct life *life, uint32_t fresh)
{
    struct wire_envelope e = {.id = a->shared->id};
    struct wire_writer w;
    struct wire_call_reply reply = {.has = WIRE_HAS(call_reply, ended) | WIRE_HAS(call_reply, fresh),
                                    .ended = life->ended,
                                    .status = life->status,
                                    .signal = life->signal,
                                    .fresh = fresh};
    reply.has |= life->signal != 0 ? WIRE_HAS(call_reply, signal) : WIRE_HAS(call_reply, status);
    if (a->shared->code == WIRE_OP_program) {
        program_answer_ended(a, &e, &reply);
        return;
    }
    session_begin(a, &w, &e, WIRE_REPLY, WIRE_OP_call);
    wire_put_call_reply(&w, &reply);
    session_send(a, &w, false);
}

static void announce(struct agent *a, const struct life *life, uint32_t fresh)
{
    struct wire_envelope none = {.id = 0};
    struct wire_writer w;
    struct wire_worker_ended event = {.has = WIRE_HAS(worker_ended, fresh),
                                      .ended = life->ended,
                                      .status = life->status,
                                      .signal = life->signal,
                                      .fresh = fresh};
    event.has |= life->signal != 0 ? WIRE_HAS(worker_ended, signal) : WIRE_HAS(worker_ended, status);
    session_begin(a, &w, &none, WIRE_EVENT, WIRE_EVENT_worker_ended);
    wire_put_worker_ended(&w, &event);
    session_send(a, &w, false);
}

/* The answer was ready: send it.  One that was being sent may have gone out as a whole, but not in part if it is
 * short; then it is sent again, and the host ignores the second (SPEC [EXEC-9]). */
static void send_stored(struct agent *a, uint32_t most)
{
    uint32_t len = a->shared->reply_len;
    struct wire_slice stored = {a->tx, len};
    if (len > 0 && len <= most) {
        channel_write(a, &stored, 1);
        return;
    }
    session_goodbye(a, WIRE_ERR_INTERNAL, "the executor ended while it sent a reply");
    wire_stream_hunt(&a->shared->stream);
}

/* An operation on memory ended the executor: SPEC [REGION-9].  Its reply has no place for how it ended, but the event
 * does. */
static void answer_replaced(struct agent *a, const struct life *life, uint32_t fresh)
{
    struct wire_envelope e = {.id = a->shared->id};
    struct wire_writer w;
    struct wire_error body = {.text = agent_bytes("the executor ended while it moved memory"),
                              .executed = WIRE_EXECUTED_maybe};
    session_begin(a, &w, &e, WIRE_ERROR, WIRE_ERR_WORKER_REPLACED);
    wire_put_error(&w, &body);
    session_send(a, &w, false);
    announce(a, life, fresh);
}

static bool is_region_op(uint32_t code)
{
    return code >= WIRE_OP_region_alloc && code <= WIRE_OP_region_free;
}

static void settle(struct agent *a, const struct life *life, uint32_t generation)
{
    uint32_t state = a->shared->state;
    a->shared->generation = generation;
    if (state == AGENT_RUNNING && is_region_op(a->shared->code))
        answer_replaced(a, life, generation + 1);
    else if (state == AGENT_RUNNING)
        answer_ended(a, life, generation + 1);
    else if (state == AGENT_DONE)
        send_stored(a, AGENT_CHANNEL_CAP);
    else if (state == AGENT_SENDING)
        send_stored(a, AGENT_ATOMIC);
    if (state != AGENT_RUNNING && a->shared->open)
        announce(a, life, generation + 1);
}

/* ---- all of it ---- */

/* What the executor and we both need: SIGCHLD blocked and readable. */
static int open_signals(void)
{
    const uint64_t child = UINT64_C(1) << (SYS_SIGCHLD - 1);
    const uint64_t all = UINT64_MAX;
    sys4(__NR_rt_sigprocmask, SYS_SIG_SETMASK, sys_ptr(&all), 0, 8);
    long fd = sys4(__NR_signalfd4, -1, sys_ptr(&child), 8, SYS_O_CLOEXEC);
    return sys_failed(fd) ? -1 : agent_move_up((int)fd);
}

/* Did the executor leave because the channel is gone?  Its own descriptors may merely be closed. */
static bool channel_gone(const struct agent *a, const struct life *life)
{
    struct sys_pollfd p = {a->rfd, SYS_POLLIN, 0};
    struct sys_timespec now = {0, 0};
    enum { GONE = 0x10 | 0x8 | 0x20 }; /* POLLHUP, POLLERR, POLLNVAL */
    if (a->shared->state != AGENT_CLOSED || life->ended != WIRE_ENDED_exited || a->channel == AGENT_PORT)
        return false;
    sys6(__NR_ppoll, sys_ptr(&p), 1, sys_ptr(&now), 0, 0, 0);
    return (p.revents & GONE) != 0;
}

int supervisor_run(struct agent *a)
{
    struct life life = {.signals = open_signals()};
    uint32_t generation = 1;
    if (life.signals < 0)
        return 1;
    for (;; generation++) {
        a->shared->generation = generation;
        if (!start(a, &life))
            return 1;
        watch(a, &life);
        if (life.abandoned || channel_gone(a, &life))
            return 0;
        settle(a, &life, generation);
    }
}
