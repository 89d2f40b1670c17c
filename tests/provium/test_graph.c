/* SPDX-License-Identifier: MIT
 *
 * Buffers and pointers become a request: every fault by its text before a byte is sent,
 * and what is sent to the byte.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "../support/fake_agent.h"

enum { GOOD_NR = 4242, MEMORY = WIRE_MIN_MEMORY, FRAME = WIRE_MIN_FRAME };

static const uint8_t zeros[MEMORY + 1];
static const uint8_t letters[96] = "abcdefghijkl";

#define BUFS(...) \
    .bufs = (const struct provium_buffer[]){__VA_ARGS__}, \
    .buf_count = sizeof((const struct provium_buffer[]){__VA_ARGS__}) / sizeof(struct provium_buffer)
#define PTRS(...) \
    .ptrs = (const struct provium_ptr[]){__VA_ARGS__}, \
    .ptr_count = sizeof((const struct provium_ptr[]){__VA_ARGS__}) / sizeof(struct provium_ptr)
#define AT_0(length) \
    { \
        .arg = 0, .data = letters, .len = length \
    }

/* Only good calls may arrive here. */
static void sees_good_ones(struct fake *f)
{
    fake_open(f);
    while (fake_call(f)) {
        fake_expect(f, f->call.nr == GOOD_NR);
        fake_answer(f);
    }
}

struct bad {
    struct provium_call call;
    const char *text;
};

/* Each fails with its text, nothing is sent, and the session goes on. */
static void expect_each(const struct bad *rows, size_t count, enum provium_status status)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, sees_good_ones);
    struct provium_result result;
    for (size_t i = 0; i < count; i++) {
        struct provium_call call = rows[i].call;
        call.caller = "syscall_ptr";
        call.first = 1;
        cr_expect_eq(provium_call(s, &call, &result), status, "%s", rows[i].text);
        cr_expect_str_eq(provium_session_error(s)->text, rows[i].text);
        struct provium_call good = {.nr = GOOD_NR, BUFS(AT_0(12))};
        cr_assert_eq(provium_call(s, &good, &result), PROVIUM_OK);
        cr_expect_arr_eq(result.outs[0].ptr, letters, 12);
    }
    fake_end(&f, s);
}

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

Test(graph, malformed_calls_are_named_to_the_field_and_nothing_is_sent)
{
    static const int64_t seven[7];
    const struct bad rows[] = {
        {{.args = seven, .arg_count = 7}, "syscall_ptr: 7 arguments; a system call takes at most six"},
        {{BUFS({.arg = 6})}, "syscall_ptr: bufs[6]: an argument index is 0 to 5"},
        {{BUFS({.arg = 4294967295u})}, "syscall_ptr: bufs[4294967295]: an argument index is 0 to 5"},
        {{BUFS({.arg = 2}, {.arg = 1}, {.arg = 2})}, "syscall_ptr: bufs[2]: given twice"},
        {{PTRS({.buf_idx = 3})}, "syscall_ptr: ptrs[1].buf_idx: no buffer is argument 3"},
        {{BUFS(AT_0(96)), PTRS({.buf_idx = 1})}, "syscall_ptr: ptrs[1].buf_idx: no buffer is argument 1"},
        {{BUFS(AT_0(96)), PTRS({.buf_idx = 4294967295u})},
         "syscall_ptr: ptrs[1].buf_idx: no buffer is argument 4294967295"},
        {{BUFS(AT_0(96)), PTRS({.ptr_offset = 8}, {.ptr_offset = 93})},
         "syscall_ptr: ptrs[2].ptr_offset: 93 + 8 exceeds buffer 0 (96 bytes)"},
        {{BUFS(AT_0(96)), PTRS({.ptr_offset = 89})},
         "syscall_ptr: ptrs[1].ptr_offset: 89 + 8 exceeds buffer 0 (96 bytes)"},
        {{BUFS(AT_0(96)), PTRS({.ptr_offset = 89}), .buffer = "struct"},
         "syscall_ptr: ptrs[1].ptr_offset: 89 + 8 exceeds the struct (96 bytes)"},
        {{BUFS(AT_0(96)), PTRS({.ptr_offset = UINT64_MAX})},
         "syscall_ptr: ptrs[1].ptr_offset: 18446744073709551615 + 8 exceeds buffer 0 (96 bytes)"},
        {{BUFS({.arg = 5, .data = letters, .len = 7}), PTRS({.buf_idx = 5})},
         "syscall_ptr: ptrs[1].ptr_offset: 0 + 8 exceeds buffer 5 (7 bytes)"},
        {{BUFS({.arg = 5}), PTRS({.buf_idx = 5})}, "syscall_ptr: ptrs[1].ptr_offset: 0 + 8 exceeds buffer 5 (0 bytes)"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 8, .data = letters, .data_size = 9})},
         "syscall_ptr: ptrs[1].data: 9 bytes exceed its length of 8"},
        {{BUFS(AT_0(96)), PTRS({.data = letters, .data_size = 1})},
         "syscall_ptr: ptrs[1].data: 1 bytes exceed its length of 0"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 8}, {.data_len = 8, .data_size = 5})},
         "syscall_ptr: ptrs[2].data: NULL, but data_size is 5"},
        {{.arg_count = 3}, "syscall_ptr: args: NULL, but arg_count is not 0"},
        {{.buf_count = 1}, "syscall_ptr: bufs: NULL, but buf_count is not 0"},
        {{BUFS(AT_0(96)), .ptr_count = 1}, "syscall_ptr: ptrs: NULL, but ptr_count is not 0"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 8}, {.has_parent = true, .parent = 2})},
         "syscall_ptr: ptrs[2].parent: 3 is no place in ptrs (2 specs)"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 8}, {.has_parent = true, .parent = SIZE_MAX})},
         "syscall_ptr: ptrs[2].parent: 0 is no place in ptrs (2 specs)"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 8}, {.has_parent = true, .buf_idx = 1})},
         "syscall_ptr: ptrs[2].parent: excludes buf_idx"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 15}, {.has_parent = true, .ptr_offset = 8})},
         "syscall_ptr: ptrs[2].ptr_offset: 8 + 8 exceeds the sub-buffer of ptrs[1] (15 bytes)"},
        {{BUFS(AT_0(96)), PTRS({.has_parent = true, .parent = 1, .ptr_offset = UINT64_MAX}, {.data_len = 9})},
         "syscall_ptr: ptrs[1].ptr_offset: 18446744073709551615 + 8 exceeds the sub-buffer of ptrs[2] (9 bytes)"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_SAME, .same = 1})},
         "syscall_ptr: ptrs[1].same: 2 is no place in ptrs (1 specs)"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_SAME, .same = 0})},
         "syscall_ptr: ptrs[1].same: leads in a circle, not to a sub-buffer"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_SAME, .same = 2}, {.data_len = 1}, {.to = PROVIUM_TO_SAME, .same = 3},
                               {.to = PROVIUM_TO_SAME, .same = 2})},
         "syscall_ptr: ptrs[1].same: leads in a circle, not to a sub-buffer"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 1}, {.to = PROVIUM_TO_SAME, .data_len = 1})},
         "syscall_ptr: ptrs[2].same: excludes data_len"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 1}, {.to = PROVIUM_TO_SAME, .data = letters})},
         "syscall_ptr: ptrs[2].same: excludes data"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 1}, {.to = PROVIUM_TO_SAME, .output = true})},
         "syscall_ptr: ptrs[2].same: excludes output"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_NULL, .data_len = 1})},
         "syscall_ptr: ptrs[1].null: excludes data_len"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_BAD, .data_size = 1})}, "syscall_ptr: ptrs[1].bad: excludes data"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_BAD, .bad = 4})}, "syscall_ptr: ptrs[1].bad: 4 is no kind of address"},
        {{BUFS(AT_0(96)), PTRS({.to = 4})}, "syscall_ptr: ptrs[1].to: 4 is not what a pointer can point at"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_NULL}, {.to = PROVIUM_TO_SAME, .same = 0})},
         "syscall_ptr: ptrs[2].same: ptrs[1] points at no sub-buffer"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 1, .width = 3})}, "syscall_ptr: ptrs[1].width: 3 is not 4 or 8"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_BAD, .bad = PROVIUM_KERNEL, .width = 4})},
         "syscall_ptr: ptrs[1].width: this bad address takes more than 4 bytes"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 1, .plus = 1})},
         "syscall_ptr: ptrs[1].plus: this agent cannot: it lacks the capability pointers"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 1, .width = 8, .plus = 1})},
         "syscall_ptr: ptrs[1].width: this agent cannot: it lacks the capability pointers"},
        {{BUFS({.arg = 3, .len = 1, .place = {.align = 8}})},
         "syscall_ptr: bufs[3].align: this agent cannot: it lacks the capability placement"},
        {{BUFS({.arg = 3, .len = 1, .place = {.dir = 5}})},
         "syscall_ptr: bufs[3].dir: not a value that this library knows"},
        {{BUFS({.arg = 3, .len = 1, .data = letters, .place = {.dir = PROVIUM_DIR_OUT}})},
         "syscall_ptr: bufs[3].dir: data does not go out, or nowhere"},
        {{BUFS({.arg = 3, .len = 1, .data = letters, .data_size = 2})},
         "syscall_ptr: bufs[3].data: 2 bytes exceed its length of 1"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 1, .place = {.guard = PROVIUM_GUARD_BOTH}})},
         "syscall_ptr: ptrs[1].guard: this agent cannot: it lacks the capability placement"},
        {{BUFS(AT_0(96)), PTRS({.data_len = 1}, {.to = PROVIUM_TO_SAME, .place = {.low = true}})},
         "syscall_ptr: ptrs[2].same: excludes low"},
        {{BUFS(AT_0(96)), .want_changed = true},
         "syscall_ptr: changed: this agent cannot: it lacks the capability measure"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_NULL})},
         "syscall_ptr: ptrs[1].null: this agent cannot: it lacks the capability pointers"},
        {{BUFS(AT_0(96)), PTRS({.to = PROVIUM_TO_BAD})},
         "syscall_ptr: ptrs[1].bad: this agent cannot: it lacks the capability pointers"},
    };
    expect_each(rows, COUNT(rows), PROVIUM_E_ARGUMENT);
}

Test(graph, calls_over_the_agreed_limits_are_found_before_a_byte_is_sent)
{
    static const struct provium_ptr many[64] = {{.buf_idx = 0}};
    const struct bad rows[] = {
        {{BUFS({.arg = 2, .data = zeros, .len = MEMORY + 1})},
         "syscall_ptr: bufs[2]: 65537 bytes exceed the agreed 65536"},
        {{BUFS({.arg = 2, .len = SIZE_MAX})},
         "syscall_ptr: bufs[2]: 18446744073709551615 bytes exceed the agreed 65536"},
        {{BUFS(AT_0(8)), PTRS({.data_len = MEMORY + 1})},
         "syscall_ptr: ptrs[1].data_len: 65537 bytes exceed the agreed 65536"},
        {{BUFS(AT_0(8)), PTRS({.data_len = UINT64_MAX})},
         "syscall_ptr: ptrs[1].data_len: 18446744073709551615 bytes exceed the agreed 65536"},
        {{BUFS(AT_0(8)), PTRS({.data_len = MEMORY + 1, .data = zeros, .data_size = MEMORY + 1})},
         "syscall_ptr: ptrs[1].data: 65537 bytes exceed the agreed 65536"},
        {{BUFS(AT_0(8)), PTRS({.data_len = MEMORY + 1}), .length = "buf_len"},
         "syscall_ptr: ptrs[1].buf_len: 65537 bytes exceed the agreed 65536"},
        {{BUFS({.arg = 2, .len = MEMORY + 1}), .buffer = "struct"},
         "syscall_ptr: struct: 65537 bytes exceed the agreed 65536"},
        {{BUFS(AT_0(8)), PTRS({.data_len = MEMORY - 7})},
         "syscall_ptr: 65537 bytes of buffers exceed the agreed 65536"},
        {{BUFS({.arg = 0, .len = MEMORY}, {.arg = 1, .len = MEMORY})},
         "syscall_ptr: 131072 bytes of buffers exceed the agreed 65536"},
        {{BUFS({.arg = 0, .len = FRAME - 79})},
         "syscall_ptr: 65537 bytes of returned buffers exceed the agreed frame of 65536"},
        {{BUFS({.arg = 0, .len = FRAME - 96}, {.arg = 1, .len = 1})},
         "syscall_ptr: 65537 bytes of returned buffers exceed the agreed frame of 65536"},
        {{BUFS(AT_0(8)), PTRS({.data_len = MEMORY - 8, .data = zeros, .data_size = MEMORY - 8})},
         "syscall_ptr: the buffers exceed the agreed frame of 65536 bytes"},
        {{BUFS(AT_0(8)), .ptrs = many, .ptr_count = 64}, "syscall_ptr: 65 buffers and pointers exceed the agreed 64"},
        {{BUFS(AT_0(8)), .ptrs = many, .ptr_count = SIZE_MAX},
         "syscall_ptr: 18446744073709551615 buffers and pointers exceed the agreed 64"},
        {{.bufs = NULL, .buf_count = SIZE_MAX, .ptrs = many, .ptr_count = 1},
         "syscall_ptr: 18446744073709551615 buffers and pointers exceed the agreed 64"},
    };
    expect_each(rows, COUNT(rows), PROVIUM_E_LIMIT);
}

Test(graph, callers_names_for_the_list_and_its_first_index_are_used)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, sees_good_ones);
    struct provium_result result;
    struct provium_call call = {.caller = "ioctl_buf", .list = "specs", BUFS(AT_0(4)), PTRS({.ptr_offset = 1})};
    cr_expect_eq(provium_call(s, &call, &result), PROVIUM_E_ARGUMENT);
    cr_expect_str_eq(provium_session_error(s)->text,
                     "ioctl_buf: specs[0].ptr_offset: 1 + 8 exceeds buffer 0 (4 bytes)");
    call.caller = call.list = NULL;
    cr_expect_eq(provium_call(s, &call, &result), PROVIUM_E_ARGUMENT);
    cr_expect_str_eq(provium_session_error(s)->text,
                     "provium_call: ptrs[0].ptr_offset: 1 + 8 exceeds buffer 0 (4 bytes)");
    fake_end(&f, s);
}

static enum provium_status good_call(const struct provium_call *call)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, sees_good_ones);
    struct provium_call good = *call;
    struct provium_result result;
    good.nr = GOOD_NR;
    enum provium_status status = provium_call(s, &good, &result);
    fake_end(&f, s);
    return status;
}

Test(graph, calls_at_the_border_of_the_limits_work)
{
    static const struct provium_ptr many[63] = {{.buf_idx = 0}};
    const struct provium_call rows[] = {
        {BUFS(AT_0(16)), PTRS({.ptr_offset = 8, .data_len = MEMORY - 16})}, /* memory */
        {BUFS({.arg = 0, .len = FRAME - 80})},                              /* frame of the reply */
        {BUFS({.arg = 0, .len = FRAME - 96 - 1}, {.arg = 1, .len = 1})},    /* the same by two */
        {BUFS(AT_0(8)), .ptrs = many, .ptr_count = 63},                     /* buffers */
        {BUFS(AT_0(96)), PTRS({.ptr_offset = 88}, {.ptr_offset = 0})},      /* offset */
        {.buf_count = 0},                                                   /* nothing */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        cr_expect_eq(good_call(&rows[i]), PROVIUM_OK, "row %zu", i);
}

Test(graph, largest_request_is_as_large_as_the_frame)
{
    /* everything around the data: envelope 6, map and nr 1 + 4, buffers 2 + 13 + 10, specs 2 + 5 + 7 */
    size_t room = FRAME - (6 + 5 + 25 + 14) - 8;
    struct provium_call call = {BUFS(AT_0(8)), PTRS({.data = zeros})};
    struct provium_ptr ptr = call.ptrs[0];
    unsigned passed = 0;
    call.ptrs = &ptr;
    for (size_t len = room - 8; len < room + 8; len++) {
        ptr.data_len = ptr.data_size = len;
        enum provium_status status = good_call(&call);
        cr_expect(status == PROVIUM_OK || status == PROVIUM_E_LIMIT);
        cr_expect(status == PROVIUM_E_LIMIT || passed == len - (room - 8), "what fits is what is small");
        passed += status == PROVIUM_OK;
    }
    cr_expect(passed > 0 && passed < 16, "%u", passed);
}

/* ---- what is sent ---- */

/* The request is these bytes, the frame's length aside. */
static void compares(struct fake *f)
{
    const struct fake_bytes *want = f->context;
    fake_open(f);
    size_t before = f->received;
    fake_call(f);
    fake_expect(f, f->received - before == want->len + WIRE_FRAME_HEADER);
    fake_expect(f, memcmp(f->rx, want->at, want->len) == 0);
    fake_answer(f);
    fake_drain(f);
    fake_expect(f, f->drained == 0);
}

/* What comes back borrows nothing: the session is gone. */
static void sends(fake_script *script, const struct provium_call *call, const char *hex)
{
    struct fake f;
    struct fake_bytes want = fake_raw(hex);
    struct provium_session *s = provium_session_new();
    struct provium_result result;
    fake_start(&f, script, &want);
    cr_assert_eq(provium_session_open(s, f.host, f.host, 2000), PROVIUM_OK);
    cr_expect_eq(provium_call(s, call, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
    fake_end(&f, s);
}

static void expect_sent(const struct provium_call *call, const char *hex)
{
    sends(compares, call, hex);
}

Test(graph, plain_call_is_sent_as_the_specification_shows)
{
    expect_sent(&(struct provium_call){.nr = 39}, "96 00 02 10 00 01 81 00 27");
}

Test(graph, arguments_are_sent_exactly_and_missing_ones_are_left_out)
{
    static const int64_t args[] = {0, -1, INT64_MIN, INT64_MAX, -100, 128};
    expect_sent(&(struct provium_call){.nr = -1, .args = args, .arg_count = 6},
                "96 00 02 10 00 01 82 00 ff"
                "01 96 00 ff d3 8000000000000000 cf 7fffffffffffffff d0 9c cc 80");
}

Test(graph, buffers_and_pointers_are_sent_in_the_order_of_arguments_and_specs)
{
    static const int64_t args[] = {0, -1, 7};
    const struct provium_call call = {
        .nr = 1023,
        .args = args,
        .arg_count = 3,
        BUFS({.arg = 5, .data = NULL, .len = 3}, {.arg = 0, .data = letters, .len = 12}),
        PTRS({.buf_idx = 0, .ptr_offset = 4, .data_len = 2, .output = true},
             {.buf_idx = 0, .ptr_offset = 4, .data_len = 4, .data = "xy", .data_size = 2},
             {.buf_idx = 0, .ptr_offset = 0, .data_len = 0},
             {.buf_idx = 0, .ptr_offset = 3, .data_len = 1, .data = "z", .data_size = 1, .output = true},
             {.buf_idx = 0, .ptr_offset = 1, .data_len = 5, .data = NULL})};
    expect_sent(&call, "96 00 02 10 00 01 84 00 cd 03ff 01 93 00 ff 07"
                       "02 97"
                       "  83 00 0c 01 c4 0c 6162636465666768696a6b6c 02 03" /* argument 0: in and out */
                       "  82 00 03 02 02"                                   /* argument 5: nothing to send */
                       "  82 00 02 02 02"
                       "  83 00 04 01 c4 02 7879 02 01" /* shorter data; not returned */
                       "  82 00 00 02 01"
                       "  83 00 01 01 c4 01 7a 02 03"
                       "  82 00 05 02 01"
                       "03 97"
                       "  82 00 00 01 00  82 00 01 01 05" /* beyond the arguments that were given */
                       "  83 00 02 02 00 03 04  83 00 03 02 00 03 04  83 00 04 02 00 03 00"
                       "  83 00 05 02 00 03 03  83 00 06 02 00 03 01");
}

Test(graph, pointers_name_their_buffer_by_its_place_among_the_buffers)
{
    const struct provium_call call = {.nr = 1,
                                      BUFS({.arg = 4, .len = 8}, {.arg = 1, .len = 9}),
                                      PTRS({.buf_idx = 4}, {.buf_idx = 1, .ptr_offset = 1})};
    expect_sent(&call, "96 00 02 10 00 01 83 00 01"
                       "02 94  82 00 09 02 02  82 00 08 02 02  82 00 00 02 01  82 00 00 02 01"
                       "03 94  82 00 00 01 01  82 00 01 01 04  83 00 02 02 01 03 00  83 00 03 02 00 03 01");
}

Test(graph, pointers_lie_in_sub_buffers_of_earlier_and_later_specs)
{
    const struct provium_call call = {.nr = 1,
                                      BUFS({.arg = 1, .len = 8}),
                                      PTRS({.buf_idx = 1, .data_len = 16},
                                           {.has_parent = true, .parent = 2, .ptr_offset = 1, .data_len = 3},
                                           {.has_parent = true, .parent = 0, .ptr_offset = 8, .data_len = 9})};
    expect_sent(&call, "96 00 02 10 00 01 83 00 01"
                       "02 94  82 00 08 02 02  82 00 10 02 01  82 00 03 02 01  82 00 09 02 01"
                       "03 94  82 00 00 01 01  83 00 01 02 00 03 00  83 00 02 02 03 03 01  83 00 03 02 01 03 08");
}

Test(graph, shared_and_cyclic_pointers_take_no_memory_of_their_own)
{
    /* two nodes that point at each other, one that points at itself, and chains of `same` in both directions */
    const struct provium_call call = {.nr = 1,
                                      BUFS({.arg = 0, .len = 8}),
                                      PTRS({.to = PROVIUM_TO_SAME, .same = 4}, {.has_parent = true, .data_len = 8},
                                           {.has_parent = true, .parent = 2, .data_len = 8},
                                           {.to = PROVIUM_TO_SAME, .same = 0}, {.to = PROVIUM_TO_SAME, .same = 1},
                                           {.has_parent = true, .parent = 1, .to = PROVIUM_TO_SAME, .same = 2})};
    expect_sent(&call, "96 00 02 10 00 01 83 00 01"
                       "02 93  82 00 08 02 02  82 00 08 02 01  82 00 08 02 01"
                       "03 97  82 00 00 01 00  83 00 01 02 00 03 00  83 00 01 02 01 03 00  83 00 02 02 02 03 00"
                       "       83 00 01 02 00 03 00  83 00 01 02 00 03 00  83 00 02 02 01 03 00");
}

/* The same with an agent that has every capability. */
static void compares_capable(struct fake *f)
{
    static struct wire_bytes names[32];
    for (const struct wire_row *row = wire_caps(); row->name != NULL; row++)
        names[f->hello.caps.count++] = (struct wire_bytes){(const uint8_t *)row->name, strlen(row->name)};
    f->hello.caps.items = names;
    f->hello.frame_limit = 1 << 20; /* ranges have their share of it */
    compares(f);
}

Test(graph, offsets_widths_and_bad_addresses_are_fields_of_their_specs)
{
    const struct provium_call call = {
        .nr = 1,
        BUFS({.arg = 0, .len = 20}),
        PTRS({.data_len = 3, .plus = 2}, {.ptr_offset = 12, .width = 8, .to = PROVIUM_TO_SAME, .same = 0, .plus = -1},
             {.ptr_offset = 16, .width = 4, .to = PROVIUM_TO_NULL},
             {.to = PROVIUM_TO_BAD, .bad = PROVIUM_UNMAPPED, .plus = INT64_MIN},
             {.has_parent = true, .parent = 5, .ptr_offset = 0, .to = PROVIUM_TO_BAD, .bad = PROVIUM_READONLY},
             {.data_len = 8}, {.to = PROVIUM_TO_BAD, .bad = PROVIUM_NONCANONICAL},
             {.to = PROVIUM_TO_BAD, .bad = PROVIUM_KERNEL})};
    sends(compares_capable, &call,
          "96 00 02 10 00 01 83 00 01"
          "02 93  82 00 14 02 02  82 00 03 02 01  82 00 08 02 01"
          "03 99  82 00 00 01 00"
          "       84 00 01 02 00 03 00 04 02"
          "       85 00 01 02 00 03 0c 04 ff 05 08"
          "       85 00 00 02 00 03 10 05 04 06 00"
          "       85 00 00 02 00 03 00 04 d3 8000000000000000 06 01"
          "       84 00 00 02 02 03 00 06 04"
          "       83 00 02 02 00 03 00"
          "       84 00 00 02 00 03 00 06 02  84 00 00 02 00 03 00 06 03");
}

Test(graph, directions_and_places_are_fields_of_their_buffers)
{
    const struct provium_call call = {
        .nr = 1,
        BUFS({.arg = 0, .data = "ab", .data_size = 2, .len = 8, .place = {.dir = PROVIUM_DIR_IN}},
             {.arg = 1, .len = 8, .place = {.guard = PROVIUM_GUARD_START}},
             {.arg = 2, .len = 4, .place = {.dir = PROVIUM_DIR_NONE, .align = 4096}}),
        PTRS({.data_len = 2, .place = {.dir = PROVIUM_DIR_OUT, .low = true}},
             {.data = "c",
              .data_size = 1,
              .data_len = 1,
              .place = {.dir = PROVIUM_DIR_INOUT, .guard = PROVIUM_GUARD_NONE}},
             {.data_len = 1, .width = 4, .output = true})};
    sends(compares_capable, &call,
          "96 00 02 10 00 01 83 00 01"
          "02 96  83 00 08 01 c4 02 6162 02 01  83 00 08 02 02 03 01  83 00 04 02 00 04 cd 1000"
          "       83 00 02 02 02 05 01  84 00 01 01 c4 01 63 02 03 03 03  83 00 01 02 02 05 01"
          "03 96  82 00 00 01 00  82 00 01 01 01  82 00 02 01 02"
          "       83 00 03 02 00 03 00  83 00 04 02 00 03 00  84 00 05 02 00 03 00 05 04");
}

/* ---- what comes back ---- */

static void returns_all(struct fake *f)
{
    f->hello.frame_limit = 1 << 20;
    f->hello.memory_limit = 1 << 20;
    fake_serve(f);
}

static void expect_out(struct provium_bytes out, const void *want, size_t len)
{
    cr_expect_eq(out.len, len);
    cr_expect_eq(memcmp(out.ptr, want, len), 0);
}

Test(graph, outputs_are_the_buffers_by_argument_then_the_sub_buffers_by_spec)
{
    static uint8_t large[3][40000];
    struct fake f;
    struct provium_session *s = fake_session(&f, returns_all);
    struct provium_result result;
    for (unsigned i = 0; i < 3; i++)
        memset(large[i], 'A' + (int)i, sizeof large[i]);
    /* large ones are borrowed, small ones copied: in any mixture they keep their places */
    const struct provium_call call = {
        .nr = 1,
        BUFS({.arg = 3, .data = large[0], .len = 40000}, {.arg = 0, .data = letters, .len = 12},
             {.arg = 1, .data = large[1], .len = 16384}),
        PTRS({.data_len = 4, .data = "wxyz", .data_size = 4, .output = true},
             {.data_len = 20000, .data = large[2], .data_size = 20000},
             {.data_len = 30000, .data = large[2], .data_size = 30000, .output = true},
             {.data_len = 2, .data = "!!", .data_size = 2, .output = true}, {.data_len = 3, .output = true})};
    cr_assert_eq(provium_call(s, &call, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
    cr_assert_eq(result.out_count, 7);
    expect_out(result.outs[0], letters, 12);
    expect_out(result.outs[1], large[1], 16384);
    expect_out(result.outs[2], large[0], 40000);
    expect_out(result.outs[3], "wxyz", 4);
    expect_out(result.outs[4], large[2], 30000);
    expect_out(result.outs[5], "!!", 2);
    expect_out(result.outs[6], "\0\0\0", 3);
    fake_end(&f, s);
}

static void narrow(struct fake *f)
{
    f->hello.pointer_width = 4;
    fake_serve(f);
}

Test(graph, pointers_of_a_32_bit_guest_take_four_bytes)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, narrow);
    struct provium_result result;
    struct provium_call call = {BUFS(AT_0(4)), PTRS({.ptr_offset = 0})};
    cr_expect_eq(provium_call(s, &call, &result), PROVIUM_OK);
    call = (struct provium_call){BUFS(AT_0(4)), PTRS({.ptr_offset = 1})};
    cr_expect_eq(provium_call(s, &call, &result), PROVIUM_E_ARGUMENT);
    cr_expect_str_eq(provium_session_error(s)->text,
                     "provium_call: ptrs[0].ptr_offset: 1 + 4 exceeds buffer 0 (4 bytes)");
    fake_end(&f, s);
}

static void takes_many(struct fake *f)
{
    f->hello.spec_limit = f->hello.buffer_limit = 8192;
    fake_open(f);
    fake_drain(f);
}

/* A chain of 8,191 `same`, each naming the next: what followed each of them to its end would need 33 million steps. */
Test(graph, long_chains_are_followed_once, .timeout = 10)
{
    enum { SPECS = 8191, CALLS = 200 };
    static struct provium_ptr ptrs[SPECS];
    struct fake f;
    struct provium_session *s = fake_session(&f, takes_many);
    struct provium_result result;
    struct provium_call call = {.nr = 1, BUFS({.arg = 0, .len = 8}), .ptrs = ptrs, .ptr_count = SPECS};
    for (size_t i = 0; i < SPECS; i++)
        ptrs[i] = (struct provium_ptr){.to = PROVIUM_TO_SAME, .same = i + 1};
    ptrs[SPECS - 1] = (struct provium_ptr){.ptr_offset = 1};
    for (unsigned i = 0; i < CALLS; i++) /* the last one does not fit: all is resolved, nothing is sent */
        cr_assert_eq(provium_call(s, &call, &result), PROVIUM_E_ARGUMENT);
    cr_expect_str_eq(provium_session_error(s)->text,
                     "provium_call: ptrs[8190].ptr_offset: 1 + 8 exceeds buffer 0 (8 bytes)");
    fake_end(&f, s);
}

Test(graph, lists_may_grow_and_shrink_from_call_to_call)
{
    static const struct provium_ptr many[63] = {{.buf_idx = 0}};
    struct fake f;
    struct provium_session *s = fake_session(&f, sees_good_ones);
    struct provium_result result;
    struct provium_call call = {.nr = GOOD_NR, BUFS(AT_0(8)), .ptrs = many};
    for (unsigned i = 0; i < 300; i++) {
        call.ptr_count = i * 37 % 64;
        cr_assert_eq(provium_call(s, &call, &result), PROVIUM_OK, "%s", provium_session_error(s)->text);
        cr_expect_eq(result.out_count, 1);
    }
    fake_end(&f, s);
}
