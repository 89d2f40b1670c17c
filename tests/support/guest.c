/* SPDX-License-Identifier: MIT
 *
 * A guest's system calls; programs written as bytes.
 */
#include "guest.h"

#include "temp.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <string.h>

enum { NR_read = 0, NR_write = 1, NR_close = 3, NR_openat = 257 };

/* One call, with an optional buffer as argument `arg`. */
static enum provium_status call(struct provium_vm *vm, struct provium_call *call, const struct provium_buffer *buffer,
                                struct provium_result *result)
{
    call->bufs = buffer;
    call->buf_count = buffer != NULL;
    return provium_call(provium_vm_session(vm), call, result);
}

int64_t guest_call(struct provium_vm *vm, int64_t nr, int64_t a0, int64_t a1, int64_t a2)
{
    int64_t ret = 0, args[] = {a0, a1, a2};
    enum provium_status status = provium_syscall(provium_vm_session(vm), nr, args, 3, &ret);
    cr_assert_eq(status, PROVIUM_OK, "%s", provium_vm_error(vm)->text);
    return ret;
}

int64_t guest_open(struct provium_vm *vm, const char *path, int flags)
{
    struct provium_result result;
    int64_t args[] = {-100, 0, flags, 0};
    struct provium_buffer buffer = {.arg = 1, .data = path, .len = strlen(path) + 1};
    struct provium_call openat = {.nr = NR_openat, .args = args, .arg_count = 4};
    cr_assert_eq(call(vm, &openat, &buffer, &result), PROVIUM_OK, "%s", provium_vm_error(vm)->text);
    return result.ret;
}

int64_t guest_read(struct provium_vm *vm, const char *path, char *out, size_t cap)
{
    struct provium_result result;
    int64_t fd = guest_open(vm, path, 0);
    *out = 0;
    if (fd < 0)
        return fd;
    int64_t args[] = {fd, 0, (int64_t)cap - 1};
    memset(out, 0, cap);
    struct provium_buffer buffer = {.arg = 1, .data = out, .len = cap - 1};
    struct provium_call read = {.nr = NR_read, .args = args, .arg_count = 3};
    cr_assert_eq(call(vm, &read, &buffer, &result), PROVIUM_OK, "%s", provium_vm_error(vm)->text);
    int64_t len = result.ret;
    memcpy(out, result.outs[0].ptr, cap - 1);
    guest_call(vm, NR_close, fd, 0, 0);
    return len;
}

enum provium_status guest_write(struct provium_vm *vm, const char *path, const char *bytes)
{
    struct provium_result result;
    int64_t fd = guest_open(vm, path, 1);
    cr_assert_geq(fd, 0, "%s", path);
    int64_t args[] = {fd, 0, (int64_t)strlen(bytes)};
    struct provium_buffer buffer = {.arg = 1, .data = bytes, .len = strlen(bytes)};
    struct provium_call write = {.nr = NR_write, .args = args, .arg_count = 3};
    return call(vm, &write, &buffer, &result);
}

/* An ELF file is its header, one segment, the code. */
void guest_make_agent(const char *path, enum guest_agent kind)
{
    static const char codes[][32] = {
        /* for (;;) pause() */
        [AGENT_SLEEPS] = "\xb8\x22\0\0\0\x0f\x05\xeb\xf7",
        /* exit(3) */
        [AGENT_EXITS] = "\xb8\x3c\0\0\0\xbf\x03\0\0\0\x0f\x05",
        /* for (;;) write(1, this file, 64) */
        [AGENT_FLOODS] = "\xb8\x01\0\0\0\xbf\x01\0\0\0\xbe\0\0\x40\0\xba\x40\0\0\0\x0f\x05\xeb\xe8",
    };
    struct {
        Elf64_Ehdr header;
        Elf64_Phdr segment;
        char code[32];
    } file = {.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_EXEC,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_entry = 0x400000 + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_ehsize = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 1},
              .segment = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_align = 4096}};
    file.segment.p_filesz = file.segment.p_memsz = sizeof file;
    memcpy(file.code, codes[kind], sizeof file.code);
    temp_file(path, &file, sizeof file, 0755);
}
