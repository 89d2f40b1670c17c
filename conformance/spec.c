/* SPDX-License-Identifier: MIT
 *
 * Finds the sentences of SPEC.md by their ids.  The text itself is put in by
 * embed.S. */
#include "spec.h"

#include <stdbool.h>
#include <string.h>

extern const char conformance_cases[], conformance_cases_end[];
extern const char conformance_spec[], conformance_spec_end[];

const char *builtin_cases(size_t *len)
{
    *len = (size_t)(conformance_cases_end - conformance_cases);
    return conformance_cases;
}

/* A rule's id stands at the head of an item or a row: "- [X-1]", "1. [X-1]",
 * "| [X-1]"; elsewhere it is only mentioned. */
static bool is_head(const char *at, const char *id, size_t id_len)
{
    const char *after = at + 1 + id_len;

    return at >= conformance_spec + 2 && after < conformance_spec_end && memcmp(at + 1, id, id_len) == 0 &&
           *after == ']' && at[-1] == ' ' && strchr("-.|", at[-2]);
}

static const char *find_rule(const char *id, size_t id_len)
{
    const char *at = conformance_spec;

    while ((at = memchr(at, '[', (size_t)(conformance_spec_end - at)))) {
        if (is_head(at, id, id_len))
            return at + 2 + id_len;
        at++;
    }
    return NULL;
}

/* A rule goes on over lines that are indented; a row of a table is one line. */
static const char *rule_end(const char *at)
{
    do {
        at = memchr(at, '\n', (size_t)(conformance_spec_end - at));
    } while (at && ++at < conformance_spec_end && *at == ' ');
    return at ? at : conformance_spec_end;
}

static void print_rule(struct bytes *out, const char *at)
{
    const char *end = rule_end(at);
    bool blank = true;

    for (; at < end; at++) {
        bool is_blank = *at == ' ' || *at == '\n';

        if (!is_blank)
            bytes_byte(out, (uint8_t)*at);
        else if (!blank && at + 1 < end)
            bytes_byte(out, ' ');
        blank = is_blank;
    }
}

void spec_print(struct bytes *out, const char *ids, const char *indent)
{
    for (ids += strspn(ids, " "); *ids; ids += strspn(ids, " ")) {
        size_t id_len = strcspn(ids, " ");
        const char *rule = find_rule(ids, id_len);

        bytes_print(out, "%s%.*s: ", indent, (int)id_len, ids);
        if (rule)
            print_rule(out, rule);
        else
            bytes_print(out, "(not in this SPEC.md)");
        bytes_byte(out, '\n');
        ids += id_len;
    }
}
