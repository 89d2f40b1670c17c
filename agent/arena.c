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
    memset(arena->classes, 0, sizeof arena->classes);
    arena->odd_count = arena->mappings = arena->live = 0;
    arena->page = page;
}

/* ---- slots ---- */

static size_t slot_len(const struct arena *arena, unsigned class)
{
    return (size_t)arena->page << class % ARENA_SIZES;
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
    long base = class >= ARENA_SIZES
                    ? agent_map_low(len)
                    : sys6(__NR_mmap, 0, (long)len, SYS_PROT_NONE, SYS_MAP_PRIVATE | SYS_MAP_ANON_NORESERVE, -1, 0);
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
    uint32_t count = c->open > 0 ? c->open : class % ARENA_SIZES < 4 ? 8u : 1u;
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

/* ---- place ---- */

/* A slot of at least `len` bytes, of this size or larger ones from `class` on; its class in *found. */
static uint8_t *take_slot(struct arena *arena, uint64_t len, unsigned class, unsigned *found)
{
    unsigned end = class + ARENA_SIZES;
    while (class < end && slot_len(arena, class) < len)
        class ++;
    if (class == end)
        return NULL;
    struct arena_class *c = &arena->classes[class];
    if (c->used == c->open && !grow(arena, class))
        return NULL;
    arena->live |= UINT32_C(1) << class;
    *found = class;
    return slot_at(arena, class, c->used++);
}

uint8_t *arena_place(struct arena *arena, uint32_t len)
{
    unsigned class;
    uint8_t *slot = take_slot(arena, len, 0, &class);
    return slot != NULL ? slot + slot_len(arena, class) - len : NULL;
}

/* ---- place with wishes: SPEC [PLACE-1] to [PLACE-5] ---- */

enum { NEIGHBOURS = 64, KNOWN_MAX = 4096 }; /* bytes beside a buffer without a guard, at least and at most */

/* The byte that stands at an address beside a buffer. */
static uint8_t known_byte(const uint8_t *p)
{
    return (uint8_t)(0xa5 ^ (uintptr_t)p ^ (uintptr_t)p >> 8);
}

/* What a slot must hold, so that the buffer can be moved to its alignment. */
static uint64_t room_of(const struct arena *arena, const struct arena_wish *wish)
{
    uint64_t align = wish->align;
    if (wish->guard == WIRE_GUARD_none)
        return wish->len + 2 * (align + NEIGHBOURS);
    return align <= arena->page ? (wish->len + align - 1) / align * align : wish->len + align;
}

static uint8_t *align_down(uint8_t *p, size_t align)
{
    return p - ((uintptr_t)p & (align - 1));
}

static uint8_t *position(uint8_t *slot, size_t len, const struct arena_wish *wish)
{
    size_t slack = len - wish->len;
    switch (wish->guard) {
    case WIRE_GUARD_start:
        return align_down(slot + wish->align - 1, wish->align);
    case WIRE_GUARD_none:
        return align_down(slot + slack / 2, wish->align);
    default:
        return align_down(slot + slack, wish->align);
    }
}

/* Close the whole pages of a slot that lie between the buffer and its guards. */
static bool narrow(const struct arena *arena, struct arena_odd *o, enum wire_guard guard)
{
    uint8_t *end = o->slot + o->slot_len;
    uint8_t *front = guard == WIRE_GUARD_end ? o->slot : align_down(o->at, arena->page);
    uint8_t *behind = align_down(o->at + o->len + arena->page - 1, arena->page);
    bool done = true;
    o->narrowed = front > o->slot || behind < end;
    if (front > o->slot)
        done = !sys_failed(sys3(__NR_mprotect, sys_ptr(o->slot), front - o->slot, SYS_PROT_NONE));
    if (behind < end)
        done = done && !sys_failed(sys3(__NR_mprotect, sys_ptr(behind), end - behind, SYS_PROT_NONE));
    o->front = guard == WIRE_GUARD_end ? 0 : (uint32_t)(o->at - front);
    o->behind = (uint32_t)(behind - o->at - o->len);
    return done;
}

static uint32_t least(size_t a, size_t b)
{
    return (uint32_t)(a < b ? a : b);
}

uint8_t *arena_place_as(struct arena *arena, uint32_t index, const struct arena_wish *wish)
{
    unsigned class;
    uint8_t *slot = take_slot(arena, room_of(arena, wish), wish->low ? ARENA_SIZES : 0, &class);
    if (slot == NULL || arena->odd_count == AGENT_BUFFER_LIMIT)
        return NULL;
    struct arena_odd *o = &arena->odds[arena->odd_count++];
    *o = (struct arena_odd){.slot = slot, .slot_len = slot_len(arena, class), .len = wish->len, .index = index};
    o->at = position(slot, o->slot_len, wish);
    o->front = least((size_t)(o->at - slot), KNOWN_MAX);
    o->behind = least((size_t)(slot + o->slot_len - o->at) - o->len, KNOWN_MAX);
    if (wish->guard != WIRE_GUARD_none && !narrow(arena, o, wish->guard))
        return NULL;
    for (uint8_t *p = o->at - o->front; p < o->at; p++)
        *p = known_byte(p);
    for (uint8_t *p = o->at + o->len; p < o->at + o->len + o->behind; p++)
        *p = known_byte(p);
    return o->at;
}

/* From the first to the last byte of `count` at p that is not what it was. */
static bool find_damage(const struct arena_odd *o, const uint8_t *p, uint32_t count, struct wire_range *range)
{
    const uint8_t *end = p + count;
    while (p < end && *p == known_byte(p))
        p++;
    while (end > p && end[-1] == known_byte(end - 1))
        end--;
    *range = (struct wire_range){.buffer = o->index, .offset = p - o->at, .len = (uint32_t)(end - p)};
    return end > p;
}

uint32_t arena_damage(const struct arena *arena, struct wire_range *ranges, uint32_t cap)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < arena->odd_count && count < cap; i++) {
        const struct arena_odd *o = &arena->odds[i];
        count += find_damage(o, o->at - o->front, o->front, &ranges[count]);
        if (count < cap)
            count += find_damage(o, o->at + o->len, o->behind, &ranges[count]);
    }
    return count;
}

/* ---- reset ---- */

/* Slots become whole again: this joins mappings, so the kernel has no reason to refuse. */
static void reset_odds(struct arena *arena)
{
    for (uint32_t i = 0; i < arena->odd_count; i++) {
        const struct arena_odd *o = &arena->odds[i];
        if (o->narrowed)
            sys3(__NR_mprotect, sys_ptr(o->slot), (long)o->slot_len, SYS_PROT_RW);
    }
    arena->odd_count = 0;
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
    reset_odds(arena);
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
