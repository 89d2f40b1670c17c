/* SPDX-License-Identifier: MIT
 *
 * The golden messages: what every message is in bytes, both ways, and what comes of
 * each when it is cut or damaged anywhere.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/vectors.h"

static const struct vectors *load(void)
{
    const struct vectors *all = vectors_load();
    cr_assert_not_null(all, "tests/vectors/messages.json is missing or broken");
    return all;
}

/* ---- the file itself ---- */

Test(vectors, bytes_move_only_with_the_version)
{
    const struct vectors *all = load();
    char recorded[17];
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < all->stream_count + all->message_count; i++) {
        const struct vector *v = i < all->stream_count ? &all->streams[i] : &all->messages[i - all->stream_count];
        for (const char *p = v->name; *p != '\0'; p++)
            hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
        for (size_t k = 0; k < v->len; k++)
            hash = (hash ^ v->bytes[k]) * UINT64_C(0x100000001b3);
    }
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    vectors_history(all->version, recorded);
    cr_expect_str_eq(text, all->digest);
    cr_expect_str_eq(text, recorded, "version %d is recorded as %s: new bytes take a new version", all->version,
                     recorded);
}

Test(vectors, every_record_of_the_table_has_a_message)
{
    const struct vectors *all = load();
    const struct wire_record_row *record;
    for (uint32_t nth = 0; (record = wire_record_at(nth)) != NULL; nth++) {
        /* those that are only elements of others' lists stand in messages of theirs */
        static const char inner[] = " buffer spec range step move ";
        char name[64];
        snprintf(name, sizeof name, " %s ", record->name);
        bool found = strstr(inner, name) != NULL;
        for (size_t i = 0; i < all->message_count; i++)
            found |= strcmp(all->messages[i].record, record->name) == 0;
        cr_expect(found, "no golden message for %s", record->name);
    }
    for (const struct wire_row *row = wire_errors(); row->name != NULL; row++) {
        bool found = false;
        for (const struct sample *s = samples(); s->name != NULL; s++)
            found |= s->message.record == ANY_error && s->message.envelope.code == row->code;
        cr_expect(found, "no golden message for error %s", row->name);
    }
}

Test(vectors, structs_and_file_hold_the_same_messages)
{
    const struct vectors *all = load();
    size_t count = 0;
    for (const struct sample *s = samples(); s->name != NULL; s++, count++)
        cr_assert_not_null(vector_find(s->name), "%s", s->name);
    cr_assert_eq(count, all->message_count);
}

/* ---- both ways ---- */

Test(vectors, sync_words_are_the_constants)
{
    const struct vector *host = vector_find("sync.host"), *agent = vector_find("sync.agent");
    cr_assert(host != NULL && agent != NULL && host->len == WIRE_SYNC_LEN && agent->len == WIRE_SYNC_LEN);
    cr_expect_arr_eq(host->bytes, WIRE_SYNC_HOST, 8);
    cr_expect_arr_eq(agent->bytes, WIRE_SYNC_AGENT, 8);
}

Test(vectors, every_message_encodes_to_its_bytes)
{
    for (const struct sample *s = samples(); s->name != NULL; s++) {
        const struct vector *v = vector_find(s->name);
        uint8_t out[VECTOR_MAX];
        struct wire_writer w;
        cr_assert_not_null(v, "%s", s->name);
        wire_writer_init(&w, out, sizeof out);
        cr_expect_eq(any_put(&w, &s->message), WIRE_OK, "%s", s->name);
        cr_expect(w.len == v->len && memcmp(out, v->bytes, v->len) == 0, "%s: other bytes", s->name);
        cr_expect_eq(wire_writer_total(&w), v->len, "%s", s->name);
    }
}

Test(vectors, every_message_decodes_to_its_fields)
{
    static struct any_room room;
    for (const struct sample *s = samples(); s->name != NULL; s++) {
        const struct vector *v = vector_find(s->name);
        struct any_message m;
        size_t at;
        cr_assert_not_null(v, "%s", s->name);
        cr_expect_eq(any_decode(vector_body(v), &m, &room, &at), WIRE_OK, "%s", s->name);
        cr_expect_str_eq(any_name(m.record), v->record, "%s", s->name);
        cr_expect(any_equal(&m, &s->message), "%s: other fields", s->name);
    }
}

Test(vectors, every_message_prints_as_its_line)
{
    const struct vectors *all = load();
    for (size_t i = 0; i < all->message_count; i++) {
        const struct vector *v = &all->messages[i];
        char line[2048];
        struct wire_bytes body = vector_body(v);
        size_t len = wire_print(body.ptr, body.len, line, sizeof line);
        cr_expect_str_eq(line, v->text, "%s", v->name);
        cr_expect_eq(len, strlen(v->text), "%s", v->name);
    }
}

/* ---- damage ---- */

/* A copy of exactly these bytes, so that a sanitizer sees any read behind them. */
static uint8_t *exact_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, len);
    return copy;
}

Test(vectors, no_message_decodes_when_cut_anywhere)
{
    static struct any_room room;
    const struct vectors *all = load();
    for (size_t i = 0; i < all->message_count; i++) {
        struct wire_bytes body = vector_body(&all->messages[i]);
        for (size_t len = 0; len < body.len; len++) {
            uint8_t *copy = exact_copy(body.ptr, len);
            struct any_message m;
            size_t at = 0;
            enum wire_status status = any_decode((struct wire_bytes){copy, len}, &m, &room, &at);
            cr_expect_eq(status, WIRE_E_SHORT, "%s cut to %zu: %s", all->messages[i].name, len,
                         wire_status_text(status));
            cr_expect_leq(at, len, "%s cut to %zu", all->messages[i].name, len);
            free(copy);
        }
    }
}

/* What decodes must encode to something that decodes to the same. */
static void expect_stable(const char *name, const struct any_message *m)
{
    static struct any_room room;
    static uint8_t out[2 * VECTOR_MAX];
    struct any_message again;
    struct wire_writer w;
    size_t at;
    wire_writer_init(&w, out, sizeof out);
    cr_assert_eq(any_put(&w, m), WIRE_OK, "%s", name);
    struct wire_bytes frame = {out + WIRE_FRAME_HEADER, w.len - WIRE_FRAME_HEADER};
    cr_assert_eq(any_decode(frame, &again, &room, &at), WIRE_OK, "%s", name);
    cr_assert(any_equal(m, &again), "%s: not the same when encoded again", name);
}

/* Every byte of one message set to every value. */
static void damage(const struct vector *v, unsigned *decoded)
{
    static struct any_room room;
    struct wire_bytes body = vector_body(v);
    uint8_t *copy = exact_copy(body.ptr, body.len);
    for (size_t i = 0; i < body.len; i++) {
        for (unsigned value = 0; value < 256; value++) {
            struct any_message m;
            size_t at = 0;
            char line[64];
            copy[i] = (uint8_t)value;
            wire_print(copy, body.len, line, sizeof line);
            if (any_decode((struct wire_bytes){copy, body.len}, &m, &room, &at) == WIRE_OK) {
                expect_stable(v->name, &m);
                ++*decoded;
            } else {
                wire_path(wire_record_find(any_name(m.record)), m.envelope.body, at, line, sizeof line);
            }
        }
        copy[i] = body.ptr[i];
    }
    free(copy);
}

Test(vectors, damaged_messages_never_decode_to_something_unstable)
{
    const struct vectors *all = load();
    unsigned decoded = 0;
    for (size_t i = 0; i < all->message_count; i++)
        damage(&all->messages[i], &decoded);
    cr_expect_gt(decoded, 0);
}
