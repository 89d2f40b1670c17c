// SPDX-License-Identifier: MIT
#include "judge.h"

#include <linux/bpf.h>

// What the kernel knew when the script's struct was complete, and where the attribute ends.
enum { INFO_SIZE = offsetof(struct bpf_prog_info, ifindex) + 8, MAP_INFO_SIZE = 40, ATTR_SIZE = 16 };

static int program;

static void get_info(const char *name, int fd, void *info, unsigned len)
{
    union bpf_attr attr = {.info = {.bpf_fd = (uint32_t)fd, .info_len = len, .info = (uintptr_t)info}};
    see(name, call(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, ATTR_SIZE));
    show(&attr, ATTR_SIZE);
}

static void map_info(int fd)
{
    char *info = at_end(NULL, MAP_INFO_SIZE);
    get_info("map info", fd, info, MAP_INFO_SIZE);
    show(info, MAP_INFO_SIZE);
}

static void ask(const char *name, size_t room, uint32_t says)
{
    uint32_t *ids = at_end(NULL, 4 * room);
    struct bpf_prog_info info;
    memset(&info, 0, sizeof info);
    info.nr_map_ids = says;
    info.map_ids = (uintptr_t)ids;
    void *copy = at_end(&info, INFO_SIZE);
    get_info(name, program, copy, INFO_SIZE);
    show(copy, INFO_SIZE);
    show(ids, 4 * room);
}

static int new_map(uint32_t i)
{
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8 * i, .max_entries = i};
    return (int)see("map", call(SYS_bpf, BPF_MAP_CREATE, &attr, 20));
}

CASE(bpf_map_ids)
{
    int first = new_map(1), second = new_map(2);
    struct bpf_insn code[] = {
        {0x18, 1, BPF_PSEUDO_MAP_FD, 0, first}, {0, 0, 0, 0, 0},
        {0x18, 2, BPF_PSEUDO_MAP_FD, 0, second}, {0, 0, 0, 0, 0},
        {0xb7, 0, 0, 0, 0}, {0x95, 0, 0, 0, 0},
    };
    union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 6, .insns = (uintptr_t)code,
        .license = (uintptr_t)"GPL"};
    program = (int)see("load", call(SYS_bpf, BPF_PROG_LOAD, &attr, 24));
    map_info(first);
    map_info(second);
    ask("two", 2, 2);
    ask("one", 1, 1);
    ask("three", 3, 3);
    ask("none", 0, 0);
    ask("two in the room of one", 1, 2);
}
