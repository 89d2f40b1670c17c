/* SPDX-License-Identifier: MIT */
/*
 * The other side of a comparison: NAME.c makes, as a plain C program in the same guest, the system
 * calls that NAME.lua makes through Provium, and says what it saw.  case.lua runs it and compares.
 *
 *   CASE(pipe)
 *   {
 *       int ends[2];
 *       see("pipe2", call(SYS_pipe2, ends, 0));       // a line: its name, what came back
 *       show(ends, sizeof ends);                      // and bytes on that line
 *   }
 *
 * A case starts in an empty folder of its own, with descriptors 0 to 2 open, in a fresh process.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Define the case of that name; it is found by it in the program's arguments. */
#define CASE(name) \
    static void case_##name(void); \
    __attribute__((constructor)) static void add_##name(void) { judge_add(#name, case_##name); } \
    static void case_##name(void)

void judge_add(const char *name, void (*run)(void));

/* What the kernel returned: a failure is -errno, as a script sees it.  Narrow values are widened by their sign. */
#define call(...) judge_result(syscall(__VA_ARGS__))
long judge_result(long ret);

/* Begin a line: a name and a return value, which it returns. */
long see(const char *name, long ret);

/* Add bytes to the line. */
void show(const void *bytes, size_t len);

/* A line that says how a child that runs `run` ended: "exited:N" or "killed:N". */
void see_child(const char *name, void (*run)(void));

/* len bytes in front of an unmapped page: a copy of data, or zeros if that is NULL.  Never freed. */
void *at_end(const void *data, size_t len);

/* An address where nothing is. */
void *unmapped(void);

/* Make a file with that content in the current folder. */
void make_file(const char *name, const char *content);

#endif
