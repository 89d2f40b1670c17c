/* SPDX-License-Identifier: MIT
 *
 * Rounds, medians, rows; clocks and processors.  Does not know what is measured.
 */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Noreturn void bench_fail(const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "bench: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    exit(1);
}

int64_t bench_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

char *bench_path(const char *directory, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        bench_fail("out of memory");
    return path;
}

/* ---- rounds ---- */

struct summary {
    double min, median, max;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct summary summarize(const double *values, unsigned count)
{
    double sorted[BENCH_ROUNDS > BENCH_BURSTS_MAX ? BENCH_ROUNDS : BENCH_BURSTS_MAX];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    return (struct summary){sorted[0], sorted[count / 2], sorted[count - 1]};
}

/* Short bursts begin warm, whoever ran before: its caches are not what is measured. */
static double run_burst(const struct bench_side *side)
{
    if (side->count > 1)
        side->run(side->context, 2);
    return side->run(side->context, side->count);
}

static void run_round(struct bench_side *sides, size_t count, unsigned bursts)
{
    double values[BENCH_SIDES_MAX][BENCH_BURSTS_MAX];
    for (unsigned burst = 0; burst < bursts; burst++) {
        for (size_t i = 0; i < count; i++)
            values[i][burst] = run_burst(&sides[i]);
    }
    for (size_t i = 0; i < count; i++)
        sides[i].values[sides[i].rounds++] = summarize(values[i], bursts).median;
}

void bench_rounds(struct bench_side *sides, size_t count, unsigned bursts)
{
    int64_t end = bench_now_ns() + INT64_C(1000000000) * BENCH_BUDGET_S;
    for (size_t i = 0; i < count; i++) {
        sides[i].rounds = 0;
        sides[i].run(sides[i].context, sides[i].count); /* warm up: caches, arenas, the emulator's translations */
    }
    for (unsigned round = 0; round < BENCH_ROUNDS && (round == 0 || bench_now_ns() < end); round++)
        run_round(sides, count, bursts);
}

/* ---- rows ---- */

/* The bar as a number, if there is one. */
static double limit(const struct bench_row *row)
{
    return row->bar > 0 ? row->bar : 0;
}

static bool is_met(const struct bench_row *row, double value)
{
    return row->higher ? value >= limit(row) : value <= limit(row);
}

static const char *verdict(const struct bench_row *row, double value)
{
    if (row->bar == 0)
        return "";
    return is_met(row, value) ? "met" : "not met";
}

void bench_head(const char *title)
{
    printf("\n%-53s%-14s%-14s%-9s%-14s%s\n", title, "     ours", "reference", " ratio", "its spread", "bar");
}

/* Name and number; a bar and what became of it. */
static void print_value(const char *unit, double value)
{
    printf(" %8.*f %-4s", value < 100 ? 2 : 0, value, unit);
}

static void print_bar(const struct bench_row *row, const char *unit, double value)
{
    if (row->bar != 0)
        printf(" %s %g%s  ", row->higher ? ">=" : "<=", limit(row), unit);
    printf("%s\n", verdict(row, value));
}

static void begin_json(FILE *json, const struct bench_row *row, double ours)
{
    fprintf(json, "{\"group\": \"%s\", \"name\": \"%s\", \"unit\": \"%s\", \"ours\": %.6g, ", row->group, row->name,
            row->unit, ours);
}

static void end_json(FILE *json, const struct bench_row *row, double value)
{
    const char *better = row->higher ? "higher" : "lower";
    if (row->bar != 0)
        fprintf(json, "\"bar\": %.6g, \"better\": \"%s\", \"met\": %s}\n", limit(row), better,
                is_met(row, value) ? "true" : "false");
    else
        fprintf(json, "\"bar\": null, \"better\": \"%s\", \"met\": null}\n", better);
    fflush(json);
}

/* A row with a reference. */
static void report_ratio(FILE *json, const struct bench_row *row, const struct bench_side *ours,
                         const struct bench_side *ref)
{
    double ratios[BENCH_ROUNDS];
    unsigned rounds = ours->rounds;
    for (unsigned i = 0; i < rounds; i++)
        ratios[i] = ours->values[i] / ref->values[i];
    struct summary o = summarize(ours->values, rounds), r = summarize(ref->values, rounds);
    struct summary spread = summarize(ratios, rounds);
    double ratio = o.median / r.median;
    printf("  %-50s", row->name);
    print_value(row->unit, o.median);
    print_value(row->unit, r.median);
    printf(" %6.2fx %5.2f..%-6.2f", ratio, spread.min, spread.max);
    print_bar(row, "x", ratio);
    begin_json(json, row, o.median);
    fprintf(json, "\"ref\": %.6g, \"ref_name\": \"%s\", \"ratio\": %.4g, ", r.median, row->ref_name, ratio);
    fprintf(json, "\"rounds\": %u, \"ours_spread\": [%.6g, %.6g], \"ref_spread\": [%.6g, %.6g], ", rounds, o.min, o.max,
            r.min, r.max);
    fprintf(json, "\"ratio_spread\": [%.4g, %.4g], ", spread.min, spread.max);
    end_json(json, row, ratio);
}

void bench_report(FILE *json, const struct bench_row *row, const struct bench_side *ours, const struct bench_side *ref)
{
    if (ref != NULL)
        report_ratio(json, row, ours, ref);
    else
        bench_fact(json, row, summarize(ours->values, ours->rounds).median);
}

void bench_fact(FILE *json, const struct bench_row *row, double value)
{
    printf("  %-50s", row->name);
    print_value(row->unit, value);
    printf("%14s%9s%-13s", "", "", "");
    print_bar(row, "", value);
    begin_json(json, row, value);
    fprintf(json, "\"ref\": null, \"ref_name\": null, \"ratio\": null, ");
    end_json(json, row, value);
}

/* ---- processors ---- */

/* Those that this process was given, before it pinned itself. */
static const cpu_set_t *allowed(void)
{
    static cpu_set_t set;
    static bool known;
    if (!known && sched_getaffinity(0, sizeof set, &set) != 0)
        bench_fail("sched_getaffinity: %s", strerror(errno));
    known = true;
    return &set;
}

size_t bench_cpus(int *cpus, size_t cap)
{
    const cpu_set_t *set = allowed();
    size_t count = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && count < cap; cpu++) {
        if (CPU_ISSET(cpu, set))
            cpus[count++] = (int)cpu;
    }
    return count;
}

void bench_pin(pid_t pid, int cpu)
{
    char path[64];
    cpu_set_t set = *allowed();
    if (cpu >= 0) {
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
    }
    snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        bench_fail("process %ld is gone", (long)pid);
    for (struct dirent *d = readdir(tasks); d != NULL; d = readdir(tasks)) {
        pid_t task = (pid_t)atol(d->d_name);
        if (task > 0)
            sched_setaffinity(task, sizeof set, &set);
    }
    closedir(tasks);
}
