/* SPDX-License-Identifier: MIT
 *
 * What a local agent weighs, by the file system, by /proc, by a clock.
 */
#include "weight.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPEN_MS = 20000, BURSTS = 15 };

struct provium_session *agent_spawn(const char *program)
{
    const char *const argv[] = {program, "--execute-here", NULL};
    struct provium_session *s = provium_session_new();
    if (s == NULL || provium_session_spawn(s, argv, OPEN_MS) != PROVIUM_OK)
        bench_fail("%s", s != NULL ? provium_session_error(s)->text : "out of memory");
    return s;
}

void agent_pids(struct provium_session *session, int64_t pids[2])
{
    if (provium_syscall(session, SYS_getpid, NULL, 0, &pids[0]) != PROVIUM_OK ||
        provium_syscall(session, SYS_getppid, NULL, 0, &pids[1]) != PROVIUM_OK)
        bench_fail("%s", provium_session_error(session)->text);
}

/* ---- bytes ---- */

static void weigh_program(FILE *json, const char *program)
{
    static const struct bench_row row = {"call", "agent: size of the program", "KiB", NULL, 200, false};
    struct stat st;
    if (stat(program, &st) != 0)
        bench_fail("%s is missing", program);
    bench_fact(json, &row, (double)st.st_size / 1024);
}

/* What a process has to itself, and its share of what it has with others. */
static double proportional_kib(int64_t pid)
{
    char path[64], line[256];
    double kib = -1;
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL && sscanf(line, "Pss: %lf", &kib) != 1)
        continue;
    if (f != NULL)
        fclose(f);
    if (kib < 0)
        bench_fail("%s: no Pss", path);
    return kib;
}

static void weigh_memory(FILE *json, const char *program)
{
    static const struct bench_row row = {"call", "agent: memory when idle, both processes", "KiB", NULL, 1024, false};
    struct provium_session *session = agent_spawn(program);
    int64_t pids[2];
    agent_pids(session, pids);
    bench_fact(json, &row, proportional_kib(pids[0]) + proportional_kib(pids[1]));
    provium_session_free(session);
}

/* ---- start ---- */

/* Microseconds from the fork to the end of a program that does nothing. */
static double empty_run(void *program, unsigned count)
{
    int64_t start = bench_now_ns();
    for (unsigned i = 0; i < count; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            execl(program, program, (char *)NULL);
            _exit(127);
        }
        if (waitpid(pid, &status, 0) != pid || status != 0)
            bench_fail("%s failed", (const char *)program);
    }
    return (double)(bench_now_ns() - start) / count / 1e3;
}

/* Microseconds from the fork to the agent's hello. */
static double hello_run(void *program, unsigned count)
{
    double ns = 0;
    for (unsigned i = 0; i < count; i++) {
        int64_t start = bench_now_ns();
        struct provium_session *s = agent_spawn(program);
        ns += (double)(bench_now_ns() - start);
        provium_session_free(s);
    }
    return ns / count / 1e3;
}

static void weigh_start(FILE *json, char *program, char *empty)
{
    static const struct bench_row row = {
        "call", "agent: start to hello, one core", "us", "start to end of an empty static program", 4, false};
    struct bench_side sides[] = {{.run = empty_run, .context = empty, .count = 1},
                                 {.run = hello_run, .context = program, .count = 1}};
    int cpu;
    bench_cpus(&cpu, 1);
    bench_pin(getpid(), cpu);
    bench_rounds(sides, 2, BURSTS);
    bench_report(json, &row, &sides[1], &sides[0]);
    bench_pin(getpid(), -1);
}

void weigh_agent(FILE *json, char *program, char *empty)
{
    weigh_program(json, program);
    weigh_memory(json, program);
    weigh_start(json, program, empty);
}
