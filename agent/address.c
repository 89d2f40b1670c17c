/* SPDX-License-Identifier: MIT
 *
 * Addresses that are no buffer's: SPEC [PTR-4].  Those that the architecture decides stand in
 * a table; the others are pages of our own.
 */
#include "agent.h"
#include "sys.h"

enum { BAD_PAGES = 16 }; /* of each kind, so that `plus` stays among them */

static const uint64_t fixed[] = {
#if defined(__x86_64__)
    [WIRE_BAD_noncanonical] = UINT64_C(1) << 62,      /* not sign-extended, with four levels of tables or five */
    [WIRE_BAD_kernel] = UINT64_C(0xffffffff81000000), /* where its text is linked */
#elif defined(__aarch64__)
    [WIRE_BAD_noncanonical] = UINT64_C(1) << 54, /* between both halves; the byte above does not count */
    [WIRE_BAD_kernel] = UINT64_C(0xffff800008000000),
#else
#error "bad addresses of this architecture: add them here, 0 for those that it lacks"
#endif
    [WIRE_BAD_readonly] = 0};

bool address_has(uint8_t bad)
{
    return bad <= WIRE_BAD_readonly && ((bad != WIRE_BAD_noncanonical && bad != WIRE_BAD_kernel) || fixed[bad] != 0);
}

/* Nothing, then zeros that can only be read, then nothing: where four bytes can name it if possible. */
static uint64_t map_pages(uint32_t page)
{
    long part = (long)BAD_PAGES * page;
    long at = agent_map_low((size_t)(3 * part));
    if (sys_failed(at))
        at = sys6(__NR_mmap, 0, 3 * part, SYS_PROT_NONE, SYS_MAP_PRIVATE | SYS_MAP_ANON_NORESERVE, -1, 0);
    if (sys_failed(at) || sys_failed(sys3(__NR_mprotect, at + part, part, SYS_PROT_READ)))
        return 0;
    return (uint64_t)at;
}

bool address_find(struct agent *a, uint8_t bad, uint64_t *address)
{
    *address = fixed[bad];
    if (bad != WIRE_BAD_unmapped && bad != WIRE_BAD_readonly)
        return true;
    if (a->bad_pages == 0)
        a->bad_pages = map_pages(a->page);
    *address = a->bad_pages + (bad == WIRE_BAD_readonly ? (uint64_t)BAD_PAGES * a->page : 0);
    return a->bad_pages != 0;
}

/* The kernel places no mapping below 4 GiB by itself as long as it has room elsewhere, so the pieces are few. */
long agent_map_low(size_t len)
{
    const uint64_t first = UINT64_C(1) << 28, step = UINT64_C(1) << 24, end = UINT64_C(1) << 32;
    for (uint64_t want = first; want + len <= end; want += step) {
        long at = sys6(__NR_mmap, (long)want, (long)len, SYS_PROT_NONE,
                       SYS_MAP_FIXED_NOREPLACE | SYS_MAP_PRIVATE | SYS_MAP_ANON_NORESERVE, -1, 0);
        if (at == (long)want)
            return at;
        if (!sys_failed(at)) /* before Linux 4.17 the flag is a hint */
            sys2(__NR_munmap, at, (long)len);
    }
    return -SYS_ENOMEM;
}
