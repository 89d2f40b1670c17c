/* SPDX-License-Identifier: MIT
 *
 * Which kernel and which modules are chosen, and QEMU's command line for them.
 */
#include "../../libprovium/qemu_impl.h"
#include "../support/temp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE "xdg/provium/kernels"

static struct provium_kernel kernel;
static struct provium_qemu qemu;
static struct provium_error error;

static void make_kernel(const char *path)
{
    char bzimage[1024] = "";
    memcpy(bzimage + 514, "HdrS", 4);
    temp_file(path, bzimage, sizeof bzimage, 0644);
}

static void enter(void)
{
    char xdg[PATH_MAX];
    temp_enter();
    snprintf(xdg, sizeof xdg, "%s/xdg", temp_path());
    setenv("XDG_CACHE_HOME", xdg, 1);
    unsetenv("PROVIUM_KERNEL");
    make_kernel(CACHE "/6.1/vmlinuz");
    temp_text(CACHE "/6.1/modules/modules.dep", "");
    cr_assert_eq(symlink("6.1", CACHE "/default"), 0);
    make_kernel("other/image");
    temp_file("program", "", 0, 0755);
}

static void leave(void)
{
    provium_qemu_reset(&qemu);
    temp_leave();
}

TestSuite(kernel, .init = enter, .fini = leave);
TestSuite(qemu, .init = enter, .fini = leave);

static enum provium_status choose(const char *asked, const char *modules)
{
    struct provium_boot boot = {.kernel = asked, .modules = modules};
    return provium_kernel_choose(&kernel, &boot, &error);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void cr_assert_text(const char *words)
{
    cr_assert(strstr(error.text, words), "'%s' does not say '%s'", error.text, words);
}

/* ---- kernel ---- */

Test(kernel, the_caches_default_is_taken_with_its_modules)
{
    cr_assert_eq(choose(NULL, NULL), PROVIUM_OK, "%s", error.text);
    cr_assert(ends_with(kernel.image, CACHE "/default/vmlinuz"));
    cr_assert(ends_with(kernel.modules, CACHE "/default/modules"));
}

Test(kernel, an_unpacked_kernel_is_preferred)
{
    make_kernel(CACHE "/6.1/vmlinux");
    cr_assert_eq(choose(NULL, NULL), PROVIUM_OK);
    cr_assert(ends_with(kernel.image, "/default/vmlinux"));
}

Test(kernel, the_environment_beats_the_cache_and_a_named_one_beats_both)
{
    setenv("PROVIUM_KERNEL", "other/image", 1);
    cr_assert_eq(choose(NULL, NULL), PROVIUM_OK);
    cr_assert_str_eq(kernel.image, "other/image");
    make_kernel("third");
    cr_assert_eq(choose("third", NULL), PROVIUM_OK);
    cr_assert_str_eq(kernel.image, "third");
    setenv("PROVIUM_KERNEL", "", 1);
    cr_assert_eq(choose(NULL, NULL), PROVIUM_OK);
    cr_assert(ends_with(kernel.image, "/default/vmlinuz"));
}

Test(kernel, modules_beside_a_named_kernel_are_taken)
{
    cr_assert_eq(choose("other/image", NULL), PROVIUM_OK);
    cr_assert_str_eq(kernel.modules, "");
    temp_text("other/modules/modules.dep", "");
    cr_assert_eq(choose("other/image", NULL), PROVIUM_OK);
    cr_assert_str_eq(kernel.modules, "other/modules");
    cr_assert_eq(chdir("other"), 0);
    cr_assert_eq(choose("image", NULL), PROVIUM_OK);
    cr_assert_str_eq(kernel.modules, "modules");
}

Test(kernel, modules_can_be_named_and_declined)
{
    cr_assert_eq(choose(NULL, "other"), PROVIUM_OK);
    cr_assert_str_eq(kernel.modules, "other");
    cr_assert_eq(choose(NULL, "none"), PROVIUM_OK);
    cr_assert_str_eq(kernel.modules, "");
    cr_assert_eq(choose(NULL, "absent"), PROVIUM_E_CONFIG);
    cr_assert_text("the modules absent are not a directory");
}

Test(kernel, an_empty_cache_names_its_place_and_the_way_to_fill_it)
{
    unlink(CACHE "/6.1/vmlinuz");
    cr_assert_eq(choose(NULL, NULL), PROVIUM_E_CONFIG);
    cr_assert_text(CACHE "/default");
    cr_assert_text("`make kernel`");
}

Test(kernel, without_a_cache_variable_the_home_directory_counts)
{
    setenv("XDG_CACHE_HOME", "relative", 1);
    setenv("HOME", "/nowhere", 1);
    cr_assert_eq(choose(NULL, NULL), PROVIUM_E_CONFIG);
    cr_assert_text("/nowhere/.cache/provium/kernels/default");
    unsetenv("HOME");
    cr_assert_eq(choose(NULL, NULL), PROVIUM_E_CONFIG);
    cr_assert_text("HOME");
}

Test(kernel, a_kernel_that_cannot_be_read_is_named_with_the_option_that_named_it)
{
    cr_assert_eq(choose("absent", NULL), PROVIUM_E_CONFIG);
    cr_assert_str_eq(error.text, "kernel: there is no file absent");
    cr_assert_eq(error.sys_errno, ENOENT);
    setenv("PROVIUM_KERNEL", "other", 1);
    cr_assert_eq(choose(NULL, NULL), PROVIUM_E_CONFIG);
    cr_assert_str_eq(error.text, "PROVIUM_KERNEL: cannot read other: Is a directory");
    setenv("PROVIUM_KERNEL", "absent", 1);
    cr_assert_eq(choose(NULL, NULL), PROVIUM_E_CONFIG);
    cr_assert_str_eq(error.text, "PROVIUM_KERNEL: there is no file absent");
}

Test(kernel, what_is_no_kernel_is_refused)
{
    temp_text("text", "not a kernel\n");
    cr_assert_eq(choose("text", NULL), PROVIUM_E_CONFIG);
    cr_assert_text("text is neither a vmlinux nor a bzImage");
}

/* ---- QEMU's command line ---- */

static enum provium_status prepare(struct provium_boot boot)
{
    provium_qemu_reset(&qemu);
    if (!boot.accel)
        boot.accel = "tcg";
    if (!boot.qemu)
        boot.qemu = "./program";
    cr_assert_eq(choose(NULL, NULL), PROVIUM_OK);
    return provium_qemu_prepare(&qemu, &boot, &kernel, &error);
}

/* What follows an option. */
static const char *option(const char *name)
{
    for (size_t i = 0; i + 1 < qemu.argc; i++)
        if (strcmp(qemu.argv[i], name) == 0)
            return qemu.argv[i + 1];
    return "";
}

Test(qemu, the_line_says_what_was_asked_for)
{
    struct provium_boot boot = {.memory = (300 << 20) + 1, .cpus = 3, .machine = "q35", .cmdline = "quiet=0 a,b"};
    cr_assert_eq(prepare(boot), PROVIUM_OK, "%s", error.text);
    cr_assert_str_eq(option("-m"), "301");
    cr_assert_str_eq(option("-smp"), "3");
    cr_assert_str_eq(option("-machine"), "q35");
    cr_assert_str_eq(option("-accel"), "tcg");
    cr_assert_str_eq(option("-kernel"), kernel.image);
    cr_assert(ends_with(option("-append"), " quiet=0 a,b"));
    cr_assert_null(strstr(option("-append"), "acpi=off"));
    cr_assert_null(qemu.argv[qemu.argc]);
}

Test(qemu, the_defaults_are_one_processor_and_512_mib)
{
    cr_assert_eq(prepare((struct provium_boot){0}), PROVIUM_OK);
    cr_assert_str_eq(option("-m"), "512");
    cr_assert_str_eq(option("-smp"), "1");
    cr_assert(strstr(option("-machine"), "acpi=off"));
    cr_assert(strstr(option("-append"), " acpi=off"));
}

Test(qemu, a_program_is_looked_up_in_path)
{
    setenv("PATH", "/nowhere:.", 1);
    cr_assert_eq(prepare((struct provium_boot){.qemu = "program"}), PROVIUM_OK);
    cr_assert_str_eq(qemu.program, "./program");
    cr_assert_eq(prepare((struct provium_boot){.qemu = "absent"}), PROVIUM_E_QEMU);
    cr_assert_text("no absent in PATH");
    cr_assert_eq(prepare((struct provium_boot){.qemu = "./other/image"}), PROVIUM_E_QEMU);
    cr_assert_text("./other/image is not a program");
}

Test(qemu, numbers_that_no_guest_can_have_are_refused)
{
    cr_assert_eq(prepare((struct provium_boot){.memory = 512}), PROVIUM_E_CONFIG);
    cr_assert_text("memory: 512 bytes");
    cr_assert_eq(prepare((struct provium_boot){.cpus = 256}), PROVIUM_E_CONFIG);
    cr_assert_str_eq(error.text, "cpus: a number from 1 to 255 expected, got 256");
}

Test(qemu, files_that_are_not_there_are_refused)
{
    struct provium_file files[] = {{"/a", "b"}, {"/c", NULL}, {NULL, "d"}};
    cr_assert_eq(prepare((struct provium_boot){.file_count = 2}), PROVIUM_E_CONFIG);
    cr_assert_str_eq(error.text, "files: NULL, but file_count is not 0");
    cr_assert_eq(prepare((struct provium_boot){.files = files, .file_count = 2}), PROVIUM_E_CONFIG);
    cr_assert_str_eq(error.text, "files[1].host: NULL");
    cr_assert_eq(prepare((struct provium_boot){.files = files + 2, .file_count = 1}), PROVIUM_E_CONFIG);
    cr_assert_str_eq(error.text, "files[0].guest: NULL");
}

Test(qemu, an_unknown_accelerator_is_refused)
{
    cr_assert_eq(prepare((struct provium_boot){.accel = "fast"}), PROVIUM_E_CONFIG);
    cr_assert_text("accel: \"fast\" is none of auto, kvm, tcg");
}

Test(qemu, a_command_line_that_the_kernel_would_cut_is_refused)
{
    char line[2100];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = 0;
    cr_assert_eq(prepare((struct provium_boot){.cmdline = line}), PROVIUM_E_CONFIG);
    cr_assert_text("cmdline: with ours longer than the 2047 bytes");
    line[1900] = 0;
    cr_assert_eq(prepare((struct provium_boot){.cmdline = line}), PROVIUM_OK);
}

Test(qemu, kvm_is_taken_only_where_it_works_and_that_is_known_at_once)
{
    const char *why = "";
    int64_t start = provium_now_ms();
    bool works = provium_kvm_works(&why);
    cr_assert_eq(prepare((struct provium_boot){.accel = "auto"}), PROVIUM_OK);
    cr_assert_leq(provium_now_ms() - start, 500);
    cr_assert_str_eq(option("-accel"), works ? "kvm" : "tcg");
    cr_assert_eq(prepare((struct provium_boot){.accel = "kvm"}), works ? PROVIUM_OK : PROVIUM_E_CONFIG);
    if (!works) /* and why: what a guest does that does not work may differ from time to time */
        cr_assert_text("accel: kvm does not work: ");
    cr_assert_eq(works, why[0] == '\0');
}
