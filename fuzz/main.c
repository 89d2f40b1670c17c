/* SPDX-License-Identifier: MIT
 *
 * Replays a corpus without libFuzzer: every file, and every prefix of the smaller ones.
 * Built with any one target; the arguments are files and folders.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { PATH_CAP = 4096, PREFIXES_UP_TO = 1024 };

static unsigned long inputs;

/* Run on a copy that ends where its allocation ends, so that a sanitizer sees what reads beyond. */
static bool run(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    inputs++;
    return true;
}

static bool run_prefixes(const uint8_t *bytes, size_t len)
{
    bool ok = true;
    for (size_t part = 0; ok && len <= PREFIXES_UP_TO && part < len; part++)
        ok = run(bytes, part);
    return ok && run(bytes, len);
}

static bool run_file(const char *path, size_t len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(len + 1);
    bool ok = f != NULL && bytes != NULL && fread(bytes, 1, len, f) == len && run_prefixes(bytes, len);
    if (f != NULL)
        fclose(f);
    free(bytes);
    return ok;
}

static bool run_path(const char *path);

static bool run_folder(const char *path)
{
    char name[PATH_CAP];
    DIR *dir = opendir(path);
    bool ok = dir != NULL;
    for (struct dirent *d; ok && (d = readdir(dir)) != NULL;) {
        if (d->d_name[0] == '.')
            continue;
        int n = snprintf(name, sizeof name, "%s/%s", path, d->d_name);
        ok = n > 0 && n < PATH_CAP && run_path(name);
    }
    if (dir != NULL)
        closedir(dir);
    return ok;
}

static bool run_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    return S_ISDIR(st.st_mode) ? run_folder(path) : run_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!run_path(argv[i])) {
            fprintf(stderr, "%s: cannot replay %s\n", argv[0], argv[i]);
            return 1;
        }
    }
    printf("%s: %lu inputs\n", argv[0], inputs);
    return inputs > 0 ? 0 : 1;
}
