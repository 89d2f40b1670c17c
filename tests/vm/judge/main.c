// SPDX-License-Identifier: MIT
// main NAME FILE: run a case, then write what it saw to a file, one line a call:
//   NAME: RETURN [=HEX]...
// The lines are kept until the end, so that no descriptor of ours is in the way of the case.
#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { CASES = 64, PAGE = 4096 };

static struct {
    const char *name;
    void (*run)(void);
} cases[CASES];
static int case_count;

static char lines[1 << 20];
static size_t used;

static void fail(const char *text)
{
    fprintf(stderr, "judge: %s: %s\n", text, strerror(errno));
    exit(3);
}

void judge_add(const char *name, void (*run)(void))
{
    if (case_count == CASES)
        fail("too many cases");
    cases[case_count].name = name;
    cases[case_count++].run = run;
}

long judge_result(long ret)
{
    return ret == -1 ? -errno : ret;
}

static void put(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(lines + used, sizeof lines - used, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= sizeof lines - used)
        fail("too many lines");
    used += (size_t)n;
}

long see(const char *name, long ret)
{
    put("%s%s: %ld", used ? "\n" : "", name, ret);
    return ret;
}

void show(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    put(" =");
    for (size_t i = 0; i < len; i++)
        put("%02x", at[i]);
}

void see_child(const char *name, void (*run)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        run();
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        fail(name);
    put("%s%s: %s:%d", used ? "\n" : "", name, WIFSIGNALED(status) ? "killed" : "exited",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

void *at_end(const void *data, size_t len)
{
    size_t room = (len + PAGE - 1) / PAGE * PAGE;
    char *at = mmap(NULL, room + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || mprotect(at + room, PAGE, PROT_NONE) != 0)
        fail("mmap");
    at += room - len;
    return data ? memcpy(at, data, len) : at;
}

void *unmapped(void)
{
    return at_end(NULL, 0);
}

void make_file(const char *name, const char *content)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    if (fd < 0 || write(fd, content, strlen(content)) != (ssize_t)strlen(content) || close(fd) != 0)
        fail(name);
}

static void write_lines(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    for (size_t done = 0; done < used;) {
        ssize_t n = fd < 0 ? -1 : write(fd, lines + done, used - done);
        if (n <= 0)
            fail(path);
        done += (size_t)n;
    }
}

int main(int argc, char **argv)
{
    int out = argc == 3 ? 0 : -1;
    alarm(30);
    for (int i = 0; out == 0 && i < case_count; i++)
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run();
            put("\n");
            write_lines(argv[2]);
            return 0;
        }
    fprintf(stderr, "judge: no such case\n");
    return 2;
}
