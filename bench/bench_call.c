/* SPDX-License-Identifier: MIT
 *
 * The group `call`: what a call costs over what its bytes alone cost on the same channel,
 * and what an agent weighs.  Usage: call BUILD_FOLDER JSON_FILE.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "instructions.h"
#include "loops.h"
#include "sides.h"
#include "weight.h"

enum { FAR_MAX = 8, BURSTS = 31 };

/* Where the figures go, and what is measured. */
struct group {
    FILE *json;
    char *agent, *provium, *echo_guest, *loop_guest, *empty, *plugin;
};

/* A channel with all its contestants. */
struct stage {
    const char *name;
    unsigned count; /* of calls in a burst */
    struct provium_session *session;
    struct lua lua;
    struct raw plain, pointers;
    pid_t far[FAR_MAX]; /* processes at the other end */
    size_t far_count;
};

/* ---- round trips ---- */

static void add_far(struct stage *s, int64_t pid)
{
    if (pid > 0)
        s->far[s->far_count++] = (pid_t)pid;
}

static void add_lua(struct stage *s, const char *const argv[])
{
    lua_start(&s->lua, argv);
    add_far(s, s->lua.far[0]);
    add_far(s, s->lua.far[1]);
}

/* This process and the script on one processor, agents and machines on another; -1 is any. */
static void place(const struct stage *s, int near, int far)
{
    bench_pin(getpid(), near);
    bench_pin(s->lua.pid, near);
    for (size_t i = 0; i < s->far_count; i++)
        bench_pin(s->far[i], far);
}

/* The three figures of a placement.  bars: of them, or NULL. */
static void measure(const struct group *g, struct stage *s, const char *placement, const double *bars)
{
    static const char *const names[] = {"provium_syscall (C)", "vm:syscall (Lua)", "vm:syscall_ptr (Lua)"};
    struct bench_side sides[] = {{.run = raw_run, .context = &s->plain, .count = s->count},
                                 {.run = raw_run, .context = &s->pointers, .count = s->count},
                                 {.run = call_run, .context = s->session, .count = s->count},
                                 {.run = lua_run_syscall, .context = &s->lua, .count = s->count},
                                 {.run = lua_run_pointers, .context = &s->lua, .count = s->count}};
    bench_rounds(sides, sizeof sides / sizeof sides[0], BURSTS);
    for (int i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s, %s, %s", names[i], s->name, placement);
        struct bench_row row = {"call", name, "us", "raw ping-pong of the same bytes", bars ? bars[i] : 0, false};
        bench_report(g->json, &row, &sides[2 + i], &sides[i == 2]);
    }
}

/* ---- a local agent ---- */

static void bench_local(const struct group *g)
{
    static const double bars[] = {1.4, 1.7, 2.2};
    struct stage s = {.name = "socketpair", .count = 20, .session = agent_spawn(g->agent)};
    int64_t pids[2];
    int cpus[2];
    pid_t peer;
    size_t cpu_count = bench_cpus(cpus, 2);
    s.plain.fd = s.pointers.fd = raw_fork_peer(&peer);
    raw_set_plain(&s.plain);
    raw_set_pointers(&s.pointers);
    agent_pids(s.session, pids);
    add_far(&s, peer);
    add_far(&s, pids[0]);
    add_far(&s, pids[1]);
    add_lua(&s, (const char *const[]){g->provium, "run", "bench/call.lua", "--", "exec", g->agent, NULL});
    place(&s, cpus[cpu_count - 1], cpus[cpu_count - 1]);
    measure(g, &s, "one core", bars);
    if (cpu_count > 1) {
        place(&s, cpus[0], cpus[1]);
        measure(g, &s, "two cores", NULL);
    }
    place(&s, -1, -1);
    lua_stop(&s.lua);
    provium_session_free(s.session);
    close(s.plain.fd);
    waitpid(peer, NULL, 0);
}

/* ---- a VM ---- */

static struct provium_vm *boot(const char *agent)
{
    const struct provium_boot options = {.agent = agent, .memory = 256u << 20};
    struct provium_vm *vm = provium_vm_new();
    if (vm == NULL || provium_vm_boot(vm, &options) != PROVIUM_OK)
        bench_fail("%s", vm != NULL ? provium_vm_error(vm)->text : "out of memory");
    return vm;
}

static void bench_bulk(const struct group *g, struct stage *s)
{
    static const struct bench_row row = {
        "call", "16 MiB there and back in one buffer, virtio-serial", "MB/s", "raw bytes over the port", 0.8, true};
    struct raw raw = {s->plain.fd, BULK_LEN, BULK_LEN};
    struct bench_side sides[] = {{.run = raw_run_rate, .context = &raw, .count = 1},
                                 {.run = bulk_run, .context = s->session, .count = 1}};
    bench_rounds(sides, 2, 1);
    bench_report(g->json, &row, &sides[1], &sides[0]);
}

static void bench_machine(const struct group *g)
{
    static const double bars[] = {1.15, 1.25, 1.4};
    struct provium_vm *vm = boot(NULL), *echo = boot(g->echo_guest);
    struct stage s = {.name = "virtio-serial", .count = 10, .session = provium_vm_session(vm)};
    int cpus[2];
    size_t cpu_count = bench_cpus(cpus, 2);
    s.plain.fd = s.pointers.fd = raw_port(echo);
    raw_set_plain(&s.plain);
    raw_set_pointers(&s.pointers);
    add_far(&s, provium_vm_pid(vm));
    add_far(&s, provium_vm_pid(echo));
    add_lua(&s, (const char *const[]){g->provium, "run", "bench/call.lua", "--", "vm", NULL});
    place(&s, cpus[cpu_count - 1], cpus[cpu_count - 1]);
    measure(g, &s, "one core", bars);
    place(&s, -1, -1);
    measure(g, &s, "any core", NULL);
    bench_bulk(g, &s);
    lua_stop(&s.lua);
    provium_vm_free(vm);
    provium_vm_free(echo);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        bench_fail("usage: call BUILD_FOLDER JSON_FILE");
    struct group g = {.json = fopen(argv[2], "we"),
                      .agent = bench_path(argv[1], "provium-agent"),
                      .provium = bench_path(argv[1], "provium"),
                      .echo_guest = bench_path(argv[1], "bench/echo-guest"),
                      .loop_guest = bench_path(argv[1], "bench/loop-guest"),
                      .empty = bench_path(argv[1], "bench/empty"),
                      .plugin = bench_path(argv[1], "bench/count.so")};
    if (g.json == NULL)
        bench_fail("cannot write %s", argv[2]);
    signal(SIGPIPE, SIG_IGN);
    bench_head("calls: medians of a round trip");
    bench_local(&g);
    bench_machine(&g);
    measure_programs(g.json, g.loop_guest);
    count_instructions(g.json, g.echo_guest, g.plugin);
    weigh_agent(g.json, g.agent, g.empty);
    fclose(g.json);
    free(g.agent);
    free(g.provium);
    free(g.echo_guest);
    free(g.loop_guest);
    free(g.empty);
    free(g.plugin);
    return 0;
}
