/* SPDX-License-Identifier: MIT
 *
 * Process 1 of a guest: mounts, modules, the port.  The initramfs that libprovium
 * builds says which modules, one path a line, in /.provium/modules.
 */
#include <string.h>

#include "agent.h"
#include "sys.h"

enum { LIST_CAP = 8192, NAME_CAP = 128, PORTS_MAX = 32, WAIT_TRIES = 200, WAIT_NS = 10000000 };

static void complain(const char *what, const char *name, long error)
{
    char number[24] = "";
    agent_append_uint(number, sizeof number, (uint64_t)-error);
    agent_log("provium-agent: ", what, " ", name, ": errno ", number, "\n", NULL);
}

static long open_at(const char *path, int flags)
{
    return sys4(__NR_openat, SYS_AT_FDCWD, sys_ptr(path), flags | SYS_O_CLOEXEC, 0);
}

/* ---- mounts ---- */

static void mount_one(const char *type, const char *where)
{
    sys3(__NR_mkdirat, SYS_AT_FDCWD, sys_ptr(where), 0755);
    long ret = sys6(__NR_mount, sys_ptr(type), sys_ptr(where), sys_ptr(type), 0, 0, 0);
    if (sys_failed(ret))
        complain("cannot mount", where, ret);
}

/* 0 reads nothing, 1 and 2 are the console; the kernel gave us the console three times or nothing. */
static void open_stdio(void)
{
    for (int fd = 0; fd < 3; fd++)
        sys1(__NR_close, fd);
    open_at("/dev/null", SYS_O_RDWR);
    sys4(__NR_openat, SYS_AT_FDCWD, sys_ptr("/dev/console"), SYS_O_RDWR, 0);
    sys3(__NR_fcntl, 1, 0 /* F_DUPFD */, 2);
    sys3(__NR_fcntl, 0, 2 /* F_SETFD */, 0);
}

/* ---- modules ---- */

/* The whole of a small file as text; its length or -errno. */
static long read_text(const char *path, char *out, size_t cap)
{
    long fd = open_at(path, 0);
    if (sys_failed(fd))
        return fd;
    size_t len = 0;
    long n;
    while (len < cap - 1 && (n = sys3(__NR_read, fd, sys_ptr(out + len), (long)(cap - 1 - len))) > 0)
        len += (size_t)n;
    out[len] = '\0';
    sys1(__NR_close, fd);
    return (long)len;
}

static void load_module(const char *path)
{
    long fd = open_at(path, 0);
    long ret = sys_failed(fd) ? fd : sys3(__NR_finit_module, fd, sys_ptr(""), 0);
    if (sys_failed(ret) && ret != -SYS_EEXIST)
        complain("cannot load", path, ret);
    if (!sys_failed(fd))
        sys1(__NR_close, fd);
    sys3(__NR_unlinkat, SYS_AT_FDCWD, sys_ptr(path), 0); /* its memory is the guest's */
}

static void load_modules(void)
{
    static char list[LIST_CAP];
    if (read_text("/.provium/modules", list, sizeof list) <= 0)
        return;
    for (char *line = list; *line != '\0';) {
        char *end = line;
        while (*end != '\n' && *end != '\0')
            end++;
        bool last = *end == '\0';
        *end = '\0';
        if (*line != '\0')
            load_module(line);
        line = last ? end : end + 1;
    }
}

/* ---- the port ---- */

/* "/dev/vportNpM" of the port that is named provium; false while there is none. */
static bool find_port(char *path, size_t cap)
{
    char name[NAME_CAP], text[NAME_CAP];
    for (unsigned port = 0; port < PORTS_MAX; port++) {
        name[0] = path[0] = '\0';
        agent_append_uint(agent_append(name, sizeof name, "/sys/class/virtio-ports/vport"), sizeof name, port / 8);
        agent_append_uint(agent_append(name, sizeof name, "p"), sizeof name, port % 8);
        agent_append(name, sizeof name, "/name");
        if (read_text(name, text, sizeof text) <= 0 || !agent_same(text, "provium\n"))
            continue;
        agent_append_uint(agent_append(path, cap, "/dev/vport"), cap, port / 8);
        agent_append_uint(agent_append(path, cap, "p"), cap, port % 8);
        return true;
    }
    return false;
}

static long open_port(void)
{
    const struct sys_timespec pause = {0, WAIT_NS};
    char path[NAME_CAP];
    for (int i = 0; i < WAIT_TRIES; i++) {
        long fd = find_port(path, sizeof path) ? open_at(path, SYS_O_RDWR) : -SYS_ENOENT;
        if (!sys_failed(fd))
            return fd;
        sys2(__NR_nanosleep, sys_ptr(&pause), 0);
    }
    return -SYS_ENOENT;
}

int init_guest(void)
{
    mount_one("devtmpfs", "/dev");
    mount_one("proc", "/proc");
    mount_one("sysfs", "/sys");
    open_stdio();
    load_modules();
    long fd = open_port();
    if (sys_failed(fd))
        agent_log("provium-agent: no virtio-serial port is named provium; the kernel needs "
                  "virtio_pci and virtio_console, built in or as modules\n", NULL);
    return (int)fd;
}
