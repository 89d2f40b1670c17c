/* SPDX-License-Identifier: MIT
 *
 * A msgpack map from standard input as a tree: look something up, replace it, and write the
 * tree again in canonical form to standard output.
 *
 *     cc value.c $(pkg-config --cflags --libs libwire-value) -o value
 *     ./encode | ./value cellar >renamed
 */
#include <provium/wire_value.h>
#include <stdio.h>
#include <string.h>

static uint8_t in[65536], out[65536];

static int fail(const char *what, size_t at, enum wire_status status)
{
    fprintf(stderr, "value: %s %zu: %s\n", what, at, wire_status_text(status));
    return 1;
}

/* Maps inside others first: where a map is a key, its order counts. */
static enum wire_status sort_all(struct wire_value *v)
{
    enum wire_status status = WIRE_OK;
    size_t count = v->type == WIRE_TYPE_map     ? 2 * (size_t)v->items.count
                   : v->type == WIRE_TYPE_array ? v->items.count
                                                : 0;
    for (size_t i = 0; i < count && status == WIRE_OK; i++)
        status = sort_all(&v->items.at[i]);
    return status == WIRE_OK && v->type == WIRE_TYPE_map ? wire_value_sort(v) : status;
}

int main(int argc, char **argv)
{
    struct wire_value *root;
    struct wire_writer w;
    size_t at;
    struct wire_bytes bytes = {in, fread(in, 1, sizeof in, stdin)};
    enum wire_status status = wire_value_new(&root, bytes, WIRE_SCAN_UTF8, &at);
    if (status != WIRE_OK)
        return fail("byte", at, status);

    const struct wire_value *name = wire_value_find(root, "name");
    if (name != NULL && name->type == WIRE_TYPE_str)
        fprintf(stderr, "was %.*s\n", (int)name->bytes.len, (const char *)name->bytes.ptr);
    for (uint32_t i = 0; name != NULL && argc > 1 && i < root->items.count; i++)
        if (&root->items.at[2 * i + 1] == name) /* the tree is ours: what it holds may be exchanged */
            root->items.at[2 * i + 1] =
                (struct wire_value){.type = WIRE_TYPE_str, .bytes = {(const uint8_t *)argv[1], strlen(argv[1])}};

    status = sort_all(root);
    wire_writer_init(&w, out, sizeof out);
    wire_value_put(&w, root);
    if (status == WIRE_OK)
        status = w.status;
    wire_value_free(root);
    if (status != WIRE_OK)
        return fail("output after", w.len, status);
    return fwrite(w.buf, 1, w.len, stdout) == w.len ? 0 : 1;
}
