/* SPDX-License-Identifier: MIT
 *
 * agent/op_call.c: what is refused before anything is executed, and what the kernel
 * gets to see of a request that is not.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "expect.h"

static struct rig *rig;

static void setup(void)
{
    struct any_message reply;
    rig = rig_open();
    cr_assert_not_null(rig);
    cr_assert(rig_hello(rig, &rig_minimum, &reply));
}

static void setup_wide(void)
{
    struct any_message reply;
    setup();
    cr_assert(rig_hello(rig, &rig_wide, &reply));
}

TestSuite(call, .init = setup);
TestSuite(wide_call, .init = setup_wide);

/* ---- requests as structs ---- */

enum { MANY = 9000 };
static struct wire_buffer buffers[MANY];
static struct wire_spec specs[MANY];
static struct any_message request;

/* System call 1000 with these many of the buffers and specs above. */
static void send_call(uint32_t buffer_count, uint32_t spec_count)
{
    struct wire_call_request *m = &request.body.call_request;
    request.envelope = (struct wire_envelope){.kind = WIRE_REQUEST, .id = 2, .code = WIRE_OP_call};
    request.record = ANY_call_request;
    m->nr = m->nr != 0 ? m->nr : 1000;
    m->buffers.items = buffers;
    m->specs.items = specs;
    m->buffers.count = buffer_count;
    m->specs.count = spec_count;
    m->has |=
        (buffer_count > 0 ? WIRE_HAS(call_request, buffers) : 0) | (spec_count > 0 ? WIRE_HAS(call_request, specs) : 0);
    cr_assert(rig_send(rig, &request));
}

static struct wire_buffer in(const void *data, uint32_t len)
{
    return (struct wire_buffer){.has = WIRE_HAS(buffer, data), .len = len, .data = {data, len}, .dir = WIRE_DIR_in};
}

static struct wire_buffer out(uint32_t len)
{
    return (struct wire_buffer){.len = len, .dir = WIRE_DIR_out};
}

static struct wire_spec to_arg(uint32_t target, uint8_t arg)
{
    return (struct wire_spec){.has = WIRE_HAS(spec, arg), .target = target, .arg = arg};
}

static struct wire_spec to_buffer(uint32_t target, uint32_t buffer, uint32_t offset)
{
    return (struct wire_spec){
        .has = WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset), .target = target, .buffer = buffer, .offset = offset};
}

static struct any_message expect_reply(int64_t ret, uint32_t outs)
{
    struct any_message m;
    cr_assert(rig_answer(rig, &m));
    cr_assert_eq(m.record, ANY_call_reply, "refused");
    cr_expect_eq(m.envelope.id, 2);
    cr_expect_eq(m.body.call_reply.ret, ret);
    cr_assert_eq(m.body.call_reply.outs.count, outs);
    cr_expect_eq(m.body.call_reply.has, outs > 0 ? 3 : 1, "ret always, outs only when there are some");
    expect_silence(rig, "reply");
    return m;
}

/* ---- CALL-8: bad fields ---- */

#define CALL "96 00 02 10 00 00 "
#define B8 "82 00 08 02 00 " /* a buffer: 8 bytes, no direction */

Test(call, bad_fields_are_refused_with_their_path_and_nothing_is_executed)
{
    static const struct {
        const char *hex, *path;
    } rows[] = {
        {CALL "82 00 27 02 91 83 00 01 01 c4 02 61 62 02 01", "buffers[0].data"}, /* longer than len */
        {CALL "82 00 27 02 91 83 00 00 01 c4 01 61 02 03", "buffers[0].data"},
        {CALL "82 00 27 02 92 " B8 "83 00 08 01 c4 01 61 02 00", "buffers[1].data"}, /* direction none */
        {CALL "82 00 27 02 92 " B8 "83 00 08 01 c4 01 61 02 02", "buffers[1].data"}, /* direction out */
        {CALL "82 00 27 02 91 83 00 08 01 c4 00 02 02", "buffers[0].data"},          /* even no bytes */
        {CALL "82 00 27 02 91 82 00 08 02 04", "buffers[0].dir"},
        {CALL "82 00 27 02 93 " B8 B8 "82 00 08 02 cc ff", "buffers[2].dir"},
        {CALL "83 00 27 02 91 " B8 "03 91 82 00 01 01 00", "specs[0].target"},
        {CALL "82 00 27 03 91 82 00 00 01 00", "specs[0].target"}, /* no buffers at all */
        {CALL "83 00 27 02 91 " B8 "03 91 82 00 ce ff ff ff ff 01 00", "specs[0].target"},
        {CALL "83 00 27 02 91 " B8 "03 92 82 00 00 01 00 83 00 00 02 01 03 00", "specs[1].buffer"},
        {CALL "83 00 27 02 91 " B8 "03 91 83 00 00 02 ce ff ff ff ff 03 00", "specs[0].buffer"},
        {CALL "83 00 27 02 91 " B8 "03 91 82 00 00 01 06", "specs[0].arg"},
        {CALL "83 00 27 02 91 " B8 "03 91 82 00 00 01 cc ff", "specs[0].arg"},
        {CALL "83 00 27 02 91 " B8 "03 91 84 00 00 01 00 02 00 03 00", "specs[0]"}, /* both places */
        {CALL "83 00 27 02 91 " B8 "03 91 81 00 00", "specs[0]"},                   /* no place */
        {CALL "83 00 27 02 91 " B8 "03 91 82 00 00 02 00", "specs[0]"},             /* half a place */
        {CALL "83 00 27 02 91 " B8 "03 91 82 00 00 03 00", "specs[0]"},
        {CALL "83 00 27 02 91 " B8 "03 91 83 00 00 01 00 03 00", "specs[0]"},
        {CALL "83 00 27 02 91 " B8 "03 91 83 00 00 02 00 03 01", "specs[0].offset"},
        {CALL "83 00 27 02 91 " B8 "03 91 83 00 00 02 00 03 ce ff ff ff f8", "specs[0].offset"},
        {CALL "83 00 27 02 91 " B8 "03 91 83 00 00 02 00 03 ce ff ff ff ff", "specs[0].offset"},
        {CALL "83 00 27 02 91 82 00 07 02 00 03 91 83 00 00 02 00 03 00", "specs[0].offset"},
        {CALL "83 00 27 02 91 82 00 00 02 00 03 91 83 00 00 02 00 03 00", "specs[0].offset"},
        {CALL "82 00 27 01 97 00 00 00 00 00 00 00", "args"},
        {CALL "82 00 27 01 91 c0", "args"},
        {CALL "81 00 ca 42 1c 00 00", "nr"},
        {CALL "82 00 27 02 91 81 00 08", "buffers[0].dir"},              /* no direction */
        {CALL "83 00 27 02 91 " B8 "03 91 81 01 00", "specs[0].target"}, /* no target */
        {CALL "80", "nr"},                                               /* no number */
        {CALL "82 00 27 00 27", "nr"},                                   /* twice */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert(rig_frame(rig, rows[i].hex), "%s", rows[i].hex);
        expect_error(rig, 2, WIRE_ERR_BAD_FIELD, rows[i].path, rows[i].hex);
    }
    cr_expect_eq(rig->calls, 0);
    expect_alive(rig, "bad fields");
}

Test(call, the_last_place_in_a_buffer_is_legal)
{
    cr_assert(rig_frame(rig, CALL "83 00 27 02 91 82 00 09 02 00 03 91 83 00 00 02 00 03 01"));
    expect_reply(0, 0);
    cr_expect_eq(rig->calls, 1);
}

Test(call, unknown_fields_are_refused_with_the_path_of_their_record)
{
    static const struct {
        const char *hex, *path;
    } rows[] = {
        {CALL "82 00 27 04 00", NULL},
        {CALL "82 00 27 cd ff ff 00", NULL},
        {CALL "82 00 27 02 92 " B8 "83 00 08 02 00 03 00", "buffers[1]"},
        {CALL "83 00 27 02 91 " B8 "03 91 83 00 00 01 00 04 00", "specs[0]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert(rig_frame(rig, rows[i].hex));
        expect_error(rig, 2, WIRE_ERR_UNKNOWN_FIELD, rows[i].path, rows[i].hex);
    }
    cr_expect_eq(rig->calls, 0);
}

Test(call, bodies_that_are_not_msgpack_or_too_deep_are_malformed)
{
    static const char *const rows[] = {CALL "82 00 27", CALL "82 00 27 01 c1", CALL "82 00 27 02 91 82 00 08 02",
                                       CALL "82 00 27 01 dd ff ff ff ff", CALL "81 00 cd 00"};
    struct any_message m;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert(rig_frame(rig, rows[i]));
        cr_assert(rig_answer(rig, &m));
        cr_expect(m.record == ANY_error && m.envelope.code == WIRE_ERR_MALFORMED, "%s: code %u", rows[i],
                  m.envelope.code);
        expect_silence(rig, rows[i]);
    }
    cr_expect_eq(rig->calls, 0);
    expect_alive(rig, "malformed");
}

/* ---- CALL-9: limits ---- */

Test(call, more_buffers_or_specs_than_agreed_are_refused)
{
    for (uint32_t i = 0; i < 65; i++) {
        buffers[i] = (struct wire_buffer){.len = 8};
        specs[i] = to_arg(0, 0);
    }
    send_call(64, 64);
    expect_reply(0, 0);
    cr_expect_eq(rig->calls, 1, "the agreed number is legal");
    send_call(65, 0);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "buffers", "65 buffers");
    send_call(1, 65);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "specs", "65 specs");
    cr_expect_eq(rig->calls, 1);
}

Test(call, more_memory_than_agreed_is_refused)
{
    buffers[0] = buffers[1] = (struct wire_buffer){.len = WIRE_MIN_MEMORY / 2};
    send_call(2, 0);
    expect_reply(0, 0);
    buffers[1].len++;
    send_call(2, 0);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "buffers", "one byte too many in sum");
    for (int i = 0; i < 64; i++)
        buffers[i] = (struct wire_buffer){.len = UINT32_MAX};
    send_call(64, 0);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "buffers", "a sum beyond 32 bits");
    buffers[0].len = UINT32_MAX;
    buffers[1].len = WIRE_MIN_MEMORY + 1;
    send_call(2, 0);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "buffers", "a sum that is small again in 32 bits");
    cr_expect_eq(rig->calls, 1);
}

Test(call, a_reply_that_would_not_fit_is_refused_before_the_call)
{
    buffers[0] = out(WIRE_MIN_FRAME - 16 - 64);
    send_call(1, 0);
    expect_reply(0, 1);
    buffers[0].len++;
    send_call(1, 0);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "buffers", "one byte too many");
    buffers[0].len--;
    buffers[1] = out(0);
    send_call(2, 0);
    expect_error(rig, 2, WIRE_ERR_LIMIT, "buffers", "an empty buffer counts 16");
    buffers[1].dir = WIRE_DIR_in;
    send_call(2, 0);
    expect_reply(0, 1);
    cr_expect_eq(rig->calls, 2);
}

Test(wide_call, as_many_buffers_as_agreed_fit_whatever_the_call_before_had)
{
    for (uint32_t len = 8; len <= 8 << 10; len <<= 5) {
        for (uint32_t i = 0; i < AGENT_BUFFER_LIMIT; i++)
            buffers[i] = (struct wire_buffer){.len = len};
        send_call(AGENT_BUFFER_LIMIT, 0);
        expect_reply(0, 0);
    }
}

Test(wide_call, no_memory_is_an_answer_and_the_next_call_works)
{
    struct rlimit old, little;
    cr_assert_eq(getrlimit(RLIMIT_AS, &old), 0);
    little = (struct rlimit){1 << 20, old.rlim_max};
    buffers[0] = (struct wire_buffer){.len = 8};
    cr_assert_eq(setrlimit(RLIMIT_AS, &little), 0);
    send_call(1, 0);
    cr_assert_eq(setrlimit(RLIMIT_AS, &old), 0);
    expect_error(rig, 2, WIRE_ERR_NO_MEMORY, "buffers", "no address space");
    cr_expect_eq(rig->calls, 0);
    cr_expect_eq(rig->a->shared->state, AGENT_READING);
    send_call(1, 0);
    expect_reply(0, 0);
}

/* ---- CALL-11 ---- */

static void send_nr(int64_t nr, int64_t first)
{
    request.body.call_request =
        (struct wire_call_request){.has = WIRE_HAS(call_request, args), .nr = nr, .args = {1, {first}}};
    send_call(0, 0);
}

Test(call, what_would_end_the_machine_is_denied_outside_a_guest_only)
{
    static const long denied[] = {SYS_reboot,        SYS_kexec_load, SYS_init_module,  SYS_finit_module,
                                  SYS_delete_module, SYS_swapoff,    SYS_settimeofday, SYS_clock_settime};
    enum { COUNT = sizeof denied / sizeof denied[0] };
    for (size_t i = 0; i < COUNT; i++) {
        send_nr(denied[i], 0);
        expect_error(rig, 2, WIRE_ERR_DENIED, "nr", "outside a guest");
    }
    send_nr(SYS_kill, -1);
    expect_error(rig, 2, WIRE_ERR_DENIED, "nr", "kill(-1)");
    cr_expect_eq(rig->calls, 0);
    send_nr(SYS_kill, 1);
    expect_reply(0, 0);
    rig->a->guest = true;
    for (size_t i = 0; i < COUNT; i++) {
        send_nr(denied[i], 0);
        expect_reply(0, 0);
    }
    send_nr(SYS_kill, -1);
    expect_reply(0, 0);
    cr_expect_eq(rig->calls, COUNT + 2);
}

/* ---- what the kernel sees ---- */

Test(call, number_and_arguments_reach_the_kernel_as_they_are)
{
    request.body.call_request = (struct wire_call_request){
        .has = WIRE_HAS(call_request, args), .nr = -1, .args = {6, {INT64_MIN, -1, 0, 1, INT64_MAX, 4294967296}}};
    rig->ret = -38;
    send_call(0, 0);
    expect_reply(-38, 0);
    cr_expect_eq(rig->nr, -1);
    cr_expect_arr_eq(rig->args, request.body.call_request.args.at, sizeof rig->args);
    cr_expect_eq(rig->twice, 0);
}

Test(call, missing_arguments_are_zero)
{
    cr_assert(rig_frame(rig, CALL "82 00 27 01 96 01 02 03 04 05 06"));
    expect_reply(0, 0);
    cr_assert(rig_frame(rig, CALL "82 00 27 01 92 07 08"));
    expect_reply(0, 0);
    const int64_t expected[WIRE_ARGS_MAX] = {7, 8};
    cr_expect_arr_eq(rig->args, expected, sizeof expected);
}

Test(call, calls_that_return_twice_are_marked)
{
    static const long twice[] = {SYS_clone, SYS_clone3,
#ifdef SYS_fork
                                 SYS_fork, SYS_vfork
#endif
    };
    for (size_t i = 0; i < sizeof twice / sizeof twice[0]; i++) {
        send_nr(twice[i], 0);
        expect_reply(0, 0);
        cr_expect(rig->twice, "number %ld", twice[i]);
    }
    send_nr(SYS_getpid, 0);
    expect_reply(0, 0);
    cr_expect(!rig->twice);
}

/* What a pointer in a buffer points at. */
static uint8_t *pointer_in(const uint8_t *buffer, size_t offset)
{
    uint8_t *p;
    memcpy(&p, buffer + offset, sizeof p);
    return p;
}

/* A struct at argument 0 with pointers to two more buffers: read one, write the other. */
static void follow_pointers(struct rig *r)
{
    uint8_t *record = rig_pointer(r, 0);
    cr_assert_arr_eq(record, "head", 4);
    cr_assert_arr_eq(pointer_in(record, 8), "descriptor", 10);
    memcpy(pointer_in(record, 16), "written", 7);
    cr_assert_eq(pointer_in(record, 24), record, "a pointer to itself");
    memcpy(record, "HEAD", 4);
}

Test(call, embedded_pointers_are_patched_and_followed)
{
    buffers[0] = (struct wire_buffer){
        .has = WIRE_HAS(buffer, data), .len = 32, .data = {(const uint8_t *)"head", 4}, .dir = WIRE_DIR_both};
    buffers[1] = in("descriptor", 10);
    buffers[2] = out(7);
    specs[0] = to_buffer(1, 0, 8);
    specs[1] = to_buffer(2, 0, 16);
    specs[2] = to_buffer(0, 0, 24);
    specs[3] = to_arg(0, 0);
    rig->during = follow_pointers;
    rig->ret = 5;
    send_call(3, 4);
    struct any_message m = expect_reply(5, 2);
    const struct wire_bytes *outs = m.body.call_reply.outs.items;
    cr_assert(outs[0].len == 32 && outs[1].len == 7);
    cr_expect_arr_eq(outs[0].ptr, "HEAD\0\0\0\0", 8);
    cr_expect_arr_eq(outs[1].ptr, "written", 7);
    cr_expect_eq(pointer_in(outs[0].ptr, 24), rig_pointer(rig, 0), "patched addresses are returned too");
}

Test(call, specs_are_applied_in_their_order_and_the_later_wins)
{
    buffers[0] = (struct wire_buffer){.len = 16, .dir = WIRE_DIR_both};
    buffers[1] = (struct wire_buffer){.len = 64};
    buffers[2] = (struct wire_buffer){.len = 64};
    specs[0] = to_buffer(1, 0, 3);
    specs[1] = to_buffer(2, 0, 3); /* the same place, unaligned */
    specs[2] = to_buffer(1, 0, 7); /* over its second half */
    specs[3] = to_arg(0, 0);
    specs[4] = to_arg(1, 0); /* the same argument */
    specs[5] = to_arg(2, 1);
    request.body.call_request.has = WIRE_HAS(call_request, args);
    request.body.call_request.args = (struct wire_words){2, {5, 6}}; /* a spec wins over a value */
    send_call(3, 6);
    struct any_message m = expect_reply(0, 1);
    const uint8_t *bytes = m.body.call_reply.outs.items[0].ptr;
    uint8_t expected[16] = {0};
    uint8_t *first = rig_pointer(rig, 0), *second = rig_pointer(rig, 1);
    cr_expect_neq(first, second);
    memcpy(expected + 3, &second, sizeof second);
    memcpy(expected + 7, &first, sizeof first);
    cr_expect_arr_eq(bytes, expected, 16);
}

/* ---- memory ---- */

static void fill_with_ff(struct rig *r)
{
    for (unsigned i = 0; i < 3; i++)
        memset(rig_pointer(r, i), 0xff, buffers[i].len);
}

Test(call, nothing_of_an_earlier_call_shows_through)
{
    static const uint32_t lens[] = {100, 5000, 60000};
    for (unsigned i = 0; i < 3; i++)
        specs[i] = to_arg(i, (uint8_t)i);
    for (unsigned i = 0; i < 3; i++)
        buffers[i] = (struct wire_buffer){.len = lens[i]};
    rig->during = fill_with_ff;
    send_call(3, 3);
    expect_reply(0, 0);
    rig->during = NULL;
    buffers[0] = (struct wire_buffer){
        .has = WIRE_HAS(buffer, data), .len = 90, .data = {(const uint8_t *)"abc", 3}, .dir = WIRE_DIR_both};
    buffers[1] = out(4999);
    buffers[2] = out(59000);
    send_call(3, 3);
    struct any_message m = expect_reply(0, 3);
    for (unsigned i = 0; i < 3; i++) {
        struct wire_bytes b = m.body.call_reply.outs.items[i];
        cr_assert_eq(b.len, buffers[i].len);
        cr_expect(i > 0 || memcmp(b.ptr, "abc", 3) == 0);
        for (size_t k = i == 0 ? 3 : 0; k < b.len; k++)
            cr_assert_eq(b.ptr[k], 0, "buffer %u byte %zu", i, k);
    }
}

Test(call, outputs_come_back_whatever_the_kernel_returned)
{
    buffers[0] = in("in", 2);
    buffers[1] = out(3);
    buffers[2] = (struct wire_buffer){.len = 4};
    buffers[3] = (struct wire_buffer){
        .has = WIRE_HAS(buffer, data), .len = 5, .data = {(const uint8_t *)"both", 4}, .dir = WIRE_DIR_both};
    buffers[4] = out(0);
    rig->ret = -14;
    send_call(5, 0);
    struct any_message m = expect_reply(-14, 3);
    const struct wire_bytes *outs = m.body.call_reply.outs.items;
    cr_expect(outs[0].len == 3 && memcmp(outs[0].ptr, "\0\0\0", 3) == 0);
    cr_expect(outs[1].len == 5 && memcmp(outs[1].ptr, "both\0", 5) == 0);
    cr_expect_eq(outs[2].len, 0);
}

Test(call, buffers_end_where_mapped_memory_ends_and_empty_ones_have_an_address)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    buffers[0] = out(24);
    buffers[1] = out(0);
    specs[0] = to_arg(0, 0);
    specs[1] = to_arg(1, 1);
    send_call(2, 2);
    expect_reply(0, 2);
    cr_expect_eq(write(fds[1], rig_pointer(rig, 0), 24), 24);
    cr_expect_eq(write(fds[1], rig_pointer(rig, 0) + 24, 1), -1, "the byte behind");
    cr_expect_neq(rig->args[1], 0);
    cr_expect_eq(write(fds[1], rig_pointer(rig, 1), 1), -1, "no byte of an empty buffer");
    cr_expect_eq((uintptr_t)rig_pointer(rig, 0) % 8, 0);
}

static void fill_ramp(struct rig *r)
{
    uint8_t *p = rig_pointer(r, 0);
    for (uint32_t i = 0; i < buffers[0].len; i++)
        p[i] = (uint8_t)(i * 7 + (i >> 8));
}

Test(wide_call, large_outputs_come_back_whole)
{
    static const uint32_t lens[] = {16383, 16384, 65536, 1 << 20, 8 << 20};
    rig->during = fill_ramp;
    specs[0] = to_arg(0, 0);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        buffers[0] = out(lens[i]);
        buffers[1] = out(3);
        send_call(2, 1);
        struct any_message m = expect_reply(0, 2);
        struct wire_bytes b = m.body.call_reply.outs.items[0];
        cr_assert_eq(b.len, lens[i]);
        for (uint32_t k = 0; k < lens[i]; k++)
            cr_assert_eq(b.ptr[k], (uint8_t)(k * 7 + (k >> 8)), "byte %u of %u", k, lens[i]);
    }
}

static const uint8_t *expected_in;

static void compare_in(struct rig *r)
{
    cr_assert_arr_eq(rig_pointer(r, 0), expected_in, buffers[0].len);
}

Test(wide_call, large_inputs_arrive_whole)
{
    static uint8_t data[1 << 20];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 11 + (i >> 8));
    expected_in = data;
    buffers[0] = in(data, sizeof data);
    specs[0] = to_arg(0, 0);
    rig->during = compare_in;
    send_call(1, 1);
    expect_reply(0, 0);
    cr_expect_eq(rig->calls, 1);
}

Test(call, executing_leaves_the_signal_mask_of_the_script_to_the_script)
{
    rig->a->script_mask = UINT64_C(1) << 9; /* SIGUSR1 */
    send_nr(SYS_getpid, 0);
    expect_reply(0, 0);
    cr_expect_eq(rig->a->script_mask, UINT64_C(1) << 9);
}
