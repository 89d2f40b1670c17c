/* SPDX-License-Identifier: MIT
 *
 * A test's own directory.  Any failure ends the test.
 */
#include "temp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

static void die(const char *what)
{
    perror(what);
    abort();
}

void temp_enter(void)
{
    const char *base = getenv("TMPDIR");
    if (!base || strlen(base) > sizeof directory - 24)
        base = "/tmp";
    snprintf(directory, sizeof directory, "%s/provium-test-XXXXXX", base);
    if (!mkdtemp(directory) || chdir(directory) != 0)
        die(directory);
}

/* Delete all that is in the directory dir, and close it.  From descriptor to descriptor:
 * whole paths may be too long. */
static void delete_all(DIR *dir)
{
    struct dirent *d;
    while (dir && (d = readdir(dir)) != NULL) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(dir), d->d_name, 0) == 0)
            continue;
        delete_all(fdopendir(openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
        if (unlinkat(dirfd(dir), d->d_name, AT_REMOVEDIR) != 0)
            die(d->d_name);
    }
    if (dir)
        closedir(dir);
}

void temp_leave(void)
{
    delete_all(opendir(directory));
    if (chdir("/") != 0 || rmdir(directory) != 0)
        die(directory);
}

const char *temp_path(void)
{
    return directory;
}

void temp_file(const char *name, const void *bytes, size_t len, mode_t mode)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", name);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            die(path);
        *slash = '/';
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fchmod(fd, mode) != 0 || close(fd) != 0)
        die(path);
}

void temp_text(const char *name, const char *text)
{
    temp_file(name, text, strlen(text), 0644);
}
