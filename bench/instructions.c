/* SPDX-License-Identifier: MIT
 *
 * Guest instructions of a call against those of the same bytes echoed: a figure that is the
 * same on a busy machine.  Needs a QEMU with plugins, and TCG.
 */
#include "instructions.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "count.h"
#include "sides.h"

enum { CALLS = 10, BURSTS = 31 };

/* A VM under the plugin. */
struct counted {
    struct provium_vm *vm;
    const volatile struct guest_counts *counts;
};

/* One of its contestants. */
struct counting {
    const struct counted *guest;
    double (*run)(void *context, unsigned count);
    void *context;
    bool user; /* leave out the kernel's */
};

/* False when this QEMU does not take the plugin. */
static bool boot_counted(struct counted *guest, const char *agent)
{
    char file[] = "/tmp/provium-bench-XXXXXX";
    const struct provium_boot options = {
        .agent = agent, .memory = 256u << 20, .accel = "tcg", .qemu = "bench/counting-qemu.sh"};
    int fd = mkstemp(file);
    if (fd < 0 || ftruncate(fd, sizeof *guest->counts) != 0)
        bench_fail("cannot make a file in /tmp");
    guest->counts = mmap(NULL, sizeof *guest->counts, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    setenv("BENCH_COUNTS", file, 1);
    guest->vm = provium_vm_new();
    bool booted = guest->vm != NULL && provium_vm_boot(guest->vm, &options) == PROVIUM_OK;
    unlink(file);
    return booted;
}

static void end_counted(struct counted *guest)
{
    provium_vm_free(guest->vm);
    if (guest->counts != NULL)
        munmap((void *)(uintptr_t)guest->counts, sizeof *guest->counts);
}

/* Instructions of one of `count` round trips. */
static double counting_run(void *context, unsigned count)
{
    const struct counting *c = context;
    uint64_t user = c->guest->counts->user, kernel = c->guest->counts->kernel;
    c->run(c->context, count);
    user = c->guest->counts->user - user;
    kernel = c->guest->counts->kernel - kernel;
    return (double)(c->user ? user : user + kernel) / count;
}

static void measure(FILE *json, const struct counted *agent, const struct counted *echo)
{
    static const char all[] = "the same bytes echoed";
    static const struct bench_row rows[] = {{"call", "guest instructions, getppid", "", all, 0, false},
                                            {"call", "guest instructions, two pointers", "", all, 0, false},
                                            {"call", "the agent's own of these, getppid", "", NULL, 0, false},
                                            {"call", "the agent's own of these, two pointers", "", NULL, 0, false}};
    void *session = provium_vm_session(agent->vm);
    struct raw plain = {.fd = raw_port(echo->vm)}, pointers = {.fd = plain.fd};
    raw_set_plain(&plain);
    raw_set_pointers(&pointers);
    struct counting what[] = {{echo, raw_run, &plain, false},    {echo, raw_run, &pointers, false},
                              {agent, call_run, session, false}, {agent, call_run_pointers, session, false},
                              {agent, call_run, session, true},  {agent, call_run_pointers, session, true}};
    enum { COUNT = sizeof what / sizeof what[0] };
    struct bench_side sides[COUNT];
    for (int i = 0; i < COUNT; i++)
        sides[i] = (struct bench_side){.run = counting_run, .context = &what[i], .count = CALLS};
    bench_rounds(sides, COUNT, BURSTS);
    for (int i = 0; i < 4; i++)
        bench_report(json, &rows[i], &sides[2 + i], i < 2 ? &sides[i] : NULL);
}

void count_instructions(FILE *json, const char *echo_guest, const char *plugin)
{
    struct counted agent = {NULL, NULL}, echo = {NULL, NULL};
    setenv("BENCH_PLUGIN", plugin, 1);
    if (boot_counted(&agent, NULL) && boot_counted(&echo, echo_guest))
        measure(json, &agent, &echo);
    else
        printf("  guest instructions: not counted, this QEMU does not run the plugin\n");
    end_counted(&agent);
    end_counted(&echo);
}
