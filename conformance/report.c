/* SPDX-License-Identifier: MIT
 *
 * Prints verdicts.  Decides nothing. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "spec.h"

static const struct {
    const char *json, *line; /* the line is NULL for what is printed with -v only */
} verdicts[] = {
    [VERDICT_PASS] = {"pass", NULL},   [VERDICT_FAIL] = {"fail", "FAIL "}, [VERDICT_STALE] = {"stale", "STALE"},
    [VERDICT_KNOWN] = {"known", NULL}, [VERDICT_WARN] = {"warn", "WARN "}, [VERDICT_NA] = {"n/a", NULL},
};

/* Indented, and without control characters that a terminal might obey. */
static void print_indented(const char *text)
{
    bool head = true;

    for (; *text; text++) {
        if (head)
            fputs("      ", stdout);
        head = *text == '\n';
        putchar(head || (unsigned char)*text >= ' ' ? *text : '?');
    }
    if (!head)
        putchar('\n');
}

static void print_failure(const struct report *report, const struct run *run)
{
    const struct scenario *scenario = run->scenario;
    struct bytes rules = {0};

    printf("      %s (%s:%u)\n", scenario->title, scenario->file, scenario->line);
    spec_print(&rules, scenario->proves, "");
    print_indented(bytes_text(&rules));
    print_indented(bytes_text(&run->failure));
    printf("      again      provium-conformance run --exec '%s' --filter '%s' -v\n\n", report->command, scenario->id);
    bytes_free(&rules);
}

static void print_case(const struct report *report, const struct run *run, enum verdict verdict, const char *why)
{
    const char *line = verdicts[verdict].line;
    const char *id = run->scenario->id;

    if (line)
        printf("%s %s\n", line, id);
    else if (report->verbose)
        printf("%-5s %s%s%s\n", verdict == VERDICT_PASS ? "ok" : verdicts[verdict].json, id, why ? ": " : "",
               why ? why : "");
    if (report->verbose && verdict != VERDICT_NA)
        print_indented(bytes_text(&run->transcript));
    if (verdict == VERDICT_STALE)
        puts("      it is listed as known to fail, and passes: take it off the list");
    if (verdict == VERDICT_FAIL || verdict == VERDICT_WARN)
        print_failure(report, run);
    fflush(stdout);
}

static void json_text(struct bytes *out, const char *text)
{
    bytes_byte(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            bytes_print(out, "\\%c", *text);
        else if (*text == '\n')
            bytes_print(out, "\\n");
        else
            bytes_byte(out, (unsigned char)*text >= ' ' && (unsigned char)*text < 0x7f ? (uint8_t)*text : '?');
    }
    bytes_byte(out, '"');
}

static void json_ids(struct bytes *out, const char *ids)
{
    bytes_byte(out, '[');
    for (const char *sign = ""; *ids; sign = ", ") {
        size_t len = strcspn(ids, " ");

        bytes_print(out, "%s\"%.*s\"", sign, (int)len, ids);
        ids += len + strspn(ids + len, " ");
    }
    bytes_byte(out, ']');
}

static void json_case(struct report *report, const struct run *run, enum verdict verdict, const char *why)
{
    struct bytes *out = &report->json;
    const struct scenario *scenario = run->scenario;

    bytes_print(out, "%s    {\"id\": \"%s\", \"verdict\": \"%s\", \"level\": \"%s\", \"requirements\": ",
                out->len ? ",\n" : "", scenario->id, verdicts[verdict].json, scenario->level);
    json_ids(out, scenario->proves);
    bytes_print(out, ", \"ms\": %" PRId64, verdict == VERDICT_NA ? 0 : now_ms() - run->started_ms);
    if (why || run->failure.len > 0) {
        bytes_print(out, ", \"text\": ");
        json_text(out, why ? why : bytes_text(&run->failure));
    }
    bytes_byte(out, '}');
}

void report_case(struct report *report, const struct run *run, enum verdict verdict, const char *why)
{
    switch (verdict) {
    case VERDICT_PASS:
        report->passed++;
        break;
    case VERDICT_FAIL:
    case VERDICT_STALE:
        report->failed++;
        break;
    case VERDICT_KNOWN:
    case VERDICT_WARN:
    case VERDICT_NA:
        report->skipped++;
        break;
    }
    print_case(report, run, verdict, why);
    json_case(report, run, verdict, why);
}

void report_last_line(const struct report *report)
{
    printf("%u passed, %u failed", report->passed, report->failed);
    if (report->skipped > 0)
        printf(", %u skipped", report->skipped);
    putchar('\n');
}

bool report_save_json(const struct report *report, const char *path)
{
    struct bytes head = {0};
    FILE *file = fopen(path, "w");
    bool fine = file != NULL;

    bytes_print(&head, "{\n  \"schema\": 1,\n  \"protocol\": 0,\n  \"agent\": ");
    json_text(&head, report->command);
    bytes_print(&head, ",\n  \"arch\": ");
    json_text(&head, report->arch);
    bytes_print(&head, ",\n  \"passed\": %u,\n  \"failed\": %u,\n  \"skipped\": %u,\n  \"cases\": [\n", report->passed,
                report->failed, report->skipped);
    if (file) {
        fprintf(file, "%s%s\n  ]\n}\n", bytes_text(&head), bytes_text(&report->json));
        fine = fclose(file) == 0;
    }
    bytes_free(&head);
    return fine;
}
