/* SPDX-License-Identifier: MIT
 *
 * agent/session.c and op_session.c: who may say what, when, and what is answered.
 */
#include "expect.h"

static struct rig *rig;

static void setup(void)
{
    rig = rig_open();
    cr_assert_not_null(rig);
}

/* A session with the smallest limits. */
static void setup_open(void)
{
    struct any_message reply;
    setup();
    cr_assert(rig_hello(rig, &rig_minimum, &reply));
}

TestSuite(session, .init = setup);
TestSuite(open_session, .init = setup_open);

#define HELLO "96 00 01 00 00 00 89 00 00 01 00 02 90 03 ce 00 01 00 00 04 10 05 40 06 40 07 01 08 ce 00 01 00 00"

/* ---- before hello ---- */

Test(session, a_sync_is_echoed_with_its_nonce_behind_any_garbage)
{
    uint8_t echo[64];
    cr_assert(
        rig_raw(rig, "00 00 00 02 96 f5 50 f6 50 52 4f 56 49 55 4d f5 50 52 4f 56 49 55 4d a1 a2 a3 a4 a5 a6 a7 a8"));
    cr_assert_eq(rig_take(rig, echo, sizeof echo), WIRE_SYNC_LEN);
    cr_expect_arr_eq(echo, "\xf6PROVIUM\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8", WIRE_SYNC_LEN);
}

Test(session, frames_before_a_sync_are_not_answered)
{
    cr_assert(rig_frame(rig, HELLO));
    cr_assert(rig_frame(rig, "96 00 01 01 00 00 80"));
    expect_silence(rig, "no sync");
}

Test(session, requests_before_hello_are_refused_and_the_session_goes_on)
{
    struct any_message reply;
    static const char *const codes[] = {"01", "10", "18", "cd ff ff"};
    cr_assert(rig_sync(rig));
    for (size_t i = 0; i < 4; i++) {
        char hex[64] = "96 00 05 ";
        strcat(strcat(hex, codes[i]), " 00 00 81 00 27");
        cr_assert(rig_frame(rig, hex));
        expect_error(rig, 5, WIRE_ERR_NO_HELLO, NULL, hex);
    }
    cr_assert(rig_frame(rig, HELLO));
    cr_assert(rig_answer(rig, &reply));
    cr_expect_eq(reply.record, ANY_hello_reply);
}

/* ---- hello ---- */

Test(session, hello_says_where_the_agent_runs)
{
    struct any_message m;
    cr_assert(rig_hello(rig, &rig_wide, &m));
    const struct wire_hello_reply *reply = &m.body.hello_reply;
    const uint16_t one = 1;
    cr_expect(m.envelope.id == 1 && m.envelope.code == 0 && m.envelope.worker == 0 && m.envelope.generation == 1);
    cr_expect_eq(reply->version, WIRE_VERSION);
    cr_expect_eq(reply->pointer_width, sizeof(void *));
    cr_expect_eq(reply->byte_order, *(const uint8_t *)&one == 0);
    cr_expect_eq(reply->page_size, rig->a->page);
    cr_expect_eq(reply->generation, 1);
    cr_expect(text_is(reply->arch, rig->a->arch) && reply->arch.len > 0);
    cr_expect(text_is(reply->kernel, rig->a->kernel) && reply->kernel.len > 0);
    cr_expect(reply->instance.len == WIRE_INSTANCE_LEN &&
              memcmp(reply->instance.ptr, rig->a->instance, WIRE_INSTANCE_LEN) == 0);
}

static void expect_limits(const struct agent_limits *asked, const struct agent_limits *agreed)
{
    struct any_message m;
    cr_assert(rig_hello(rig, asked, &m));
    const struct wire_hello_reply *r = &m.body.hello_reply;
    cr_expect_eq(r->frame_limit, agreed->frame);
    cr_expect_eq(r->depth_limit, agreed->depth);
    cr_expect_eq(r->buffer_limit, agreed->buffers);
    cr_expect_eq(r->spec_limit, agreed->specs);
    cr_expect_eq(r->flight_limit, agreed->flight);
    cr_expect_eq(r->memory_limit, agreed->memory);
    bool programs = (asked->caps & WIRE_CAP_program) != 0;
    cr_expect_eq(r->step_limit, programs ? agreed->steps : 0);
    cr_expect_eq(r->move_limit, programs ? agreed->moves : 0);
}

Test(session, hello_without_limits_of_programs_has_the_guaranteed_ones)
{
    struct any_message m;
    cr_assert(rig_sync(rig));
    cr_assert(rig_frame(rig, "96 00 01 00 00 00 89 00 00 01 00 02 91 a7 70 72 6f 67 72 61 6d 03 ce 00 01 00 00 04 10 05 40 "
                             "06 40 07 01 08 ce 00 01 00 00"));
    cr_assert(rig_answer(rig, &m) && m.record == ANY_hello_reply);
    cr_expect_eq(m.body.hello_reply.step_limit, WIRE_MIN_STEPS);
    cr_expect_eq(m.body.hello_reply.move_limit, WIRE_MIN_MOVES);
}

Test(session, hello_agrees_on_the_smaller_of_two_limits)
{
    const struct agent_limits most = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
                                       UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    const struct agent_limits some = {100000, 16, 100, 200, 3, 300000, WIRE_CAP_program, 500, 600};
    expect_limits(&most, &rig_wide);
    expect_limits(&some, &some);
    expect_limits(&rig_minimum, &rig_minimum);
}

Test(session, hello_refuses_a_limit_below_its_minimum_and_may_be_said_again)
{
    static const struct {
        const char *hex, *path;
    } rows[] = {
        {"96 00 02 00 00 00 89 00 00 01 00 02 90 03 cd ff ff 04 10 05 40 06 40 07 01 08 ce 00 01 00 00", "frame_limit"},
        {"96 00 02 00 00 00 89 00 00 01 00 02 90 03 ce 00 01 00 00 04 0f 05 40 06 40 07 01 08 ce 00 01 00 00",
         "depth_limit"},
        {"96 00 02 00 00 00 89 00 00 01 00 02 90 03 ce 00 01 00 00 04 10 05 3f 06 40 07 01 08 ce 00 01 00 00",
         "buffer_limit"},
        {"96 00 02 00 00 00 89 00 00 01 00 02 90 03 ce 00 01 00 00 04 10 05 40 06 00 07 01 08 ce 00 01 00 00",
         "spec_limit"},
        {"96 00 02 00 00 00 89 00 00 01 00 02 90 03 ce 00 01 00 00 04 10 05 40 06 40 07 00 08 ce 00 01 00 00",
         "flight_limit"},
        {"96 00 02 00 00 00 89 00 00 01 00 02 90 03 ce 00 01 00 00 04 10 05 40 06 40 07 01 08 cd ff ff",
         "memory_limit"},
        {"96 00 02 00 00 00 8a 00 00 01 00 02 90 03 ce 00 01 00 00 04 10 05 40 06 40 07 01 08 ce 00 01 00 00 12 3f",
         "step_limit"},
        {"96 00 02 00 00 00 8a 00 00 01 00 02 90 03 ce 00 01 00 00 04 10 05 40 06 40 07 01 08 ce 00 01 00 00 13 00",
         "move_limit"},
    };
    struct any_message m;
    cr_assert(rig_sync(rig));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert(rig_frame(rig, rows[i].hex));
        expect_error(rig, 2, WIRE_ERR_BAD_FIELD, rows[i].path, rows[i].path);
    }
    cr_assert(rig_frame(rig, "96 00 03 01 00 00 80"));
    expect_error(rig, 3, WIRE_ERR_NO_HELLO, NULL, "a refused hello opens nothing");
    cr_assert(rig_frame(rig, HELLO));
    cr_expect(rig_answer(rig, &m) && m.record == ANY_hello_reply);
}

/* {version_min, version_max} and the rest as it should be. */
static void send_versions(const char *range)
{
    char hex[256] = "96 00 02 00 00 00 89 ";
    strcat(strcat(hex, range), " 02 90 03 ce 00 01 00 00 04 10 05 40 06 40 07 01 08 ce 00 01 00 00");
    cr_assert(rig_frame(rig, hex));
}

Test(session, hello_without_a_version_in_common_is_refused_and_may_be_said_again)
{
    static const char *const ranges[] = {"00 01 01 01", "00 01 01 00", "00 ce ff ff ff ff 01 00", "00 05 01 07"};
    struct any_message m;
    cr_assert(rig_sync(rig));
    for (size_t i = 0; i < 4; i++) {
        send_versions(ranges[i]);
        expect_error(rig, 2, WIRE_ERR_VERSION, NULL, ranges[i]);
    }
    send_versions("00 00 01 ce ff ff ff ff");
    cr_expect(rig_answer(rig, &m) && m.record == ANY_hello_reply && m.body.hello_reply.version == 0);
}

static uint32_t own_caps(void)
{
    uint32_t count = 0;
    while (wire_caps()[count].name != NULL)
        count++;
    return count;
}

Test(session, hello_ignores_what_it_does_not_know)
{
    struct any_message m;
    cr_assert(rig_sync(rig));
    cr_assert(rig_frame(
        rig, "96 00 01 00 00 00 8d 00 00 01 00 02 92 a1 78 a8 67 72 65 61 73 65 2e 37 03 ce 00 01 00 00 04 10 05 40"
             "06 40 07 01 08 ce 00 01 00 00 09 a1 68 0a c4 02 aa bb 18 c3 cd ff ff d4 01 02"));
    cr_assert(rig_answer(rig, &m));
    cr_expect_eq(m.record, ANY_hello_reply);
    cr_expect_eq(m.body.hello_reply.caps.count, own_caps());
    cr_expect_eq(wire_caps_of(&m.body.hello_reply.caps) & WIRE_CAP_program, WIRE_CAP_program);
    cr_expect_eq(wire_caps_of(&m.body.hello_reply.caps) & WIRE_CAP_regions, WIRE_CAP_regions);
    expect_silence(rig, "hello");
}

Test(session, hello_with_more_capabilities_than_there_is_room_for_is_accepted)
{
    char hex[4096] = "96 00 01 00 00 00 89 00 00 01 00 02 dc 03 e8";
    struct any_message m;
    for (int i = 0; i < 1000; i++)
        strcat(hex, " a0");
    strcat(hex, " 03 ce 00 01 00 00 04 10 05 40 06 40 07 01 08 ce 00 01 00 00");
    cr_assert(rig_sync(rig));
    cr_assert(rig_frame(rig, hex));
    cr_expect(rig_answer(rig, &m) && m.record == ANY_hello_reply);
}

Test(session, a_broken_hello_names_its_field)
{
    cr_assert(rig_sync(rig));
    cr_assert(rig_frame(rig, "96 00 02 00 00 00 83 00 00 01 00 02 05"));
    expect_error(rig, 2, WIRE_ERR_BAD_FIELD, "caps", "caps is a number");
    cr_assert(rig_frame(rig, "96 00 02 00 00 00 82 00 00 01 00"));
    expect_error(rig, 2, WIRE_ERR_BAD_FIELD, "caps", "fields are missing");
    cr_assert(rig_frame(rig, "96 00 02 00 00 00 82 00 00 01 c1"));
    expect_error(rig, 2, WIRE_ERR_MALFORMED, "version_max", "not msgpack");
}

Test(open_session, a_second_hello_is_refused_and_the_session_goes_on_unchanged)
{
    cr_assert(rig_frame(
        rig, "96 00 09 00 00 00 89 00 00 01 00 02 90 03 ce 7f ff ff ff 04 10 05 cc ff 06 40 07 01 08 ce 00 01 00 00"));
    expect_error(rig, 9, WIRE_ERR_MALFORMED, NULL, "second hello");
    cr_expect_eq(rig->a->shared->limits.frame, WIRE_MIN_FRAME);
    cr_expect_eq(rig->a->shared->limits.buffers, WIRE_MIN_BUFFERS);
    expect_alive(rig, "second hello");
}

/* ---- ping ---- */

static void send_ping(size_t len)
{
    static uint8_t data[4096];
    struct any_message m = {.envelope = {.kind = WIRE_REQUEST, .id = 7, .code = WIRE_OP_ping},
                            .record = ANY_ping_request};
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 3);
    m.body.ping_request = (struct wire_ping_request){WIRE_HAS(ping_request, data), {data, len}};
    cr_assert(rig_send(rig, &m));
}

Test(open_session, a_ping_returns_its_bytes)
{
    static const size_t lens[] = {0, 1, 255, 256, WIRE_PING_MAX};
    struct any_message m;
    for (size_t i = 0; i < 5; i++) {
        send_ping(lens[i]);
        cr_assert(rig_answer(rig, &m) && m.record == ANY_ping_reply && m.envelope.id == 7);
        cr_expect_eq(m.body.ping_reply.has, WIRE_HAS(ping_reply, data));
        cr_expect_eq(m.body.ping_reply.data.len, lens[i]);
        for (size_t k = 0; k < lens[i]; k++)
            cr_assert_eq(m.body.ping_reply.data.ptr[k], (uint8_t)(k * 3));
    }
    cr_assert(rig_frame(rig, "96 00 08 01 00 00 80"));
    cr_assert(rig_answer(rig, &m) && m.record == ANY_ping_reply);
    cr_expect_eq(m.body.ping_reply.has, 0, "no data, none back");
    expect_silence(rig, "ping");
}

Test(open_session, a_ping_of_more_than_1024_bytes_is_refused)
{
    send_ping(WIRE_PING_MAX + 1);
    expect_error(rig, 7, WIRE_ERR_BAD_FIELD, "data", "1,025 bytes");
    send_ping(4096);
    expect_error(rig, 7, WIRE_ERR_BAD_FIELD, "data", "4,096 bytes");
    expect_alive(rig, "ping");
}

/* ---- requests that are refused before their body is read ---- */

Test(open_session, an_unknown_operation_is_refused)
{
    cr_assert(rig_frame(rig, "96 00 02 02 00 00 80"));
    expect_error(rig, 2, WIRE_ERR_UNKNOWN_OP, NULL, "op 2");
    cr_assert(rig_frame(rig, "96 00 02 ce ff ff ff ff 00 00 80"));
    expect_error(rig, 2, WIRE_ERR_UNKNOWN_OP, NULL, "op 2^32-1");
    expect_alive(rig, "unknown op");
}

Test(open_session, a_worker_that_does_not_exist_is_refused_with_worker_and_generation_zero)
{
    struct any_message m;
    cr_assert(rig_frame(rig, "96 00 02 10 01 00 81 00 27"));
    cr_assert(rig_answer(rig, &m));
    cr_expect(m.record == ANY_error && m.envelope.code == WIRE_ERR_NO_WORKER && m.envelope.id == 2);
    cr_expect(m.envelope.worker == 0 && m.envelope.generation == 0);
    cr_assert(rig_frame(rig, "96 00 03 01 ce ff ff ff ff 05 80"));
    expect_error(rig, 3, WIRE_ERR_NO_WORKER, NULL, "worker before generation");
    cr_expect_eq(rig->calls, 0);
    expect_alive(rig, "no worker");
}

Test(open_session, a_generation_that_is_gone_is_refused_with_the_current_one)
{
    struct any_message m;
    rig->a->shared->generation = 7;
    cr_assert(rig_frame(rig, "96 00 02 10 00 06 81 00 27"));
    cr_assert(rig_answer(rig, &m));
    cr_expect(m.record == ANY_error && m.envelope.code == WIRE_ERR_WORKER_REPLACED && m.envelope.generation == 7);
    cr_expect_eq(rig->calls, 0);
    cr_assert(rig_frame(rig, "96 00 03 10 00 08 81 00 27"));
    expect_error(rig, 3, WIRE_ERR_WORKER_REPLACED, NULL, "a generation to come");
    cr_assert(rig_frame(rig, "96 00 04 10 00 07 81 00 27"));
    cr_assert(rig_answer(rig, &m) && m.record == ANY_call_reply && m.envelope.generation == 7);
    cr_assert(rig_frame(rig, "96 00 05 10 00 00 81 00 27"));
    cr_assert(rig_answer(rig, &m) && m.record == ANY_call_reply && m.envelope.generation == 7);
    cr_expect_eq(rig->calls, 2, "0 is whichever");
}

/* ---- what is no request ---- */

Test(open_session, bodies_that_are_no_envelope_are_refused_with_the_id_that_could_be_read)
{
    static const struct {
        const char *hex;
        uint32_t id;
    } rows[] = {
        {"c0", 0},
        {"80", 0},
        {"05", 0},
        {"c1", 0},
        {"90", 0},
        {"95 00 05 01 00 00", 5},
        {"97 00 05 01 00 00 80 00", 5},
        {"96 06 05 01 00 00 80", 5}, /* no such kind */
        {"96 cc ff 05 01 00 00 80", 5},
        {"96 01 05 01 00 00 80", 5}, /* a reply, an error, an event: not what a host sends */
        {"96 02 05 01 00 00 82 00 a0 02 00", 5},
        {"96 03 05 01 00 00 80", 5},
        {"96 00 00 01 00 00 80", 0}, /* a request with id 0 */
        {"96 00 ff 01 00 00 80", 0},
        {"96 00 cf 00 00 00 01 00 00 00 00 01 00 00 80", 0},
        {"96 00 05 c0 00 00 80", 5},
        {"96 00 05 01 00 00 c0", 5}, /* the body is no map */
    };
    struct any_message m;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert(rig_frame(rig, rows[i].hex));
        size_t before = rig->taken;
        cr_assert(rig_answer(rig, &m), "%s", rows[i].hex);
        cr_expect(m.envelope.worker == 0 && m.envelope.generation == 0, "%s: not read", rows[i].hex);
        rig->taken = before;
        expect_error(rig, rows[i].id, WIRE_ERR_MALFORMED, NULL, rows[i].hex);
    }
    expect_alive(rig, "no envelope");
}

Test(open_session, bytes_behind_the_body_are_refused)
{
    cr_assert(rig_frame(rig, "96 00 05 01 00 00 80 c0"));
    expect_error(rig, 5, WIRE_ERR_MALFORMED, NULL, "ping and nil");
    cr_assert(rig_frame(rig, "96 00 05 10 00 00 81 00 27 00"));
    expect_error(rig, 5, WIRE_ERR_MALFORMED, NULL, "call and 0");
}

Test(open_session, nesting_beyond_depth_sixteen_is_malformed_also_in_an_ignored_field)
{
    struct any_message m;
    cr_assert(rig_frame(rig, "96 00 05 01 00 00 81 09 91 91 91 91 91 91 91 91 91 91 91 91 91 90"));
    cr_assert(rig_answer(rig, &m) && m.record == ANY_ping_reply, "arrays 3 to 16");
    cr_assert(rig_frame(rig, "96 00 05 01 00 00 81 09 91 91 91 91 91 91 91 91 91 91 91 91 91 91 90"));
    expect_error(rig, 5, WIRE_ERR_MALFORMED, NULL, "arrays 3 to 17");
    expect_alive(rig, "depth");
}

Test(open_session, a_cancel_is_never_answered)
{
    cr_assert(rig_frame(rig, "96 04 05 00 00 00 80"));
    cr_assert(rig_frame(rig, "96 04 00 00 00 00 80"));
    cr_assert(rig_frame(rig, "96 04 72 00 00 00 81 09 c0"));
    expect_silence(rig, "cancel");
    expect_alive(rig, "cancel");
}

Test(session, a_cancel_before_hello_is_not_answered_either)
{
    cr_assert(rig_sync(rig));
    cr_assert(rig_frame(rig, "96 04 05 00 00 00 80"));
    expect_silence(rig, "cancel");
}

Test(open_session, a_goodbye_is_not_answered_and_ends_the_session)
{
    struct any_message reply;
    cr_assert(rig_frame(rig, "96 05 00 00 00 00 81 00 a3 62 79 65"));
    expect_silence(rig, "goodbye");
    cr_assert(rig_frame(rig, "96 00 05 01 00 00 80"));
    expect_silence(rig, "a frame after goodbye");
    cr_assert(rig_hello(rig, &rig_wide, &reply), "the next session opens");
}

Test(open_session, a_sync_that_came_along_with_a_goodbye_is_found)
{
    uint8_t echo[64];
    cr_assert(rig_raw(
        rig, "00 00 00 0b 96 05 00 00 00 00 81 00 a3 62 79  65 65 65 f5 50 52 4f 56 49 55 4d 01 02 03 04 05 06 07 08"));
    cr_assert_eq(rig_take(rig, echo, sizeof echo), WIRE_SYNC_LEN);
    cr_expect_arr_eq(echo, "\xf6PROVIUM\1\2\3\4\5\6\7\x8", WIRE_SYNC_LEN);
}

Test(open_session, a_sync_between_frames_forgets_the_session)
{
    struct any_message reply;
    cr_assert(rig_hello(rig, &rig_wide, &reply));
    cr_assert(rig_sync(rig));
    cr_expect_eq(rig->a->shared->stream.limit, WIRE_MIN_FRAME);
    cr_expect_eq(rig->a->shared->limits.buffers, WIRE_MIN_BUFFERS);
    cr_assert(rig_frame(rig, "96 00 05 01 00 00 80"));
    expect_error(rig, 5, WIRE_ERR_NO_HELLO, NULL, "after a sync");
    cr_assert(rig_hello(rig, &rig_minimum, &reply));
}

/* ---- lengths ---- */

/* A frame of `len` bytes that is no envelope. */
static void send_blob(uint32_t len)
{
    static uint8_t zeros[70000];
    const uint8_t head[] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    rig_feed(rig, head, sizeof head);
    for (uint32_t left = len; left > 0;) {
        uint32_t n = left < sizeof zeros ? left : (uint32_t)sizeof zeros;
        rig_feed(rig, zeros, n);
        left -= n;
    }
}

Test(open_session, a_frame_over_the_agreed_limit_is_dropped_and_answered_once_without_an_id)
{
    send_blob(WIRE_MIN_FRAME);
    expect_error(rig, 0, WIRE_ERR_MALFORMED, NULL, "at the limit it is read");
    send_blob(WIRE_MIN_FRAME + 1);
    expect_error(rig, 0, WIRE_ERR_TOO_LARGE, NULL, "over the limit");
    send_blob(3000000);
    expect_error(rig, 0, WIRE_ERR_TOO_LARGE, NULL, "far over the limit");
    expect_alive(rig, "too large");
}

Test(session, the_limit_before_hello_is_the_minimum)
{
    cr_assert(rig_sync(rig));
    send_blob(WIRE_MIN_FRAME + 1);
    expect_error(rig, 0, WIRE_ERR_TOO_LARGE, NULL, "before hello");
    struct any_message reply;
    cr_assert(rig_hello(rig, &rig_wide, &reply));
    send_blob(WIRE_MIN_FRAME + 1);
    expect_error(rig, 0, WIRE_ERR_MALFORMED, NULL, "after hello it is within the limit");
}

Test(open_session, what_is_no_length_is_answered_with_goodbye_and_a_hunt)
{
    static const char *const lengths[] = {"00 00 00 00", "80 00 00 00", "ff ff ff ff", "f5 50 52 4f 56 49 55 00"};
    struct any_message m;
    for (size_t i = 0; i < 4; i++) {
        cr_assert(rig_hello(rig, &rig_minimum, &m));
        cr_assert(rig_raw(rig, lengths[i]));
        cr_assert(rig_answer(rig, &m), "%s", lengths[i]);
        cr_expect(m.record == ANY_goodbye && m.envelope.code == WIRE_ERR_MALFORMED && m.envelope.id == 0, "%s",
                  lengths[i]);
        cr_assert(rig_frame(rig, "96 00 05 01 00 00 80"));
        expect_silence(rig, lengths[i]);
    }
}

/* ---- one answer each ---- */

Test(open_session, several_frames_at_once_get_an_answer_each_in_their_order)
{
    struct any_message m;
    cr_assert(rig_raw(rig, "00 00 00 07 96 00 02 01 00 00 80  00 00 00 07 96 04 02 00 00 00 80"
                           "00 00 00 07 96 00 03 63 00 00 80  00 00 00 01 c0  00 00 00 09 96 00 04 10 00 00 81 00 27"));
    cr_assert(rig_answer(rig, &m) && m.record == ANY_ping_reply && m.envelope.id == 2);
    cr_assert(rig_answer(rig, &m) && m.record == ANY_error && m.envelope.id == 3);
    cr_assert(rig_answer(rig, &m) && m.record == ANY_error && m.envelope.id == 0);
    cr_assert(rig_answer(rig, &m) && m.record == ANY_call_reply && m.envelope.id == 4);
    expect_silence(rig, "four answers");
}
