/* SPDX-License-Identifier: MIT
 *
 * Does KVM work here?  A /dev/kvm that opens proves nothing (nested hosts that emulate part of the
 * instructions exist), so a few instructions of every kernel's start are run.  Does not know QEMU.
 */
#include "qemu_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

#include <linux/kvm.h>

enum {
    PROBE_MS = 50, /* by then a working KVM has long finished */
    CPUID_MAX = 256,
    /* addresses in the guest's memory */
    GUEST_PML4 = 0x1000,
    GUEST_PDPT = 0x2000,
    GUEST_PD = 0x3000,
    GUEST_CODE = 0x4000,
    GUEST_DATA = 0x5000,
    GUEST_LEN = 0x6000
};

enum verdict { VERDICT_NONE, VERDICT_WORKS, VERDICT_SETUP, VERDICT_FAILS };

/* What hosts without full hardware virtualization fail at: SSE, a 16-byte atomic, a tight loop. */
static const uint8_t guest_code[] = {
    0x66, 0x0f, 0xef, 0xc0,       /* pxor xmm0, xmm0 */
    0xf0, 0x48, 0x0f, 0xc7, 0x0e, /* lock cmpxchg16b [rsi] */
    0xb9, 0x40, 0x42, 0x0f, 0x00, /* mov ecx, 1000000 */
    0xff, 0xc9,                   /* dec ecx */
    0x75, 0xfc,                   /* jnz to the dec */
    0xf4,                         /* hlt */
};

/* Memory with one page of 2 MiB mapped to itself. */
static bool setup_memory(int vm)
{
    uint8_t *memory = mmap(NULL, GUEST_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    const uint64_t present_writable = 3, large = 0x80;
    const uint64_t pml4 = GUEST_PDPT | present_writable, pdpt = GUEST_PD | present_writable;
    const uint64_t pd = present_writable | large;
    memcpy(memory + GUEST_PML4, &pml4, sizeof pml4);
    memcpy(memory + GUEST_PDPT, &pdpt, sizeof pdpt);
    memcpy(memory + GUEST_PD, &pd, sizeof pd);
    memcpy(memory + GUEST_CODE, guest_code, sizeof guest_code);
    struct kvm_userspace_memory_region region = {.memory_size = GUEST_LEN, .userspace_addr = (uintptr_t)memory};
    return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

static bool setup_cpuid(int kvm, int cpu)
{
    static const size_t len = sizeof(struct kvm_cpuid2) + CPUID_MAX * sizeof(struct kvm_cpuid_entry2);
    struct kvm_cpuid2 *cpuid = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (cpuid == MAP_FAILED)
        return false;
    cpuid->nent = CPUID_MAX;
    return ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0 && ioctl(cpu, KVM_SET_CPUID2, cpuid) == 0;
}

/* 64-bit mode, ring 0, flat. */
static bool setup_registers(int cpu)
{
    struct kvm_segment data = {.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1};
    struct kvm_regs regs = {.rip = GUEST_CODE, .rsi = GUEST_DATA, .rflags = 2};
    struct kvm_sregs s;
    if (ioctl(cpu, KVM_GET_SREGS, &s) != 0)
        return false;
    s.ds = s.es = s.fs = s.gs = s.ss = data;
    s.cs = data;
    s.cs.selector = 8;
    s.cs.type = 11;
    s.cs.db = 0;
    s.cs.l = 1;
    s.cr3 = GUEST_PML4;
    s.cr4 = 0x220;      /* PAE, OSFXSR */
    s.cr0 = 0x80000033; /* paging, protected mode, FPU */
    s.efer = 0x500;     /* long mode enabled and active */
    return ioctl(cpu, KVM_SET_SREGS, &s) == 0 && ioctl(cpu, KVM_SET_REGS, &regs) == 0;
}

static enum verdict run_guest(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0 || !setup_memory(vm))
        return VERDICT_SETUP;
    int cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    int len = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (cpu < 0 || len < (int)sizeof(struct kvm_run) || !setup_cpuid(kvm, cpu) || !setup_registers(cpu))
        return VERDICT_SETUP;
    struct kvm_run *run = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
    if (run == MAP_FAILED)
        return VERDICT_SETUP;
    bool halted = ioctl(cpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_HLT;
    return halted ? VERDICT_WORKS : VERDICT_FAILS;
}

/* In a child of its own, so that a timer can end it: after fork only what signal-safety(7) allows. */
static void probe_child(_Atomic int *verdict)
{
    struct itimerval timer = {.it_value = {.tv_usec = PROBE_MS * 1000}};
    sigset_t alarm_only;
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    if (setitimer(ITIMER_REAL, &timer, NULL) == 0)
        *verdict = (int)run_guest();
    _exit(0);
}

/* The verdict stands in shared memory: an embedder that ignores SIGCHLD has no exit statuses. */
static enum verdict probe(void)
{
    _Atomic int *verdict = mmap(NULL, sizeof *verdict, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (verdict == MAP_FAILED)
        return VERDICT_SETUP;
    pid_t pid = _Fork();
    if (pid == 0)
        probe_child(verdict);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    enum verdict result = (enum verdict) * verdict;
    munmap(verdict, sizeof *verdict);
    return pid < 0 ? VERDICT_SETUP : result;
}

bool provium_kvm_works(const char **why)
{
    static const char *const texts[] = {
        [VERDICT_NONE] = "a test guest does not get on under KVM here",
        [VERDICT_WORKS] = "",
        [VERDICT_SETUP] = "KVM refuses to make a guest here",
        [VERDICT_FAILS] = "a test guest fails under KVM here",
    };
    if (access("/dev/kvm", R_OK | W_OK) != 0) {
        *why = errno == ENOENT ? "there is no /dev/kvm" : "no permission for /dev/kvm";
        return false;
    }
    enum verdict verdict = probe();
    *why = texts[verdict];
    return verdict == VERDICT_WORKS;
}

#else

bool provium_kvm_works(const char **why)
{
    *why = "the guest's processor is not the host's";
    return false;
}

#endif
