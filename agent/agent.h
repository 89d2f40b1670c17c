/* SPDX-License-Identifier: MIT
 *
 * What the agent's files share.  docs/state-machines.md explains the states.
 */
#ifndef AGENT_H
#define AGENT_H

#include "../libwire/wire.h"

enum {
    AGENT_FRAME_LIMIT = 32 << 20,  /* bytes of a frame */
    AGENT_MEMORY_LIMIT = 64 << 20, /* bytes of buffers in a call */
    AGENT_BUFFER_LIMIT = 8192,
    AGENT_SPEC_LIMIT = 8192,
    AGENT_STEP_LIMIT = 8192,
    AGENT_MOVE_LIMIT = 8192,
    AGENT_RESULT_LIMIT = AGENT_FRAME_LIMIT / 10, /* of a program: SPEC [PROG-13] */
    AGENT_FLIGHT_LIMIT = 64, /* they wait in the channel: one is read at a time */
    AGENT_CAPS_MAX = 64,     /* capabilities of a host that are kept */
    AGENT_CHANNEL_CAP = AGENT_FRAME_LIMIT + 65536,
    AGENT_KEEP = 1 << 20,    /* bytes of a buffer of ours that stay resident whatever comes */
    AGENT_SILENCE_MS = 2000, /* SPEC [STREAM-8] */
    AGENT_ATOMIC = 4096,     /* a write of so many bytes happens as a whole, or not: PIPE_BUF, a page of a port */
    AGENT_NAME_MAX = 32
};

/* ---- what supervisor and executor share; any system call may scribble on it ---- */

enum agent_state {
    AGENT_READING, /* between calls */
    AGENT_RUNNING, /* call `id` is being placed or executed */
    AGENT_DONE,    /* its reply stands in tx */
    AGENT_SENDING, /* some of it is written */
    AGENT_CLOSED   /* the channel is gone for good */
};

struct shared {
    uint32_t state;      /* enum agent_state */
    uint32_t id;         /* of the running request */
    uint32_t code;       /* its operation */
    uint32_t generation; /* of the executor */
    bool execs;          /* the kernel is in its execve */
    uint32_t reply_len;  /* bytes of the answer in tx; 0 when part of it lies elsewhere */
    uint32_t last_region; /* the highest number that a region had: numbers outlive executors */
    bool open;           /* hello was said */
    struct wire_stream stream;
    struct agent_limits {
        uint32_t frame, depth, buffers, specs, flight, memory; /* as agreed */
        uint32_t caps;                                         /* in use: bits of enum wire_cap */
        uint32_t steps, moves;
    } limits;
    struct agent_progress { /* of the running program */
        uint32_t round, step; /* round from 1; the step that was begun last */
        uint32_t kept;        /* results of a round */
        uint32_t settled;     /* results that are there, or whose steps were skipped */
        bool every;           /* round's results are wanted */
        bool skips;           /* some of them were skipped */
    } program;
};

/* ---- arena.c: guest memory of one call ---- */

enum {
    ARENA_SIZES = 16,
    ARENA_CLASSES = 2 * ARENA_SIZES, /* of each size one anywhere and one below 4 GiB */
    ARENA_SLOT_MAPPINGS = 2, /* its memory and the guard behind it */
    ARENA_MAPPINGS_MAX = 2 * AGENT_BUFFER_LIMIT + 256 /* of the kernel's 65,530: every agreed buffer fits */
};

/* Slots of 2^n pages, each between pages that nobody can touch. */
struct arena_class {
    uint8_t *base;     /* the first slot; NULL: nothing is reserved yet */
    uint32_t open;     /* slots that are memory: the first ones; doubled at need */
    uint32_t used;     /* slots given out since the last reset: the first ones */
    uint32_t resident; /* slots that the call before used: their pages are still there */
};

/* A buffer with wishes of its own. */
struct arena_wish {
    uint32_t len, align; /* align: a power of two */
    enum wire_guard guard;
    bool low; /* below 4 GiB */
};

/* Where such a buffer is: some of its slot may be closed, and what is left beside it holds known bytes. */
struct arena_odd {
    uint8_t *slot, *at;
    size_t slot_len;
    uint32_t len, index;    /* of the buffer in its call */
    uint32_t front, behind; /* known bytes before it and behind it */
    bool narrowed;          /* not all of the slot is memory */
};

struct arena {
    struct arena_class classes[ARENA_CLASSES];
    struct arena_odd odds[AGENT_BUFFER_LIMIT];
    uint32_t odd_count;
    uint32_t page; /* bytes */
    uint32_t mappings;
    uint32_t live; /* a bit for each class that has used or resident slots */
};

void arena_init(struct arena *arena, uint32_t page);

/* `len` bytes that end at an untouchable page; their content is undefined.  NULL when
 * there is no memory.  Valid until arena_reset. */
uint8_t *arena_place(struct arena *arena, uint32_t len);

/* The same for buffer `index` of a call, as it wishes. */
uint8_t *arena_place_as(struct arena *arena, uint32_t index, const struct arena_wish *wish);

/* What was written beside such buffers, as ranges; returns how many, at most cap. */
uint32_t arena_damage(const struct arena *arena, struct wire_range *ranges, uint32_t cap);

/* All slots are free again; pages that the last call did not need go back. */
void arena_reset(struct arena *arena);

/* ---- address.c: addresses that are no buffer's ---- */

/* Does this architecture have such an address?  Takes any number. */
bool address_has(uint8_t bad);

/* That address, of a kind that it has; false when there is no memory. */
struct agent;
bool address_find(struct agent *a, uint8_t bad, uint64_t *address);

/* Reserve `len` bytes of untouchable address space below 4 GiB; -errno when there are none. */
long agent_map_low(size_t len);

/* ---- op_region.c: memory that outlives a call ---- */

struct region {
    uint32_t id; /* 0: this place is free */
    uint32_t len;
    uint8_t *at, *mapped;
    size_t mapped_len; /* with what is around it */
};

/* Give all regions back: they belonged to a session that is over. */
void region_reset(struct agent *a);

/* Let the kernel copy between `ours`, which it pins, and an address, at which it may fault: nr is process_vm_writev to
 * read from there, process_vm_readv to write.  Bytes that moved, 0 also if the first cannot; -errno if the kernel has
 * no such call for us. */
int64_t region_move(long nr, uint64_t address, const void *ours, uint32_t len);

/* ---- measure.c: what a call did ---- */

/* Nanoseconds of a clock that never jumps. */
int64_t measure_now(void);

/* Keep what the buffers hold now; false when there is no memory. */
bool measure_keep(struct agent *a, const struct wire_call_request *m);

/* What is not as it was kept, as ranges; returns how many, at most cap.  Forgets it. */
uint32_t measure_changed(struct agent *a, const struct wire_call_request *m, struct wire_range *ranges, uint32_t cap);

/* ---- the agent ---- */

/* A step of a program as it is executed. */
struct program_step {
    int64_t nr;
    uint32_t fail; /* the step that follows when it fails; 0: the next one */
    uint32_t slot; /* where its result stands among those of a round, or PROGRAM_NO_SLOT */
    int twice;     /* it returns a second time in a child */
    bool execs;
};

enum agent_channel { AGENT_STREAM, AGENT_PORT }; /* a port reads as 0 bytes while no host is attached */

struct agent {
    int rfd, wfd;
    enum agent_channel channel;
    bool waiting;   /* reads of a port wait for bytes */
    bool guest;     /* PID 1 of a guest: nothing is refused */
    uint32_t page;  /* bytes */
    uint8_t instance[WIRE_INSTANCE_LEN];
    char arch[65], kernel[65];
    struct shared *shared;
    uint8_t *rx, *tx; /* AGENT_CHANNEL_CAP bytes each, shared memory too */
    size_t rx_resident, tx_resident; /* bytes of them that the last frames may have made resident */
    /* the executor's own */
    struct arena arena;
    uint64_t bad_pages;   /* see address.c; 0: not mapped yet */
    uint64_t script_mask; /* signals that the script blocks */
    struct region regions[WIRE_REGIONS_MAX];
    uint32_t region_count; /* of them that may be in use: the first ones */
    uint64_t region_bytes; /* of all of them */
    uint64_t witness;     /* of this life; readable from outside only while this program runs */
    int64_t (*invoke)(int64_t nr, const int64_t args[6], int twice); /* tests put theirs here */
    int64_t (*move)(long nr, uint64_t address, const void *ours, uint32_t len); /* and here */
    struct wire_buffer buffers[AGENT_BUFFER_LIMIT];
    struct wire_spec specs[AGENT_SPEC_LIMIT];
    uint8_t *placed[AGENT_BUFFER_LIMIT];
    struct wire_bytes outs[AGENT_BUFFER_LIMIT];
    struct wire_range ranges[WIRE_RANGES_MAX];
    uint8_t *before; /* what buffers held before the call, for op_call.c; NULL: not mapped yet */
    struct wire_slice slices[2 * AGENT_BUFFER_LIMIT + 4];
    /* of programs */
    struct wire_step steps[AGENT_STEP_LIMIT];
    struct wire_move moves[AGENT_MOVE_LIMIT];
    struct program_step plan[AGENT_STEP_LIMIT];
    int64_t args[AGENT_STEP_LIMIT * WIRE_ARGS_MAX], rets[AGENT_STEP_LIMIT];
    int64_t *results; /* AGENT_RESULT_LIMIT of them, shared memory: they outlive the executor */
    uint8_t *skips;   /* a byte for each: its step was skipped */
};

/* Prepare everything but the channel; false when there is no memory.  `random` is
 * what the kernel gives every program, so that early boot need not wait for it. */
bool agent_init(struct agent *a, uint32_t page, const uint8_t random[WIRE_INSTANCE_LEN]);

/* ---- main.c, init.c ---- */

/* PID 1: mounts, modules, the port; returns its descriptor or -errno. */
int init_guest(void);

/* A duplicate of fd that is close-on-exec and out of the way of scripts; closes fd. */
int agent_move_up(int fd);

/* ---- supervisor.c ---- */

/* Keep an executor running until the channel is gone.  Returns the exit status. */
int supervisor_run(struct agent *a);

/* ---- executor.c ---- */

/* Serve the channel; returns when it is gone. */
void executor_run(struct agent *a);

/* ---- channel.c ---- */

/* Read once into the stream.  False when the channel is gone. */
bool channel_read(struct agent *a);

/* Write everything.  False when the channel is gone. */
bool channel_write(struct agent *a, const struct wire_slice *slices, uint32_t count);

/* ---- session.c ---- */

/* Take whatever the stream holds and answer it. */
void session_serve(struct agent *a);

/* Begin an answer to e in tx: `kind` with `code`. */
void session_begin(struct agent *a, struct wire_writer *w, const struct wire_envelope *e, enum wire_kind kind,
                   uint32_t code);

/* Send what w holds.  `result`: it is the reply of a call, which must not get lost. */
void session_send(struct agent *a, struct wire_writer *w, bool result);

/* Refuse request e: nothing was executed. */
void session_refuse(struct agent *a, const struct wire_envelope *e, enum wire_error_code code, const char *path,
                    const char *text);

/* Refuse a body that did not decode: code and path from the reader's status. */
void session_refuse_body(struct agent *a, const struct wire_envelope *e, const char *record, enum wire_status status,
                         size_t at);

/* One way to say goodbye and hunt for the next session. */
void session_goodbye(struct agent *a, enum wire_error_code code, const char *text);

/* ---- op_*.c: one handler an operation of ops.def ---- */

#define WIRE_OP(name, code, since, doc) void op_##name(struct agent *a, const struct wire_envelope *e);
#include "../libwire/ops.def"

/* The running program never ended; `how` is what a call would be answered.  For the supervisor: trusts nothing that
 * the executor wrote. */
void program_answer_ended(struct agent *a, const struct wire_envelope *e, const struct wire_call_reply *how);

/* ---- sys_ARCH.S ---- */

int64_t agent_syscall6(int64_t nr, const int64_t args[6], int twice);

/* ---- lib.c: what a libc would give ---- */

/* Write text pieces to descriptor 2; the list ends with NULL. */
void agent_log(const char *text, ...);

/* Append text to out[0..cap), NUL-terminated; returns out. */
char *agent_append(char *out, size_t cap, const char *text);
char *agent_append_uint(char *out, size_t cap, uint64_t value);
struct wire_bytes agent_bytes(const char *text);
bool agent_same(const char *a, const char *b);

#endif
