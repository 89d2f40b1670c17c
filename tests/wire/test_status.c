/* SPDX-License-Identifier: MIT
 *
 * libwire/errors.def: each status has bytes or puts that provoke it, and nothing else does.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "../../libwire/wire.h"
#include "../../libwire/wire_value.h"

static uint8_t buf[64];

/* ---- one function a status: PROVOKE_name does what ends in WIRE_name ---- */

static enum wire_status check(const char *bytes, size_t len, unsigned flags)
{
    size_t at;
    return wire_check((struct wire_bytes){(const uint8_t *)bytes, len}, flags, &at);
}

static enum wire_status call(const char *bytes, size_t len)
{
    size_t at;
    struct wire_call_request m = {.nr = 0};
    return wire_decode_call_request((struct wire_bytes){(const uint8_t *)bytes, len}, &m, &at);
}

static enum wire_status provoke_OK(void)
{
    return call("\x81\x00\x27", 3);
}

static enum wire_status provoke_E_SHORT(void)
{
    return call("\x81\x00", 2);
}

static enum wire_status provoke_E_RESERVED(void)
{
    return call("\x81\x00\xc1", 3);
}

static enum wire_status provoke_E_TYPE(void)
{
    return call("\x81\x00\xc0", 3);
}

static enum wire_status provoke_E_RANGE(void)
{
    return call("\x82\x00\x27\x01\x97\0\0\0\0\0\0\0", 12); /* seven arguments */
}

static enum wire_status provoke_E_COUNT(void)
{
    return call("\x82\x00\x27\x03\x91\x81\x00\x00", 8); /* a spec, and no room for one */
}

static enum wire_status provoke_E_DEPTH(void)
{
    return check("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x90", 17, 0);
}

static enum wire_status provoke_E_UTF8(void)
{
    return check("\xa1\xff", 2, WIRE_SCAN_UTF8);
}

static enum wire_status provoke_E_UNKNOWN(void)
{
    return call("\x82\x00\x27\x1f\x00", 5);
}

static enum wire_status provoke_E_DUPLICATE(void)
{
    return call("\x82\x00\x27\x00\x27", 5);
}

static enum wire_status provoke_E_MISSING(void)
{
    return call("\x80", 1);
}

static enum wire_status provoke_E_TRAILING(void)
{
    return call("\x81\x00\x27\xc0", 4);
}

static enum wire_status provoke_E_LIMIT(void)
{
    struct wire_scan s;
    wire_scan_init(&s, 100, 0);
    return wire_scan(&s, "\xdd\xff\xff\xff\xff", 5);
}

static enum wire_status provoke_E_SPACE(void)
{
    struct wire_writer w;
    wire_writer_init(&w, buf, 1);
    wire_put_uint(&w, 128);
    return wire_writer_end(&w);
}

static enum wire_status provoke_E_OPEN(void)
{
    struct wire_writer w;
    wire_writer_init(&w, buf, sizeof buf);
    wire_put_array(&w, 1);
    return wire_writer_end(&w);
}

static enum wire_status provoke_E_CANONICAL(void)
{
    return check("\xcc\x00", 2, WIRE_SCAN_CANONICAL);
}

/* The linker passes calls of malloc on to here: see the Makefile. */
static bool no_memory;
void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);

void *__wrap_malloc(size_t len)
{
    return no_memory ? NULL : __real_malloc(len);
}

static enum wire_status provoke_E_MEMORY(void)
{
    struct wire_value *value;
    size_t at;
    no_memory = true;
    enum wire_status status = wire_value_new(&value, (struct wire_bytes){(const uint8_t *)"\xc0", 1}, 0, &at);
    no_memory = false;
    return status;
}

/* A new status does not build until it has its function. */
static const struct {
    const char *name;
    enum wire_status status;
    enum wire_status (*provoke)(void);
} rows[] = {
#define WIRE_STATUS(name, text) {#name, WIRE_##name, provoke_##name},
#include "../../libwire/errors.def"
};

enum { ROWS = sizeof rows / sizeof rows[0] };

Test(status, each_is_provoked)
{
    for (size_t i = 0; i < ROWS; i++) {
        enum wire_status found = rows[i].provoke();
        cr_expect_eq(found, rows[i].status, "%s: %s", rows[i].name, wire_status_text(found));
    }
}

Test(status, each_has_a_text_of_its_own)
{
    for (size_t i = 0; i < ROWS; i++) {
        const char *text = wire_status_text(rows[i].status);
        cr_expect_gt(strlen(text), 0);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(text, wire_status_text(rows[k].status));
    }
    cr_expect_gt(strlen(wire_status_text((enum wire_status)ROWS)), 0, "one that does not exist has some text too");
}
