/* SPDX-License-Identifier: MIT
 *
 * put and get of records that wire_plan.h describes: the same checks, faults and offsets as
 * the code that wire_codec.h makes.
 */
#include "wire_impl.h"
#include "wire_plan.h"

/* Every list is {items, count, cap}, whatever its elements are.  Its bytes are copied: an
 * access through this type would be undefined. */
struct any_list {
    void *items;
    uint32_t count, cap;
};

static struct any_list load_list(const void *value)
{
    struct any_list list;
    memcpy(&list, value, sizeof list);
    return list;
}

static void store_count(void *value, uint32_t count)
{
    memcpy((uint8_t *)value + offsetof(struct any_list, count), &count, sizeof count);
}

static const uint8_t *const_at(const void *m, const struct wire_member *f)
{
    return (const uint8_t *)m + f->offset;
}

/* ---- put ---- */

static void append_uint(struct wire_writer *w, uint64_t value)
{
    uint8_t head[WIRE_MAX_word];
    wire_append_head(w, head, wire_raw_uint(head, value));
}

static void append_int(struct wire_writer *w, int64_t value)
{
    uint8_t head[WIRE_MAX_word];
    wire_append_head(w, head, wire_raw_word(head, value));
}

static void append_count(struct wire_writer *w, uint8_t fix, uint32_t count)
{
    uint8_t head[WIRE_MAX_list];
    wire_append_head(w, head, wire_raw_head(head, fix, count));
}

static void append_f64(struct wire_writer *w, const double *value)
{
    uint8_t head[WIRE_MAX_f64];
    uint64_t bits;
    memcpy(&bits, value, sizeof bits);
    const uint8_t *end = wire_raw64(head, 0xcb, bits);
    wire_append_head(w, head, end);
}

static void append_words(struct wire_writer *w, const struct wire_words *value)
{
    if (value->count > WIRE_ARGS_MAX) {
        wire_fail_put(w, WIRE_E_RANGE);
        return;
    }
    append_count(w, 0x90, value->count);
    for (uint32_t i = 0; i < value->count; i++)
        append_int(w, value->at[i]);
}

static void append_list(struct wire_writer *w, const struct wire_list *list, bool text)
{
    append_count(w, 0x90, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        if (text)
            wire_append_str(w, list->items[i]);
        else
            wire_append_bin(w, list->items[i]);
    }
}

static void append_record(struct wire_writer *w, const struct wire_plan *plan, const void *m);

static void append_records(struct wire_writer *w, const struct wire_plan *of, struct any_list list)
{
    append_count(w, 0x90, list.count);
    for (uint32_t i = 0; i < list.count; i++)
        append_record(w, of, (const uint8_t *)list.items + (size_t)i * of->size);
}

static void append_i64s(struct wire_writer *w, const struct wire_integers *value)
{
    append_count(w, 0x90, value->count);
    for (uint32_t i = 0; i < value->count; i++)
        append_int(w, value->items[i]);
}

static void append_member(struct wire_writer *w, const struct wire_member *f, const void *value)
{
    switch (f->type) {
    case WIRE_M_bool:
        wire_append(w, *(const bool *)value ? "\xc3" : "\xc2", 1);
        break;
    case WIRE_M_u8:
        append_uint(w, *(const uint8_t *)value);
        break;
    case WIRE_M_u32:
        append_uint(w, *(const uint32_t *)value);
        break;
    case WIRE_M_u64:
        append_uint(w, *(const uint64_t *)value);
        break;
    case WIRE_M_i64:
    case WIRE_M_word:
        append_int(w, *(const int64_t *)value);
        break;
    case WIRE_M_f64:
        append_f64(w, value);
        break;
    case WIRE_M_bin:
        wire_append_bin(w, *(const struct wire_bytes *)value);
        break;
    case WIRE_M_str:
        wire_append_str(w, *(const struct wire_bytes *)value);
        break;
    case WIRE_M_words:
        append_words(w, value);
        break;
    case WIRE_M_i64s:
        append_i64s(w, value);
        break;
    case WIRE_M_list:
        append_records(w, f->of, load_list(value));
        break;
    default:
        append_list(w, value, f->type != WIRE_M_bins);
    }
}

static void append_record(struct wire_writer *w, const struct wire_plan *plan, const void *m)
{
    uint32_t has, count = 0;
    memcpy(&has, m, sizeof has);
    has |= plan->required;
    for (uint32_t i = 0; i < plan->count; i++)
        count += has >> plan->members[i].number & 1;
    append_count(w, 0x80, count);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct wire_member *f = &plan->members[i];
        if ((has >> f->number & 1) == 0)
            continue;
        wire_append(w, &f->number, 1);
        append_member(w, f, const_at(m, f));
    }
}

/* How deep a record of the plan can be: its own map, and the deepest of its fields. */
static uint32_t levels_of(const struct wire_plan *plan)
{
    uint32_t deepest = 1;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct wire_member *f = &plan->members[i];
        uint32_t levels = f->type < WIRE_M_words ? 1 : f->type == WIRE_M_list ? 2 + levels_of(f->of) : 2;
        deepest = levels > deepest ? levels : deepest;
    }
    return deepest;
}

void wire_plan_put(struct wire_writer *w, const struct wire_plan *plan, const void *m)
{
    if (w->nest.depth > 0)
        wire_put_in(w, levels_of(plan));
    append_record(w, plan, m);
}

size_t wire_plan_size(const struct wire_plan *plan, const void *m)
{
    struct wire_writer w;
    wire_writer_measure(&w);
    append_record(&w, plan, m);
    return w.status == WIRE_OK ? wire_writer_total(&w) : 0;
}

/* ---- get ---- */

static void take_record(struct wire_reader *r, const struct wire_plan *plan, void *m);

static void take_records(struct wire_reader *r, const struct wire_plan *of, void *value)
{
    struct any_list list = load_list(value);
    r->depth++;
    list.count = wire_take_count(r, list.cap);
    store_count(value, list.count);
    for (uint32_t i = 0; i < list.count && r->status == WIRE_OK; i++)
        take_record(r, of, (uint8_t *)list.items + (size_t)i * of->size);
    r->depth--;
}

static void take_member(struct wire_reader *r, const struct wire_member *f, void *value)
{
    switch (f->type) {
    case WIRE_M_bool:
        wire_take_bool(r, value);
        break;
    case WIRE_M_u8:
        wire_take_u8(r, value);
        break;
    case WIRE_M_u32:
        wire_take_u32(r, value);
        break;
    case WIRE_M_u64:
        wire_take_u64(r, value);
        break;
    case WIRE_M_i64:
        wire_take_i64(r, value);
        break;
    case WIRE_M_word:
        wire_take_word(r, value);
        break;
    case WIRE_M_f64:
        wire_take_f64(r, value);
        break;
    case WIRE_M_bin:
        wire_take_bin(r, value);
        break;
    case WIRE_M_str:
        wire_take_str(r, value);
        break;
    case WIRE_M_words:
        wire_take_words(r, value);
        break;
    case WIRE_M_i64s:
        wire_take_i64s(r, value);
        break;
    case WIRE_M_bins:
        wire_take_bins(r, value);
        break;
    case WIRE_M_strs:
        wire_take_strs(r, value);
        break;
    case WIRE_M_names:
        wire_take_names(r, value);
        break;
    default:
        take_records(r, f->of, value);
    }
}

/* A field that does not come is zero; of a list only the count, the rest is the caller's. */
static void clear_member(const struct wire_member *f, void *value)
{
    static const uint8_t sizes[] = {sizeof(bool), 1, 4, 8, 8, 8, 8, sizeof(struct wire_bytes), sizeof(struct wire_bytes)};
    if (f->type < sizeof sizes)
        memset(value, 0, sizes[f->type]);
    else if (f->type == WIRE_M_words)
        ((struct wire_words *)value)->count = 0;
    else
        store_count(value, 0);
}

static const struct wire_member *find_member(const struct wire_plan *plan, uint32_t number)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->members[i].number == number)
            return &plan->members[i];
    }
    return NULL;
}

/* The value of one key; returns the bit of its field, or 0 when the plan has none. */
static uint32_t take_field(struct wire_reader *r, const struct wire_plan *plan, void *m, uint32_t has)
{
    const uint8_t *key = r->p;
    const struct wire_member *f = find_member(plan, wire_take_key(r));
    if (f == NULL && plan->refuse_unknown)
        wire_fail_get(r, WIRE_E_UNKNOWN, key);
    else if (f == NULL)
        wire_take_any(r);
    if (f == NULL)
        return 0;
    uint32_t bit = UINT32_C(1) << f->number;
    if (has & bit)
        wire_fail_get(r, WIRE_E_DUPLICATE, r->p);
    take_member(r, f, (uint8_t *)m + f->offset);
    return bit;
}

uint32_t wire_plan_rest(struct wire_reader *r, const struct wire_plan *plan, void *m, struct wire_fields f)
{
    while (f.left-- > 0 && r->status == WIRE_OK)
        f.has |= take_field(r, plan, m, f.has);
    return f.has;
}

static void take_record(struct wire_reader *r, const struct wire_plan *plan, void *m)
{
    const uint8_t *start = r->p;
    for (uint32_t i = 0; i < plan->count; i++)
        clear_member(&plan->members[i], (uint8_t *)m + plan->members[i].offset);
    struct wire_fields f = {wire_take_map(r), 0};
    r->depth++;
    uint32_t has = wire_plan_rest(r, plan, m, f);
    r->depth--;
    if (plan->required & ~has)
        wire_fail_get(r, WIRE_E_MISSING, start);
    memcpy(m, &has, sizeof has);
}

void wire_plan_get(struct wire_reader *r, const struct wire_plan *plan, void *m)
{
    if (r->nest.depth > 0)
        wire_get_in(r, levels_of(plan));
    take_record(r, plan, m);
}

enum wire_status wire_plan_decode(struct wire_bytes body, const struct wire_plan *plan, void *m, size_t *at)
{
    struct wire_reader r;
    wire_reader_init(&r, body.ptr, body.len);
    r.depth = 1;
    take_record(&r, plan, m);
    enum wire_status status = wire_reader_end(&r);
    *at = r.at;
    return status;
}
