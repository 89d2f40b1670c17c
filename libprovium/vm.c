/* SPDX-License-Identifier: MIT
 *
 * The life of a VM: boot, session, end.  Puts together what the other files know: kernel and modules,
 * initramfs, QEMU's line, launcher, QMP, session.
 */
#include "qemu_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { QUIT_MS = 2000 }; /* how long shutdown waits for a QEMU that was asked to quit */

struct provium_vm {
    struct provium_launch launch;
    struct provium_qmp qmp;
    struct provium_session *session; /* while booted */
    struct provium_error error;      /* of boot and end; the session has its own */
    struct provium_error earlier;    /* the session's when `error` was set: another one is later */
    bool booting;
};

static const char boot_name[] = "provium_vm_boot";

struct provium_vm *provium_vm_new(void)
{
    struct provium_vm *vm = calloc(1, sizeof *vm);
    if (vm)
        provium_launch_reset(&vm->launch);
    return vm;
}

void provium_vm_free(struct provium_vm *vm)
{
    if (!vm)
        return;
    provium_vm_kill(vm);
    provium_launch_reset(&vm->launch);
    free(vm);
}

/* ---- errors ---- */

/* Text up to the first colon of an error: the function it is about. */
static void copy_caller(char *out, size_t cap, const struct provium_error *e)
{
    size_t len = strcspn(e->text, ":");
    snprintf(out, cap, "%.*s", e->text[len] ? (int)len : 0, e->text);
}

/* The session has lost its agent: say why, if it is known here. */
static void explain(void *context, struct provium_error *e)
{
    struct provium_vm *vm = context;
    char caller[64];
    copy_caller(caller, sizeof caller, e);
    provium_explain_end(&vm->launch, &vm->qmp, caller, e);
    if (!vm->booting && e->code != PROVIUM_E_TIMEOUT)
        provium_explain_tail(&vm->launch, e);
}

/* The session waits: QEMU goes on with a guest that has halted, and nobody would answer. */
static void watch(void *context)
{
    struct provium_vm *vm = context;
    if (provium_explain_halted(&vm->launch, &vm->qmp))
        provium_qmp_send(&vm->qmp, "quit");
}

/* Is the session's error the last one? */
static bool session_is_later(const struct provium_vm *vm)
{
    if (!vm->session)
        return false;
    const struct provium_error *e = provium_session_error(vm->session);
    return !vm->error.code || e->code != vm->earlier.code || strcmp(e->text, vm->earlier.text) != 0;
}

/* Boot's errors come from many functions: begin them all with boot's name. */
static void name_boot(struct provium_error *e)
{
    char text[PROVIUM_ERROR_MAX];
    const char *from = e->text;
    if (strncmp(from, "provium_session_open: ", 22) == 0)
        from += 22;
    snprintf(text, sizeof text, "%s", from);
    provium_fail(e, e->code, e->sys_errno, "%s: %s", boot_name, text);
}

static void append(char *text, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t cap, const char *fmt, ...)
{
    va_list args;
    size_t len = strlen(text);
    va_start(args, fmt);
    vsnprintf(text + len, cap - len, fmt, args);
    va_end(args);
}

/* QEMU does not say which of the options that it was given it means: name those that somebody asked for. */
static void name_options(struct provium_error *e, const struct provium_boot *boot)
{
    char list[512] = "";
    if (e->code != PROVIUM_E_QEMU)
        return;
    if (boot->qemu)
        append(list, sizeof list, ", qemu %s", boot->qemu);
    if (boot->machine)
        append(list, sizeof list, ", machine %s", boot->machine);
    if (boot->cpus)
        append(list, sizeof list, ", cpus %u", boot->cpus);
    if (boot->memory)
        append(list, sizeof list, ", memory %" PRIu64 " MiB", boot->memory >> 20);
    if (*list)
        append(e->text, sizeof e->text, " (asked for: %s)", list + 2);
}

/* ---- boot ---- */

/* The initramfs in memory; the caller closes *fd, which is -1 when there is none. */
static enum provium_status make_initrd(int *fd, const struct provium_boot *boot, const struct provium_kernel *k,
                                       struct provium_error *e)
{
    struct provium_initramfs what = {.modules = *k->modules ? k->modules : NULL,
                                     .agent = boot->agent,
                                     .files = boot->files,
                                     .file_count = boot->file_count};
    enum provium_status status = PROVIUM_OK;
    *fd = memfd_create("provium-initrd", MFD_CLOEXEC);
    if (*fd < 0)
        return provium_fail(e, PROVIUM_E_SYSTEM, errno, "cannot create the initramfs: %s", strerror(errno));
    if (boot->initrd)
        status = provium_initramfs_prepend(*fd, boot->initrd, e);
    return status ? status : provium_initramfs_write(*fd, &what, e);
}

/* Everything up to a QEMU that runs. */
static enum provium_status start(struct provium_vm *vm, const struct provium_boot *boot)
{
    struct provium_kernel kernel;
    struct provium_qemu qemu = {0};
    int initrd = -1;
    enum provium_status status = provium_kernel_choose(&kernel, boot, &vm->error);
    if (!status)
        status = provium_qemu_prepare(&qemu, boot, &kernel, &vm->error);
    if (!status)
        status = make_initrd(&initrd, boot, &kernel, &vm->error);
    if (!status)
        status = provium_launch_start(&vm->launch, &qemu, initrd, &vm->error);
    if (initrd >= 0)
        close(initrd);
    provium_qemu_reset(&qemu);
    return status;
}

/* Wait for the agent's hello. */
static enum provium_status greet(struct provium_vm *vm, int64_t deadline_ms)
{
    int64_t left = deadline_ms - provium_now_ms();
    provium_qmp_init(&vm->qmp, vm->launch.qmp);
    vm->session = provium_session_new();
    if (!vm->session)
        return provium_fail(&vm->error, PROVIUM_E_SYSTEM, ENOMEM, "no memory for a session");
    provium_session_set_owner(vm->session, &(struct provium_owner){"the VM", vm, explain, watch});
    enum provium_status status =
        provium_session_open(vm->session, vm->launch.channel, vm->launch.channel, left > 1 ? (unsigned)left : 1);
    if (status)
        vm->error = *provium_session_error(vm->session);
    return status;
}

static void end_session(struct provium_vm *vm)
{
    provium_session_free(vm->session);
    vm->session = NULL;
}

/* The session goes, its last error stays readable. */
static bool end(struct provium_vm *vm)
{
    if (session_is_later(vm))
        vm->error = *provium_session_error(vm->session);
    end_session(vm);
    return provium_launch_kill(&vm->launch);
}

static enum provium_status refuse_boot(struct provium_vm *vm)
{
    vm->earlier = *provium_session_error(vm->session);
    return provium_fail(&vm->error, PROVIUM_E_STATE, EBUSY, "%s: the VM is booted already", boot_name);
}

enum provium_status provium_vm_boot(struct provium_vm *vm, const struct provium_boot *boot)
{
    static const struct provium_boot defaults;
    if (vm->session && !provium_launch_wait(&vm->launch, 0))
        return refuse_boot(vm);
    end(vm);
    if (!boot)
        boot = &defaults;
    int64_t deadline = provium_now_ms() + (boot->timeout_ms ? boot->timeout_ms : PROVIUM_BOOT_TIMEOUT_MS);
    vm->error = (struct provium_error){0};
    vm->booting = true;
    provium_launch_reset(&vm->launch);
    enum provium_status status = start(vm, boot);
    if (!status)
        status = greet(vm, deadline);
    vm->booting = false;
    if (!status)
        return PROVIUM_OK;
    name_boot(&vm->error);
    name_options(&vm->error, boot);
    if (vm->launch.page)
        provium_explain_tail(&vm->launch, &vm->error);
    end_session(vm);
    provium_launch_kill(&vm->launch);
    return status;
}

/* ---- queries ---- */

struct provium_session *provium_vm_session(struct provium_vm *vm)
{
    return vm->session;
}

const struct provium_error *provium_vm_error(const struct provium_vm *vm)
{
    return session_is_later(vm) ? provium_session_error(vm->session) : &vm->error;
}

size_t provium_vm_console(const struct provium_vm *vm, char *out, size_t cap)
{
    if (cap == 0)
        return 0;
    *out = 0;
    return vm->launch.page ? provium_ring_tail(&vm->launch.page->console, out, cap) : 0;
}

long provium_vm_pid(const struct provium_vm *vm)
{
    return vm->launch.pid && vm->launch.page->state == LAUNCH_RUNNING ? vm->launch.page->qemu_pid : 0;
}

/* ---- the end ---- */

void provium_vm_kill(struct provium_vm *vm)
{
    if (vm->launch.pid)
        end(vm);
}

enum provium_status provium_vm_shutdown(struct provium_vm *vm)
{
    if (!vm->launch.pid)
        return PROVIUM_OK;
    if (provium_qmp_send(&vm->qmp, "quit"))
        provium_launch_wait(&vm->launch, QUIT_MS);
    long pid = provium_vm_pid(vm);
    if (end(vm))
        return PROVIUM_OK;
    return provium_fail(&vm->error, PROVIUM_E_QEMU, 0, "provium_vm_shutdown: QEMU, process %ld, does not die", pid);
}
