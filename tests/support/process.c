/* SPDX-License-Identifier: MIT
 *
 * Processes and descriptors, from /proc.
 */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = -3; /* ., .. and the one that reads */
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

bool no_children(void)
{
    return waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD;
}

/* State and parent; false when there is no such process. */
static bool read_stat(pid_t pid, char *state, pid_t *parent)
{
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    size_t len = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    const char *name_end = len ? strrchr(line, ')') : NULL;
    return name_end && sscanf(name_end + 1, " %c %d", state, parent) == 2;
}

pid_t parent_of(pid_t pid)
{
    char state;
    pid_t parent;
    return read_stat(pid, &state, &parent) ? parent : 0;
}

bool gone_within(pid_t pid, unsigned ms)
{
    char state;
    pid_t parent;
    for (unsigned waited = 0;; waited += 5) {
        if (!read_stat(pid, &state, &parent) || state == 'Z' || state == 'X')
            return true;
        if (waited >= ms)
            return false;
        usleep(5000);
    }
}
