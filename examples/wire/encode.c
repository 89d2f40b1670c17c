/* SPDX-License-Identifier: MIT
 *
 * Values without a table: write one reading of a sensor to standard output.
 *
 *     cc encode.c $(pkg-config --cflags --libs libwire) -o encode
 *     ./encode | od -An -tx1
 */
#include <provium/wire.h>
#include <stdio.h>
#include <string.h>

static struct wire_bytes text(const char *s)
{
    return (struct wire_bytes){(const uint8_t *)s, strlen(s)};
}

/* {"name": .., "at": .., "celsius": [..], "raw": ..} */
static void put_reading(struct wire_writer *w, const double *celsius, uint32_t count)
{
    static const uint8_t raw[] = {0xde, 0xad, 0xbe, 0xef};
    wire_put_map(w, 4);
    wire_put_str(w, text("name"));
    wire_put_str(w, text("roof"));
    wire_put_str(w, text("at"));
    wire_put_time(w, 1700000000, 500000000);
    wire_put_str(w, text("celsius"));
    wire_open_array(w); /* how many there will be is not known yet */
    for (uint32_t i = 0; i < count; i++) {
        if (celsius[i] > -273)
            wire_put_f64(w, celsius[i]);
    }
    wire_close(w);
    wire_put_str(w, text("raw"));
    wire_put_bin(w, (struct wire_bytes){raw, sizeof raw});
}

int main(void)
{
    static const double celsius[] = {21.5, -300, 22.25};
    uint8_t buf[128];
    struct wire_writer w;

    wire_writer_measure(&w); /* the size in advance, by the same code */
    put_reading(&w, celsius, 3);
    fprintf(stderr, "%zu bytes\n", wire_writer_total(&w));

    wire_writer_init(&w, buf, sizeof buf);
    put_reading(&w, celsius, 3);
    if (wire_writer_end(&w) != WIRE_OK) { /* one check for all puts */
        fprintf(stderr, "encode: %s\n", wire_status_text(w.status));
        return 1;
    }
    return fwrite(buf, 1, w.len, stdout) == w.len ? 0 : 1;
}
