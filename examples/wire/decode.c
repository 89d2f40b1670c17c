/* SPDX-License-Identifier: MIT
 *
 * Any msgpack value from standard input as text, without recursion and without malloc.
 *
 *     cc decode.c $(pkg-config --cflags --libs libwire) -o decode
 *     ./encode | ./decode
 */
#include <inttypes.h>
#include <provium/wire.h>
#include <stdio.h>

static void show_int(struct wire_reader *r)
{
    bool negative;
    uint64_t bits = wire_get_integer(r, &negative);
    if (negative)
        printf("%" PRId64 "\n", (int64_t)bits);
    else
        printf("%" PRIu64 "\n", bits);
}

/* One value; of an array or a map its head, and its values come next. */
static void show(struct wire_reader *r)
{
    struct wire_bytes bytes;
    struct wire_ext ext;
    switch (wire_peek(r)) {
    case WIRE_TYPE_nil:
        wire_get_nil(r), puts("nil");
        break;
    case WIRE_TYPE_bool:
        puts(wire_get_bool(r) ? "true" : "false");
        break;
    case WIRE_TYPE_int:
        show_int(r);
        break;
    case WIRE_TYPE_f32:
    case WIRE_TYPE_f64:
        printf("%g\n", wire_get_f64(r));
        break;
    case WIRE_TYPE_str:
        wire_get_str(r, &bytes);
        printf("\"%.*s\"\n", (int)bytes.len, (const char *)bytes.ptr); /* borrowed: not terminated */
        break;
    case WIRE_TYPE_array:
        printf("array of %" PRIu32 "\n", wire_get_array(r));
        break;
    case WIRE_TYPE_map:
        printf("map of %" PRIu32 "\n", wire_get_map(r));
        break;
    case WIRE_TYPE_ext:
        wire_get_ext(r, &ext);
        printf("ext %d of %zu bytes\n", ext.type, ext.data.len);
        break;
    default: /* a bin; or nothing, and then this is the error */
        wire_get_bin(r, &bytes);
        printf("bin of %zu bytes\n", bytes.len);
    }
}

int main(void)
{
    static uint8_t buf[65536];
    struct wire_bytes all = {buf, fread(buf, 1, sizeof buf, stdin)};
    size_t at;
    enum wire_status status = wire_check(all, WIRE_SCAN_UTF8, &at);
    if (status != WIRE_OK) {
        fprintf(stderr, "decode: byte %zu: %s\n", at, wire_status_text(status));
        return 1;
    }
    struct wire_reader r;
    wire_reader_init(&r, all.ptr, all.len);
    while (r.p < r.end)
        show(&r);
    return wire_reader_end(&r) == WIRE_OK ? 0 : 1;
}
