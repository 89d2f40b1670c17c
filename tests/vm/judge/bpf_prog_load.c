// SPDX-License-Identifier: MIT
#include "judge.h"

#include <linux/bpf.h>
#include <sys/socket.h>

static int map;

// The part of the attribute that a program of its first versions fills.
enum { LOAD_SIZE = offsetof(union bpf_attr, prog_name) + BPF_OBJ_NAME_LEN };

static void look_up(struct bpf_insn code[9], int fd)
{
    static const struct bpf_insn lookup[9] = {
        {0xbf, 2, 10, 0, 0}, // r2 = r10
        {0x07, 2, 0, 0, -4}, // r2 += -4
        {0x62, 10, 0, -4, 0}, // *(u32 *)(r10 - 4) = 0
        {0x18, 1, BPF_PSEUDO_MAP_FD, 0, 0}, // r1 = the map
        {0, 0, 0, 0, 0},
        {0x85, 0, 0, 0, BPF_FUNC_map_lookup_elem},
        {0x15, 0, 0, 1, 0}, // if r0 == 0, leave out
        {0x79, 0, 0, 0, 0}, // r0 = *(u64 *)r0
        {0x95, 0, 0, 0, 0}, // exit
    };
    memcpy(code, lookup, sizeof lookup);
    code[3].imm = fd;
}

static union bpf_attr program(const struct bpf_insn *code, unsigned count, const char *license)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attr.insns = (uintptr_t)code;
    attr.insn_cnt = count;
    attr.license = (uintptr_t)license;
    attr.log_level = 1;
    attr.log_size = 4096;
    strcpy(attr.prog_name, "judge");
    return attr;
}

static int new_map(const char *name)
{
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
    return (int)see(name, call(SYS_bpf, BPF_MAP_CREATE, &attr, 20));
}

static int load(const char *name, union bpf_attr attr)
{
    char *log = at_end(NULL, attr.log_size);
    attr.log_buf = (uintptr_t)log;
    void *copy = at_end(&attr, LOAD_SIZE);
    int fd = (int)see(name, call(SYS_bpf, BPF_PROG_LOAD, copy, LOAD_SIZE));
    show(copy, LOAD_SIZE);
    show(log, attr.log_size);
    return fd;
}

static void run(int prog)
{
    int pair[2], key = 0;
    see("socketpair", call(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair));
    show(pair, sizeof pair);
    see("attach", call(SYS_setsockopt, pair[1], SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof prog));
    show(&prog, sizeof prog);
    for (uint64_t len = 4; len >= 2; len -= 2) {
        union bpf_attr attr = {.map_fd = (uint32_t)map, .key = (uintptr_t)&key, .value = (uintptr_t)&len};
        char text[8] = "";
        see("update", call(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, 32));
        see("sendto", call(SYS_sendto, pair[0], "packet", 6, 0, NULL, 0));
        see("recvfrom", call(SYS_recvfrom, pair[1], text, 8, 0, NULL, NULL));
        show(text, sizeof text);
    }
}

// Without a name: the script's attribute has none.
static void second(void)
{
    struct bpf_insn code[] = {{0x18, 1, BPF_PSEUDO_MAP_FD, 0, new_map("second map")}, {0, 0, 0, 0, 0},
        {0xb7, 0, 0, 0, 0}, {0x95, 0, 0, 0, 0}};
    union bpf_attr attr = program(code, 4, "GPL");
    memset(attr.prog_name, 0, sizeof attr.prog_name);
    load("second load", attr);
}

static void refused(struct bpf_insn code[9])
{
    union bpf_attr attr = program(code, 9, "GPL");
    load("no r0", program(code + 8, 1, "GPL"));
    attr.license = (uintptr_t)"Proprietary";
    attr.log_level = 8;
    load("no license for it", attr);
    attr = program(code, 9, "GPL");
    attr.log_level = 2;
    attr.log_size = 130;
    load("short log", attr);
    load("no end", program(code, 9, at_end("GPL", 3)));
    load("no instructions", program(NULL, 9, "GPL"));
    look_up(code, 999);
    load("no map", program(code, 9, "GPL"));
}

CASE(bpf_prog_load)
{
    struct bpf_insn code[9];
    map = new_map("map");
    look_up(code, map);
    run(load("load", program(code, 9, "GPL")));
    second();
    refused(code);
}
