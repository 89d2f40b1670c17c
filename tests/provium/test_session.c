/* SPDX-License-Identifier: MIT
 *
 * Opening a session: sync, hello, deadlines, and what an agent may do wrong there.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../libprovium/session_impl.h"
#include "../support/fake_agent.h"

/* What became of provium_session_open. */
struct outcome {
    enum provium_status status;
    char text[PROVIUM_ERROR_MAX];
    int64_t took_ms;
};

static struct outcome open_against(fake_script *script, const void *context, unsigned timeout_ms)
{
    struct outcome o;
    struct fake f;
    struct provium_session *s = provium_session_new();
    fake_start(&f, script, context);
    int64_t from = provium_now_ms();
    o.status = provium_session_open(s, f.host, f.host, timeout_ms);
    o.took_ms = provium_now_ms() - from;
    memcpy(o.text, provium_session_error(s)->text, sizeof o.text);
    fake_end(&f, s);
    return o;
}

static void expect(struct outcome o, enum provium_status status, const char *text)
{
    cr_expect_eq(o.status, status, "%d: %s", o.status, o.text);
    cr_expect_str_eq(o.text, text);
}

/* ---- sync ---- */

Test(session, hello_opens_and_its_facts_are_kept)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, fake_serve);
    const struct provium_info *info = provium_session_info(s);
    int64_t ret = 0;
    cr_expect_str_eq(info->agent, "");
    cr_expect_str_eq(info->arch, "x86_64");
    cr_expect_str_eq(info->kernel, "6.1");
    cr_expect_eq(info->frame_limit, 65536);
    cr_expect_eq(info->buffer_limit, 64);
    cr_expect_eq(info->spec_limit, 64);
    cr_expect_eq(info->memory_limit, 65536);
    cr_expect_eq(info->page_size, 4096);
    cr_expect_eq(info->pointer_width, 8);
    cr_expect_eq(info->big_endian, false);
    cr_expect_arr_eq(info->instance, "0123456789abcdef", 16);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_OK);
    cr_expect_eq(ret, 7);
    fake_end(&f, s);
}

static void stale_bytes(struct fake *f)
{
    char junk[10240];
    memset(junk, 0xf6, sizeof junk);
    fake_read_sync(f);
    fake_write(f, junk, sizeof junk);
    fake_echo(f);
    fake_hello(f);
}

Test(session, ten_kilobytes_of_stale_bytes_before_the_echo_are_dropped)
{
    cr_expect_eq(open_against(stale_bytes, NULL, 2000).status, PROVIUM_OK);
}

static void other_nonce(struct fake *f)
{
    fake_read_sync(f);
    fake_write(f, WIRE_SYNC_AGENT "ABCDEFGH", 16);
    fake_send(f, fake_hello_reply(1, &f->hello));
    fake_echo(f);
    fake_hello(f);
}

Test(session, echo_of_another_nonce_is_ignored)
{
    cr_expect_eq(open_against(other_nonce, NULL, 2000).status, PROVIUM_OK);
}

static void cut_echo(struct fake *f)
{
    fake_read_sync(f);
    fake_write(f, WIRE_SYNC_AGENT "ABC", 11);
    fake_echo(f);
    fake_hello(f);
}

Test(session, echo_right_behind_half_of_an_older_one_is_found)
{
    struct outcome o = open_against(cut_echo, NULL, 2900);
    cr_expect_eq(o.status, PROVIUM_OK, "%s", o.text);
}

static void many_caps(struct fake *f)
{
    static struct wire_bytes caps[600];
    f->hello.caps = (struct wire_list){caps, 600, 600};
    fake_sync(f);
    fake_hello(f);
}

Test(session, an_agent_may_list_more_capabilities_than_there_is_room_for)
{
    struct outcome o = open_against(many_caps, NULL, 2000);
    cr_expect_eq(o.status, PROVIUM_OK, "%s", o.text);
}

static void host_word(struct fake *f)
{
    fake_read_sync(f);
    fake_write(f, WIRE_SYNC_HOST, 8);
    fake_write(f, f->nonce, 8);
    fake_drain(f);
}

Test(session, the_hosts_own_sync_come_back_is_no_agent)
{
    expect(open_against(host_word, NULL, 100), PROVIUM_E_TIMEOUT,
           "provium_session_open: no agent answered before the deadline");
}

static void deaf_at_first(struct fake *f)
{
    uint8_t first[8];
    int64_t from = provium_now_ms();
    fake_read_sync(f);
    memcpy(first, f->nonce, sizeof first);
    fake_read_sync(f);
    fake_expect(f, memcmp(first, f->nonce, sizeof first) == 0);
    fake_expect(f, provium_now_ms() - from >= 2990);
    fake_echo(f);
    fake_echo(f);
    fake_hello(f);
    fake_echo(f);
    while (fake_call(f))
        fake_answer(f);
}

Test(session, sync_is_resent_after_three_seconds_and_a_second_echo_is_ignored)
{
    struct fake f;
    struct provium_session *s = provium_session_new();
    int64_t ret;
    fake_start(&f, deaf_at_first, NULL);
    cr_expect_eq(provium_session_open(s, f.host, f.host, 5000), PROVIUM_OK);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_OK, "%s", provium_session_error(s)->text);
    fake_end(&f, s);
}

Test(session, silence_is_a_timeout_at_the_deadline)
{
    struct outcome o = open_against(fake_drain, NULL, 200);
    expect(o, PROVIUM_E_TIMEOUT, "provium_session_open: no agent answered before the deadline");
    cr_expect(o.took_ms >= 200 && o.took_ms < 1200, "%d ms", (int)o.took_ms);
}

static void babble(struct fake *f)
{
    fake_flood(f, fake_raw("f6 50 52 4f 78"));
}

Test(session, endless_garbage_does_not_extend_the_deadline)
{
    struct outcome o = open_against(babble, NULL, 200);
    expect(o, PROVIUM_E_TIMEOUT, "provium_session_open: no agent answered before the deadline");
    cr_expect(o.took_ms < 1200, "%d ms", (int)o.took_ms);
}

static void mute_after_sync(struct fake *f)
{
    fake_sync(f);
    fake_drain(f);
}

Test(session, hello_without_an_answer_is_a_timeout)
{
    struct outcome o = open_against(mute_after_sync, NULL, 200);
    expect(o, PROVIUM_E_TIMEOUT, "provium_session_open: the agent did not answer hello before the deadline");
    cr_expect(o.took_ms >= 200 && o.took_ms < 1200, "%d ms", (int)o.took_ms);
}

static void gone_at_once(struct fake *f)
{
    fake_hang_up(f);
}

static void gone_after_sync(struct fake *f)
{
    fake_sync(f);
    fake_request(f);
    fake_hang_up(f);
}

Test(session, hang_up_is_closed)
{
    expect(open_against(gone_at_once, NULL, 2000), PROVIUM_E_CLOSED, "provium_session_open: the agent hung up");
    expect(open_against(gone_after_sync, NULL, 2000), PROVIUM_E_CLOSED, "provium_session_open: the agent hung up");
}

/* ---- hello ---- */

/* Answer hello with these bytes and hang up. */
static void says(struct fake *f)
{
    fake_sync(f);
    fake_request(f);
    fake_send(f, *(const struct fake_bytes *)f->context);
    fake_hang_up(f);
}

static struct outcome hello_says(struct fake_bytes bytes)
{
    return open_against(says, &bytes, 2000);
}

Test(session, agent_of_another_version_is_said_so)
{
    expect(hello_says(fake_error(1, WIRE_ERR_VERSION, 0, "this agent speaks version 3")), PROVIUM_E_VERSION,
           "provium_session_open: the agent does not speak version 0 of the protocol: this agent speaks version 3");
}

Test(session, refused_hello_is_refused)
{
    expect(hello_says(fake_error(1, WIRE_ERR_BAD_FIELD, 0, "no\nsense")), PROVIUM_E_REFUSED,
           "provium_session_open: the agent refused: no?sense (bad-field)");
    expect(hello_says(fake_goodbye("not\x1b[2Jtoday")), PROVIUM_E_CLOSED,
           "provium_session_open: the agent said goodbye: not?[2Jtoday");
    expect(hello_says(fake_empty(WIRE_REPLY, 1, WIRE_OP_ping)), PROVIUM_E_PROTOCOL,
           "provium_session_open: the agent answered what was not asked");
}

/* A number in hello's reply that is not as it was asked for. */
static const struct odd {
    const char *name;
    size_t at, size;
    uint32_t value;
    enum provium_status status;
} odds[] = {
#define ODD(field, value, status) \
    { \
#field " " #value, offsetof(struct wire_hello_reply, field), sizeof((struct wire_hello_reply *)0)->field, \
            value, PROVIUM_##status \
    }
    ODD(version, 7, E_VERSION),
    ODD(version, UINT32_MAX, E_VERSION),
    ODD(frame_limit, 65535, E_PROTOCOL),
    ODD(frame_limit, (32 << 20) + 1, E_PROTOCOL),
    ODD(depth_limit, 15, E_PROTOCOL),
    ODD(depth_limit, 17, E_PROTOCOL),
    ODD(buffer_limit, 63, E_PROTOCOL),
    ODD(buffer_limit, 8193, E_PROTOCOL),
    ODD(spec_limit, 0, E_PROTOCOL),
    ODD(spec_limit, UINT32_MAX, E_PROTOCOL),
    ODD(flight_limit, 0, E_PROTOCOL),
    ODD(flight_limit, 2, E_PROTOCOL),
    ODD(memory_limit, 65535, E_PROTOCOL),
    ODD(memory_limit, (64 << 20) + 1, E_PROTOCOL),
    ODD(byte_order, 2, E_PROTOCOL),
    ODD(pointer_width, 0, E_PROTOCOL),
    ODD(pointer_width, 5, E_PROTOCOL),
    ODD(page_size, 511, E_PROTOCOL),
    ODD(instance.len, 15, E_PROTOCOL),
    ODD(instance.len, 0, E_PROTOCOL),
    /* and what is as it may be */
    ODD(frame_limit, 32 << 20, OK),
    ODD(buffer_limit, 8192, OK),
    ODD(spec_limit, 8192, OK),
    ODD(memory_limit, 64 << 20, OK),
    ODD(pointer_width, 4, OK),
    ODD(byte_order, 1, OK),
#undef ODD
};

static void odd_hello(struct fake *f)
{
    const struct odd *odd = f->context;
    size_t len = odd->value;
    memcpy((uint8_t *)&f->hello + odd->at, odd->size == sizeof len ? (const void *)&len : &odd->value, odd->size);
    fake_open(f);
}

Test(session, limits_and_versions_out_of_range_are_told_from_good_ones)
{
    for (size_t i = 0; i < sizeof odds / sizeof odds[0]; i++) {
        struct outcome o = open_against(odd_hello, &odds[i], 2000);
        cr_expect_eq(o.status, odds[i].status, "%s: %d: %s", odds[i].name, o.status, o.text);
    }
    expect(open_against(odd_hello, &odds[0], 2000), PROVIUM_E_VERSION,
           "provium_session_open: the agent speaks version 7 of the protocol, not 0");
    expect(open_against(odd_hello, &odds[2], 2000), PROVIUM_E_PROTOCOL,
           "provium_session_open: the agent's hello makes no sense");
}

/* A good reply to hello, in a fresh fake's words. */
static struct fake_bytes good_hello(void)
{
    struct fake f;
    fake_start(&f, gone_at_once, NULL);
    fake_stop(&f);
    return fake_hello_reply(1, &f.hello);
}

enum { BODY_AT = 4 + 6 }; /* where the map begins */

static void set_length(struct fake_bytes *b)
{
    b->at[2] = (uint8_t)((b->len - 4) >> 8);
    b->at[3] = (uint8_t)(b->len - 4);
}

/* The reply without its field k, or with nil in its place. */
static struct fake_bytes without(const struct fake_bytes *good, unsigned k, bool nil)
{
    struct fake_bytes b = {.len = BODY_AT + 1};
    struct wire_reader r;
    memcpy(b.at, good->at, b.len);
    b.at[BODY_AT] = nil ? b.at[BODY_AT] : (uint8_t)(b.at[BODY_AT] - 1);
    wire_reader_init(&r, good->at + b.len, good->len - b.len);
    for (unsigned i = 0; r.p < r.end; i++) {
        const uint8_t *from = r.p++;
        wire_skip(&r);
        size_t len = i == k ? nil : (size_t)(r.p - from);
        memcpy(b.at + b.len, from, len);
        b.len += len;
        if (i == k && nil)
            b.at[b.len++] = 0xc0;
    }
    set_length(&b);
    return b;
}

Test(session, hello_without_a_field_or_with_one_of_another_type_is_damaged)
{
    struct fake_bytes good = good_hello();
    cr_assert_eq(good.at[BODY_AT], 0x8f);
    for (unsigned k = 0; k < 15; k++) {
        expect(hello_says(without(&good, k, false)), PROVIUM_E_PROTOCOL,
               "provium_session_open: the agent's hello is damaged: required field missing");
        expect(hello_says(without(&good, k, true)), PROVIUM_E_PROTOCOL,
               "provium_session_open: the agent's hello is damaged: value of another type");
    }
}

Test(session, unknown_fields_and_capabilities_in_hello_are_ignored)
{
    struct fake_bytes b = good_hello();
    struct fake_bytes map = fake_raw("de 00 8f");
    memmove(b.at + BODY_AT + 3, b.at + BODY_AT + 1, b.len - BODY_AT - 1);
    memcpy(b.at + BODY_AT, map.at, 3);
    b.len += 2;
    for (unsigned i = 0; i < 128; i++) /* nil, lists, ext, a float: whatever */
        b = fake_joined(b, fake_raw(i % 4 == 0   ? "40 c0"
                                    : i % 4 == 1 ? "cd ffff 91 c3"
                                    : i % 4 == 2 ? "41 d4 0000"
                                                 : "a1 78 ca 00000000"));
    set_length(&b);
    cr_assert(b.len < sizeof b.at);
    struct outcome o = hello_says(b);
    cr_expect_eq(o.status, PROVIUM_OK, "%s", o.text);
}

static void names(struct fake *f)
{
    f->hello.has = WIRE_HAS(hello_reply, name);
    f->hello.name = (struct wire_bytes){(const uint8_t *)"a\x1b[31mb\0c", 9};
    f->hello.kernel = (struct wire_bytes){f->blank, 300};
    f->hello.arch = (struct wire_bytes){NULL, 0};
    fake_serve(f);
}

Test(session, names_from_the_agent_are_made_harmless)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, names);
    const struct provium_info *info = provium_session_info(s);
    cr_expect_str_eq(info->agent, "a?[31mb?c");
    cr_expect_eq(strspn(info->kernel, "?"), SESSION_NAME_MAX - 1);
    cr_expect_str_eq(info->arch, "");
    cr_expect_eq(provium_session_nr(s, "ioctl"), -1);
    fake_end(&f, s);
}

Test(session, hello_cut_at_every_byte_is_closed)
{
    struct fake_bytes good = good_hello(), cut = good;
    for (cut.len = 0; cut.len < good.len; cut.len++) {
        struct outcome o = hello_says(cut);
        cr_expect_eq(o.status, PROVIUM_E_CLOSED, "%zu: %s", cut.len, o.text);
    }
}

Test(session, hello_with_any_bit_flipped_has_a_defined_answer)
{
    struct fake_bytes good = good_hello();
    unsigned opened = 0;
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        struct fake_bytes b = good;
        b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct outcome o = hello_says(b);
        opened += o.status == PROVIUM_OK;
        cr_expect(o.status == PROVIUM_OK || o.status == PROVIUM_E_PROTOCOL || o.status == PROVIUM_E_CLOSED ||
                      o.status == PROVIUM_E_VERSION,
                  "bit %zu: %d: %s", bit, o.status, o.text);
    }
    cr_expect(opened > 100 && opened < good.len * 4, "%u opened", opened);
}

/* ---- states ---- */

Test(session, calls_before_open_say_so)
{
    struct provium_session *s = provium_session_new();
    int64_t ret;
    cr_expect_str_eq(provium_session_info(s)->arch, "");
    cr_expect_eq(provium_session_error(s)->code, PROVIUM_OK);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_E_STATE);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_syscall: the session is not open");
    cr_expect_eq(provium_ping(s), PROVIUM_E_STATE);
    provium_session_free(s);
    provium_session_free(NULL);
}

Test(session, open_twice_is_refused_and_the_session_goes_on)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, fake_serve);
    const char *const argv[] = {"true", NULL};
    int64_t ret;
    cr_expect_eq(provium_session_open(s, f.host, f.host, 100), PROVIUM_E_STATE);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_session_open: the session is open already");
    cr_expect_eq(provium_session_spawn(s, argv, 100), PROVIUM_E_STATE);
    cr_expect_eq(provium_session_connect(s, "x", 100), PROVIUM_E_STATE);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_OK);
    fake_end(&f, s);
}

Test(session, lost_session_can_be_opened_again_over_another_channel)
{
    struct fake gone, f;
    struct provium_session *s = provium_session_new();
    int64_t ret;
    cr_expect_not(provium_session_is_open(s));
    fake_start(&gone, gone_after_sync, NULL);
    cr_expect_eq(provium_session_open(s, gone.host, gone.host, 1000), PROVIUM_E_CLOSED);
    cr_expect_not(provium_session_is_open(s));
    fake_start(&f, fake_serve, NULL);
    cr_expect_eq(provium_session_open(s, f.host, f.host, 1000), PROVIUM_OK);
    cr_expect(provium_session_is_open(s));
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_OK);
    cr_expect_neq(fcntl(gone.host, F_GETFD), -1, "a borrowed descriptor was closed");
    fake_stop(&gone);
    fake_end(&f, s);
}

static void refuses_hello(struct fake *f)
{
    fake_sync(f);
    fake_request(f);
    fake_send(f, fake_error(f->request.id, WIRE_ERR_NO_MEMORY, 0, "no room"));
    fake_drain(f);
}

Test(session, refused_hello_stays_the_reason)
{
    struct fake f;
    struct provium_session *s = provium_session_new();
    int64_t ret;
    fake_start(&f, refuses_hello, NULL);
    cr_expect_eq(provium_session_open(s, f.host, f.host, 1000), PROVIUM_E_REFUSED);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_E_REFUSED);
    cr_expect_str_eq(provium_session_error(s)->text,
                     "provium_syscall: the agent is gone: the agent refused: no room (no-memory)");
    fake_end(&f, s);
}

Test(session, free_leaves_borrowed_descriptors_open)
{
    struct fake f;
    struct provium_session *s = fake_session(&f, fake_serve);
    provium_session_free(s);
    cr_expect_neq(fcntl(f.host, F_GETFD), -1);
    fake_stop(&f);
}

Test(session, descriptor_that_is_none_is_a_system_error)
{
    struct provium_session *s = provium_session_new();
    cr_expect_eq(provium_session_open(s, -1, -1, 100), PROVIUM_E_SYSTEM);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_session_open: channel: Bad file descriptor");
    cr_expect_neq(provium_session_error(s)->sys_errno, 0);
    provium_session_free(s);
}

/* ---- the embedder's explanation ---- */

static void explain(void *context, struct provium_error *e)
{
    ++*(int *)context;
    provium_fail(e, PROVIUM_E_GUEST, 0, "provium_session_open: the guest panicked\n| console");
}

Test(session, explanation_is_asked_for_once_and_replaces_the_error)
{
    struct fake f;
    struct provium_session *s = provium_session_new();
    int asked = 0;
    int64_t ret;
    provium_session_set_owner(s, &(struct provium_owner){.name = "the VM", .context = &asked, .explain = explain});
    fake_start(&f, gone_after_sync, NULL);
    cr_expect_eq(provium_session_open(s, f.host, f.host, 1000), PROVIUM_E_GUEST);
    cr_expect_eq(provium_syscall(s, 39, NULL, 0, &ret), PROVIUM_E_GUEST);
    cr_expect_eq(provium_ping(s), PROVIUM_E_GUEST);
    cr_expect_str_eq(provium_session_error(s)->text, "provium_ping: the VM is gone: the guest panicked");
    cr_expect_eq(asked, 1);
    fake_end(&f, s);
}

Test(session, explanation_is_asked_for_when_open_times_out)
{
    struct fake f;
    struct provium_session *s = provium_session_new();
    int asked = 0;
    provium_session_set_owner(s, &(struct provium_owner){.name = "the VM", .context = &asked, .explain = explain});
    fake_start(&f, mute_after_sync, NULL);
    cr_expect_eq(provium_session_open(s, f.host, f.host, 100), PROVIUM_E_GUEST);
    cr_expect_eq(asked, 1);
    fake_end(&f, s);
}

static void hang_up(void *context)
{
    fake_hang_up(context);
}

Test(session, owner_looks_at_the_machine_while_an_answer_is_awaited)
{
    struct fake f;
    struct provium_session *s = provium_session_new();
    struct provium_owner owner = {.name = "the VM", .context = &f, .watch = hang_up};
    int64_t start = provium_now_ms();
    provium_session_set_owner(s, &owner);
    fake_start(&f, mute_after_sync, NULL);
    cr_expect_eq(provium_session_open(s, f.host, f.host, 60000), PROVIUM_E_CLOSED);
    cr_expect_lt(provium_now_ms() - start, 30000);
    fake_end(&f, s);
}

/* ---- texts ---- */

Test(error, text_is_cut_at_its_maximum)
{
    static char longer[2 * PROVIUM_ERROR_MAX];
    struct provium_error e;
    memset(&e, 'z', sizeof e);
    memset(longer, 'a', sizeof longer - 1);
    cr_expect_eq(provium_fail(&e, PROVIUM_E_CONFIG, 5, "%s: %d", longer, 1), PROVIUM_E_CONFIG);
    cr_expect_eq(e.code, PROVIUM_E_CONFIG);
    cr_expect_eq(e.sys_errno, 5);
    cr_expect_eq(strlen(e.text), PROVIUM_ERROR_MAX - 1);
    cr_expect_eq(strspn(e.text, "a"), PROVIUM_ERROR_MAX - 1);
}

Test(error, every_status_has_a_text)
{
    cr_expect_str_eq(provium_status_text(PROVIUM_OK), "no error");
    for (int i = 0; i <= PROVIUM_E_REFUSED; i++)
        cr_expect(strlen(provium_status_text((enum provium_status)i)) > 7);
    cr_expect_str_eq(provium_status_text((enum provium_status)(PROVIUM_E_REFUSED + 1)), "unknown status");
    cr_expect_str_eq(provium_status_text((enum provium_status) - 1), "unknown status");
    cr_expect_eq(strncmp(provium_version(), "provium ", 8), 0);
}
