/* SPDX-License-Identifier: MIT
 *
 * What goes wrong with a VM is said soon and in words, and leaves nothing behind.
 */
#include "../support/guest.h"
#include "../support/process.h"
#include "../support/temp.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NR_getpid = 39, NR_reboot = 169 };

static struct provium_vm *vm;

static void enter(void)
{
    temp_enter();
    vm = provium_vm_new();
}

static void leave(void)
{
    provium_vm_free(vm);
    temp_leave();
}

TestSuite(faults, .init = enter, .fini = leave, .timeout = 120);

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void boot(void)
{
    cr_assert_eq(provium_vm_boot(vm, NULL), PROVIUM_OK, "%s", provium_vm_error(vm)->text);
}

static void cr_assert_says(enum provium_status code, const char *words)
{
    const struct provium_error *e = provium_vm_error(vm);
    cr_assert_eq(e->code, code, "%s", e->text);
    cr_assert(strstr(e->text, words), "'%s' does not say '%s'", e->text, words);
}

static enum provium_status try_call(void)
{
    int64_t ret;
    return provium_syscall(provium_vm_session(vm), NR_getpid, NULL, 0, &ret);
}

/* ---- a guest that ends ---- */

Test(faults, a_panic_is_reported_within_a_second_with_the_console)
{
    boot();
    int64_t start = now_ms();
    cr_assert_eq(guest_write(vm, "/proc/sysrq-trigger", "c"), PROVIUM_E_GUEST);
    cr_assert_lt(now_ms() - start, 1000);
    cr_assert_says(PROVIUM_E_GUEST, "provium_call: the guest panicked: sysrq triggered crash\n");
    cr_assert_says(PROVIUM_E_GUEST, "\n| ");
    /* and stays reported, in one line: there is nothing to talk to */
    cr_assert_eq(try_call(), PROVIUM_E_GUEST);
    cr_assert_str_eq(provium_vm_error(vm)->text,
                     "provium_syscall: the VM is gone: the guest panicked: sysrq triggered crash");
    provium_vm_kill(vm);
    cr_assert_says(PROVIUM_E_GUEST, "the guest panicked");
    cr_assert(no_children());
}

Test(faults, a_reset_is_reported_within_a_second_and_the_vm_can_be_booted_again)
{
    int64_t ret, args[] = {0xfee1dead, 672274793, 0x1234567};
    boot();
    int64_t start = now_ms();
    cr_assert_eq(provium_syscall(provium_vm_session(vm), NR_reboot, args, 3, &ret), PROVIUM_E_GUEST);
    cr_assert_lt(now_ms() - start, 1000);
    cr_assert_says(PROVIUM_E_GUEST, "provium_syscall: the guest reset\n");
    cr_assert_says(PROVIUM_E_GUEST, "reboot: Restarting system");
    boot();
    cr_assert_eq(try_call(), PROVIUM_OK);
}

/* reboot(2) with a command after which nothing runs any more: long before the call's deadline it is said so. */
static void expect_halted(int64_t command, const struct provium_boot *how, const char *words)
{
    int64_t ret, args[] = {0xfee1dead, 672274793, command, 0};
    cr_assert_eq(provium_vm_boot(vm, how), PROVIUM_OK, "%s", provium_vm_error(vm)->text);
    int64_t start = now_ms();
    cr_assert_eq(provium_syscall(provium_vm_session(vm), NR_reboot, args, 4, &ret), PROVIUM_E_GUEST);
    cr_assert_lt(now_ms() - start, PROVIUM_CALL_TIMEOUT_MS / 10);
    cr_assert_says(PROVIUM_E_GUEST, words);
}

enum { RB_HALT = 0xcdef0123U, RB_POWER_OFF = 0x4321fedc };

Test(faults, a_guest_that_powers_itself_off_is_reported_soon)
{
    expect_halted(RB_POWER_OFF, NULL,
                  "provium_syscall: the guest halted: it was halted, or powered off without ACPI\n");
    cr_assert_says(PROVIUM_E_GUEST, "System halted");
    expect_halted(RB_POWER_OFF, &(struct provium_boot){.cpus = 2}, "provium_syscall: the guest powered off\n");
}

Test(faults, a_guest_that_halts_is_reported_soon_and_the_vm_can_be_booted_again)
{
    expect_halted(RB_HALT, &(struct provium_boot){.cpus = 2}, "provium_syscall: the guest halted");
    expect_halted(RB_HALT, NULL, "provium_syscall: the guest halted");
    cr_assert_eq(try_call(), PROVIUM_E_GUEST);
    cr_assert_str_eq(provium_vm_error(vm)->text,
                     "provium_syscall: the VM is gone: the guest halted: it was halted, or powered off without ACPI");
    boot();
    cr_assert_eq(try_call(), PROVIUM_OK);
}

Test(faults, words_on_the_console_alone_do_not_end_a_guest)
{
    int64_t ret, sleep[] = {0};
    struct {
        int64_t s, ns;
    } second = {1, 0};
    struct provium_buffer buffer = {.arg = 0, .data = &second, .len = sizeof second};
    struct provium_call nanosleep = {.nr = 35, .args = sleep, .arg_count = 1, .bufs = &buffer, .buf_count = 1};
    struct provium_result result;
    boot();
    cr_assert_eq(guest_write(vm, "/dev/kmsg", "<0>reboot: System halted\n"), PROVIUM_OK);
    cr_assert_eq(provium_call(provium_vm_session(vm), &nanosleep, &result), PROVIUM_OK);
    cr_assert_eq(provium_syscall(provium_vm_session(vm), NR_getpid, NULL, 0, &ret), PROVIUM_OK);
    char text[4096];
    provium_vm_console(vm, text, sizeof text);
    cr_assert(strstr(text, "System halted"), "%s", text);
}

Test(faults, a_guest_whose_agent_ends_at_once_is_a_panic)
{
    guest_make_agent("agent", AGENT_EXITS);
    cr_assert_eq(provium_vm_boot(vm, &(struct provium_boot){.agent = "agent"}), PROVIUM_E_GUEST);
    cr_assert_says(PROVIUM_E_GUEST, "provium_vm_boot: the guest panicked: Attempted to kill init!");
}

Test(faults, a_guest_without_the_channels_driver_is_told_in_the_agents_words)
{
    cr_assert_eq(provium_vm_boot(vm, &(struct provium_boot){.modules = "none"}), PROVIUM_E_GUEST);
    cr_assert_says(PROVIUM_E_GUEST,
                   "provium_vm_boot: the guest's agent gave up: no virtio-serial port is named provium");
    cr_assert_says(PROVIUM_E_GUEST, "virtio_console");
}

Test(faults, a_kernel_without_acpi_does_not_complain_that_it_has_none)
{
    char text[4096];
    boot();
    provium_vm_console(vm, text, sizeof text);
    cr_assert_null(strstr(text, "ACPI"), "%s", text);
}

/* ---- a guest that hangs ---- */

Test(faults, a_guest_that_hangs_is_given_up_at_the_deadline_and_can_be_booted_again)
{
    int before = count_descriptors();
    int64_t start = now_ms();
    guest_make_agent("agent", AGENT_SLEEPS);
    struct provium_boot sleeps = {.agent = "agent", .timeout_ms = 2500};
    cr_assert_eq(provium_vm_boot(vm, &sleeps), PROVIUM_E_TIMEOUT);
    cr_assert(now_ms() - start >= 2400 && now_ms() - start < 3500);
    cr_assert_says(PROVIUM_E_TIMEOUT, "provium_vm_boot: ");
    cr_assert_says(PROVIUM_E_TIMEOUT, "\n| ");
    cr_assert(no_children());
    cr_assert_eq(count_descriptors(), before);
    boot();
    cr_assert_eq(try_call(), PROVIUM_OK);
}

Test(faults, a_guest_that_floods_its_console_costs_no_more_than_its_time)
{
    static char text[1 << 20];
    size_t len = 0;
    guest_make_agent("agent", AGENT_FLOODS);
    struct provium_boot floods = {.agent = "agent", .timeout_ms = 3500};
    for (; len < 1000 && floods.timeout_ms < 60000; floods.timeout_ms *= 2) { /* a slow host needs longer */
        int64_t start = now_ms();
        cr_assert_eq(provium_vm_boot(vm, &floods), PROVIUM_E_TIMEOUT);
        cr_assert_lt(now_ms() - start, floods.timeout_ms + 1000);
        len = provium_vm_console(vm, text, sizeof text);
    }
    cr_assert(len > 1000 && len <= 256 * 1024, "%zu", len);
    cr_assert_lt(strlen(provium_vm_error(vm)->text), PROVIUM_ERROR_MAX - 1);
}

/* ---- QEMU ---- */

Test(faults, a_qemu_that_is_killed_is_reported)
{
    boot();
    kill((pid_t)provium_vm_pid(vm), SIGKILL);
    int64_t start = now_ms();
    cr_assert_eq(try_call(), PROVIUM_E_QEMU);
    cr_assert_lt(now_ms() - start, 1000);
    cr_assert_says(PROVIUM_E_QEMU, "provium_syscall: QEMU was killed by signal 9");
}

Test(faults, a_watcher_that_is_killed_takes_qemu_with_it_and_is_reported)
{
    boot();
    pid_t qemu = (pid_t)provium_vm_pid(vm);
    kill(parent_of(qemu), SIGKILL);
    cr_assert(gone_within(qemu, 1000));
    cr_assert_eq(try_call(), PROVIUM_E_QEMU);
    cr_assert_says(PROVIUM_E_QEMU, "the process that watches QEMU was killed");
    provium_vm_kill(vm);
    cr_assert(no_children());
}

Test(faults, a_qemu_that_refuses_its_arguments_is_quoted)
{
    int before = count_descriptors();
    int64_t start = now_ms();
    cr_assert_eq(provium_vm_boot(vm, &(struct provium_boot){.machine = "nonesuch"}), PROVIUM_E_QEMU);
    cr_assert_lt(now_ms() - start, 1000);
    cr_assert_says(PROVIUM_E_QEMU, "provium_vm_boot: QEMU ended with status 1: ");
    cr_assert_says(PROVIUM_E_QEMU, "unsupported machine type (asked for: machine nonesuch)\n| ");
    cr_assert_says(PROVIUM_E_QEMU, "-machine help"); /* QEMU's own hint */
    cr_assert_null(strstr(provium_vm_error(vm)->text, "console"));
    cr_assert(no_children());
    cr_assert_eq(count_descriptors(), before);
}

/* ---- what cannot be used ---- */

static void cr_assert_refused(struct provium_boot how, enum provium_status code, const char *words)
{
    cr_assert_eq(provium_vm_boot(vm, &how), code, "%s", provium_vm_error(vm)->text);
    cr_assert_says(code, words);
    cr_assert_eq(strncmp(provium_vm_error(vm)->text, "provium_vm_boot: ", 17), 0);
}

Test(faults, what_cannot_be_used_is_named_and_nothing_is_started)
{
    int before = count_descriptors();
    struct provium_file file = {"/x", "absent"};
    temp_text("text", "this is no kernel");
    cr_assert_refused((struct provium_boot){.kernel = "absent"}, PROVIUM_E_CONFIG, "absent");
    cr_assert_says(PROVIUM_E_CONFIG, "kernel: there is no file absent");
    cr_assert_refused((struct provium_boot){.kernel = "text"}, PROVIUM_E_CONFIG,
                      "text is neither a vmlinux nor a bzImage");
    cr_assert_refused((struct provium_boot){.modules = "absent"}, PROVIUM_E_CONFIG, "modules absent");
    cr_assert_refused((struct provium_boot){.initrd = "absent"}, PROVIUM_E_CONFIG, "initrd absent");
    cr_assert_refused((struct provium_boot){.agent = "absent"}, PROVIUM_E_CONFIG, "absent");
    cr_assert_refused((struct provium_boot){.qemu = "absent-qemu"}, PROVIUM_E_QEMU, "no absent-qemu in PATH");
    cr_assert_refused((struct provium_boot){.accel = "warp"}, PROVIUM_E_CONFIG, "\"warp\"");
    cr_assert_refused((struct provium_boot){.memory = 1024}, PROVIUM_E_CONFIG, "memory");
    cr_assert_refused((struct provium_boot){.files = &file, .file_count = 1}, PROVIUM_E_CONFIG, "cannot read absent");
    cr_assert(no_children());
    cr_assert_eq(count_descriptors(), before);
    cr_assert_null(strchr(provium_vm_error(vm)->text, '\n'));
}

/* ---- the host ---- */

/* The child's own VM; tells its QEMU's and launcher's ids through fd. */
static void run_host(int fd, const struct provium_boot *how)
{
    pid_t ids[2];
    if (provium_vm_boot(vm, how) != PROVIUM_OK)
        _exit(1);
    ids[0] = (pid_t)provium_vm_pid(vm);
    ids[1] = parent_of(ids[0]);
    if (write(fd, ids, sizeof ids) == sizeof ids)
        pause();
    _exit(1);
}

static void kill_and_reap(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

Test(faults, when_the_host_is_killed_nothing_is_left_within_a_second)
{
    pid_t ids[2];
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    pid_t host = fork();
    if (host == 0)
        run_host(fds[1], NULL);
    close(fds[1]);
    cr_assert_eq(read(fds[0], ids, sizeof ids), (ssize_t)sizeof ids);
    kill_and_reap(host);
    cr_assert(gone_within(ids[0], 1000) && gone_within(ids[1], 1000));
}

/* QEMU's id, from a script in its place that writes it down and becomes QEMU. */
static pid_t read_id(const char *path)
{
    int id = 0;
    for (int i = 0; i < 1000 && id == 0; i++) {
        FILE *f = fopen(path, "re");
        if (!f || fscanf(f, "%d\n", &id) != 1)
            usleep(5000);
        if (f)
            fclose(f);
    }
    cr_assert_gt(id, 0);
    return (pid_t)id;
}

Test(faults, when_the_host_is_killed_during_boot_nothing_is_left_either)
{
    static const char script[] = "#!/bin/sh\necho $$ >id\nexec qemu-system-x86_64 \"$@\"\n";
    temp_file("qemu", script, sizeof script - 1, 0755);
    pid_t host = fork();
    if (host == 0)
        run_host(1, &(struct provium_boot){.qemu = "./qemu"});
    pid_t qemu = read_id("id"), launcher = parent_of(qemu);
    usleep(300000); /* into the kernel's start */
    cr_assert(!gone_within(qemu, 0) && launcher > 1);
    kill_and_reap(host);
    cr_assert(gone_within(qemu, 1000) && gone_within(launcher, 1000));
}
