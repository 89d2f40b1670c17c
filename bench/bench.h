/* SPDX-License-Identifier: MIT
 *
 * What the groups of `make bench` share: rounds, rows, clocks, processors.  A group is
 * a program that prints its rows as a table and appends them to a file as JSON.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { BENCH_NOTHING = -1 };
enum { BENCH_ROUNDS = 15, BENCH_BURSTS_MAX = 31, BENCH_SIDES_MAX = 8, BENCH_BUDGET_S = 240 };

/* One of the things that a round measures. */
struct bench_side {
    double (*run)(void *context, unsigned count); /* does it count times; the value is in the row's unit */
    void *context;
    unsigned count;
    unsigned rounds; /* measured: BENCH_ROUNDS, or fewer when the budget was spent */
    double values[BENCH_ROUNDS];
};

/* A figure. */
struct bench_row {
    const char *group, *name, *unit;
    const char *ref_name; /* floor or peer; NULL: the bar bounds the value itself */
    double bar;           /* 0: none; BENCH_NOTHING: 0 is the bar */
    bool higher;          /* is better */
};

/* Print one sentence and end the program: a figure that cannot be had is an error, a slow one is not. */
_Noreturn void bench_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Round after round, every side runs in turn, in as many bursts as are asked for (an odd number);
 * a round's value is the median of its bursts.  So whatever else the machine does meets all
 * sides, and when bursts are shorter than a time slice, most of them meet nothing. */
void bench_rounds(struct bench_side *sides, size_t count, unsigned bursts);

/* Print the table's head, or a row; ref is NULL when there is no reference.  The ratio is that of the
 * medians; its spread is that of the rounds. */
void bench_head(const char *title);
void bench_report(FILE *json, const struct bench_row *row, const struct bench_side *ours, const struct bench_side *ref);

/* A row of one value that was not measured in rounds: ref_name is NULL. */
void bench_fact(FILE *json, const struct bench_row *row, double value);

/* A clock that never jumps. */
int64_t bench_now_ns(void);

/* The processors that this process may use, at most cap of them; returns how many. */
size_t bench_cpus(int *cpus, size_t cap);

/* Keep all threads of a process on one processor, or let them go with cpu -1. */
void bench_pin(pid_t pid, int cpu);

/* The path DIRECTORY/NAME, to be freed. */
char *bench_path(const char *directory, const char *name);

#endif
