/* SPDX-License-Identifier: MIT
 *
 * Reads the golden messages.  Knows the file's shape, not what a message means.
 */
#include "vectors.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"

/* Copy a string member; false when it is missing or too long. */
static bool take_text(const json_t *object, const char *key, char *out, size_t cap)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL || strlen(text) >= cap)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool take_bytes(const json_t *object, const char *key, struct vector *v)
{
    const char *text = json_string_value(json_object_get(object, key));
    v->len = text != NULL ? hex_parse(text, v->bytes, sizeof v->bytes) : SIZE_MAX;
    return v->len != SIZE_MAX;
}

static bool take_streams(struct vectors *all, const json_t *list)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        struct vector *v = &all->streams[all->stream_count++];
        if (!take_text(row, "name", v->name, sizeof v->name) || !take_bytes(row, "bytes", v))
            return false;
    }
    return all->stream_count == 2;
}

static bool take_messages(struct vectors *all, const json_t *list)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        struct vector *v = &all->messages[all->message_count++];
        bool ok = all->message_count <= VECTORS_MAX && take_text(row, "name", v->name, sizeof v->name) &&
                  take_text(row, "record", v->record, sizeof v->record) &&
                  take_text(row, "text", v->text, sizeof v->text) && take_bytes(row, "frame", v);
        if (!ok || v->len <= WIRE_FRAME_HEADER)
            return false;
    }
    return all->message_count > 0;
}

static bool load(struct vectors *all)
{
    json_t *root = json_load_file("tests/vectors/messages.json", JSON_REJECT_DUPLICATES, NULL);
    all->version = (int)json_integer_value(json_object_get(root, "version"));
    bool ok = all->version > 0 && take_text(root, "digest", all->digest, sizeof all->digest) &&
              take_streams(all, json_object_get(root, "streams")) &&
              take_messages(all, json_object_get(root, "messages"));
    json_decref(root);
    return ok;
}

const struct vectors *vectors_load(void)
{
    static struct vectors *all;
    if (all == NULL) {
        struct vectors *fresh = calloc(1, sizeof *fresh);
        if (fresh != NULL && load(fresh))
            all = fresh;
        else
            free(fresh);
    }
    return all;
}

const struct vector *vector_find(const char *name)
{
    const struct vectors *all = vectors_load();
    for (size_t i = 0; all != NULL && i < all->message_count; i++) {
        if (strcmp(all->messages[i].name, name) == 0)
            return &all->messages[i];
    }
    for (size_t i = 0; all != NULL && i < all->stream_count; i++) {
        if (strcmp(all->streams[i].name, name) == 0)
            return &all->streams[i];
    }
    return NULL;
}

struct wire_bytes vector_body(const struct vector *v)
{
    return (struct wire_bytes){v->bytes + WIRE_FRAME_HEADER, v->len - WIRE_FRAME_HEADER};
}

void vectors_history(int version, char digest[17])
{
    FILE *f = fopen("tests/vectors/history", "r");
    char line[256];
    digest[0] = '\0';
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        int row = 0;
        char text[17] = "";
        if (sscanf(line, "%d %16s", &row, text) == 2 && row == version)
            memcpy(digest, text, sizeof text);
    }
    if (f != NULL)
        fclose(f);
}
