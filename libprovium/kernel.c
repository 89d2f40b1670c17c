/* SPDX-License-Identifier: MIT
 *
 * Which kernel image and which modules a boot uses: what was asked for, the environment,
 * the cache that tools/get-kernel.sh fills.  Starts nothing.
 */
#include "qemu_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool join(char out[PATH_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* False if the path does not fit. */
static bool join(char out[PATH_MAX], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(out, PATH_MAX, fmt, ap);
    va_end(ap);
    return n >= 0 && n < PATH_MAX;
}

/* A vmlinux is an ELF file; a bzImage has "HdrS" at byte 514 (Documentation/x86/boot.rst). */
static bool is_kernel(const char *path)
{
    char head[518] = "";
    FILE *f = fopen(path, "rbe");
    bool all = f && fread(head, sizeof head, 1, f) == 1;
    if (f)
        fclose(f);
    return all && (memcmp(head, "\177ELF", 4) == 0 || memcmp(head + 514, "HdrS", 4) == 0);
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* $XDG_CACHE_HOME/provium/kernels/default; relative ones are to be ignored, says the XDG specification. */
static bool cache_directory(char out[PATH_MAX])
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && *xdg == '/')
        return join(out, "%s/provium/kernels/default", xdg);
    return home && *home && join(out, "%s/.cache/provium/kernels/default", home);
}

/* The cache's default: vmlinux boots faster than the image it was unpacked from. */
static enum provium_status choose_cached(struct provium_kernel *k, struct provium_error *e)
{
    char cache[PATH_MAX];
    if (!cache_directory(cache))
        return provium_fail(e, PROVIUM_E_CONFIG, 0,
                            "no kernel was named, and without HOME there is no cache of kernels");
    if (join(k->image, "%s/vmlinux", cache) && access(k->image, R_OK) == 0)
        return PROVIUM_OK;
    if (join(k->image, "%s/vmlinuz", cache) && access(k->image, R_OK) == 0)
        return PROVIUM_OK;
    return provium_fail(e, PROVIUM_E_CONFIG, ENOENT,
                        "no kernel at %s: run `make kernel` or provium-get-kernel, or name one (docs/kernels.md)", cache);
}

static enum provium_status choose_image(struct provium_kernel *k, const char *asked, struct provium_error *e)
{
    const char *env = getenv("PROVIUM_KERNEL");
    const char *option = asked ? "kernel" : "PROVIUM_KERNEL";
    const char *path = asked ? asked : env;
    struct stat st;
    if (!path || !*path)
        return choose_cached(k, e);
    if (!join(k->image, "%s", path))
        return provium_fail(e, PROVIUM_E_CONFIG, ENAMETOOLONG, "%s: the path is too long", option);
    int failed = stat(path, &st) != 0 || access(path, R_OK) != 0 ? errno : 0;
    if (!failed && !S_ISREG(st.st_mode))
        failed = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    if (failed == ENOENT)
        return provium_fail(e, PROVIUM_E_CONFIG, failed, "%s: there is no file %s", option, path);
    if (failed)
        return provium_fail(e, PROVIUM_E_CONFIG, failed, "%s: cannot read %s: %s", option, path, strerror(failed));
    if (!is_kernel(path))
        return provium_fail(e, PROVIUM_E_CONFIG, ENOEXEC, "%s: %s is neither a vmlinux nor a bzImage", option, path);
    return PROVIUM_OK;
}

/* Without a word about modules: the directory `modules` beside the image, if there is one. */
static void choose_sibling(struct provium_kernel *k)
{
    const char *slash = strrchr(k->image, '/');
    int len = slash ? (int)(slash - k->image) + 1 : 0;
    if (!join(k->modules, "%.*smodules", len, k->image) || !is_directory(k->modules))
        *k->modules = 0;
}

static enum provium_status choose_modules(struct provium_kernel *k, const char *asked, struct provium_error *e)
{
    if (!asked)
        choose_sibling(k);
    if (!asked || strcmp(asked, "none") == 0)
        return PROVIUM_OK;
    if (!join(k->modules, "%s", asked))
        return provium_fail(e, PROVIUM_E_CONFIG, ENAMETOOLONG, "the modules' path is too long");
    if (!is_directory(asked))
        return provium_fail(e, PROVIUM_E_CONFIG, ENOTDIR,
                            "the modules %s are not a directory such as /lib/modules/RELEASE", asked);
    return PROVIUM_OK;
}

enum provium_status provium_kernel_choose(struct provium_kernel *k, const struct provium_boot *boot,
                                          struct provium_error *e)
{
    *k->image = *k->modules = 0;
    enum provium_status status = choose_image(k, boot->kernel, e);
    return status ? status : choose_modules(k, boot->modules, e);
}
