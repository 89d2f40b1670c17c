/* SPDX-License-Identifier: MIT
 *
 * A TCG plugin that counts what the guest executes, for figures that do not depend on what
 * else the machine does.  Declares the few functions it uses (QEMU's docs/devel/tcg-plugins):
 * Debian does not package their header.
 */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "count.h"

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_info_t;
struct qemu_plugin_tb;

enum { PLUGIN_API = 1, INLINE_ADD_U64 = 0 };

EXPORT extern int qemu_plugin_version;
int qemu_plugin_version = PLUGIN_API;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*fn)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr, uint64_t value);
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv);

static struct guest_counts *counts;

/* A block is translated once; each time it is executed its length is added. */
static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    const uint64_t kernel = UINT64_C(1) << 63; /* the upper half of the addresses */
    uint64_t *count = qemu_plugin_tb_vaddr(tb) & kernel ? &counts->kernel : &counts->user;
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, count, qemu_plugin_tb_n_insns(tb));
}

/* The one argument is out=FILE. */
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
        return 1;
    int fd = open(argv[0] + 4, O_RDWR | O_CLOEXEC);
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (counts == MAP_FAILED)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
