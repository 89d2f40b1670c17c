/* SPDX-License-Identifier: MIT
 *
 * region_alloc, region_read, region_write, region_free: memory that outlives a call, and
 * memory at any address.  SPEC [REGION-1] to [REGION-10].
 *
 * The kernel does the copying, since any address may be unmapped by now: process_vm_writev
 * and process_vm_readv on ourselves.  Of their two sides one is pinned, which memory of a
 * device's cannot be (io_uring's rings are such), and the other is copied as any buffer of a
 * system call.  So the pinned side is always ours, and writev reads: from the address that
 * was asked for, into our memory.
 */
#include <string.h>

#include "agent.h"
#include "sys.h"

/* ---- the table ---- */

static struct region *find(struct agent *a, uint32_t id)
{
    for (uint32_t i = 0; i < a->region_count; i++) {
        if (a->regions[i].id == id && id != 0)
            return &a->regions[i];
    }
    return NULL;
}

/* A free place in the table, or NULL. */
static struct region *find_place(struct agent *a)
{
    for (uint32_t i = 0; i < a->region_count; i++) {
        if (a->regions[i].id == 0)
            return &a->regions[i];
    }
    return a->region_count < WIRE_REGIONS_MAX ? &a->regions[a->region_count++] : NULL;
}

static void drop(struct agent *a, struct region *r)
{
    sys2(__NR_munmap, sys_ptr(r->mapped), (long)r->mapped_len);
    a->region_bytes -= r->len;
    *r = (struct region){.id = 0};
}

void region_reset(struct agent *a)
{
    for (uint32_t i = 0; i < a->region_count; i++) {
        if (a->regions[i].id != 0)
            drop(a, &a->regions[i]);
    }
    a->region_count = 0;
}

/* ---- place ---- */

enum { NEIGHBOURS = 64 }; /* bytes beside a region without a guard, at least: SPEC [PLACE-2] */

/* Where a region of `len` bytes begins in `room` bytes of memory. */
static size_t offset_of(size_t room, uint32_t len, uint8_t guard, uint32_t page)
{
    size_t natural = len & (0 - len);
    if (guard == WIRE_GUARD_start)
        return 0;
    if (guard == WIRE_GUARD_none)
        return natural < NEIGHBOURS ? NEIGHBOURS : natural < page ? natural : page;
    return room - len;
}

/* Memory between two pages that nobody can touch. */
static bool map(struct agent *a, struct region *r, const struct wire_region_alloc_request *m)
{
    const size_t page = a->page;
    const size_t beside = m->guard == WIRE_GUARD_none ? page + NEIGHBOURS : 0;
    const size_t room = (m->len + beside + page - 1) / page * page;
    const size_t whole = room + 2 * page;
    long at = m->low == 1
                  ? agent_map_low(whole)
                  : sys6(__NR_mmap, 0, (long)whole, SYS_PROT_NONE, SYS_MAP_PRIVATE | SYS_MAP_ANON_NORESERVE, -1, 0);
    if (sys_failed(at))
        return false;
    if (sys_failed(sys3(__NR_mprotect, at + (long)page, (long)room, SYS_PROT_RW))) {
        sys2(__NR_munmap, at, (long)whole);
        return false;
    }
    r->mapped = (uint8_t *)(uintptr_t)at;
    r->mapped_len = whole;
    r->at = r->mapped + page + offset_of(room, m->len, m->guard, a->page);
    r->len = m->len;
    return true;
}

/* ---- answers ---- */

/* From here on the supervisor answers for us if we end: the kernel may have no memory left for what we touch. */
static void begin(struct agent *a, const struct wire_envelope *e)
{
    a->shared->id = e->id;
    a->shared->execs = false;
    a->shared->state = AGENT_RUNNING;
    __asm__ volatile("" ::: "memory");
}

static void refuse_begun(struct agent *a, const struct wire_envelope *e, enum wire_error_code code, const char *path)
{
    a->shared->state = AGENT_READING;
    session_refuse(a, e, code, path, wire_error_text(code));
}

/* A copy that the kernel did not begin: a script may have forbidden these calls with a filter. */
static void refuse_move(struct agent *a, const struct wire_envelope *e, int64_t error)
{
    a->shared->state = AGENT_READING;
    if (error == -SYS_ENOMEM)
        session_refuse(a, e, WIRE_ERR_NO_MEMORY, NULL, wire_error_text(WIRE_ERR_NO_MEMORY));
    else
        session_refuse(a, e, WIRE_ERR_INTERNAL, NULL, "the kernel does not let the agent copy its own memory");
}

static void refuse_field(struct agent *a, const struct wire_envelope *e, const char *path, const char *text)
{
    session_refuse(a, e, WIRE_ERR_BAD_FIELD, path, text);
}

static void refuse_limit(struct agent *a, const struct wire_envelope *e, const char *path, const char *text)
{
    session_refuse(a, e, WIRE_ERR_LIMIT, path, text);
}

static const char no_region[] = "no such region: it was freed, or lost with its executor";

/* Is the capability in use?  Answers if not. */
static bool allowed(struct agent *a, const struct wire_envelope *e)
{
    if (a->shared->limits.caps & WIRE_CAP_regions)
        return true;
    session_refuse(a, e, WIRE_ERR_UNKNOWN_OP, NULL, "an operation of a capability that is not in use: regions");
    return false;
}

/* ---- region_alloc ---- */

static void alloc(struct agent *a, const struct wire_envelope *e, const struct wire_region_alloc_request *m,
                  struct region *r)
{
    struct wire_writer w;
    begin(a, e);
    if (!map(a, r, m)) {
        refuse_begun(a, e, WIRE_ERR_NO_MEMORY, "len");
        return;
    }
    r->id = ++a->shared->last_region;
    a->region_bytes += r->len;
    struct wire_region_alloc_reply reply = {.region = r->id, .address = (int64_t)(uintptr_t)r->at};
    session_begin(a, &w, e, WIRE_REPLY, e->code);
    wire_put_region_alloc_reply(&w, &reply);
    session_send(a, &w, true);
}

void op_region_alloc(struct agent *a, const struct wire_envelope *e)
{
    struct wire_region_alloc_request m = {.has = 0};
    struct region *place;
    size_t at;
    if (!allowed(a, e))
        return;
    enum wire_status status = wire_decode_region_alloc_request(e->body, &m, &at);
    if (status != WIRE_OK)
        session_refuse_body(a, e, "region_alloc_request", status, at);
    else if (m.len == 0)
        refuse_field(a, e, "len", "a region has at least one byte");
    else if (m.guard > WIRE_GUARD_none)
        refuse_field(a, e, "guard", "a guard is 0 to 3");
    else if (m.low > 1)
        refuse_field(a, e, "low", "0 or 1");
    else if (m.len > a->shared->limits.memory || m.len + a->region_bytes > a->shared->limits.memory)
        refuse_limit(a, e, "len", "more memory than was agreed, in all regions together");
    else if ((place = find_place(a)) == NULL || a->shared->last_region == UINT32_MAX)
        refuse_limit(a, e, NULL, "as many regions as there can be");
    else
        alloc(a, e, &m, place);
}

/* ---- region_read, region_write ---- */

/* Bytes in question: of a region, or at any address. */
struct span {
    bool has_region;
    uint32_t region;
    int64_t at;
    uint32_t len;
    uint64_t address; /* found() sets it */
};

/* Where the bytes are; answers if they are not inside their region. */
static bool found(struct agent *a, const struct wire_envelope *e, struct span *s)
{
    s->address = (uint64_t)s->at;
    if (!s->has_region)
        return true;
    const struct region *r = find(a, s->region);
    if (r == NULL) {
        refuse_field(a, e, "region", no_region);
        return false;
    }
    if (s->at < 0 || (uint64_t)s->at > r->len || s->len > r->len - (uint64_t)s->at) {
        refuse_field(a, e, "at", "beyond the end of the region");
        return false;
    }
    s->address = (uintptr_t)r->at + (uint64_t)s->at;
    return true;
}

int64_t region_move(long nr, uint64_t address, const void *ours, uint32_t len)
{
    const struct sys_iovec theirs = {(const void *)(uintptr_t)address, len}, pinned = {ours, len};
    if (len == 0)
        return 0;
    long n = sys6(nr, sys1(__NR_getpid, 0), sys_ptr(&theirs), 1, sys_ptr(&pinned), 1, 0);
    return n == -SYS_EFAULT ? 0 : n;
}

static void read_span(struct agent *a, const struct wire_envelope *e, const struct span *s)
{
    struct wire_writer w;
    begin(a, e);
    uint8_t *copy = arena_place(&a->arena, s->len);
    int64_t n = copy != NULL ? a->move(__NR_process_vm_writev, s->address, copy, s->len) : -SYS_ENOMEM;
    if (n < 0) {
        refuse_move(a, e, n);
    } else {
        struct wire_region_read_reply reply = {.data = {copy, (size_t)n}};
        session_begin(a, &w, e, WIRE_REPLY, e->code);
        wire_put_region_read_reply(&w, &reply);
        session_send(a, &w, true);
    }
    arena_reset(&a->arena);
}

void op_region_read(struct agent *a, const struct wire_envelope *e)
{
    enum { ROOM = 64 }; /* of a reply beside its data: SPEC [REGION-6] */
    struct wire_region_read_request m = {.has = 0};
    size_t at;
    if (!allowed(a, e))
        return;
    enum wire_status status = wire_decode_region_read_request(e->body, &m, &at);
    struct span s = {(m.has & WIRE_HAS(region_read_request, region)) != 0, m.region, m.at, m.len, 0};
    if (status != WIRE_OK)
        session_refuse_body(a, e, "region_read_request", status, at);
    else if (m.len > a->shared->limits.frame - ROOM)
        refuse_limit(a, e, "len", "the reply would not fit into a frame");
    else if (found(a, e, &s))
        read_span(a, e, &s);
}

static void write_span(struct agent *a, const struct wire_envelope *e, const struct span *s, const void *data)
{
    struct wire_writer w;
    begin(a, e);
    int64_t n = a->move(__NR_process_vm_readv, s->address, data, s->len);
    if (n < 0) {
        refuse_move(a, e, n);
        return;
    }
    struct wire_region_write_reply reply = {.len = (uint32_t)n};
    session_begin(a, &w, e, WIRE_REPLY, e->code);
    wire_put_region_write_reply(&w, &reply);
    session_send(a, &w, true);
}

void op_region_write(struct agent *a, const struct wire_envelope *e)
{
    struct wire_region_write_request m = {.has = 0};
    size_t at;
    if (!allowed(a, e))
        return;
    enum wire_status status = wire_decode_region_write_request(e->body, &m, &at);
    struct span s = {(m.has & WIRE_HAS(region_write_request, region)) != 0, m.region, m.at, (uint32_t)m.data.len, 0};
    if (status != WIRE_OK)
        session_refuse_body(a, e, "region_write_request", status, at);
    else if (found(a, e, &s))
        write_span(a, e, &s, m.data.ptr);
}

/* ---- region_free ---- */

void op_region_free(struct agent *a, const struct wire_envelope *e)
{
    struct wire_region_free_request m = {.region = 0};
    struct wire_writer w;
    size_t at;
    if (!allowed(a, e))
        return;
    enum wire_status status = wire_decode_region_free_request(e->body, &m, &at);
    struct region *r = status == WIRE_OK ? find(a, m.region) : NULL;
    if (status != WIRE_OK) {
        session_refuse_body(a, e, "region_free_request", status, at);
    } else if (r == NULL) {
        refuse_field(a, e, "region", no_region);
    } else {
        struct wire_region_free_reply reply = {.len = r->len};
        begin(a, e);
        drop(a, r);
        session_begin(a, &w, e, WIRE_REPLY, e->code);
        wire_put_region_free_reply(&w, &reply);
        session_send(a, &w, true);
    }
}
