/* SPDX-License-Identifier: MIT
 *
 * A table of your own: shapes.def becomes structs, a checked codec and names.
 *
 *     cc -I. own_ops.c $(pkg-config --cflags --libs libwire) -o own_ops
 */
#include <provium/wire.h>
#include <stdio.h>

/* In a header, if several files use it: structs and prototypes. */
#define WIRE_OPS_FILE "shapes.def"
#define WIRE_OPS_PREFIX shape_
#define WIRE_OPS_UPPER SHAPE_
#include <provium/wire_ops.h>

/* In one file: the codec, and the table as data for printing and for paths. */
#define WIRE_OPS_FILE "shapes.def"
#define WIRE_OPS_PREFIX shape_
#define WIRE_OPS_UPPER SHAPE_
#define WIRE_OPS_CODE
#define WIRE_OPS_NAMES
#include <provium/wire_ops.h>

/* Decode, and say where a fault is: byte and field. */
static int show(struct wire_bytes encoded)
{
    struct shape_point corners[8];
    struct shape_polygon p = {.corners = {corners, 0, 8}}; /* room for the list: more are refused */
    char line[160];
    size_t at;
    enum wire_status status = shape_decode_polygon(encoded, &p, &at);
    if (status != WIRE_OK) {
        wire_path(shape_row_polygon(), encoded, at, line, sizeof line);
        printf("byte %zu, \"%s\": %s\n", at, line, wire_status_text(status));
        return -1;
    }
    wire_print_record(shape_row_polygon(), encoded, line, sizeof line);
    printf("%s\n%.*s has %u corners, the last at %d, %d; opacity is %s\n", line, (int)p.name.len,
           (const char *)p.name.ptr, (unsigned)p.corners.count, (int)corners[p.corners.count - 1].x,
           (int)corners[p.corners.count - 1].y, p.has >> SHAPE_N_polygon_opacity & 1 ? "given" : "not given");
    return 0;
}

int main(void)
{
    struct shape_point corners[3] = {{.x = 0, .y = 0}, {.x = 300, .y = 0}, {.x = 0, .y = -7}};
    struct shape_polygon p = {
        .has = 1u << SHAPE_N_polygon_closed, /* optional fields are sent if their bit is set */
        .name = {(const uint8_t *)"triangle", 8},
        .corners = {corners, 3, 3},
        .closed = true,
    };
    uint8_t buf[64];
    struct wire_writer w;
    wire_writer_init(&w, buf, sizeof buf);
    shape_put_polygon(&w, &p);
    if (w.status != WIRE_OK)
        return 1;
    printf("%zu bytes, as wire_size said: %zu\n", w.len, shape_size_polygon(&p));
    if (show((struct wire_bytes){buf, w.len}) != 0)
        return 1;
    buf[w.len - 3] = 0xc0; /* the last corner's y becomes nil */
    return show((struct wire_bytes){buf, w.len}) == -1 ? 0 : 1;
}
