/* SPDX-License-Identifier: MIT
 *
 * libwire/writer.c.  msgpack-c is the oracle: where both can say it, the bytes are the same.
 */
#include <criterion/criterion.h>
#include <msgpack.h>
#include <string.h>

#include "../../libwire/wire_impl.h"
#include "../support/vectors.h"

enum { CANARY = 0xa5 };

/* What both sides wrote. */
static void expect_same(const struct wire_writer *w, const msgpack_sbuffer *theirs, const char *what, uint64_t value)
{
    cr_expect_eq(w->status, WIRE_OK, "%s %llx", what, (unsigned long long)value);
    cr_expect(w->len == theirs->size && memcmp(w->buf, theirs->data, theirs->size) == 0, "%s %llx: other bytes", what,
              (unsigned long long)value);
}

/* ---- numbers ---- */

static void expect_number(uint64_t bits)
{
    uint8_t out[16];
    struct wire_writer w;
    msgpack_sbuffer theirs;
    msgpack_packer packer;
    msgpack_sbuffer_init(&theirs);
    msgpack_packer_init(&packer, &theirs, msgpack_sbuffer_write);

    wire_writer_init(&w, out, sizeof out);
    wire_put_uint(&w, bits);
    msgpack_pack_uint64(&packer, bits);
    expect_same(&w, &theirs, "unsigned", bits);

    msgpack_sbuffer_clear(&theirs);
    wire_writer_init(&w, out, sizeof out);
    wire_put_int(&w, (int64_t)bits);
    msgpack_pack_int64(&packer, (int64_t)bits);
    expect_same(&w, &theirs, "signed", bits);
    msgpack_sbuffer_destroy(&theirs);
}

Test(writer, integers_are_those_of_msgpack_c_around_every_power_of_two)
{
    for (unsigned shift = 0; shift < 64; shift++) {
        for (uint64_t near = 0; near < 5; near++) {
            uint64_t value = (UINT64_C(1) << shift) + near - 2;
            expect_number(value);
            expect_number(0 - value);
        }
    }
    expect_number(0 - (uint64_t)31), expect_number(0 - (uint64_t)32), expect_number(0 - (uint64_t)33);
}

/* ---- heads ---- */

Test(writer, array_and_map_heads_are_those_of_msgpack_c)
{
    static const uint32_t counts[] = {0,   1,     14,    15,    16,    17,        255,
                                      256, 65534, 65535, 65536, 65537, INT32_MAX, UINT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint8_t out[16];
        struct wire_writer w;
        msgpack_sbuffer theirs;
        msgpack_packer packer;
        msgpack_sbuffer_init(&theirs);
        msgpack_packer_init(&packer, &theirs, msgpack_sbuffer_write);
        wire_writer_init(&w, out, sizeof out);
        wire_put_array(&w, counts[i]);
        wire_put_map(&w, counts[i]);
        msgpack_pack_array(&packer, counts[i]);
        msgpack_pack_map(&packer, counts[i]);
        expect_same(&w, &theirs, "heads", counts[i]);
        msgpack_sbuffer_destroy(&theirs);
    }
}

static uint8_t big_out[200000], big_in[150000];

Test(writer, bins_and_strs_are_those_of_msgpack_c)
{
    static const uint32_t lens[] = {0, 1, 30, 31, 32, 33, 254, 255, 256, 257, 65534, 65535, 65536, 65537, 140000};
    for (size_t i = 0; i < sizeof big_in; i++)
        big_in[i] = (uint8_t)('a' + i % 26);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct wire_bytes bytes = {big_in, lens[i]};
        struct wire_writer w;
        msgpack_sbuffer theirs;
        msgpack_packer packer;
        msgpack_sbuffer_init(&theirs);
        msgpack_packer_init(&packer, &theirs, msgpack_sbuffer_write);
        wire_writer_init(&w, big_out, sizeof big_out);
        wire_put_bin(&w, bytes);
        msgpack_pack_bin(&packer, lens[i]);
        msgpack_pack_bin_body(&packer, big_in, lens[i]);
        expect_same(&w, &theirs, "bin", lens[i]);

        msgpack_sbuffer_clear(&theirs);
        wire_writer_init(&w, big_out, sizeof big_out);
        wire_put_str(&w, bytes);
        msgpack_pack_str(&packer, lens[i]);
        msgpack_pack_str_body(&packer, big_in, lens[i]);
        expect_same(&w, &theirs, "str", lens[i]);
        msgpack_sbuffer_destroy(&theirs);
    }
}

Test(writer, empty_bytes_need_no_pointer)
{
    uint8_t out[8];
    struct wire_writer w;
    wire_writer_init(&w, out, sizeof out);
    wire_put_bin(&w, (struct wire_bytes){NULL, 0});
    wire_put_str(&w, (struct wire_bytes){NULL, 0});
    wire_put_nothing(&w);
    cr_assert_eq(w.status, WIRE_OK);
    cr_assert_eq(w.len, 4);
    cr_assert_arr_eq(out, "\xc4\x00\xa0\x80", 4);
}

Test(writer, a_message_with_more_than_six_words_is_refused)
{
    struct wire_writer w;
    struct wire_call_request call = {.has = WIRE_HAS(call_request, args), .args = {WIRE_ARGS_MAX + 1, {0}}};
    wire_writer_init(&w, big_out, sizeof big_out);
    wire_put_call_request(&w, &call);
    cr_expect_eq(w.status, WIRE_E_RANGE);
}

Test(writer, long_lists_are_written_in_their_longer_forms)
{
    static struct wire_bytes outs[70000];
    static const uint32_t counts[] = {15, 16, UINT16_MAX, UINT16_MAX + 1};
    static const size_t heads[] = {1, 3, 3, 5};
    for (size_t i = 0; i < 4; i++) {
        struct wire_call_reply m = {.has = WIRE_HAS(call_reply, outs), .outs = {outs, counts[i], counts[i]}};
        struct wire_writer w;
        struct wire_call_reply back = {.outs = {outs, 0, 70000}};
        size_t at;
        wire_writer_init(&w, big_out, sizeof big_out);
        wire_put_call_reply(&w, &m);
        cr_assert_eq(w.status, WIRE_OK);
        cr_expect_eq(w.len, 2 + heads[i] + 2 * counts[i], "%u outs", counts[i]);
        cr_expect_eq(wire_decode_call_reply((struct wire_bytes){big_out, w.len}, &back, &at), WIRE_OK);
        cr_expect_eq(back.outs.count, counts[i]);
    }
}

/* ---- the end of the buffer ---- */

Test(writer, a_buffer_too_small_by_any_amount_is_reported_and_never_overrun)
{
    static uint8_t out[2048];
    for (const struct sample *s = samples(); s->name != NULL; s++) {
        struct wire_writer w;
        wire_writer_init(&w, out, sizeof out);
        cr_assert_eq(any_put(&w, &s->message), WIRE_OK);
        size_t whole = w.len;
        for (size_t cap = 0; cap <= whole; cap++) {
            memset(out, CANARY, sizeof out);
            wire_writer_init(&w, out, cap);
            cr_expect_eq(any_put(&w, &s->message), cap < whole ? WIRE_E_SPACE : WIRE_OK, "%s, cap %zu", s->name, cap);
            cr_expect_leq(w.len, cap);
            for (size_t i = cap; i < sizeof out; i++)
                cr_assert_eq(out[i], CANARY, "%s, cap %zu: byte %zu was written", s->name, cap, i);
        }
    }
}

Test(writer, a_record_put_after_an_error_writes_nothing)
{
    uint8_t out[64];
    for (const struct sample *s = samples(); s->name != NULL; s++) {
        struct wire_writer w;
        memset(out, CANARY, sizeof out);
        wire_writer_init(&w, out, sizeof out);
        w.status = WIRE_E_SPACE; /* with room left */
        any_put_body(&w, s->message.record, &s->message.body);
        cr_expect_eq(w.len, 0, "%s", s->name);
        cr_expect_eq(w.status, WIRE_E_SPACE);
        for (size_t i = 0; i < sizeof out; i++)
            cr_assert_eq(out[i], CANARY, "%s: byte %zu was written", s->name, i);
    }
}

Test(writer, the_first_error_stays_and_later_puts_do_nothing)
{
    uint8_t out[4];
    struct wire_writer w;
    wire_writer_init(&w, out, sizeof out);
    wire_put_uint(&w, 1);
    wire_put_uint(&w, UINT64_MAX);
    cr_assert_eq(w.status, WIRE_E_SPACE);
    wire_put_uint(&w, 2);
    wire_put_int(&w, -2);
    wire_put_bin(&w, (struct wire_bytes){big_in, 1});
    wire_put_str(&w, (struct wire_bytes){big_in, 1});
    wire_put_map(&w, 0);
    cr_expect_eq(w.len, 1);
    cr_expect_eq(w.status, WIRE_E_SPACE);
    cr_expect_eq(wire_end(&w), WIRE_E_SPACE);
}

Test(writer, every_frame_of_one_buffer_gets_its_own_length)
{
    uint8_t out[64];
    struct wire_writer w;
    wire_writer_init(&w, out, sizeof out);
    for (uint32_t id = 1; id <= 3; id++) {
        wire_begin(&w, &(struct wire_envelope){.kind = WIRE_CANCEL, .id = id});
        wire_put_nothing(&w);
        cr_assert_eq(wire_end(&w), WIRE_OK);
    }
    cr_assert_eq(w.len, 33);
    cr_expect_arr_eq(out, "\0\0\0\7\x96\4\1\0\0\0\x80\0\0\0\7\x96\4\2\0\0\0\x80\0\0\0\7\x96\4\3\0\0\0\x80", 33);
}

/* ---- borrowing ---- */

enum { ROOM = 400000 };
static uint8_t copied[ROOM], borrowed[ROOM], joined[ROOM];

/* A reply with `count` outs of the lengths given; twice, into two frames. */
static void put_outs(struct wire_writer *w, const size_t *lens, uint32_t count)
{
    struct wire_bytes outs[8];
    struct wire_call_reply m = {.has = WIRE_HAS(call_reply, ret) | WIRE_HAS(call_reply, outs),
                                .outs = {outs, count, 8}};
    for (uint32_t i = 0; i < count; i++)
        outs[i] = (struct wire_bytes){big_in + i, lens[i]};
    for (uint32_t id = 1; id <= 2; id++) {
        wire_begin(w, &(struct wire_envelope){.kind = WIRE_REPLY, .id = id, .code = WIRE_OP_call});
        wire_put_call_reply(w, &m);
        cr_assert_eq(wire_end(w), WIRE_OK);
    }
}

static size_t join(const struct wire_slice *slices, uint32_t count)
{
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_leq(slices[i].len, ROOM - len);
        memcpy(joined + len, slices[i].ptr, slices[i].len);
        len += slices[i].len;
    }
    return len;
}

/* The slices joined are what a copying writer writes; how many bytes were borrowed? */
static size_t expect_joined(const size_t *lens, uint32_t count, uint32_t slice_cap)
{
    struct wire_slice slices[64];
    struct wire_writer plain, w;
    for (size_t i = 0; i < sizeof big_in; i++)
        big_in[i] = (uint8_t)(i * 7);
    wire_writer_init(&plain, copied, ROOM);
    put_outs(&plain, lens, count);
    wire_writer_init(&w, borrowed, ROOM);
    wire_writer_borrow(&w, slices, slice_cap);
    put_outs(&w, lens, count);
    cr_expect_eq(wire_writer_total(&w), plain.len);
    cr_assert_leq(wire_writer_slices(&w), slice_cap);
    cr_expect_eq(join(slices, w.slice_count), plain.len);
    cr_expect_arr_eq(joined, copied, plain.len);
    for (uint32_t i = 0; i < w.slice_count; i++)
        cr_expect_gt(slices[i].len, 0, "an empty slice");
    return w.borrowed;
}

Test(writer, a_bin_is_borrowed_from_16_KiB_on)
{
    cr_expect_eq(expect_joined((size_t[]){WIRE_BORROW_MIN - 1}, 1, 64), 0);
    cr_expect_eq(expect_joined((size_t[]){WIRE_BORROW_MIN}, 1, 64), 2 * WIRE_BORROW_MIN);
    cr_expect_eq(expect_joined((size_t[]){WIRE_BORROW_MIN + 1, 3, 70000}, 3, 64), 2 * (WIRE_BORROW_MIN + 70001));
}

Test(writer, borrowed_bytes_are_the_callers_own)
{
    struct wire_slice slices[3];
    uint8_t out[64];
    struct wire_writer w;
    wire_writer_init(&w, out, sizeof out);
    wire_writer_borrow(&w, slices, 3);
    wire_begin(&w, &(struct wire_envelope){.kind = WIRE_REPLY, .id = 1, .code = WIRE_OP_ping});
    wire_put_ping_reply(&w, &(struct wire_ping_reply){.has = 1, .data = {big_in, 20000}});
    cr_assert_eq(wire_end(&w), WIRE_OK);
    cr_assert_eq(wire_writer_slices(&w), 2);
    cr_expect_eq(slices[0].ptr, out);
    cr_expect_eq(slices[1].ptr, big_in);
    cr_expect_eq(slices[1].len, 20000);
    cr_expect_eq(wire_load32(out) + WIRE_FRAME_HEADER, slices[0].len + 20000,
                 "the frame's length counts borrowed bytes");
}

Test(writer, slices_that_run_out_fall_back_to_copying)
{
    const size_t lens[] = {20000, 5, 16384, 30000};
    for (uint32_t cap = 1; cap < 20; cap++)
        expect_joined(lens, 4, cap);
}

Test(writer, twice_n_plus_one_slices_serve_n_bins)
{
    const size_t lens[] = {20000, 16384, 30000};
    cr_expect_eq(expect_joined(lens, 3, 2 * 6 + 1), 2 * 66384);
    cr_expect_lt(expect_joined(lens, 3, 2 * 6), 2 * 66384);
}

/* Borrowed bytes are not read, so that their lengths may lie here. */
Test(writer, what_no_length_can_say_is_refused)
{
    static const size_t lens[] = {INT32_MAX, (size_t)UINT32_MAX + 1};
    for (size_t i = 0; i < 2; i++) {
        struct wire_slice slices[3];
        uint8_t out[64];
        struct wire_writer w;
        wire_writer_init(&w, out, sizeof out);
        wire_writer_borrow(&w, slices, 3);
        wire_begin(&w, &(struct wire_envelope){.kind = WIRE_REPLY, .id = 1, .code = WIRE_OP_ping});
        wire_put_ping_reply(&w, &(struct wire_ping_reply){.has = 1, .data = {big_in, lens[i]}});
        cr_expect_eq(wire_end(&w), i == 0 ? WIRE_E_SPACE : WIRE_E_RANGE, "%zu bytes", lens[i]);
    }
}

Test(writer, nothing_written_is_no_slice)
{
    struct wire_slice slices[1];
    struct wire_writer w;
    wire_writer_init(&w, copied, ROOM);
    wire_writer_borrow(&w, slices, 1);
    cr_expect_eq(wire_writer_slices(&w), 0);
}

Test(writer, no_room_for_a_slice_is_an_error_not_an_overrun)
{
    struct wire_slice slices[1] = {{NULL, 0}};
    struct wire_writer w;
    wire_writer_init(&w, copied, ROOM);
    wire_writer_borrow(&w, slices, 0);
    wire_put_uint(&w, 1);
    cr_expect_eq(wire_writer_slices(&w), 0);
    cr_expect_eq(w.status, WIRE_E_SPACE);
    cr_expect_null(slices[0].ptr);
}
