/* SPDX-License-Identifier: MIT
 *
 * Boot, calls and the planned end, on a real kernel.
 */
#include "../../libprovium/cpio_impl.h"
#include "../support/guest.h"
#include "../support/process.h"
#include "../support/temp.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NR_getpid = 39, NR_sysinfo = 99, NR_sched_getaffinity = 204 };

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

static void boot(const struct provium_boot *how)
{
    cr_assert_eq(provium_vm_boot(vm, how), PROVIUM_OK, "%s", provium_vm_error(vm)->text);
}

TestSuite(boot, .init = enter, .fini = leave, .timeout = 120);

Test(boot, a_vm_executes_system_calls)
{
    char text[4096];
    boot(&(struct provium_boot){.cmdline = "provium.test=1"});
    cr_assert_gt(guest_call(vm, NR_getpid, 0, 0, 0), 0);
    cr_assert_eq(guest_call(vm, 99999, 0, 0, 0), -38); /* ENOSYS is a value */
    cr_assert_gt(guest_read(vm, "/proc/cmdline", text, sizeof text), 0);
    cr_assert(strstr(text, " provium.test=1"), "%s", text);
    cr_assert_str_eq(provium_session_info(provium_vm_session(vm))->arch, "x86_64");
}

Test(boot, a_vm_that_runs_is_not_booted_again)
{
    boot(NULL);
    cr_assert_eq(provium_vm_boot(vm, NULL), PROVIUM_E_STATE);
    cr_assert_str_eq(provium_vm_error(vm)->text, "provium_vm_boot: the VM is booted already");
    cr_assert_gt(guest_call(vm, NR_getpid, 0, 0, 0), 0);
    /* the session's errors are the later ones from here on */
    cr_assert_eq(provium_syscall(provium_vm_session(vm), 0, NULL, 7, NULL), PROVIUM_E_ARGUMENT);
    cr_assert_eq(provium_vm_error(vm)->code, PROVIUM_E_ARGUMENT);
}

/* The size of the guest's memory in MiB, of struct sysinfo. */
static uint64_t total_mib(void)
{
    struct provium_result result;
    uint64_t info[14] = {0};
    struct provium_buffer buffer = {.arg = 0, .data = info, .len = sizeof info};
    struct provium_call call = {.nr = NR_sysinfo, .bufs = &buffer, .buf_count = 1};
    cr_assert_eq(provium_call(provium_vm_session(vm), &call, &result), PROVIUM_OK);
    memcpy(info, result.outs[0].ptr, sizeof info);
    return info[4] >> 20;
}

Test(boot, memory_and_processors_are_as_many_as_asked_for)
{
    struct provium_result result;
    uint64_t mask[128] = {0};
    int64_t args[] = {0, sizeof mask, 0};
    boot(&(struct provium_boot){.memory = UINT64_C(300) << 20, .cpus = 2});
    cr_assert(total_mib() > 200 && total_mib() <= 300);
    struct provium_buffer buffer = {.arg = 2, .data = mask, .len = sizeof mask};
    struct provium_call call = {
        .nr = NR_sched_getaffinity, .args = args, .arg_count = 3, .bufs = &buffer, .buf_count = 1};
    cr_assert_eq(provium_call(provium_vm_session(vm), &call, &result), PROVIUM_OK);
    cr_assert_eq(result.outs[0].ptr[0], 3);
}

/* An initrd of the user's, with one file. */
static void make_initrd(void)
{
    struct provium_cpio c;
    struct provium_error error;
    int fd = open("initrd", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    provium_cpio_init(&c, fd, &error);
    provium_cpio_put(&c, &(struct provium_cpio_item){.path = "mine", .mode = S_IFREG | 0644, .size = 5}, "first");
    provium_cpio_put(&c, &(struct provium_cpio_item){.path = "init", .mode = S_IFREG | 0755, .size = 6}, "not it");
    cr_assert_eq(provium_cpio_end(&c), PROVIUM_OK);
    provium_cpio_reset(&c);
    close(fd);
}

Test(boot, files_arrive_in_the_guest)
{
    char text[64];
    struct provium_file files[] = {{"/opt/data/one", "one"}, {"/tree", "tree"}};
    temp_text("one", "content of one\n");
    temp_text("tree/a/b", "below\n");
    cr_assert_eq(symlink("a/b", "tree/link"), 0);
    make_initrd();
    boot(&(struct provium_boot){.files = files, .file_count = 2, .initrd = "initrd"});
    cr_assert_eq(guest_read(vm, "/opt/data/one", text, sizeof text), 15);
    cr_assert_str_eq(text, "content of one\n");
    cr_assert_eq(guest_read(vm, "/tree/link", text, sizeof text), 6);
    cr_assert_str_eq(text, "below\n");
    cr_assert_eq(guest_read(vm, "/mine", text, sizeof text), 5);
    cr_assert_str_eq(text, "first");
}

Test(boot, two_vms_run_at_once)
{
    struct provium_vm *other = provium_vm_new();
    boot(NULL);
    cr_assert_eq(provium_vm_boot(other, NULL), PROVIUM_OK, "%s", provium_vm_error(other)->text);
    const struct provium_info *mine = provium_session_info(provium_vm_session(vm));
    const struct provium_info *others = provium_session_info(provium_vm_session(other));
    cr_assert_neq(memcmp(mine->instance, others->instance, sizeof mine->instance), 0);
    cr_assert_neq(provium_vm_pid(vm), provium_vm_pid(other));
    provium_vm_kill(vm);
    cr_assert_gt(guest_call(other, NR_getpid, 0, 0, 0), 0);
    provium_vm_free(other);
}

/* The guest says something, and it has come through: a quiet boot leaves the console empty. */
static void say_last_words(void)
{
    char text[4096] = "";
    cr_assert_eq(guest_write(vm, "/dev/kmsg", "<0>last words\n"), PROVIUM_OK);
    for (int i = 0; i < 1000 && !strstr(text, "last words"); i++) {
        usleep(5000);
        provium_vm_console(vm, text, sizeof text);
    }
}

/* Nothing of a VM is left but its last words. */
static void cr_assert_ended(pid_t qemu, pid_t launcher, int descriptors)
{
    char text[4096];
    cr_assert(gone_within(qemu, 0) && gone_within(launcher, 0));
    cr_assert(no_children());
    cr_assert_eq(count_descriptors(), descriptors);
    cr_assert_null(provium_vm_session(vm));
    cr_assert_eq(provium_vm_pid(vm), 0);
    cr_assert_gt(provium_vm_console(vm, text, sizeof text), 0);
    cr_assert(strstr(text, "last words"), "%s", text);
}

Test(boot, shutdown_and_kill_leave_no_process_and_no_descriptor)
{
    int before = count_descriptors();
    boot(NULL);
    pid_t qemu = (pid_t)provium_vm_pid(vm), launcher = parent_of(qemu);
    cr_assert(launcher > 1 && parent_of(launcher) == getpid());
    say_last_words();
    cr_assert_eq(provium_vm_shutdown(vm), PROVIUM_OK);
    cr_assert_ended(qemu, launcher, before);
    cr_assert_eq(provium_vm_shutdown(vm), PROVIUM_OK);
    boot(NULL);
    qemu = (pid_t)provium_vm_pid(vm);
    launcher = parent_of(qemu);
    say_last_words();
    provium_vm_kill(vm);
    cr_assert_ended(qemu, launcher, before);
    provium_vm_kill(vm);
}

Test(boot, a_vm_that_was_never_booted_has_nothing)
{
    char text[16] = "x";
    cr_assert_null(provium_vm_session(vm));
    cr_assert_eq(provium_vm_pid(vm), 0);
    cr_assert_eq(provium_vm_console(vm, text, sizeof text), 0);
    cr_assert_str_empty(text);
    cr_assert_eq(provium_vm_error(vm)->code, PROVIUM_OK);
    cr_assert_eq(provium_vm_shutdown(vm), PROVIUM_OK);
    provium_vm_kill(vm);
    provium_vm_free(NULL);
}
