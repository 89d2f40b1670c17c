/* SPDX-License-Identifier: MIT
 *
 * Prints SPEC.md with its tables made anew from ops.def and errors.def:
 * specgen SPEC.md >new.  Everything outside the two markers is passed through.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char begin_mark[] = "<!-- tables: begin -->";
static const char end_mark[] = "<!-- tables: end -->";

/* One function a table: a row is printed where it stands. */

static void print_ops(void)
{
    printf("### Operations\n\n| code | operation | meaning |\n| --- | --- | --- |\n");
#define WIRE_OP(name, code, since, doc) printf("| %d | `%s` | %s |\n", code, #name, doc);
#include "../libwire/ops.def"
}

static void print_events(void)
{
    printf("\n### Events\n\n| code | event | meaning |\n| --- | --- | --- |\n");
#define WIRE_EVENT(name, code, since, doc) printf("| %d | `%s` | %s |\n", code, #name, doc);
#include "../libwire/ops.def"
}

static void print_caps(void)
{
    printf("\n### Capabilities\n\n| capability | allows |\n| --- | --- |\n");
#define WIRE_CAP(name, bit, doc) printf("| `%s` | %s |\n", #name, doc);
#include "../libwire/ops.def"
}

static void print_errors(void)
{
    printf("\n### Error codes\n\n| code | error | meaning |\n| --- | --- | --- |\n");
#define WIRE_ERROR(name, code, word, text) printf("| %d | `%s` | %s |\n", code, word, text);
#include "../libwire/errors.def"
}

#define NEED_REQUIRED "required"
#define NEED_OPTIONAL "optional"
#define UNKNOWN_REFUSE "refused"
#define UNKNOWN_IGNORE "ignored"

static void print_records(void)
{
#define WIRE_RECORD(name, unknown, doc) \
    printf("\n### `%s`\n\n%s; unknown fields are %s.\n\n", #name, doc, UNKNOWN_##unknown); \
    printf("| key | field | type | | meaning |\n| --- | --- | --- | --- | --- |\n");
#define WIRE_FIELD(record, number, name, type, need, doc) \
    printf("| %d | `%s` | %s | %s | %s |\n", number, #name, #type, NEED_##need, doc);
#define WIRE_LIST(record, number, name, of, need, doc) \
    printf("| %d | `%s` | list of `%s` | %s | %s |\n", number, #name, #of, NEED_##need, doc);
#include "../libwire/ops.def"
}

static void print_tables(void)
{
    printf("\n");
    print_ops();
    print_events();
    print_caps();
    print_errors();
    print_records();
    printf("\n");
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
