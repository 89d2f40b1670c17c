/* SPDX-License-Identifier: MIT
 *
 * QEMU's program and command line for a boot.  Starts nothing: launcher.c does.
 */
#include "qemu_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CMDLINE_MAX = 2047, /* bytes that an x86 kernel takes: COMMAND_LINE_SIZE less the NUL */
    MEMORY_DEFAULT_MIB = 512,
    MEMORY_MIN_MIB = 32
};

static bool push(struct provium_qemu *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Append one argument; false without memory. */
static bool push(struct provium_qemu *q, const char *fmt, ...)
{
    va_list ap;
    if (q->argc + 1 >= sizeof q->argv / sizeof *q->argv)
        return false;
    va_start(ap, fmt);
    int n = vasprintf(&q->argv[q->argc], fmt, ap);
    va_end(ap);
    if (n < 0)
        q->argv[q->argc] = NULL;
    else
        q->argc++;
    return n >= 0;
}

static bool push_all(struct provium_qemu *q, const char *const *args)
{
    while (*args)
        if (!push(q, "%s", *args++))
            return false;
    return true;
}

/* ---- program and accelerator ---- */

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* As execvp(3) looks; here, because after fork little is allowed. */
static bool search_path(const char *name, char out[PATH_MAX])
{
    const char *path = getenv("PATH");
    for (const char *p = path ? path : "/usr/local/bin:/usr/bin:/bin"; p; p = strchr(p, ':')) {
        p += *p == ':';
        int len = (int)strcspn(p, ":");
        int n = snprintf(out, PATH_MAX, "%.*s%s%s", len, p, len ? "/" : "", name);
        if (n < PATH_MAX && is_program(out))
            return true;
    }
    return false;
}

static enum provium_status find_program(struct provium_qemu *q, const char *name, struct provium_error *e)
{
    if (strchr(name, '/')) {
        if (strlen(name) < PATH_MAX && is_program(strcpy(q->program, name)))
            return PROVIUM_OK;
        return provium_fail(e, PROVIUM_E_QEMU, ENOENT, "QEMU: %s is not a program that can be run", name);
    }
    if (search_path(name, q->program))
        return PROVIUM_OK;
    return provium_fail(e, PROVIUM_E_QEMU, ENOENT, "QEMU: no %s in PATH; Debian's package is qemu-system-x86", name);
}

static enum provium_status choose_accel(struct provium_qemu *q, const char *asked, struct provium_error *e)
{
    const char *why = "";
    if (!asked || strcmp(asked, "auto") == 0) {
        q->kvm = provium_kvm_works(&why);
        return PROVIUM_OK;
    }
    if (strcmp(asked, "tcg") == 0)
        return PROVIUM_OK;
    if (strcmp(asked, "kvm") != 0)
        return provium_fail(e, PROVIUM_E_CONFIG, EINVAL, "accel: \"%s\" is none of auto, kvm, tcg", asked);
    q->kvm = provium_kvm_works(&why);
    return q->kvm ? PROVIUM_OK : provium_fail(e, PROVIUM_E_CONFIG, ENODEV, "accel: kvm does not work: %s", why);
}

/* ---- arguments ---- */

/* Without HPET, USB, the VMware port and ACPI the kernel starts a tenth of a second faster; it finds more
 * than one processor only with ACPI. */
static bool push_machine(struct provium_qemu *q, const struct provium_boot *boot)
{
    const char *tuned = boot->cpus > 1 ? "pc,hpet=off,usb=off,vmport=off" : "pc,hpet=off,usb=off,vmport=off,acpi=off";
    uint64_t mib = UINT64_C(1) << 20;
    uint64_t memory = boot->memory ? (boot->memory + mib - 1) / mib : MEMORY_DEFAULT_MIB;
    return push(q, "-machine") && push(q, "%s", boot->machine ? boot->machine : tuned) && push(q, "-accel") &&
           push(q, "%s", q->kvm ? "kvm" : "tcg") && push(q, "-cpu") &&
           push(q, "%s", q->kvm ? "host" : "qemu64,+rdrand,+rdseed") && push(q, "-m") && push(q, "%" PRIu64, memory) &&
           push(q, "-smp") && push(q, "%u", boot->cpus ? boot->cpus : 1);
}

/* Every device talks to an inherited descriptor: nothing of a run has a name in the file system. */
static bool push_devices(struct provium_qemu *q)
{
    static const char *const args[] = {"-chardev", "stdio,id=console,signal=off",
                                       "-serial",  "chardev:console",
                                       "-mon",     "chardev=qmp,mode=control",
                                       "-device",  "virtio-serial-pci,max_ports=2",
                                       "-device",  "virtserialport,chardev=channel,nr=1,name=provium",
                                       NULL};
    return push(q, "-chardev") && push(q, "socket,id=qmp,fd=%d", QEMU_FD_QMP) && push(q, "-chardev") &&
           push(q, "socket,id=channel,fd=%d", QEMU_FD_CHANNEL) && push_all(q, args);
}

/* Our own machine, the one without ACPI. */
static bool is_bare(const struct provium_boot *boot)
{
    return !boot->machine && boot->cpus <= 1;
}

/* No self-tests of ciphers; code for one processor is not patched for one; a start without random bytes of its own
 * would wait for them; a kernel that looks for ACPI in vain complains. */
static bool push_kernel(struct provium_qemu *q, const struct provium_boot *boot, const struct provium_kernel *k)
{
    return push(q, "-kernel") && push(q, "%s", k->image) && push(q, "-initrd") &&
           push(q, "/proc/self/fd/%d", QEMU_FD_INITRD) && push(q, "-append") &&
           push(q, "console=ttyS0 quiet panic=-1 cryptomgr.notests%s random.trust_cpu=on%s%s%s",
                boot->cpus > 1 ? "" : " noreplace-smp", is_bare(boot) ? " acpi=off" : "", boot->cmdline ? " " : "",
                boot->cmdline ? boot->cmdline : "");
}

static enum provium_status check_files(const struct provium_boot *boot, struct provium_error *e)
{
    if (boot->files == NULL && boot->file_count > 0)
        return provium_fail(e, PROVIUM_E_CONFIG, EINVAL, "files: NULL, but file_count is not 0");
    for (size_t i = 0; i < boot->file_count; i++)
        if (boot->files[i].guest == NULL || boot->files[i].host == NULL)
            return provium_fail(e, PROVIUM_E_CONFIG, EINVAL, "files[%zu].%s: NULL", i,
                                boot->files[i].guest == NULL ? "guest" : "host");
    return PROVIUM_OK;
}

static enum provium_status check(const struct provium_boot *boot, struct provium_error *e)
{
    uint64_t least = (uint64_t)MEMORY_MIN_MIB << 20;
    if (boot->memory && boot->memory < least)
        return provium_fail(e, PROVIUM_E_CONFIG, EINVAL,
                            "memory: %" PRIu64 " bytes are less than the %d MiB of the smallest guest", boot->memory,
                            MEMORY_MIN_MIB);
    if (boot->cpus > PROVIUM_CPUS_MAX)
        return provium_fail(e, PROVIUM_E_CONFIG, EINVAL, "cpus: a number from 1 to %d expected, got %u",
                            PROVIUM_CPUS_MAX, boot->cpus);
    return check_files(boot, e);
}

static enum provium_status push_line(struct provium_qemu *q, const struct provium_boot *boot,
                                     const struct provium_kernel *k, struct provium_error *e)
{
    static const char *const args[] = {"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", NULL};
    if (!push(q, "%s", q->program) || !push_all(q, args) || !push_machine(q, boot) || !push_devices(q) ||
        !push_kernel(q, boot, k))
        return provium_fail(e, PROVIUM_E_SYSTEM, ENOMEM, "no memory for QEMU's arguments");
    if (strlen(q->argv[q->argc - 1]) > CMDLINE_MAX)
        return provium_fail(e, PROVIUM_E_CONFIG, E2BIG,
                            "cmdline: with ours longer than the %d bytes that a kernel takes", CMDLINE_MAX);
    return PROVIUM_OK;
}

enum provium_status provium_qemu_prepare(struct provium_qemu *q, const struct provium_boot *boot,
                                         const struct provium_kernel *k, struct provium_error *e)
{
    *q = (struct provium_qemu){0};
    enum provium_status status = check(boot, e);
    if (!status)
        status = find_program(q, boot->qemu ? boot->qemu : "qemu-system-x86_64", e);
    if (!status)
        status = choose_accel(q, boot->accel, e);
    if (!status)
        status = push_line(q, boot, k, e);
    if (status)
        provium_qemu_reset(q);
    return status;
}

void provium_qemu_reset(struct provium_qemu *q)
{
    for (size_t i = 0; i < q->argc; i++)
        free(q->argv[i]);
    *q = (struct provium_qemu){0};
}
