/* SPDX-License-Identifier: MIT
 *
 * The group `vm`: from nothing to an answer, against QEMU started by hand with the same
 * line and an init that writes one byte.  Usage: vm BUILD_FOLDER JSON_FILE.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../libprovium/provium.h"
#include "bench.h"

enum { MEMORY = 256 << 20, FDS_ABOVE = 32, ARGS_MAX = 64 };

/* QEMU as libprovium starts it, taken from a VM that ran. */
struct line {
    char text[16384]; /* the arguments, each ended by a NUL */
    char *argv[ARGS_MAX];
    int initrd; /* the archive, with the echo guest in it */
};

/* ---- the line ---- */

static size_t read_proc(long pid, const char *name, char *out, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, out, cap);
    if (n <= 0 || (size_t)n == cap)
        bench_fail("%s: cannot be read", path);
    close(fd);
    return (size_t)n;
}

/* The argument behind `option`; NULL when there is none. */
static const char *find_option(const struct line *l, const char *option)
{
    for (size_t i = 0; l->argv[i] != NULL; i++) {
        if (strcmp(l->argv[i], option) == 0)
            return l->argv[i + 1];
    }
    return NULL;
}

static int open_initrd(const struct line *l, long pid)
{
    char path[64];
    const char *name = find_option(l, "-initrd");
    int number;
    if (name == NULL || sscanf(name, "/proc/self/fd/%d", &number) != 1)
        bench_fail("QEMU's line has no inherited initrd");
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", pid, number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        bench_fail("%s: %s", path, strerror(errno));
    return fcntl(fd, F_DUPFD_CLOEXEC, FDS_ABOVE);
}

static void take_line(struct line *l, const char *echo_guest)
{
    const struct provium_boot options = {.agent = echo_guest, .memory = MEMORY};
    struct provium_vm *vm = provium_vm_new();
    if (vm == NULL || provium_vm_boot(vm, &options) != PROVIUM_OK)
        bench_fail("%s", vm != NULL ? provium_vm_error(vm)->text : "out of memory");
    size_t len = read_proc(provium_vm_pid(vm), "cmdline", l->text, sizeof l->text), count = 0;
    for (size_t i = 0; i < len && count < ARGS_MAX - 1; i += strlen(l->text + i) + 1)
        l->argv[count++] = l->text + i;
    l->initrd = open_initrd(l, provium_vm_pid(vm));
    provium_vm_free(vm);
}

/* ---- the floor ---- */

/* Descriptors as QEMU's line names them: 3 is QMP's, 4 the channel's, 5 the initrd's. */
static _Noreturn void become_qemu(const struct line *l, int qmp, int channel)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int from[] = {nothing, nothing, nothing, qmp, channel, l->initrd};
    int high[6];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 6; i++)
        high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FDS_ABOVE);
    for (int i = 0; i < 6; i++)
        dup2(high[i], i);
    execv(l->argv[0], l->argv);
    _exit(127);
}

/* Milliseconds from the fork to the guest's first byte. */
static double floor_run(void *line, unsigned count)
{
    int qmp[2], channel[2];
    char byte;
    (void)count;
    int64_t start = bench_now_ns();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0)
        bench_fail("socketpair: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        become_qemu(line, qmp[1], channel[1]);
    close(qmp[1]);
    close(channel[1]);
    ssize_t n = read(channel[0], &byte, 1);
    double ms = (double)(bench_now_ns() - start) / 1e6;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(qmp[0]);
    close(channel[0]);
    if (n != 1)
        bench_fail("QEMU with the line of libprovium ended before the first byte");
    return ms;
}

/* ---- ours ---- */

/* Milliseconds to the result of the first system call. */
static double boot_run(void *options, unsigned count)
{
    struct provium_vm *vm = provium_vm_new();
    int64_t start = bench_now_ns(), ret;
    (void)count;
    if (vm == NULL || provium_vm_boot(vm, options) != PROVIUM_OK ||
        provium_syscall(provium_vm_session(vm), SYS_getpid, NULL, 0, &ret) != PROVIUM_OK)
        bench_fail("%s", vm != NULL ? provium_vm_error(vm)->text : "out of memory");
    double ms = (double)(bench_now_ns() - start) / 1e6;
    provium_vm_free(vm);
    return ms;
}

/* Milliseconds of the whole command, its VM's end included. */
static double command_run(void *provium, unsigned count)
{
    int status;
    (void)count;
    int64_t start = bench_now_ns();
    pid_t pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1);
        execl(provium, provium, "run", "bench/one_line.lua", (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    if (status != 0)
        bench_fail("provium run bench/one_line.lua failed: run it to see why");
    return (double)(bench_now_ns() - start) / 1e6;
}

/* The bzImage beside the kernel that the line boots; NULL when there is none. */
static char *find_bzimage(const struct line *l)
{
    const char *kernel = find_option(l, "-kernel");
    const char *slash = kernel != NULL ? strrchr(kernel, '/') : NULL;
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%.*s", slash != NULL ? (int)(slash - kernel) : 0, kernel);
    char *path = bench_path(directory, "vmlinuz");
    if (slash != NULL && strcmp(path, kernel) != 0 && access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static void bench_boot(FILE *json, struct line *l, char *provium)
{
    static const struct bench_row cold = {
        "vm", "cold boot to the first result", "ms", "the same QEMU line, to the first byte of init", 1.2, false};
    static const struct bench_row command = {"vm", "provium run of a one-line test, whole",
                                             "ms", "the same QEMU line, to the first byte of init",
                                             1.3,  false};
    static const struct bench_row stock = {
        "vm", "cold boot against q35 and bzImage", "ms", "the same agent on q35 and bzImage", 0.667, false};
    struct provium_boot tuned = {.memory = MEMORY};
    struct provium_boot plain = {.memory = MEMORY, .machine = "q35", .kernel = find_bzimage(l)};
    struct bench_side sides[] = {{.run = floor_run, .context = l},
                                 {.run = boot_run, .context = &tuned},
                                 {.run = command_run, .context = provium},
                                 {.run = boot_run, .context = &plain}};
    bench_rounds(sides, plain.kernel != NULL ? 4 : 3, 1);
    bench_report(json, &cold, &sides[1], &sides[0]);
    bench_report(json, &command, &sides[2], &sides[0]);
    if (plain.kernel != NULL)
        bench_report(json, &stock, &sides[1], &sides[3]);
    free((char *)(uintptr_t)plain.kernel);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        bench_fail("usage: vm BUILD_FOLDER JSON_FILE");
    FILE *json = fopen(argv[2], "we");
    char *echo_guest = bench_path(argv[1], "bench/echo-guest"), *provium = bench_path(argv[1], "provium");
    static struct line line;
    if (json == NULL)
        bench_fail("cannot write %s", argv[2]);
    bench_head("VMs: medians of a start");
    take_line(&line, echo_guest);
    bench_boot(json, &line, provium);
    fclose(json);
    close(line.initrd);
    free(echo_guest);
    free(provium);
    return 0;
}
