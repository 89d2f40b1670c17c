/* SPDX-License-Identifier: MIT
 *
 * What a system call of a program costs over one of a loop in C in the same guest.
 */
#include "loops.h"

#include <string.h>
#include <sys/syscall.h>

#include "../libprovium/provium.h"
#include "bench.h"

enum { CALLS = 100000, READS = 1000, STEPS = 1000 };

/* ---- the floor ---- */

static int64_t call(struct provium_session *s, int64_t nr, const int64_t args[3], const struct provium_buffer *buf)
{
    const struct provium_call c = {.nr = nr, .args = args, .arg_count = 3, .bufs = buf, .buf_count = buf != NULL};
    struct provium_result r;
    if (provium_call(s, &c, &r) != PROVIUM_OK || r.ended != PROVIUM_RETURNED || r.ret < 0)
        bench_fail("in the guest: %s", provium_session_error(s)->text);
    if (buf != NULL && r.outs[0].len == sizeof(int64_t))
        memcpy((void *)(uintptr_t)buf->data, r.outs[0].ptr, sizeof(int64_t));
    return r.ret;
}

/* execve of the loop; the executor that it ends is replaced. */
static void run_loop(struct provium_session *s, const char *what, const char *count)
{
    static const char path[] = LOOP_PROGRAM;
    const struct provium_buffer bufs[] = {{.arg = 0, .data = path, .len = sizeof path}, {.arg = 1, .len = 32}};
    const struct provium_ptr ptrs[] = {
        {.buf_idx = 1, .ptr_offset = 0, .data_len = sizeof path, .data = path, .data_size = sizeof path},
        {.buf_idx = 1, .ptr_offset = 8, .data_len = strlen(what) + 1, .data = what, .data_size = strlen(what) + 1},
        {.buf_idx = 1, .ptr_offset = 16, .data_len = strlen(count) + 1, .data = count, .data_size = strlen(count) + 1}};
    const struct provium_call c = {.nr = SYS_execve, .bufs = bufs, .buf_count = 2, .ptrs = ptrs, .ptr_count = 3};
    struct provium_result r;
    if (provium_call(s, &c, &r) != PROVIUM_OK || r.ended != PROVIUM_EXECED || r.status != 0)
        bench_fail("%s does not run in the guest: %s", path, provium_session_error(s)->text);
}

/* Microseconds of one system call of the loop, by the guest's clock. */
static double loop_us(struct provium_session *s, const char *what, const char *count, unsigned calls)
{
    static const char path[] = LOOP_RESULT;
    const struct provium_buffer name = {.arg = 0, .data = path, .len = sizeof path};
    int64_t ns = 0;
    const struct provium_buffer result = {.arg = 1, .data = &ns, .len = sizeof ns};
    run_loop(s, what, count);
    int64_t fd = call(s, SYS_open, (const int64_t[3]){0, 0, 0}, &name);
    call(s, SYS_read, (const int64_t[3]){fd, 0, sizeof ns}, &result);
    call(s, SYS_close, (const int64_t[3]){fd, 0, 0}, NULL);
    return (double)ns / 1e3 / calls;
}

static double loop_getppid(void *session, unsigned count)
{
    (void)count;
    return loop_us(session, "getppid", "100000", CALLS);
}

static double loop_readv(void *session, unsigned count)
{
    (void)count;
    return loop_us(session, "readv", "1000", READS);
}

/* ---- programs ---- */

/* Microseconds of one of `calls` system calls, by the host's clock, the way there and back among them. */
static double program_us(struct provium_session *s, const struct provium_program *p, unsigned calls)
{
    struct provium_program_result r;
    int64_t start = bench_now_ns();
    if (provium_program(s, p, &r) != PROVIUM_OK || r.ended != PROVIUM_RETURNED || r.ret_count == 0 ||
        r.rets[r.ret_count - 1] < 0)
        bench_fail("%s", provium_session_error(s)->text);
    return (double)(bench_now_ns() - start) / 1e3 / calls;
}

static double program_getppid(void *session, unsigned count)
{
    const struct provium_step step = {.call = {.nr = SYS_getppid}};
    const struct provium_program p = {.steps = &step, .step_count = 1, .repeat = CALLS};
    (void)count;
    return program_us(session, &p, CALLS);
}

/* The descriptor of /dev/zero, which the loop's execve closed for us or not: a new executor has 3 as its first. */
static int64_t open_zero(struct provium_session *s)
{
    static const char path[] = "/dev/zero";
    const struct provium_buffer name = {.arg = 0, .data = path, .len = sizeof path};
    return call(s, SYS_open, (const int64_t[3]){0, 0, 0}, &name);
}

/* One step, a thousand rounds; `steps`: a thousand steps that share the memory of the first. */
static double readv_us(struct provium_session *s, size_t steps)
{
    static struct provium_step list[STEPS];
    static struct provium_move moves[STEPS];
    const uint64_t iov[4] = {0, LOOP_READ_LEN, 0, LOOP_READ_LEN};
    const struct provium_buffer buf = {.arg = 1, .data = iov, .len = sizeof iov};
    const struct provium_ptr ptrs[] = {{.buf_idx = 1, .ptr_offset = 0, .data_len = LOOP_READ_LEN, .output = true},
                                       {.buf_idx = 1, .ptr_offset = 16, .data_len = LOOP_READ_LEN, .output = true}};
    const int64_t fd = open_zero(s), args[] = {fd, 0, 2};
    for (size_t i = 0; i < steps; i++) {
        list[i] = (struct provium_step){.call = {.nr = SYS_readv, .args = args, .arg_count = 3}};
        moves[i] = (struct provium_move){
            .step = i, .arg = 1, .value = PROVIUM_VALUE_ADDRESS, .from = {.of = PROVIUM_OF_ARG, .step = 0, .index = 1}};
    }
    list[0].call.bufs = &buf;
    list[0].call.buf_count = 1;
    list[0].call.ptrs = ptrs;
    list[0].call.ptr_count = 2;
    const struct provium_program p = {.steps = list,
                                      .step_count = steps,
                                      .moves = moves + 1,
                                      .move_count = steps - 1,
                                      .repeat = (uint32_t)(READS / steps)};
    double us = program_us(s, &p, READS);
    call(s, SYS_close, (const int64_t[3]){fd, 0, 0}, NULL);
    return us;
}

static double program_readv(void *session, unsigned count)
{
    (void)count;
    return readv_us(session, 1);
}

static double program_readv_steps(void *session, unsigned count)
{
    (void)count;
    return readv_us(session, STEPS);
}

/* ---- rows ---- */

static struct provium_vm *boot(const char *loop_guest)
{
    const struct provium_file file = {.guest = LOOP_PROGRAM, .host = loop_guest};
    const struct provium_boot options = {.memory = 256u << 20, .files = &file, .file_count = 1};
    struct provium_vm *vm = provium_vm_new();
    if (vm == NULL || provium_vm_boot(vm, &options) != PROVIUM_OK)
        bench_fail("%s", vm != NULL ? provium_vm_error(vm)->text : "out of memory");
    return vm;
}

void measure_programs(FILE *json, const char *loop_guest)
{
    static const char loop[] = "a loop in C in the same guest";
    static const struct bench_row rows[] = {
        {"call", "a program of 100,000 getppid, per call", "us", loop, 1.5, false},
        {"call", "a program of 1,000 readv with two pointers, per call", "us", loop, 2, false},
        {"call", "the same as 1,000 steps, per call", "us", loop, 0, false}};
    struct provium_vm *vm = boot(loop_guest);
    void *session = provium_vm_session(vm);
    struct bench_side sides[] = {{.run = loop_getppid, .context = session, .count = 1},
                                 {.run = program_getppid, .context = session, .count = 1},
                                 {.run = loop_readv, .context = session, .count = 1},
                                 {.run = program_readv, .context = session, .count = 1},
                                 {.run = program_readv_steps, .context = session, .count = 1}};
    bench_rounds(sides, sizeof sides / sizeof sides[0], 1);
    bench_report(json, &rows[0], &sides[1], &sides[0]);
    bench_report(json, &rows[1], &sides[3], &sides[2]);
    bench_report(json, &rows[2], &sides[4], &sides[2]);
    provium_vm_free(vm);
}
