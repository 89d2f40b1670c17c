/* SPDX-License-Identifier: MIT
 *
 * What a call did, on request: how long it took, and which bytes of its buffers it changed.
 * SPEC [MEASURE-1] to [MEASURE-3].
 */
#include <string.h>

#include "agent.h"
#include "sys.h"

enum { CLOCK_MONOTONIC_ID = 1 };

int64_t measure_now(void)
{
    struct sys_timespec now = {0, 0};
    sys2(__NR_clock_gettime, CLOCK_MONOTONIC_ID, sys_ptr(&now));
    return now.sec * 1000000000 + now.nsec;
}

bool measure_keep(struct agent *a, const struct wire_call_request *m)
{
    if (a->before == NULL) {
        long p = sys6(__NR_mmap, 0, AGENT_MEMORY_LIMIT, SYS_PROT_RW, SYS_MAP_PRIVATE | SYS_MAP_ANON_NORESERVE, -1, 0);
        if (sys_failed(p))
            return false;
        a->before = (uint8_t *)(uintptr_t)p;
    }
    uint8_t *to = a->before;
    for (uint32_t i = 0; i < m->buffers.count; to += m->buffers.items[i++].len)
        memcpy(to, a->placed[i], m->buffers.items[i].len);
    return true;
}

/* The first byte from `at` on where two differ, or do not; `len` when there is none. */
static uint32_t find(const uint8_t *x, const uint8_t *y, uint32_t at, uint32_t len, bool differ)
{
    while (at < len && (x[at] != y[at]) != differ)
        at++;
    return at;
}

/* The same by blocks, where most is as it was. */
static uint32_t find_difference(const uint8_t *x, const uint8_t *y, uint32_t at, uint32_t len)
{
    enum { BLOCK = 64 };
    while (len - at >= BLOCK && memcmp(x + at, y + at, BLOCK) == 0)
        at += BLOCK;
    return find(x, y, at, len, true);
}

/* The changed ranges of buffer i.  When only one range is left for the call, it takes all that is to come. */
static uint32_t compare(const struct agent *a, const struct wire_buffer *b, uint32_t i, const uint8_t *before,
                        struct wire_range *ranges, uint32_t cap)
{
    uint32_t count = 0, at = find_difference(before, a->placed[i], 0, b->len);
    while (at < b->len && count < cap) {
        uint32_t end = find(before, a->placed[i], at, b->len, false);
        uint32_t next = find_difference(before, a->placed[i], end, b->len);
        while (count + 1 == cap && next < b->len) {
            end = find(before, a->placed[i], next, b->len, false);
            next = find_difference(before, a->placed[i], end, b->len);
        }
        ranges[count++] = (struct wire_range){.buffer = i, .offset = at, .len = end - at};
        at = next;
    }
    return count;
}

uint32_t measure_changed(struct agent *a, const struct wire_call_request *m, struct wire_range *ranges, uint32_t cap)
{
    const uint8_t *before = a->before;
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->buffers.count; before += m->buffers.items[i++].len)
        count += compare(a, &m->buffers.items[i], i, before, ranges + count, cap - count);
    if ((size_t)(before - a->before) > AGENT_KEEP)
        sys3(__NR_madvise, sys_ptr(a->before), AGENT_MEMORY_LIMIT, SYS_MADV_DONTNEED);
    return count;
}
