/* SPDX-License-Identifier: MIT
 *
 * Sessions with the real agent as a child or behind a socket, and with programs that are
 * no agent: no descriptor, no process is left.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../libprovium/session_impl.h"
#include "../support/process.h"

static const char *agent_path(void)
{
    static char path[512];
    const char *b = getenv("B");
    snprintf(path, sizeof path, "%s/provium-agent", b != NULL ? b : "build");
    return path;
}

static enum provium_status spawn(struct provium_session *s, const char *program, const char *arg, unsigned timeout_ms)
{
    const char *const argv[] = {program, arg, NULL};
    return provium_session_spawn(s, argv, timeout_ms);
}

static struct provium_session *with_agent(void)
{
    struct provium_session *s = provium_session_new();
    cr_assert_eq(spawn(s, agent_path(), "--execute-here", 5000), PROVIUM_OK, "%s", provium_session_error(s)->text);
    return s;
}

/* ---- spawn ---- */

Test(local, spawned_agent_executes_and_free_leaves_no_process_and_no_descriptor)
{
    int before = count_descriptors();
    struct provium_session *s = with_agent();
    int64_t ret;
    cr_expect_eq(provium_syscall(s, 110 /* getppid */, NULL, 0, &ret), PROVIUM_OK);
    cr_expect_eq(ret, s->child);
    cr_expect_eq(provium_ping(s), PROVIUM_OK);
    cr_expect_str_eq(provium_session_info(s)->arch, "x86_64");
    cr_expect(provium_session_nr(s, "ioctl") == 16);
    cr_expect(provium_session_nr(s, "no such call") == -1);
    cr_expect(!no_children());
    provium_session_free(s);
    cr_expect(no_children());
    cr_expect_eq(count_descriptors(), before);
}

Test(local, spawned_agent_survives_an_exit_and_a_kill_of_its_executor)
{
    static const int64_t three[] = {3};
    struct provium_call leave = {.nr = 231 /* exit_group */, .args = three, .arg_count = 1};
    struct provium_call getpid_call = {.nr = 39};
    struct provium_session *s = with_agent();
    struct provium_result result;
    cr_assert_eq(provium_call(s, &leave, &result), PROVIUM_OK);
    cr_expect_eq(result.ended, PROVIUM_EXITED);
    cr_expect_eq(result.status, 3);
    cr_assert_eq(provium_call(s, &getpid_call, &result), PROVIUM_OK);
    cr_expect_eq(result.ended, PROVIUM_RETURNED);
    cr_assert(result.ret > 1);
    usleep(50000); /* until it has noted that its answer is sent: before, the agent says goodbye */
    kill((pid_t)result.ret, SIGKILL);
    cr_assert_eq(provium_call(s, &getpid_call, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect_eq(result.ended, PROVIUM_KILLED);
    cr_expect_eq(result.signal, SIGKILL);
    cr_assert_eq(provium_call(s, &getpid_call, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect_eq(result.ended, PROVIUM_RETURNED);
    provium_session_free(s);
}

Test(local, killed_agent_is_a_hang_up_and_is_reaped)
{
    struct provium_session *s = with_agent();
    int64_t ret;
    enum provium_status status;
    kill(s->child, SIGKILL);
    while ((status = provium_syscall(s, 39, NULL, 0, &ret)) == PROVIUM_OK) /* its executor follows, a little later */
        continue;
    cr_expect_eq(status, PROVIUM_E_CLOSED);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_syscall: the agent hung up");
    provium_session_free(s);
    cr_expect(no_children());
}

static void expect_no_agent(const char *program, enum provium_status status, const char *text)
{
    int before = count_descriptors();
    struct provium_session *s = provium_session_new();
    cr_expect_eq(spawn(s, program, NULL, 300), status);
    cr_expect_str_eq(provium_session_error(s)->text, text);
    cr_expect(no_children(), "%s is left", program);
    cr_expect_eq(count_descriptors(), before);
    provium_session_free(s);
    cr_expect_eq(count_descriptors(), before);
}

Test(local, program_that_can_not_be_started_is_named_with_its_errno)
{
    expect_no_agent("/nowhere/agent", PROVIUM_E_SYSTEM,
                    "provium_session_spawn: /nowhere/agent: No such file or directory");
    expect_no_agent("/proc/version", PROVIUM_E_SYSTEM, "provium_session_spawn: /proc/version: Permission denied");
    struct provium_session *s = provium_session_new();
    cr_expect_eq(spawn(s, "/nowhere/agent", NULL, 300), PROVIUM_E_SYSTEM);
    cr_expect_eq(provium_session_error(s)->sys_errno, ENOENT);
    provium_session_free(s);
}

Test(local, no_program_and_no_path_are_refused)
{
    static const char *const none[] = {NULL};
    struct provium_session *s = provium_session_new();
    cr_expect_eq(provium_session_spawn(s, none, 100), PROVIUM_E_ARGUMENT);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_session_spawn: argv[0]: NULL");
    cr_expect_eq(provium_session_spawn(s, NULL, 100), PROVIUM_E_ARGUMENT);
    cr_expect_eq(provium_session_connect(s, NULL, 100), PROVIUM_E_ARGUMENT);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_session_connect: NULL: a path has 1 to 107 bytes");
    provium_session_free(s);
}

Test(local, program_that_echoes_is_not_taken_for_an_agent)
{
    expect_no_agent("cat", PROVIUM_E_TIMEOUT, "provium_session_spawn: no agent answered before the deadline");
}

Test(local, program_that_ends_at_once_hangs_up)
{
    expect_no_agent("true", PROVIUM_E_CLOSED, "provium_session_spawn: the agent hung up");
}

Test(local, session_can_be_used_after_a_spawn_that_failed)
{
    struct provium_session *s = provium_session_new();
    cr_expect_eq(spawn(s, "/nowhere/agent", NULL, 300), PROVIUM_E_SYSTEM);
    cr_expect_eq(spawn(s, "true", NULL, 300), PROVIUM_E_CLOSED);
    cr_expect_eq(spawn(s, agent_path(), "--execute-here", 5000), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect_eq(provium_ping(s), PROVIUM_OK);
    provium_session_free(s);
}

Test(local, spawn_works_where_standard_descriptors_are_closed)
{
    int kept[2] = {fcntl(0, F_DUPFD_CLOEXEC, 100), fcntl(1, F_DUPFD_CLOEXEC, 100)};
    close(0);
    close(1);
    struct provium_session *s = provium_session_new();
    enum provium_status status = spawn(s, agent_path(), "--execute-here", 5000);
    provium_session_free(s);
    s = provium_session_new();
    enum provium_status missing = spawn(s, "/nowhere/agent", NULL, 5000);
    provium_session_free(s);
    dup2(kept[0], 0);
    dup2(kept[1], 1);
    cr_expect_eq(status, PROVIUM_OK);
    cr_expect_eq(missing, PROVIUM_E_SYSTEM);
}

/* ---- connect ---- */

/* A name in a directory of its own, so that it is short and nobody else's. */
static void socket_path(char *path, size_t cap)
{
    char dir[] = "/tmp/provium-test-XXXXXX";
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, cap, "%s/agent", dir);
}

static void remove_path(char *path)
{
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

static pid_t start_listener(const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl(agent_path(), agent_path(), "--execute-here", "--listen", path, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
        usleep(10000);
    return pid;
}

Test(local, agent_that_listens_can_be_connected_to)
{
    char path[64];
    int before = count_descriptors();
    socket_path(path, sizeof path);
    pid_t pid = start_listener(path);
    struct provium_session *s = provium_session_new();
    enum provium_status status;
    while ((status = provium_session_connect(s, path, 5000)) == PROVIUM_E_SYSTEM &&
           provium_session_error(s)->sys_errno == ECONNREFUSED) /* bound, and about to listen */
        usleep(1000);
    cr_expect_eq(status, PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_expect_eq(provium_ping(s), PROVIUM_OK);
    provium_session_free(s);
    cr_expect_eq(count_descriptors(), before);
    cr_expect_eq(waitpid(pid, NULL, 0), pid, "the agent ends with its channel");
    remove_path(path);
}

Test(local, socket_that_is_not_there_is_named_with_its_errno)
{
    int before = count_descriptors();
    struct provium_session *s = provium_session_new();
    cr_expect_eq(provium_session_connect(s, "/nowhere/agent", 300), PROVIUM_E_SYSTEM);
    cr_expect_str_eq(provium_session_error(s)->text,
                     "provium_session_connect: /nowhere/agent: No such file or directory");
    cr_expect_eq(provium_session_error(s)->sys_errno, ENOENT);
    cr_expect_eq(count_descriptors(), before);
    provium_session_free(s);
}

Test(local, path_of_a_socket_has_1_to_107_bytes)
{
    char path[200] = "";
    struct provium_session *s = provium_session_new();
    cr_expect_eq(provium_session_connect(s, path, 300), PROVIUM_E_ARGUMENT);
    memset(path, 'p', 107);
    cr_expect_eq(provium_session_connect(s, path, 300), PROVIUM_E_SYSTEM);
    memset(path, 'p', 108);
    cr_expect_eq(provium_session_connect(s, path, 300), PROVIUM_E_ARGUMENT);
    cr_expect(strstr(provium_session_error(s)->text, "pppp: a path has 1 to 107 bytes") != NULL);
    provium_session_free(s);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(address.sun_path, path);
    cr_assert(bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 0) == 0);
    return fd;
}

Test(local, connect_keeps_its_deadline_where_nobody_accepts)
{
    char path[64];
    socket_path(path, sizeof path);
    int fd = listen_at(path);
    struct provium_session *waits = provium_session_new(), *s = provium_session_new();
    int64_t from = provium_now_ms();
    cr_expect_eq(provium_session_connect(waits, path, 100), PROVIUM_E_TIMEOUT);
    cr_expect_str_eq(provium_session_error(waits)->text,
                     "provium_session_connect: no agent answered before the deadline");
    cr_expect_eq(provium_session_connect(s, path, 100), PROVIUM_E_TIMEOUT); /* the queue holds one that was left */
    cr_expect_str_eq(strrchr(provium_session_error(s)->text, ':'), ": busy until the deadline");
    cr_expect(provium_now_ms() - from < 1200);
    provium_session_free(waits);
    provium_session_free(s);
    close(fd);
    remove_path(path);
}
