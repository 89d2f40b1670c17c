/* SPDX-License-Identifier: MIT
 *
 * What the files of a VM's life share: choosing a kernel, QEMU's command line, the
 * process that watches QEMU, QMP, and turning an end of QEMU into a sentence.
 */
#ifndef PROVIUM_QEMU_IMPL_H
#define PROVIUM_QEMU_IMPL_H

#include "provium_impl.h"

#include <jansson.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/types.h>

/* ---- kernel.c: which kernel, which modules ---- */

struct provium_kernel {
    char image[PATH_MAX];
    char modules[PATH_MAX]; /* "" for none */
};

/* Both paths are checked to be readable; E_CONFIG names the one that is not. */
enum provium_status provium_kernel_choose(struct provium_kernel *k, const struct provium_boot *boot,
                                          struct provium_error *e);

/* ---- modules.c: the drivers of the channel, from modules.dep ---- */

struct provium_modules {
    char **paths; /* relative to the directory, in the order of loading */
    size_t count;
};

/* Find what carries the channel in a /lib/modules/RELEASE directory.  reset frees. */
enum provium_status provium_modules_find(struct provium_modules *m, const char *directory, struct provium_error *e);
void provium_modules_reset(struct provium_modules *m);

/* ---- initramfs.c ---- */

/* Copy the archive at path to fd and pad it, so that ours can follow. */
enum provium_status provium_initramfs_prepend(int fd, const char *path, struct provium_error *e);

/* ---- accel.c ---- */

/* Does KVM run a guest here, rather than only open?  A few milliseconds.  When not, why
 * says so in a few words. */
bool provium_kvm_works(const char **why);

/* ---- qemu.c: the command line ---- */

/* Descriptors that QEMU inherits. */
enum { QEMU_FD_QMP = 3, QEMU_FD_CHANNEL, QEMU_FD_INITRD, QEMU_FD_COUNT };

struct provium_qemu {
    char program[PATH_MAX]; /* what is executed */
    char *argv[64];         /* NULL-terminated, owned */
    size_t argc;
    bool kvm;
};

/* Choose program, accelerator and arguments.  reset frees. */
enum provium_status provium_qemu_prepare(struct provium_qemu *q, const struct provium_boot *boot,
                                         const struct provium_kernel *k, struct provium_error *e);
void provium_qemu_reset(struct provium_qemu *q);

/* ---- launcher.c: the process between the host and QEMU ---- */

enum launch_state { LAUNCH_STARTING, LAUNCH_RUNNING, LAUNCH_ENDED };

/* The last bytes of an output: byte n stands at n modulo the size. */
struct provium_ring {
    _Atomic uint64_t total; /* bytes that ever came */
    char bytes[256 * 1024];
};

/* What the launcher writes and the host reads, in shared memory; it outlives QEMU and launcher. */
struct provium_launch_page {
    _Atomic int state;       /* enum launch_state */
    _Atomic int qemu_pid;    /* 0 before it runs */
    _Atomic int start_errno; /* why QEMU could not be started */
    _Atomic int wait_status; /* as waitpid(2) gives it, once ENDED */
    struct provium_ring console;
    struct provium_ring errors; /* QEMU's stderr */
};

struct provium_launch {
    struct provium_launch_page *page; /* NULL before start */
    pid_t pid;                        /* the launcher, to be reaped; 0 when there is none */
    int lifeline;                     /* hangs up when the launcher has ended */
    int qmp, channel;                 /* our ends, non-blocking */
};

/* Start QEMU with initrd as its descriptor.  All of *l is overwritten.  A QEMU that cannot
 * be executed shows later: the channel hangs up, start_errno says why. */
enum provium_status provium_launch_start(struct provium_launch *l, const struct provium_qemu *q, int initrd,
                                         struct provium_error *e);

/* Wait until QEMU and the launcher have ended; false if they have not by then. */
bool provium_launch_wait(const struct provium_launch *l, unsigned timeout_ms);

/* Kill QEMU, reap the launcher, close the descriptors; the page stays readable.
 * False if QEMU did not even die of SIGKILL within five seconds. */
bool provium_launch_kill(struct provium_launch *l);

/* kill, then give the page back. */
void provium_launch_reset(struct provium_launch *l);

/* Copy the last bytes of a ring, at most cap - 1 (cap is not 0), and a NUL.  Returns how many. */
size_t provium_ring_tail(const struct provium_ring *ring, char *out, size_t cap);

/* ---- qmp.c: QEMU's control socket ---- */

struct provium_qmp {
    int fd;        /* borrowed */
    bool skipping; /* inside a line that is too long to keep */
    size_t len;
    char line[16384];
};

/* Start to talk; does not wait for QEMU. */
void provium_qmp_init(struct provium_qmp *q, int fd);

/* The next message, to be json_decref'ed; NULL when none came by the deadline (of
 * CLOCK_MONOTONIC, ms) or the socket hung up.  Overlong and broken lines are dropped. */
json_t *provium_qmp_next(struct provium_qmp *q, int64_t deadline_ms);

/* Send a command without arguments, and do not wait for its answer. */
bool provium_qmp_send(struct provium_qmp *q, const char *command);

/* Send one and return what it returned, to be json_decref'ed; NULL when there was no answer in
 * time or the answer is an error.  Events that arrive meanwhile are dropped. */
json_t *provium_qmp_ask(struct provium_qmp *q, const char *command, unsigned timeout_ms);

/* The same with a command of the monitor that people use; what it prints is a JSON string. */
json_t *provium_qmp_ask_person(struct provium_qmp *q, const char *line, unsigned timeout_ms);

/* ---- explain.c ---- */

/* Has the guest halted for good?  It says so on its console, and its processor waits for an interrupt
 * with interrupts off.  A power-off that the machine has no means for ends there too, and QEMU with such a
 * guest goes on.  Cheap as long as the console does not say so. */
bool provium_explain_halted(const struct provium_launch *l, struct provium_qmp *q);

/* If QEMU has ended or paused, replace code and first line of e by what happened, after
 * the prefix `caller`.  Does not wait for more than a fraction of a second. */
void provium_explain_end(const struct provium_launch *l, struct provium_qmp *q, const char *caller,
                         struct provium_error *e);

/* Append the console's last lines to e, control characters made harmless; what QEMU printed, if it ended
 * before there was a console. */
void provium_explain_tail(const struct provium_launch *l, struct provium_error *e);

#endif
