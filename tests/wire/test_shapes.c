/* SPDX-License-Identifier: MIT
 *
 * A table of one's own (shapes.def) by wire_ops.h, once as straight-line code and once as a
 * plan: both write the same bytes and give the same answer to any bytes, offsets included.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../../libwire/wire.h"
#include "../support/field.h"
#include "../support/generic.h"
#include "../support/hex.h"

/* ---- the table, twice ---- */

#define SHAPES "../tests/wire/shapes.def"

#define WIRE_OPS_FILE SHAPES
#define WIRE_OPS_PREFIX shape_
#define WIRE_OPS_UPPER SHAPE_
#include "../../libwire/wire_ops.h"

#define WIRE_OPS_FILE SHAPES
#define WIRE_OPS_PREFIX shape_
#define WIRE_OPS_UPPER SHAPE_
#define WIRE_OPS_CODE
#include "../../libwire/wire_ops.h"

#define WIRE_OPS_FILE SHAPES
#define WIRE_OPS_PREFIX shape_
#define WIRE_OPS_UPPER SHAPE_
#define WIRE_OPS_NAMES
#include "../../libwire/wire_ops.h"

#define WIRE_OPS_FILE SHAPES
#define WIRE_OPS_PREFIX plan_
#define WIRE_OPS_UPPER PLAN_
#include "../../libwire/wire_ops.h"

#define WIRE_OPS_FILE SHAPES
#define WIRE_OPS_PREFIX plan_
#define WIRE_OPS_UPPER PLAN_
#define WIRE_OPS_PLAN
#include "../../libwire/wire_ops.h"

enum { POINTS = 256, PATHS = 32, ITEMS = 64, ROOM = 1 << 16 };

/* Where a drawing keeps its lists. */
struct canvas {
    struct shape_drawing drawing;
    struct shape_path paths[PATHS];
    struct shape_point points[POINTS];
    struct wire_bytes items[3][ITEMS];
    int64_t ticks[ITEMS];
};

/* The same for a plan. */
struct sketch {
    struct plan_drawing drawing;
    struct plan_path paths[PATHS];
    struct plan_point points[POINTS];
    struct wire_bytes items[3][ITEMS];
    int64_t ticks[ITEMS];
};

#define PREPARE(c, fill) \
    memset(c, fill, sizeof *(c)); \
    (c)->drawing.pictures = (struct wire_list){(c)->items[0], 0, ITEMS}; \
    (c)->drawing.ticks = (struct wire_integers){(c)->ticks, 0, ITEMS}; \
    (c)->drawing.tags = (struct wire_list){(c)->items[1], 0, ITEMS}; \
    (c)->drawing.features = (struct wire_list){(c)->items[2], 0, 3}; \
    (c)->drawing.paths.items = (c)->paths, (c)->drawing.paths.cap = PATHS; \
    (c)->drawing.marks.items = (c)->points, (c)->drawing.marks.cap = 8; \
    for (uint32_t i_ = 0; i_ < PATHS; i_++) \
        (c)->paths[i_].points.items = (c)->points + 8 + 7 * i_, (c)->paths[i_].points.cap = 7;

static void prepare_canvas(struct canvas *c)
{
    PREPARE(c, 0xa5)
}

static void prepare_sketch(struct sketch *s)
{
    PREPARE(s, 0xa5)
}

static struct canvas made, read;
static struct sketch planned;
static struct field_pool pool;
static uint8_t out[ROOM], again[ROOM];

/* ---- a drawing at random ---- */

static void random_point(struct shape_point *m)
{
    memset(m, 0, sizeof *m);
    field_random_f64(&pool, &m->x), field_random_f64(&pool, &m->y);
    if (random_next(&pool.state) % 2 == 0) {
        m->has = UINT32_C(1) << SHAPE_N_point_name;
        field_random_str(&pool, &m->name);
    }
}

static void random_path(struct shape_path *m)
{
    field_random_bool(&pool, &m->closed);
    m->has = random_next(&pool.state) % 2 == 0 ? 1u << SHAPE_N_path_dash : 0;
    field_random_words(&pool, &m->dash);
    m->points.count = random_next(&pool.state) % 8;
    for (uint32_t i = 0; i < m->points.count; i++)
        random_point(&m->points.items[i]);
}

static void random_list(struct wire_list *list, uint32_t max)
{
    list->count = random_next(&pool.state) % (max + 1);
    for (uint32_t i = 0; i < list->count; i++)
        field_random_bin(&pool, &list->items[i]);
}

static void random_drawing(struct canvas *c, uint64_t seed)
{
    struct shape_drawing *d = &c->drawing;
    prepare_canvas(c);
    pool.state = seed;
    d->has = random_next(&pool.state);
    field_random_bool(&pool, &d->visible), field_random_u8(&pool, &d->layer), field_random_u32(&pool, &d->colour);
    field_random_u64(&pool, &d->serial), field_random_i64(&pool, &d->time), field_random_word(&pool, &d->mask);
    field_random_f64(&pool, &d->scale), field_random_bin(&pool, &d->preview), field_random_str(&pool, &d->title);
    field_random_words(&pool, &d->grid);
    random_list(&d->pictures, 20), random_list(&d->tags, 20), random_list(&d->features, 3);
    d->ticks.count = random_next(&pool.state) % 21;
    for (uint32_t i = 0; i < d->ticks.count; i++)
        field_random_i64(&pool, &d->ticks.items[i]);
    d->paths.count = random_next(&pool.state) % 18;
    for (uint32_t i = 0; i < d->paths.count; i++)
        random_path(&d->paths.items[i]);
    d->marks.count = random_next(&pool.state) % 9;
    for (uint32_t i = 0; i < d->marks.count; i++)
        random_point(&d->marks.items[i]);
}

/* ---- both codecs ---- */

/* What was read, written again. */
static struct wire_bytes rewrite(const struct canvas *c)
{
    struct wire_writer w;
    wire_writer_init(&w, again, ROOM);
    shape_put_drawing(&w, &c->drawing);
    cr_assert_eq(w.status, WIRE_OK);
    cr_assert_eq(shape_size_drawing(&c->drawing), w.len);
    return (struct wire_bytes){again, w.len};
}

/* The same answer from both; returns it. */
static enum wire_status decode_both(struct wire_bytes bytes)
{
    size_t at = 0, at_plan = 0;
    prepare_canvas(&read);
    prepare_sketch(&planned);
    enum wire_status status = shape_decode_drawing(bytes, &read.drawing, &at);
    enum wire_status plan = plan_decode_drawing(bytes, &planned.drawing, &at_plan);
    cr_assert(status == plan && at == at_plan, "code: %s at %zu, plan: %s at %zu", wire_status_text(status), at,
              wire_status_text(plan), at_plan);
    if (status != WIRE_OK)
        return status;
    struct wire_bytes ours = rewrite(&read);
    struct wire_writer w;
    wire_writer_init(&w, out + ROOM / 2, ROOM / 2);
    plan_put_drawing(&w, &planned.drawing);
    cr_assert(w.status == WIRE_OK && w.len == ours.len && memcmp(w.buf, ours.ptr, w.len) == 0, "read differently");
    cr_assert_eq(plan_size_drawing(&planned.drawing), w.len);
    return status;
}

Test(shapes, random_drawings_come_back_from_both_codecs)
{
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct wire_writer w;
        size_t at;
        random_drawing(&made, seed);
        wire_writer_init(&w, out, ROOM / 2);
        shape_put_drawing(&w, &made.drawing);
        cr_assert_eq(w.status, WIRE_OK);
        cr_assert_eq(shape_size_drawing(&made.drawing), w.len);
        struct wire_bytes bytes = {out, w.len};
        cr_assert_eq(wire_check(bytes, WIRE_SCAN_UTF8 | WIRE_SCAN_CANONICAL, &at), WIRE_OK);
        cr_assert(generic_theirs(bytes), "msgpack-c disagrees, seed %llu", (unsigned long long)seed);
        cr_assert_eq(decode_both(bytes), WIRE_OK, "seed %llu", (unsigned long long)seed);
        struct wire_bytes back = rewrite(&read);
        cr_assert(back.len == w.len && memcmp(back.ptr, out, w.len) == 0, "seed %llu", (unsigned long long)seed);
    }
}

Test(shapes, damaged_and_cut_drawings_get_the_same_answer_from_both_codecs)
{
    unsigned taken = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct wire_writer w;
        random_drawing(&made, seed);
        made.drawing.paths.count %= 4;
        wire_writer_init(&w, out, ROOM / 2);
        shape_put_drawing(&w, &made.drawing);
        for (size_t i = 0; i < w.len; i++) {
            uint8_t was = out[i];
            cr_assert_eq(decode_both((struct wire_bytes){out, i}), WIRE_E_SHORT, "cut to %zu", i);
            for (unsigned k = 0; k < 16; k++) {
                out[i] = (uint8_t)(k < 8 ? was ^ 1u << k : random_next(&pool.state));
                taken += decode_both((struct wire_bytes){out, w.len}) == WIRE_OK;
            }
            out[i] = was;
        }
    }
    cr_expect_gt(taken, 1000);
}

/* Room for neither: any cap below the size. */
Test(shapes, both_codecs_stop_at_the_end_of_the_buffer)
{
    random_drawing(&made, 4);
    size_t size = shape_size_drawing(&made.drawing);
    for (size_t cap = 0; cap <= size; cap++) {
        struct wire_writer w;
        memset(out, 0x5a, size + 1);
        wire_writer_init(&w, out, cap);
        shape_put_drawing(&w, &made.drawing);
        cr_assert_eq(w.status, cap < size ? WIRE_E_SPACE : WIRE_OK);
        for (size_t i = cap; i <= size; i++)
            cr_assert_eq(out[i], 0x5a, "cap %zu: byte %zu was written", cap, i);
    }
}

Test(shapes, seven_words_are_written_by_neither_codec)
{
    struct wire_writer w;
    random_drawing(&made, 4);
    made.drawing.has |= 1u << SHAPE_N_drawing_grid;
    made.drawing.grid.count = WIRE_ARGS_MAX + 1;
    memcpy(&planned.drawing, &made.drawing, sizeof made.drawing); /* they differ by name alone */
    cr_expect_eq(shape_size_drawing(&made.drawing), 0);
    cr_expect_eq(plan_size_drawing(&planned.drawing), 0);
    wire_writer_init(&w, out, ROOM);
    shape_put_drawing(&w, &made.drawing);
    cr_expect_eq(w.status, WIRE_E_RANGE);
    wire_writer_init(&w, out, ROOM);
    plan_put_drawing(&w, &planned.drawing);
    cr_expect_eq(w.status, WIRE_E_RANGE);
}

Test(shapes, long_lists_have_longer_heads_in_both_codecs)
{
    static const uint32_t counts[] = {15, 16, 65535, 65536};
    static struct wire_bytes tags[65536];
    for (size_t i = 0; i < 4; i++) {
        struct shape_drawing m = {.has = 1u << SHAPE_N_drawing_tags, .tags = {tags, counts[i], counts[i]}};
        struct plan_drawing p = {.has = m.has, .tags = m.tags};
        size_t size = 6 + wire_size_head(counts[i]) + counts[i];
        cr_expect_eq(shape_size_drawing(&m), size, "%u tags", counts[i]);
        cr_expect_eq(plan_size_drawing(&p), size, "%u tags", counts[i]);
    }
}

/* ---- one type each ---- */

/* {3: colour, 5: serial} and one more field. */
static enum wire_status decode_field(const char *hex)
{
    uint8_t bytes[128];
    char text[256] = "83 03 00 05 00 ";
    size_t len = hex_parse(strcat(text, hex), bytes, sizeof bytes);
    cr_assert_neq(len, SIZE_MAX, "not hex: %s", text);
    memcpy(out, bytes, len);
    return decode_both((struct wire_bytes){out, len});
}

Test(shapes, bool_is_c2_or_c3)
{
    cr_expect(decode_field("00 c3") == WIRE_OK && read.drawing.visible);
    cr_expect(decode_field("00 c2") == WIRE_OK && !read.drawing.visible && (read.drawing.has & 1) != 0);
    cr_expect_eq(decode_field("00 01"), WIRE_E_TYPE);
    cr_expect_eq(decode_field("00 c0"), WIRE_E_TYPE);
    cr_expect_eq(decode_field("00 c1"), WIRE_E_RESERVED);
    cr_expect_eq(decode_field("00"), WIRE_E_SHORT);
}

Test(shapes, i64s_are_no_more_than_there_is_room_for_and_none_beyond_63_bits)
{
    cr_expect(decode_field("11 93 00 d3 80 00 00 00 00 00 00 00 cf 7f ff ff ff ff ff ff ff") == WIRE_OK);
    cr_expect(read.drawing.ticks.count == 3 && read.drawing.ticks.items[1] == INT64_MIN);
    cr_expect_eq(read.drawing.ticks.items[2], INT64_MAX);
    cr_expect_eq(decode_field("11 91 cf 80 00 00 00 00 00 00 00"), WIRE_E_RANGE);
    cr_expect_eq(decode_field("11 91 a0"), WIRE_E_TYPE);
    cr_expect_eq(decode_field("11 00"), WIRE_E_TYPE);
    cr_expect_eq(decode_field("11 dd ff ff ff ff 00"), WIRE_E_SHORT);
    char many[3 * (ITEMS + 1) + 16] = "11 dc 00 41 "; /* one more than ITEMS */
    for (int i = 0; i < ITEMS + 1; i++)
        strcat(many, "00 ");
    cr_expect_eq(decode_field(many), WIRE_E_COUNT);
}

Test(shapes, u64_goes_from_zero_to_its_last_bit)
{
    for (int i = 0; i < 2; i++) {
        const char *hex = i == 0 ? "82 03 00 05 cf ff ff ff ff ff ff ff ff" : "82 03 00 05 d3 7f ff ff ff ff ff ff ff";
        size_t len = hex_parse(hex, out, ROOM);
        cr_expect_eq(decode_both((struct wire_bytes){out, len}), WIRE_OK);
        cr_expect_eq(read.drawing.serial, i == 0 ? UINT64_MAX : (uint64_t)INT64_MAX);
    }
    size_t len = hex_parse("82 03 00 05 ff", out, ROOM);
    cr_expect_eq(decode_both((struct wire_bytes){out, len}), WIRE_E_RANGE, "below zero");
    len = hex_parse("82 03 00 05 ca 00 00 00 00", out, ROOM);
    cr_expect_eq(decode_both((struct wire_bytes){out, len}), WIRE_E_TYPE, "an integer is never a float");
}

Test(shapes, f64_takes_both_widths_and_no_integer)
{
    cr_expect(decode_field("08 cb 3f f8 00 00 00 00 00 00") == WIRE_OK && read.drawing.scale == 1.5);
    cr_expect(decode_field("08 ca bf c0 00 00") == WIRE_OK && read.drawing.scale == -1.5);
    cr_expect_eq(decode_field("08 01"), WIRE_E_TYPE);
    cr_expect_eq(decode_field("08 cb 3f f8 00 00 00 00 00"), WIRE_E_SHORT);
}

Test(shapes, surplus_names_are_checked_and_left_out_and_surplus_elements_refused)
{
    cr_expect(decode_field("0f 94 a1 61 a1 62 a1 63 a1 64") == WIRE_OK && read.drawing.features.count == 3);
    cr_expect_eq(decode_field("0f 94 a1 61 a1 62 a1 63 05"), WIRE_E_TYPE);
    cr_expect_eq(decode_field("0f 94 a1 61 a1 62 a1 63 a1 ff"), WIRE_E_UTF8);
    cr_expect_eq(decode_field("1e 99 80 80 80 80 80 80 80 80 80"), WIRE_E_COUNT);
}

Test(shapes, records_of_a_table_stand_in_generic_containers)
{
    for (unsigned around = 0; around <= WIRE_DEPTH_MAX; around++) {
        struct wire_writer w, v;
        struct wire_reader r, s;
        random_drawing(&made, 9); /* with paths: five levels */
        made.drawing.has |= 1u << SHAPE_N_drawing_paths;
        made.drawing.paths.count = 1;
        random_path(&made.paths[0]);
        made.paths[0].points.count = 1;
        random_point(&made.paths[0].points.items[0]);
        wire_writer_init(&w, out, ROOM);
        for (unsigned i = 0; i < around; i++)
            wire_open_array(&w);
        v = w;
        shape_put_drawing(&w, &made.drawing);
        memcpy(&planned.drawing, &made.drawing, sizeof made.drawing); /* they differ by name alone */
        plan_put_drawing(&v, &planned.drawing);
        cr_expect_eq(w.status, around + 5 <= WIRE_DEPTH_MAX ? WIRE_OK : WIRE_E_DEPTH, "%u around", around);
        cr_expect_eq(v.status, w.status);
        memset(out, 0x91, around);
        wire_writer_init(&w, out + around, ROOM / 2);
        shape_put_drawing(&w, &made.drawing);
        wire_reader_init(&r, out, around + w.len);
        for (unsigned i = 0; i < around; i++)
            wire_get_array(&r);
        s = r;
        prepare_canvas(&read), prepare_sketch(&planned);
        shape_get_drawing(&r, &read.drawing), plan_get_drawing(&s, &planned.drawing);
        cr_expect_eq(wire_reader_end(&r), around + 5 <= WIRE_DEPTH_MAX ? WIRE_OK : WIRE_E_DEPTH, "%u around", around);
        cr_expect(wire_reader_end(&s) == r.status && s.at == r.at);
    }
}

Test(shapes, the_table_names_its_fields_for_paths_and_lines)
{
    char path[64];
    size_t len =
               hex_parse("84 03 00 05 00 10 91 82 02 c2 04 91 82 00 cb 00 00 00 00 00 00 00 00 01 c0 1e 90", out, ROOM),
           at;
    prepare_canvas(&read);
    cr_expect_eq(shape_decode_drawing((struct wire_bytes){out, len}, &read.drawing, &at), WIRE_E_TYPE);
    wire_path(shape_row_drawing(), (struct wire_bytes){out, len}, at, path, sizeof path);
    cr_expect_str_eq(path, "paths[0].points[0].y");
}
