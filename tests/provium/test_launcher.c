/* SPDX-License-Identifier: MIT
 *
 * The launcher, with shell scripts in QEMU's place.
 */
#include "../../libprovium/qemu_impl.h"
#include "../support/process.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct provium_launch launch;
static struct provium_qmp qmp;
static struct provium_error error;
static char text[300000];

static void start_program(const char *program, char *const *argv)
{
    struct provium_qemu q = {0};
    int initrd = memfd_create("initrd", MFD_CLOEXEC);
    cr_assert_eq(write(initrd, "the initrd\n", 11), 11);
    snprintf(q.program, sizeof q.program, "%s", program);
    for (; argv[q.argc]; q.argc++)
        q.argv[q.argc] = argv[q.argc];
    cr_assert_eq(provium_launch_start(&launch, &q, initrd, &error), PROVIUM_OK, "%s", error.text);
    close(initrd);
    provium_qmp_init(&qmp, launch.qmp);
}

static void start(const char *script)
{
    start_program("/bin/sh", (char *[]){"sh", "-c", (char *)(uintptr_t)script, NULL});
}

static const char *console(void)
{
    provium_ring_tail(&launch.page->console, text, sizeof text);
    return text;
}

/* Wait until the script has printed something. */
static pid_t wait_running(void)
{
    for (int i = 0; i < 1000 && !*console(); i++)
        usleep(5000);
    cr_assert_eq(launch.page->state, LAUNCH_RUNNING);
    return launch.page->qemu_pid;
}

static void explain(void)
{
    error = (struct provium_error){.code = PROVIUM_E_CLOSED};
    provium_explain_end(&launch, &qmp, "here", &error);
}

static void reset(void)
{
    provium_launch_reset(&launch);
}

TestSuite(launcher, .fini = reset, .timeout = 30);

/* ---- what QEMU gets ---- */

Test(launcher, qemu_has_its_descriptors_and_no_others)
{
    int stray = dup(0); /* an embedder's, not CLOEXEC */
    start("cd /proc/self/fd; echo *; readlink 0 3 4; cat /proc/self/fd/5");
    cr_assert(provium_launch_wait(&launch, 5000));
    /* one more is the shell's own, to read the directory */
    cr_assert_eq(strncmp(console(), "0 1 2 3 4 5", 11), 0, "%s", text);
    cr_assert(strchr(text, '\n') - text <= 13, "%s", text);
    cr_assert(strstr(text, "/dev/null\nsocket:[") && strstr(text, "the initrd\n"), "%s", text);
    close(stray);
}

Test(launcher, the_channel_reaches_qemu)
{
    char reply[16] = "";
    start("read line <&4; echo \"$line too\" >&4");
    cr_assert_eq(write(launch.channel, "we\n", 3), 3);
    cr_assert(provium_launch_wait(&launch, 5000));
    cr_assert_eq(read(launch.channel, reply, sizeof reply - 1), 7);
    cr_assert_str_eq(reply, "we too\n");
}

Test(launcher, qemu_has_default_signals_and_a_session_of_its_own)
{
    sigset_t all;
    sigfillset(&all);
    signal(SIGINT, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    start("grep -E 'SigBlk|SigIgn' /proc/self/status; cut -d ' ' -f 6 /proc/self/stat");
    cr_assert(provium_launch_wait(&launch, 5000));
    char expected[128];
    snprintf(expected, sizeof expected, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n%d\n", launch.pid);
    cr_assert_str_eq(console(), expected);
}

/* ---- output ---- */

Test(launcher, the_last_of_a_flood_is_kept_and_nothing_blocks)
{
    start("yes 'a line of a flood' | head -c 5000000; echo the end");
    cr_assert(provium_launch_wait(&launch, 20000));
    cr_assert_eq(launch.page->console.total, 5000008);
    size_t len = provium_ring_tail(&launch.page->console, text, sizeof text);
    cr_assert_gt(len, 200000);
    cr_assert_str_eq(text + len - 8, "the end\n");
    cr_assert_eq(provium_ring_tail(&launch.page->console, text, 5), 4);
    cr_assert_str_eq(text, "end\n");
}

Test(launcher, a_tail_that_is_read_during_a_flood_is_whole)
{
    start("yes 0123456789");
    wait_running();
    for (int i = 0; i < 200; i++) {
        size_t len = provium_ring_tail(&launch.page->console, text, sizeof text);
        const char *line = strchr(text, '\n');
        for (; line && line + 11 < text + len; line += 11)
            cr_assert_eq(memcmp(line, "\n0123456789", 11), 0);
    }
}

Test(launcher, a_closed_output_is_not_an_end)
{
    start("echo on; exec >/dev/null 2>&1; sleep 60");
    wait_running();
    cr_assert_not(provium_launch_wait(&launch, 100));
    cr_assert_eq(launch.page->state, LAUNCH_RUNNING);
}

/* ---- ends, in words ---- */

Test(launcher, an_exit_is_told_with_qemus_first_complaint)
{
    start("echo 'sh: warning: old' >&2; echo 'sh: no such thing' >&2; echo 'Try help' >&2; exit 3");
    explain();
    cr_assert_eq(error.code, PROVIUM_E_QEMU);
    cr_assert_str_eq(error.text, "here: QEMU ended with status 3: sh: no such thing");
}

Test(launcher, a_kill_from_outside_is_told)
{
    start("echo up; sleep 60");
    kill(wait_running(), SIGKILL);
    explain();
    cr_assert_eq(error.code, PROVIUM_E_QEMU);
    cr_assert_str_eq(error.text, "here: QEMU was killed by signal 9 (Killed)");
}

Test(launcher, a_program_that_cannot_be_executed_is_told)
{
    start_program("/etc/passwd", (char *[]){"qemu", NULL});
    explain();
    cr_assert_eq(error.code, PROVIUM_E_QEMU);
    cr_assert_eq(error.sys_errno, EACCES);
    cr_assert_str_eq(error.text, "here: QEMU cannot be started: Permission denied");
}

Test(launcher, a_reason_that_qmp_gives_is_told)
{
    start("echo '{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}' >&3");
    explain();
    cr_assert_eq(error.code, PROVIUM_E_GUEST);
    cr_assert_str_eq(error.text, "here: the guest reset");
}

Test(launcher, a_panic_is_told_in_the_kernels_words)
{
    start("printf '[ 1.0] Kernel panic - not syncing: bad \\033[2J thing\\r\\n'; "
          "echo '{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}' >&3");
    explain();
    cr_assert_eq(error.code, PROVIUM_E_GUEST);
    cr_assert_str_eq(error.text, "here: the guest panicked: bad ?[2J thing");
}

Test(launcher, a_guest_that_qemu_stopped_is_told)
{
    start("echo '{\"event\": \"STOP\"}' >&3; read a <&3; read b <&3; "
          "echo '{\"id\": \"query-status\", \"return\": {\"status\": \"internal-error\"}}' >&3; sleep 60");
    explain();
    cr_assert_eq(error.code, PROVIUM_E_QEMU);
    cr_assert_str_eq(error.text, "here: QEMU stopped the guest: internal-error");
}

Test(launcher, an_error_of_a_qemu_that_runs_is_left_alone)
{
    start("echo up; sleep 60");
    wait_running();
    provium_fail(&error, PROVIUM_E_TIMEOUT, 0, "here: no answer");
    provium_explain_end(&launch, &qmp, "there", &error);
    cr_assert_eq(error.code, PROVIUM_E_TIMEOUT);
    cr_assert_str_eq(error.text, "here: no answer");
}

Test(launcher, the_tail_is_twenty_harmless_lines)
{
    start("for i in $(seq 30); do echo line $i; done; printf '\\033]0;x\\007\\200\\000|\\n\\n'");
    cr_assert(provium_launch_wait(&launch, 5000));
    provium_fail(&error, PROVIUM_E_QEMU, 0, "why");
    provium_explain_tail(&launch, &error);
    cr_assert(strstr(error.text, "why\n| ... 11 earlier lines: vm:console()\n| line 12\n| line 13\n") == error.text,
              "%s", error.text);
    const char *end = strstr(error.text, "\n| line 30\n");
    cr_assert_not_null(end);
    cr_assert_str_eq(end, "\n| line 30\n| ?]0;x???|");
}

Test(launcher, the_tail_of_a_panic_shows_what_led_to_it)
{
    start("for i in $(seq 30); do echo before $i; done; echo 'Kernel panic - not syncing: x'; "
          "for i in $(seq 50); do echo trace $i; done");
    cr_assert(provium_launch_wait(&launch, 5000));
    provium_fail(&error, PROVIUM_E_GUEST, 0, "why");
    provium_explain_tail(&launch, &error);
    cr_assert(strstr(error.text, "why\n| ... 22 earlier lines: vm:console()\n| before 23\n") == error.text, "%s",
              error.text);
    cr_assert_not_null(strstr(error.text, "\n| before 30\n| Kernel panic - not syncing: x\n| trace 1\n"));
    const char *end = strstr(error.text, "\n| trace 11");
    cr_assert_not_null(end);
    cr_assert_str_eq(end, "\n| trace 11\n| ... 39 later lines: vm:console()");
}

Test(launcher, a_tail_of_endless_lines_fits_the_error)
{
    start("head -c 20000 /dev/zero | tr '\\0' x");
    cr_assert(provium_launch_wait(&launch, 5000));
    provium_fail(&error, PROVIUM_E_QEMU, 0, "why");
    provium_explain_tail(&launch, &error);
    cr_assert_lt(strlen(error.text), 200);
    cr_assert_str_eq(error.text + strlen(error.text) - 6, "xxx...", "%s", error.text);
}

Test(launcher, the_tail_of_a_flood_says_that_there_was_more)
{
    start("yes 0123456789 | head -n 10000");
    cr_assert(provium_launch_wait(&launch, 5000));
    provium_fail(&error, PROVIUM_E_GUEST, 0, "why");
    provium_explain_tail(&launch, &error);
    cr_assert(strstr(error.text, "why\n| ... more than 1") == error.text, "%s", error.text);
}

/* The error of a QEMU that ended before there was a console, with its tail. */
static const char *tail_of(const char *script)
{
    start(script);
    cr_assert(provium_launch_wait(&launch, 5000));
    provium_fail(&error, PROVIUM_E_QEMU, 0, "why");
    provium_explain_tail(&launch, &error);
    return error.text;
}

Test(launcher, without_a_console_qemus_own_words_are_the_tail)
{
    cr_assert_str_eq(tail_of("echo 'no such thing' >&2; echo 'Try help' >&2; exit 1"),
                     "why\n| no such thing\n| Try help");
    reset();
    cr_assert_str_eq(tail_of("echo 'no such thing' >&2; exit 1"), "why");
    reset();
    cr_assert_str_eq(tail_of("exit 1"), "why");
}

Test(launcher, last_words_of_an_agent_that_was_process_1_are_told)
{
    start("echo 'provium-agent: no port'; echo 'Kernel panic - not syncing: Attempted to kill init! exitcode=1'; "
          "echo '{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}' >&3");
    explain();
    cr_assert_str_eq(error.text, "here: the guest's agent gave up: no port");
    reset();
    start("echo 'provium-agent: no port'; echo 'Kernel panic - not syncing: Oops'; "
          "echo '{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}' >&3");
    explain();
    cr_assert_str_eq(error.text, "here: the guest panicked: Oops");
}

/* ---- nothing stays ---- */

Test(launcher, kill_leaves_no_process_and_no_descriptor)
{
    int before = count_descriptors();
    start("trap '' TERM INT HUP; echo up; while :; do sleep 60; done");
    pid_t qemu = wait_running(), launcher = launch.pid;
    cr_assert(provium_launch_kill(&launch));
    cr_assert(gone_within(qemu, 0) && gone_within(launcher, 0));
    cr_assert(no_children());
    cr_assert_eq(count_descriptors(), before);
    cr_assert_str_eq(console(), "up\n");
    cr_assert(provium_launch_kill(&launch));
}

Test(launcher, when_it_dies_qemu_dies)
{
    start("echo up; exec sleep 60");
    pid_t qemu = wait_running();
    kill(launch.pid, SIGKILL);
    cr_assert(gone_within(qemu, 1000));
    explain();
    cr_assert_eq(error.code, PROVIUM_E_QEMU);
    cr_assert_str_eq(error.text, "here: the process that watches QEMU was killed, and QEMU with it");
}

/* A host of our own that is killed; returns with QEMU's and the launcher's ids.  A heir is a child
 * of that host, alive with all its descriptors. */
static void kill_host(pid_t ids[2], bool with_heir)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    pid_t host = fork();
    if (host == 0) {
        start("echo up; exec sleep 60");
        ids[0] = wait_running();
        ids[1] = launch.pid;
        if (with_heir && fork() == 0)
            _exit((int)sleep(5));
        _exit(write(fds[1], ids, 2 * sizeof *ids) > 0 ? pause() : 1);
    }
    cr_assert_eq(read(fds[0], ids, 2 * sizeof *ids), (ssize_t)(2 * sizeof *ids));
    kill(host, SIGKILL);
    waitpid(host, NULL, 0);
}

Test(launcher, when_the_host_is_killed_nothing_is_left_within_a_second)
{
    pid_t ids[2];
    kill_host(ids, false);
    cr_assert(gone_within(ids[0], 1000));
    cr_assert(gone_within(ids[1], 1000));
}

Test(launcher, a_child_of_the_host_does_not_keep_qemu_alive)
{
    pid_t ids[2];
    kill_host(ids, true);
    cr_assert(gone_within(ids[0], 1000));
    cr_assert(gone_within(ids[1], 1000));
}

static void *start_in_thread(void *unused)
{
    start("echo up; exec sleep 60");
    return unused;
}

Test(launcher, qemu_outlives_the_thread_that_started_it)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, start_in_thread, NULL), 0);
    pthread_join(thread, NULL);
    wait_running();
    cr_assert_not(provium_launch_wait(&launch, 200));
}

Test(launcher, an_embedder_that_ignores_its_children_is_no_trouble)
{
    signal(SIGCHLD, SIG_IGN);
    start("echo up; exit 7");
    explain();
    cr_assert_str_eq(error.text, "here: QEMU ended with status 7");
    cr_assert(provium_launch_kill(&launch));
    cr_assert(no_children());
}

static void note(int n)
{
    (void)n;
    cr_assert_fail("a handler of the embedder ran");
}

Test(launcher, no_handler_of_the_embedder_runs)
{
    signal(SIGCHLD, SIG_DFL);
    signal(SIGTERM, note);
    signal(SIGALRM, note);
    start("echo up; kill -TERM $$; sleep 60");
    explain();
    cr_assert_str_eq(error.text, "here: QEMU was killed by signal 15 (Terminated)");
}
