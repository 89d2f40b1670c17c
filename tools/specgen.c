/* SPDX-License-Identifier: MIT
 *
 * Prints SPEC.md with its tables made anew from ops.def and errors.def:
 * specgen SPEC.md >new.  Everything outside the two markers is passed through.
 */
#include <stdio.h>
#include <string.h>

#include "../libwire/wire.h"

static const char begin_mark[] = "<!-- tables: begin -->";
static const char end_mark[] = "<!-- tables: end -->";

static void print_rows(const char *title, const char *column, const struct wire_row *row)
{
    printf("### %s\n\n| code | %s | meaning |\n| --- | --- | --- |\n", title, column);
    for (; row->name != NULL; row++)
        printf("| %u | `%s` | %s |\n", row->code, row->name, row->doc);
    printf("\n");
}

static void print_field(const struct wire_field_row *f)
{
    printf("| %u | `%s` | ", f->number, f->name);
    if (f->of != NULL)
        printf("list of `%s`", f->of);
    else
        printf("%s", f->type);
    printf(" | %s | %s |\n", f->required ? "required" : "optional", f->doc);
}

static void print_record(const struct wire_record_row *r)
{
    printf("### `%s`\n\n%s; unknown fields are %s.\n\n", r->name, r->doc, r->refuse_unknown ? "refused" : "ignored");
    printf("| key | field | type | | meaning |\n| --- | --- | --- | --- | --- |\n");
    for (uint32_t i = 0; i < r->field_count; i++)
        print_field(&r->fields[i]);
    printf("\n");
}

static void print_tables(void)
{
    printf("\n");
    print_rows("Operations", "operation", wire_ops());
    print_rows("Events", "event", wire_events());
    print_rows("Error codes", "error", wire_errors());
    for (const struct wire_record_row *r = wire_records(); r->name != NULL; r++)
        print_record(r);
}

int main(int argc, char **argv)
{
    char line[4096];
    bool inside = false, found = false;
    FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (f == NULL) {
        fprintf(stderr, "usage: specgen SPEC.md >NEW\n");
        return 2;
    }
    while (fgets(line, sizeof line, f) != NULL) {
        inside = inside && strncmp(line, end_mark, strlen(end_mark)) != 0;
        if (!inside)
            fputs(line, stdout);
        if (strncmp(line, begin_mark, strlen(begin_mark)) == 0) {
            print_tables();
            inside = found = true;
        }
    }
    fclose(f);
    return found && !inside ? 0 : 1;
}
