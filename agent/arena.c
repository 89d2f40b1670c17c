/* SPDX-License-Identifier: MIT
 *
 * Memory for the buffers of one call: each ends at a page that nobody can touch.
 * Slots are kept for the next call, so that a call costs no mmap in the steady state.
 */
#include <string.h>

#include "agent.h"
#include "sys.h"

void arena_init(struct arena *arena, uint32_t page)
{
    memset(arena, 0, sizeof *arena);
    arena->page = page;
}

static size_t slot_len(const struct arena *arena, unsigned class)
{
    return (size_t)arena->page << class;
}

static size_t slot_stride(const struct arena *arena, unsigned class)
{
    return slot_len(arena, class) + arena->page;
}

/* Map `count` slots in one piece and open all but their guard pages. */
static uint8_t *map_slots(const struct arena *arena, unsigned class, uint32_t count)
{
    size_t stride = slot_stride(arena, class);
    long base = sys6(__NR_mmap, 0, (long)(stride * count), SYS_PROT_NONE, SYS_MAP_PRIVATE | SYS_MAP_ANON_NORESERVE, -1, 0);
    if (sys_failed(base))
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        long at = base + (long)(stride * i);
        if (sys_failed(sys3(__NR_mprotect, at, (long)slot_len(arena, class), SYS_PROT_RW))) {
            sys2(__NR_munmap, base, (long)(stride * count));
            return NULL;
        }
    }
    return (uint8_t *)(uintptr_t)base;
}

/* One more chunk, as large as all before it. */
static bool grow(struct arena *arena, unsigned class)
{
    struct arena_class *c = &arena->classes[class];
    uint32_t count = c->total > 0 ? c->total : class < 4 ? 8u : 1u;
    if (c->chunk_count == ARENA_CHUNKS || arena->mappings + 2 * count > ARENA_MAPPINGS_MAX)
        return false;
    uint8_t *base = map_slots(arena, class, count);
    if (base == NULL)
        return false;
    c->chunks[c->chunk_count] = base;
    c->counts[c->chunk_count++] = count;
    c->total += count;
    arena->mappings += 2 * count;
    return true;
}

static uint8_t *slot_at(const struct arena *arena, unsigned class, uint32_t index)
{
    const struct arena_class *c = &arena->classes[class];
    uint32_t chunk = 0;
    while (index >= c->counts[chunk])
        index -= c->counts[chunk++];
    return c->chunks[chunk] + slot_stride(arena, class) * index;
}

uint8_t *arena_place(struct arena *arena, uint32_t len)
{
    unsigned class = 0;
    while (slot_len(arena, class) < len)
        class++;
    struct arena_class *c = &arena->classes[class];
    if (class >= ARENA_CLASSES || (c->used == c->total && !grow(arena, class)))
        return NULL;
    return slot_at(arena, class, c->used++) + slot_len(arena, class) - len;
}

/* Slots that only an earlier call needed give their pages back; those of this one may be
 * wanted again by the next. */
static void trim(const struct arena *arena, unsigned class)
{
    const struct arena_class *c = &arena->classes[class];
    uint32_t keep = AGENT_KEEP / (uint32_t)slot_len(arena, class);
    for (uint32_t i = c->used > keep ? c->used : keep; i < c->resident; i++)
        sys3(__NR_madvise, sys_ptr(slot_at(arena, class, i)), (long)slot_len(arena, class), SYS_MADV_DONTNEED);
}

void arena_reset(struct arena *arena)
{
    for (unsigned class = 0; class < ARENA_CLASSES; class++) {
        struct arena_class *c = &arena->classes[class];
        if (c->used < c->resident)
            trim(arena, class);
        c->resident = c->used;
        c->used = 0;
    }
}
