/* SPDX-License-Identifier: MIT
 *
 * libprovium: raw system calls in a guest, from the host.
 *
 * A session talks to an agent over a channel; a VM boots a kernel under QEMU
 * with the agent inside and gives the session to it.  A call describes buffers
 * and pointer specs; what the kernel returned comes back as values.
 *
 *     struct provium_vm *vm = provium_vm_new();
 *     int64_t pid;
 *     if (provium_vm_boot(vm, NULL) == PROVIUM_OK &&
 *         provium_syscall(provium_vm_session(vm), 39, NULL, 0, &pid) == PROVIUM_OK)
 *         printf("pid %" PRId64 "\n", pid);
 *     else
 *         fprintf(stderr, "%s\n", provium_vm_error(vm)->text);
 *     provium_vm_free(vm);
 *
 * Functions return PROVIUM_OK or what went wrong; the handle keeps the details. A call without
 * a session (NULL: the VM is not booted) is E_STATE.
 * Link with -lprovium -lwire -ljansson.
 * A handle is for one thread at a time; different handles are independent.
 * The library prints nothing, keeps no global state and installs no handlers.
 */
#ifndef PROVIUM_H
#define PROVIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct provium_session;
struct provium_vm;

enum {
    PROVIUM_ARGS_MAX = 6,
    PROVIUM_CPUS_MAX = 255,          /* of QEMU's pc without a second interrupt controller */
    PROVIUM_ERROR_MAX = 6144,        /* bytes of an error's text, NUL included */
    PROVIUM_CALL_TIMEOUT_MS = 60000, /* default deadline of a call */
    PROVIUM_BOOT_TIMEOUT_MS = 60000  /* default deadline of a boot */
};

enum provium_status {
#define PROVIUM_STATUS(name, text) PROVIUM_##name,
#include "status.def"
};

/* The last error of a handle.  The text starts with the public function's name, or
 * with the `caller` of a call; it is one line, then the console's tail if a guest ended.  Later calls
 * say that line again, without the tail: provium_vm_console has it. */
struct provium_error {
    enum provium_status code;
    int sys_errno; /* errno of the host, or 0 */
    char text[PROVIUM_ERROR_MAX];
};

/* Bytes that somebody else owns. */
struct provium_bytes {
    const uint8_t *ptr;
    size_t len;
};

/* ---- sessions: an agent at the other end of a channel ---- */

/* What hello said.  Strings live as long as the session. */
struct provium_info {
    const char *agent, *arch, *kernel;
    uint32_t version;
    uint32_t frame_limit, buffer_limit, spec_limit, memory_limit; /* as agreed */
    uint32_t page_size;
    uint8_t pointer_width; /* bytes */
    bool big_endian;
    uint32_t caps; /* what the agent can do beyond the core, and this library use: bits of wire.h's wire_cap */
    uint8_t instance[16];
};

/* A session without a channel; NULL without memory.  One that was lost, or never opened, can be
 * opened again.  free accepts NULL and closes only what the session opened itself. */
struct provium_session *provium_session_new(void);
void provium_session_free(struct provium_session *s);

/* Start a session with an agent that reads what is written to wfd and writes what is
 * read from rfd (they may be the same).  Both are borrowed and made non-blocking.
 * Waits for hello until timeout_ms has passed. */
enum provium_status provium_session_open(struct provium_session *s, int rfd, int wfd, unsigned timeout_ms);

/* Start the program argv[0] (looked up in PATH), an agent on its stdin and stdout, and open a
 * session with it.  The session owns the process: free kills and reaps it, and so does a
 * spawn that fails. */
enum provium_status provium_session_spawn(struct provium_session *s, const char *const argv[], unsigned timeout_ms);

/* Open a session with the agent that listens on the unix socket at path. */
enum provium_status provium_session_connect(struct provium_session *s, const char *path, unsigned timeout_ms);

/* How long later calls wait for their answer.  A call that got none is E_TIMEOUT; its late
 * answer is dropped, and the executor may still be busy with it.  Calls made meanwhile wait behind
 * it, and are executed even if they time out as well. */
void provium_session_set_timeout(struct provium_session *s, unsigned timeout_ms);

const struct provium_info *provium_session_info(const struct provium_session *s);
const struct provium_error *provium_session_error(const struct provium_session *s);

/* Can it be called?  Not before it was opened, nor once it was lost. */
bool provium_session_is_open(const struct provium_session *s);

/* Number in the guest's architecture of a system call that the bindings need by name: "ioctl".
 * -1 for any other. */
int64_t provium_session_nr(const struct provium_session *s, const char *name);

/* Can its agent say how long calls take, and what they changed? */
bool provium_session_can_measure(const struct provium_session *s);

/* The descriptor that becomes readable when the agent sends, for an embedder's event loop;
 * -1 when there is none.  Do not read it. */
int provium_session_fd(const struct provium_session *s);

/* ---- calls ---- */

/* Which way memory goes: into the call, out of it.  What does not go in is zero at first. */
enum provium_dir {
    PROVIUM_DIR_DEFAULT, /* in if it has data; out if it is an argument's or has `output` */
    PROVIUM_DIR_IN,
    PROVIUM_DIR_OUT,
    PROVIUM_DIR_INOUT,
    PROVIUM_DIR_NONE
};

/* Where memory meets a page that nobody can touch: at the end, so that an overrun is EFAULT; at the start; at both,
 * the start as near as a page; nowhere. */
enum provium_guard { PROVIUM_GUARD_END, PROVIUM_GUARD_START, PROVIUM_GUARD_BOTH, PROVIUM_GUARD_NONE };

/* How memory is placed.  All zero is how it always was. */
struct provium_place {
    enum provium_dir dir;
    enum provium_guard guard;
    uint32_t align; /* the address is a multiple of this power of two, at most 1 MiB; 0: no wish */
    bool low;       /* below 4 GiB */
};

/* An argument that is a buffer: guest memory whose address becomes argument `arg`. */
struct provium_buffer {
    unsigned arg;     /* 0 to 5; each at most once */
    const void *data; /* initial content, len bytes; NULL: zeros; returned after the call */
    size_t len;
    size_t data_size; /* bytes at data if they are fewer than len, the rest is zero; 0: len */
    struct provium_place place;
};

/* What a pointer points at. */
enum provium_to {
    PROVIUM_TO_FRESH, /* a sub-buffer of its own */
    PROVIUM_TO_SAME,  /* the sub-buffer of another pointer */
    PROVIUM_TO_NULL,  /* nothing: the address 0 */
    PROVIUM_TO_BAD    /* what nothing should point at */
};

/* Addresses that a program should not use: of a page that is not mapped; of none that an address of this
 * architecture could name; of the kernel's memory; of a page that can be read only. */
enum provium_bad { PROVIUM_UNMAPPED, PROVIUM_NONCANONICAL, PROVIUM_KERNEL, PROVIUM_READONLY };

/* A pointer inside a buffer: the address of a sub-buffer is written at ptr_offset.  Pointers may
 * lie in sub-buffers too, and name each other in any order: depth, sharing and circles. */
struct provium_ptr {
    unsigned buf_idx;    /* the argument index of the buffer that holds the pointer */
    unsigned width;      /* bytes that are written: 4 or 8; 0: the guest's pointer */
    uint64_t ptr_offset; /* byte of that buffer at which the address is written */
    uint64_t data_len;   /* bytes of the sub-buffer that it points to */
    const void *data;    /* its first bytes, or NULL if data_size is 0; the rest is zero */
    size_t data_size;    /* bytes at data, at most data_len */
    bool output;         /* return the sub-buffer after the call */
    bool has_parent;     /* the pointer lies in the sub-buffer of ptrs[parent]; buf_idx is 0 */
    enum provium_to to;  /* other than TO_FRESH: data_len, data, data_size, output and place are 0 */
    size_t parent;
    size_t same;                /* TO_SAME: points at the sub-buffer of ptrs[same] */
    int64_t plus;               /* added to the address, whatever it is */
    enum provium_bad bad;       /* TO_BAD */
    struct provium_place place; /* of the sub-buffer */
};

struct provium_call {
    const char *caller; /* begins error texts; NULL: "provium_call" */
    const char *list;   /* what error texts call `ptrs`; NULL: "ptrs" */
    const char *length; /* what they call a pointer's data_len; NULL: "data_len" */
    const char *buffer; /* what they call the buffer of a call that has one; NULL: "bufs[N]" */
    unsigned first;     /* the first index of lists in error texts: 0, or 1 for Lua */
    int64_t nr;
    const int64_t *args; /* arg_count of them, at most six; the rest is 0 */
    size_t arg_count;
    const struct provium_buffer *bufs; /* in any order */
    size_t buf_count;
    const struct provium_ptr *ptrs; /* later ones win where two overlap */
    size_t ptr_count;
    unsigned timeout_ms;             /* for this call; 0: the session's */
    bool want_elapsed, want_changed; /* ask for what the result calls so */
};

/* Bytes of a buffer, or beside it: offset counts from its first byte. */
struct provium_range {
    bool is_ptr; /* of the sub-buffer of ptrs[index]; else of argument `index` */
    size_t index;
    int64_t offset;
    size_t len;
};

enum provium_ended { PROVIUM_RETURNED, PROVIUM_EXITED, PROVIUM_EXECED, PROVIUM_KILLED, PROVIUM_STOPPED };

/* What came back.  Everything borrows the session until its next call, whose data it may be. */
struct provium_result {
    int64_t ret;                         /* what the kernel returned; 0 when it never did */
    const struct provium_bytes *outs;    /* the buffers by ascending arg, then the outputs in spec order; those that
                                            `dir` keeps from coming back have their place, with ptr NULL */
    size_t out_count;                    /* also set when ended, with outs NULL */
    enum provium_ended ended;            /* RETURNED, or how the executor ended */
    int status, signal;                  /* exit status and signal, where ended */
    bool executed;                       /* false: the executor was gone before this call reached it */
    int64_t elapsed_ns;                  /* that the system call took, if asked for; else -1 */
    const struct provium_range *changed; /* bytes that are not what they were when the call began, if asked for */
    size_t changed_count;
    const struct provium_range *damage; /* what was written beside buffers that `guard` or `align` leave slack */
    size_t damage_count;
};

/* Execute one call.  A kernel failure is a result, not an error.  E_ARGUMENT and E_LIMIT
 * are found before anything is sent; E_REFUSED by the agent; in all three nothing was
 * executed and the session goes on. */
enum provium_status provium_call(struct provium_session *s, const struct provium_call *call,
                                 struct provium_result *result);

/* provium_call without memory.  A call that never returns is E_REFUSED here. */
enum provium_status provium_syscall(struct provium_session *s, int64_t nr, const int64_t *args, size_t count,
                                    int64_t *ret);

/* ---- programs: many calls in one request ---- */

/* What follows a step that fails (returns -4095 to -1), where it is not the index of a later step. */
#define PROVIUM_GO_ON ((size_t)0)            /* the next step */
#define PROVIUM_END_ROUND (SIZE_MAX - 1)     /* the next round, if there is one */
#define PROVIUM_STOP SIZE_MAX                /* nothing */

/* A call of a program.  Of the call caller, timeout_ms and want_* are not looked at.  Its memory is placed before the
 * first step, lives until the program is over, and comes back then. */
struct provium_step {
    struct provium_call call;
    size_t fail; /* PROVIUM_GO_ON, a later step, or an end */
    bool keep;   /* where only kept results are wanted, its own and its outputs */
};

/* Whose memory. */
enum provium_of {
    PROVIUM_OF_PROGRAM, /* bufs[index] of the program */
    PROVIUM_OF_ARG,     /* argument `index` of the step's call */
    PROVIUM_OF_PTR      /* the sub-buffer of ptrs[index] of the step's call */
};

struct provium_where {
    enum provium_of of;
    size_t step, index;
    uint64_t offset; /* bytes */
};

enum provium_value {
    PROVIUM_VALUE_NUMBER, /* `plus` alone */
    PROVIUM_VALUE_RET,    /* what an earlier step returned in this round; -1 of one that was skipped */
    PROVIUM_VALUE_BYTES,  /* what stands in memory then */
    PROVIUM_VALUE_ADDRESS /* of memory */
};

/* A value is put into an argument or into memory when a step is due. */
struct provium_move {
    size_t step;      /* just before this one; moves stand by ascending step */
    bool into_memory; /* into `to`; else into argument `arg` of that step */
    unsigned arg;
    struct provium_where to;
    unsigned width; /* bytes in memory, 1, 2, 4 or 8, both read and written; not looked at where there are none */
    enum provium_value value;
    bool is_signed;            /* VALUE_BYTES */
    size_t ret;                /* VALUE_RET */
    struct provium_where from; /* VALUE_BYTES, VALUE_ADDRESS */
    int64_t plus;              /* added */
};

struct provium_program {
    const char *caller;                /* begins error texts; NULL: "provium_program" */
    unsigned first;                    /* the first index of lists in error texts: 0, or 1 for Lua */
    const struct provium_buffer *bufs; /* memory that is no call's; `arg` is not looked at */
    size_t buf_count;
    const struct provium_step *steps; /* at least one */
    size_t step_count;
    const struct provium_move *moves;
    size_t move_count;
    uint32_t repeat;     /* rounds; 0 is 1 */
    bool only_kept;      /* results of steps with `keep` */
    bool every_round;    /* results of every round, not of the last one */
    unsigned timeout_ms; /* of all of it; 0: the session's */
};

/* Everything borrows the session until its next call. */
struct provium_program_result {
    const int64_t *rets; /* what the steps returned, by round, then by step; 0 of one that was skipped */
    size_t ret_count;
    const uint8_t *skipped;           /* a bit for each of rets, the lowest first; NULL: none was skipped */
    const struct provium_bytes *outs; /* the program's buffers, then those of each step as in a call's result; ptr is
                                         NULL where nothing came back */
    size_t out_count;
    const size_t *first_out; /* of each step: where its outs begin; and one more, their end */
    uint32_t rounds;         /* that were begun */
    enum provium_ended ended;
    int status, signal; /* exit status and signal, where ended */
    size_t step;        /* that never returned, where ended: rets are those of earlier ones, if any came */
    bool executed;      /* false: the executor was gone before the program reached it */
};

/* Execute a program: everything is checked before anything is sent.  Failures as of provium_call. */
enum provium_status provium_program(struct provium_session *s, const struct provium_program *program,
                                    struct provium_program_result *result);

/* ---- memory that outlives a call: for agents with the capability `regions` ---- */

/* Guest memory that stays where it is, until it is freed or its executor ends: then it is lost, and so it is
 * when the session is over.  The address is an argument as it is, and a pointer as TO_NULL with it as `plus`. */
struct provium_region {
    uint64_t address;
    uint32_t len;
    uint32_t id, generation; /* of it, and of its executor */
    uint8_t session[8];      /* which session it belongs to */
};

/* Place len zero bytes, at least one.  Of `place`, which may be NULL, guard and low have a meaning. */
enum provium_status provium_region_alloc(struct provium_session *s, uint64_t len, const struct provium_place *place,
                                         struct provium_region *region);
enum provium_status provium_region_free(struct provium_session *s, const struct provium_region *region);

/* Is its memory gone, as far as is known? s may be NULL. */
bool provium_region_is_lost(const struct provium_session *s, const struct provium_region *region);

/* Bytes in the guest. */
struct provium_memory {
    const struct provium_region *region; /* NULL: `at` is any address of the executor's */
    uint64_t at;                         /* else it counts from the region's first byte */
    size_t len;
    const void *data; /* what to write; not looked at when reading */
};

/* Read or write memory; no address does harm.  Where a byte cannot be touched the bytes before it are
 * read or written, and `out` or `written` is shorter.  What was read borrows the session until its next call. */
enum provium_status provium_memory_read(struct provium_session *s, const struct provium_memory *m,
                                        struct provium_bytes *out);
enum provium_status provium_memory_write(struct provium_session *s, const struct provium_memory *m, size_t *written);

/* Ask the agent for a sign of life. */
enum provium_status provium_ping(struct provium_session *s);

/* ---- virtual machines ---- */

/* A file that the guest finds at the path `guest` (absolute), copied from the host. */
struct provium_file {
    const char *guest, *host;
};

/* How to boot.  Zero or NULL asks for the default. */
struct provium_boot {
    const char *kernel;  /* vmlinux or bzImage; default: PROVIUM_KERNEL, then the cache (docs/kernels.md) */
    const char *modules; /* a /lib/modules/RELEASE directory; default: `modules` beside the kernel, if it is
                            there; "none": everything is built in */
    const char *initrd;  /* a further initramfs archive, unpacked before ours */
    const char *cmdline; /* added to the kernel's command line */
    const char *machine; /* QEMU's -machine; default: pc, tuned */
    const char *accel;   /* "auto" (default), "kvm", "tcg" */
    const char *qemu;    /* default: qemu-system-x86_64 */
    const char *agent;   /* an agent's binary; default: the one inside this library */
    uint64_t memory;     /* bytes; default 512 MiB */
    unsigned cpus;       /* default 1; at most PROVIUM_CPUS_MAX */
    const struct provium_file *files;
    size_t file_count;
    unsigned timeout_ms; /* until the agent says hello; default PROVIUM_BOOT_TIMEOUT_MS */
};

/* A VM that is not booted; NULL without memory.  free accepts NULL, kills what runs. */
struct provium_vm *provium_vm_new(void);
void provium_vm_free(struct provium_vm *vm);

/* Boot and wait for the agent.  On failure nothing is left running and the VM can be
 * booted again, as can one whose guest has ended.  The text of the error ends with the console's last lines. */
enum provium_status provium_vm_boot(struct provium_vm *vm, const struct provium_boot *boot);

/* The session of a booted VM, owned by the VM; NULL before boot and after its end. */
struct provium_session *provium_vm_session(struct provium_vm *vm);

/* The last error of the VM, or of its session if that came later. */
const struct provium_error *provium_vm_error(const struct provium_vm *vm);

/* Copy the last console bytes into out, NUL-terminated; at most cap - 1 of them.  Returns how many. */
size_t provium_vm_console(const struct provium_vm *vm, char *out, size_t cap);

/* End QEMU: shutdown asks it to quit and waits a little, kill does not ask.  Either is a
 * no-op on a VM that does not run. */
enum provium_status provium_vm_shutdown(struct provium_vm *vm);
void provium_vm_kill(struct provium_vm *vm);

/* Process id of QEMU, or 0. */
long provium_vm_pid(const struct provium_vm *vm);

const char *provium_status_text(enum provium_status status);
const char *provium_version(void);

#ifdef __cplusplus
}
#endif
#endif
