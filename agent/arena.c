/* SPDX-License-Identifier: MIT
 *
 * Memory for the buffers of one call: each ends at a page that nobody can touch.
 * A class of slots is one reserved piece of address space, whose slots are opened by
 * mprotect and stay open for the next call: no call maps anything in the steady state.
 */
#include <string.h>

#include "agent.h"
#include "sys.h"

void arena_init(struct arena *arena, uint32_t page)
{
    memset(arena, 0, sizeof *arena);
    arena->page = page;
}

/* ---- slots ---- */

static size_t slot_len(const struct arena *arena, unsigned class)
{
    return (size_t)arena->page << class;
}

static size_t slot_stride(const struct arena *arena, unsigned class)
{
    return slot_len(arena, class) + arena->page;
}

static uint8_t *slot_at(const struct arena *arena, unsigned class, uint32_t index)
{
    return arena->classes[class].base + slot_stride(arena, class) * index;
}

/* What one call can need: a buffer is longer than half of its slot, but in class 0. */
static uint32_t slots_max(const struct arena *arena, unsigned class)
{
    size_t count = 2 * (size_t)AGENT_MEMORY_LIMIT / slot_len(arena, class);
    return count > AGENT_BUFFER_LIMIT ? AGENT_BUFFER_LIMIT : count < 2 ? 2 : (uint32_t)count;
}

/* Address space for all slots of a class, with a guard page in front of the first. */
static bool reserve(struct arena *arena, unsigned class)
{
    size_t len = slot_stride(arena, class) * slots_max(arena, class) + arena->page;
    long base = sys6(__NR_mmap, 0, (long)len, SYS_PROT_NONE, SYS_MAP_PRIVATE | SYS_MAP_ANON_NORESERVE, -1, 0);
    if (sys_failed(base))
        return false;
    arena->classes[class].base = (uint8_t *)(uintptr_t)base + arena->page;
    arena->mappings++;
    return true;
}

/* ---- open and close ---- */

/* The slots that nobody uses become address space again.  Mapped anew, because mprotect does not join what has
 * held memory into one mapping. */
static void close_free(struct arena *arena, unsigned class)
{
    struct arena_class *c = &arena->classes[class];
    uint32_t count = c->open - c->used;
    long at = sys_ptr(slot_at(arena, class, c->used));
    long len = (long)(slot_stride(arena, class) * count);
    if (count == 0)
        return;
    if (sys_failed(
            sys6(__NR_mmap, at, len, SYS_PROT_NONE, SYS_MAP_FIXED | SYS_MAP_PRIVATE | SYS_MAP_ANON_NORESERVE, -1, 0)))
        return;
    arena->mappings -= ARENA_SLOT_MAPPINGS * count;
    c->open = c->used;
    c->resident = c->resident < c->used ? c->resident : c->used;
}

/* As many slots as there are open already, or what the limit of mappings leaves. */
static uint32_t growth(const struct arena *arena, unsigned class)
{
    const struct arena_class *c = &arena->classes[class];
    uint32_t count = c->open > 0 ? c->open : class < 4 ? 8u : 1u;
    uint32_t room = (ARENA_MAPPINGS_MAX - arena->mappings) / ARENA_SLOT_MAPPINGS;
    uint32_t left = slots_max(arena, class) - c->open;
    count = count < left ? count : left;
    return count < room ? count : room;
}

/* Open more slots; those that other classes have and this call does not use are closed for it if need be. */
static bool grow(struct arena *arena, unsigned class)
{
    struct arena_class *c = &arena->classes[class];
    if (c->base == NULL && !reserve(arena, class))
        return false;
    uint32_t count = growth(arena, class), opened = 0;
    if (count == 0 && c->open < slots_max(arena, class)) {
        for (unsigned other = 0; other < ARENA_CLASSES; other++)
            close_free(arena, other);
        count = growth(arena, class);
    }
    while (opened < count && !sys_failed(sys3(__NR_mprotect, sys_ptr(slot_at(arena, class, c->open + opened)),
                                              (long)slot_len(arena, class), SYS_PROT_RW)))
        opened++;
    c->open += opened;
    arena->mappings += ARENA_SLOT_MAPPINGS * opened;
    return opened > 0;
}

/* ---- place and reset ---- */

uint8_t *arena_place(struct arena *arena, uint32_t len)
{
    unsigned class = 0;
    while (slot_len(arena, class) < len)
        class ++;
    struct arena_class *c = &arena->classes[class];
    if (class >= ARENA_CLASSES || (c->used == c->open && !grow(arena, class)))
        return NULL;
    arena->live |= UINT32_C(1) << class;
    return slot_at(arena, class, c->used++) + slot_len(arena, class) - len;
}

/* Slots that only an earlier call needed give their pages back; those of this one may be
 * wanted again by the next. */
static void trim(const struct arena *arena, unsigned class)
{
    const struct arena_class *c = &arena->classes[class];
    uint32_t keep = AGENT_KEEP / (uint32_t)slot_len(arena, class);
    uint32_t from = c->used > keep ? c->used : keep;
    if (from < c->resident)
        sys3(__NR_madvise, sys_ptr(slot_at(arena, class, from)),
             (long)(slot_stride(arena, class) * (c->resident - from)), SYS_MADV_DONTNEED);
}

void arena_reset(struct arena *arena)
{
    for (uint32_t live = arena->live; live != 0; live &= live - 1) {
        unsigned class = (unsigned)__builtin_ctz(live);
        struct arena_class *c = &arena->classes[class];
        if (c->used < c->resident)
            trim(arena, class);
        if (c->used == 0)
            arena->live &= ~(UINT32_C(1) << class);
        c->resident = c->used;
        c->used = 0;
    }
}
