/* SPDX-License-Identifier: MIT
 *
 * Names for numbers: the texts of names.S, searched where they lie.  Nothing is parsed or
 * allocated when the module is loaded, so names that nobody asks for cost nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "lprovium.h"

/* ---- the texts: sorted lines "KIND NAME VALUE" ---- */

struct text {
    const char *start, *end;
};

extern const char provium_names_x86_64_start[], provium_names_x86_64_end[];
extern const char provium_names_aarch64_start[], provium_names_aarch64_end[];

static const struct table {
    const char *arch;
    struct text text; /* empty: the headers were not there at build time */
} tables[] = {
    {"x86_64", {provium_names_x86_64_start, provium_names_x86_64_end}},
    {"aarch64", {provium_names_aarch64_start, provium_names_aarch64_end}},
};

static struct text text_of(const char *arch)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (strcmp(tables[i].arch, arch) == 0)
            return tables[i].text;
    return (struct text){NULL, NULL};
}

static const char *line_end(const char *p, const char *end)
{
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    return newline != NULL ? newline : end;
}

/* How the line at p compares with `key`: 0 if it begins with it. */
static int compare(const char *p, const char *end, struct provium_bytes key)
{
    size_t len = (size_t)(line_end(p, end) - p);
    int order = memcmp(p, key.ptr, len < key.len ? len : key.len);
    return order != 0 ? order : len < key.len ? -1 : 0;
}

/* The first line that does not come before `key`. */
static const char *lower_bound(struct text t, struct provium_bytes key)
{
    const char *low = t.start, *high = t.end;
    while (low < high) {
        const char *middle = low + (high - low) / 2;
        while (middle > low && middle[-1] != '\n')
            middle--;
        if (compare(middle, t.end, key) < 0)
            low = line_end(middle, t.end) + (line_end(middle, t.end) < t.end);
        else
            high = middle;
    }
    return low;
}

/* What stands behind "KIND NAME " in its line; an empty text if there is no such line. */
static struct text find(struct text t, const char *kind, struct provium_bytes name)
{
    char key[128];
    size_t kind_len = strlen(kind), len = kind_len + name.len + 2;
    if (t.start == t.end || len > sizeof key)
        return (struct text){NULL, NULL};
    memcpy(key, kind, kind_len);
    memcpy(key + kind_len + 1, name.ptr, name.len);
    key[kind_len] = key[len - 1] = ' ';
    struct provium_bytes whole = {(const uint8_t *)key, len};
    const char *p = lower_bound(t, whole);
    if (p >= t.end || compare(p, t.end, whole) != 0)
        return (struct text){NULL, NULL};
    return (struct text){p + len, line_end(p, t.end)};
}

/* ---- near names ---- */

enum { NAME_MAX_LEN = 48, HINTS = 3 };

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* How many letters must be changed, added or dropped; capitals count as small ones. */
static unsigned distance(struct provium_bytes a, struct text b)
{
    unsigned row[NAME_MAX_LEN + 1];
    size_t len = (size_t)(b.end - b.start);
    for (size_t j = 0; j <= len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; i < a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < len; j++) {
            unsigned change = diagonal + (lower((char)a.ptr[i]) != lower(b.start[j]));
            diagonal = row[j + 1];
            row[j + 1] = min3(change, row[j] + 1, diagonal + 1);
        }
    }
    return row[len];
}

struct hint {
    struct text name;
    unsigned weight;
};

/* How far a name is from what was written: what that begins is near, then what is as long. */
static unsigned weigh(struct provium_bytes written, struct text name)
{
    enum { PREFIX_MIN = 4 };
    size_t len = (size_t)(name.end - name.start);
    if (written.len >= PREFIX_MIN && written.len < len && memcmp(name.start, written.ptr, written.len) == 0)
        return 3;
    return 2 * distance(written, name) + (written.len != len);
}

/* Keep the nearest, the earlier one of equals first. */
static void put_hint(struct hint hints[HINTS], struct hint h)
{
    for (size_t i = 0; i < HINTS; i++) {
        if (h.weight < hints[i].weight) {
            struct hint worse = hints[i];
            hints[i] = h;
            h = worse;
        }
    }
}

/* The name in the line at p. */
static struct text name_in(const char *p, const char *end, size_t kind_len)
{
    const char *start = p + kind_len + 1;
    return (struct text){start, memchr(start, ' ', (size_t)(end - start))};
}

static void find_hints(struct text t, const char *kind, struct provium_bytes name, struct hint hints[HINTS])
{
    size_t kind_len = strlen(kind);
    for (const char *p = lower_bound(t, (struct provium_bytes){(const uint8_t *)kind, kind_len});
         p < t.end && memcmp(p, kind, kind_len) == 0 && p[kind_len] == ' '; p = line_end(p, t.end) + 1) {
        struct text found = name_in(p, t.end, kind_len);
        if (found.end - found.start <= NAME_MAX_LEN)
            put_hint(hints, (struct hint){found, weigh(name, found)});
    }
}

void lprovium_push_hint(lua_State *L, const char *arch, const char *kind, struct provium_bytes name)
{
    struct hint hints[HINTS];
    for (size_t i = 0; i < HINTS; i++)
        hints[i] = (struct hint){.weight = 4 + 2 * (unsigned)name.len / 3}; /* further away is no typo */
    lua_pushliteral(L, "");
    if (name.len > NAME_MAX_LEN || text_of(arch).start == text_of(arch).end)
        return;
    find_hints(text_of(arch), kind, name, hints);
    for (size_t i = 0; i < HINTS && hints[i].name.start != NULL && hints[i].weight <= hints[0].weight; i++) {
        lua_pushstring(L, i == 0 ? " (did you mean " : ", ");
        lua_pushlstring(L, hints[i].name.start, (size_t)(hints[i].name.end - hints[i].name.start));
        lua_concat(L, 3);
    }
    if (hints[0].name.start != NULL) {
        lua_pushliteral(L, "?)");
        lua_concat(L, 2);
    }
}

/* ---- the number of a system call ---- */

bool lprovium_has_names(const char *arch)
{
    struct text t = text_of(arch);
    return t.start != t.end;
}

bool lprovium_find_nr(const char *arch, struct provium_bytes name, int64_t *nr)
{
    struct text value = find(text_of(arch), "sys", name);
    if (value.start != NULL)
        *nr = strtoll(value.start, NULL, 10); /* a newline follows */
    return value.start != NULL;
}

/* ---- for provium/names.lua ---- */

static struct provium_bytes bytes_argument(lua_State *L, int at)
{
    size_t len;
    const char *ptr = luaL_checklstring(L, at, &len);
    return (struct provium_bytes){(const uint8_t *)ptr, len};
}

/* names_find(arch, kind, name): its number, the name of an errno, or nil; no value at all
 * where there is no such table. */
int lprovium_names_find(lua_State *L)
{
    const char *arch = luaL_checkstring(L, 1), *kind = luaL_checkstring(L, 2);
    if (!lprovium_has_names(arch))
        return 0;
    struct text value = find(text_of(arch), kind, bytes_argument(L, 3));
    if (value.start == NULL)
        lua_pushnil(L);
    else if (strcmp(kind, "name") == 0)
        lua_pushlstring(L, value.start, (size_t)(value.end - value.start));
    else
        lua_pushinteger(L, strtoll(value.start, NULL, 10));
    return 1;
}

/* names_next(arch, kind, name or nil): the name that follows and its number, or nil. */
int lprovium_names_next(lua_State *L)
{
    const char *arch = luaL_checkstring(L, 1), *kind = luaL_checkstring(L, 2);
    struct text t = text_of(arch);
    size_t kind_len = strlen(kind);
    /* '!' follows the blank: behind every line of that name */
    lua_pushfstring(L, "%s %s%s", kind, luaL_optstring(L, 3, ""), lua_isnoneornil(L, 3) ? "" : "!");
    const char *p = t.start == t.end ? t.end : lower_bound(t, bytes_argument(L, -1));
    if (p >= t.end || strncmp(p, kind, kind_len) != 0 || p[kind_len] != ' ')
        return 0;
    struct text name = name_in(p, t.end, kind_len);
    lua_pushlstring(L, name.start, (size_t)(name.end - name.start));
    lua_pushinteger(L, strtoll(name.end + 1, NULL, 10));
    return 2;
}

/* names_hint(arch, kind, name): " (did you mean ...?)", or nothing. */
int lprovium_names_hint(lua_State *L)
{
    lprovium_push_hint(L, luaL_checkstring(L, 1), luaL_checkstring(L, 2), bytes_argument(L, 3));
    return 1;
}
