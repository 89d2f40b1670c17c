/* SPDX-License-Identifier: MIT
 *
 * provium-conformance: does this agent speak the protocol of SPEC.md?  Options,
 * and the walk through the cases. */
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "known.h"
#include "report.h"
#include "spec.h"

enum exit_status { EXIT_CONFORMS, EXIT_FAILURES, EXIT_USAGE, EXIT_NO_AGENT, EXIT_NOTHING };

struct options {
    const char *command, *filter, *cases, *json, *known_path, *level;
    struct known known;
    int timeout_ms;
    bool strict, verbose;
};

static const char usage[] =
    "usage: provium-conformance run --exec 'AGENT ARGS' [options]\n"
    "       provium-conformance list [--filter GLOB]\n"
    "       provium-conformance show ID\n"
    "\n"
    "run starts the agent afresh for each case and speaks to its stdin and stdout.\n"
    "  --exec COMMAND    how to start the agent (a shell command)\n"
    "  --filter GLOB     only cases whose ids match, such as 'call/*'\n"
    "  --level LEVEL     core (default), or survival for agents that outlive their executor (EXEC-6)\n"
    "  --strict          a SHOULD that does not hold is a failure, not a warning\n"
    "  --known FILE      failures that are known: an id or glob per line; one that passes is an error\n"
    "  --json FILE       write the results as JSON\n"
    "  --timeout MS      wait this long for each answer (default 5000)\n"
    "  --cases FOLDER    read *.case files from there instead of the built-in ones\n"
    "  -v                print every case and every byte\n"
    "\n"
    "exit status: 0 conforms, 1 does not, 2 usage, 3 no agent or no hello, 4 no case applies\n";

static bool read_options(struct options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"exec", required_argument, NULL, 'e'},
        {"filter", required_argument, NULL, 'f'},
        {"level", required_argument, NULL, 'l'},
        {"strict", no_argument, NULL, 's'},
        {"known", required_argument, NULL, 'k'},
        {"json", required_argument, NULL, 'j'},
        {"timeout", required_argument, NULL, 't'},
        {"cases", required_argument, NULL, 'c'},
        {0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "v", names, NULL)) != -1)
        switch (letter) {
        case 'e':
            options->command = optarg;
            break;
        case 'f':
            options->filter = optarg;
            break;
        case 'l':
            options->level = optarg;
            break;
        case 's':
            options->strict = true;
            break;
        case 'k':
            options->known_path = optarg;
            break;
        case 'j':
            options->json = optarg;
            break;
        case 't':
            options->timeout_ms = atoi(optarg);
            break;
        case 'c':
            options->cases = optarg;
            break;
        case 'v':
            options->verbose = true;
            break;
        default:
            return false;
        }
    return options->timeout_ms > 0 && (!strcmp(options->level, "core") || !strcmp(options->level, "survival"));
}

static bool load(struct suite *suite, const struct options *options)
{
    struct bytes text = {0}, fault = {0};
    size_t len;
    const char *cases = builtin_cases(&len);
    bool fine = true;

    if (options->cases) {
        fine = suite_gather(options->cases, &text, &fault);
        len = text.len;
        cases = pool_text(&suite->pool, bytes_text(&text), len);
    }
    fine = fine && suite_read(suite, cases, len, &fault);
    if (!fine)
        fprintf(stderr, "provium-conformance: %s\n", bytes_text(&fault));
    bytes_free(&fault);
    bytes_free(&text);
    return fine;
}

static bool selected(const struct scenario *scenario, const struct options *options)
{
    return !scenario->macro && (!options->filter || fnmatch(options->filter, scenario->id, 0) == 0);
}

/* Say hello once, to learn the architecture: false when there is none. */
static bool probe(struct run *run)
{
    const struct scenario *open = suite_find(run->suite, "open", true);
    const struct bytes *arch;

    if (!open) {
        fputs("provium-conformance: the cases have no macro \"open\"\n", stderr);
        return false;
    }
    if (!run_scenario(run, open, NULL)) {
        fprintf(stderr, "provium-conformance: no hello from '%s'\n%s", run->command, bytes_text(&run->failure));
        return false;
    }
    arch = env_capture(&run->env, "arch");
    return arch && arch->len > 0;
}

/* The text of a captured short str is behind its first byte. */
static void keep_arch(const struct run *run, char *arch, size_t cap)
{
    const struct bytes *capture = env_capture(&run->env, "arch");

    snprintf(arch, cap, "%.*s", capture->ptr[0] & 31, (const char *)capture->ptr + 1);
}

/* What hello listed: an array of short texts, each behind its head. */
static void keep_caps(const struct run *run, struct bytes *caps)
{
    const struct bytes *capture = env_capture(&run->env, "caps");

    if (capture)
        bytes_put(caps, capture->ptr, capture->len);
}

static bool lists_capability(const struct bytes *caps, const char *name)
{
    size_t len = strlen(name);

    for (size_t at = 0; at + 1 + len <= caps->len; at++)
        if (caps->ptr[at] == (0xa0 | len) && memcmp(caps->ptr + at + 1, name, len) == 0)
            return true;
    return false;
}

static bool applies(const struct suite *suite, const struct scenario *scenario, const struct report *report,
                    struct bytes *why)
{
    if (*scenario->arch && strcmp(scenario->arch, report->arch) != 0)
        bytes_print(why, "only for %s", scenario->arch);
    else if (*scenario->capability && !lists_capability(report->caps, scenario->capability))
        bytes_print(why, "only with the capability %s", scenario->capability);
    else if (run_lacks_name(suite, scenario, report->arch, why))
        bytes_print(why, ": no number of it for %s", report->arch);
    return why->len == 0;
}

static enum verdict judge(const struct scenario *scenario, bool passed, bool known, bool strict)
{
    if (passed)
        return known ? VERDICT_STALE : VERDICT_PASS;
    if (known)
        return VERDICT_KNOWN;
    return scenario->should && !strict ? VERDICT_WARN : VERDICT_FAIL;
}

static void run_one(const struct suite *suite, const struct scenario *scenario, const struct options *options,
                    struct report *report)
{
    struct run run = {
        .suite = suite, .scenario = scenario, .command = options->command, .timeout_ms = options->timeout_ms};
    struct bytes why = {0};

    if (strcmp(scenario->level, "core") != 0 && strcmp(scenario->level, options->level) != 0)
        bytes_print(&why, "only with --level %s", scenario->level);
    if (why.len > 0 || !applies(suite, scenario, report, &why)) {
        report_case(report, &run, VERDICT_NA, bytes_text(&why));
    } else {
        bool passed = run_scenario(&run, scenario, report->arch);
        bool known = known_lists(&options->known, scenario->id);

        report_case(report, &run, judge(scenario, passed, known, options->strict), NULL);
    }
    run_free(&run);
    bytes_free(&why);
}

static int finish(struct report *report, const struct options *options)
{
    if (options->json && !report_save_json(report, options->json)) {
        perror(options->json);
        return EXIT_USAGE;
    }
    report_last_line(report);
    if (report->failed > 0)
        return EXIT_FAILURES;
    return report->passed > 0 ? EXIT_CONFORMS : EXIT_NOTHING;
}

static int run_all(const struct suite *suite, const struct options *options)
{
    struct run first = {.suite = suite, .command = options->command, .timeout_ms = options->timeout_ms};
    char arch[32];
    struct bytes caps = {0};
    struct report report = {.command = options->command, .arch = arch, .caps = &caps, .verbose = options->verbose};
    bool speaks = probe(&first);
    int status;

    if (speaks) {
        keep_arch(&first, arch, sizeof(arch));
        keep_caps(&first, &caps);
    }
    run_free(&first);
    if (!speaks)
        return EXIT_NO_AGENT;
    for (size_t i = 0; i < suite->count; i++)
        if (selected(&suite->list[i], options))
            run_one(suite, &suite->list[i], options, &report);
    status = finish(&report, options);
    bytes_free(&report.json);
    bytes_free(&caps);
    return status;
}

static int command_run(const struct suite *suite, struct options *options)
{
    struct bytes fault = {0};
    int status = EXIT_USAGE;

    if (!options->command)
        fputs(usage, stderr);
    else if (options->known_path && !known_read(&options->known, options->known_path, &fault))
        fprintf(stderr, "provium-conformance: %s\n", bytes_text(&fault));
    else
        status = run_all(suite, options);
    bytes_free(&fault);
    known_free(&options->known);
    return status;
}

static int command_list(const struct suite *suite, const struct options *options)
{
    int status = EXIT_NOTHING;

    for (size_t i = 0; i < suite->count; i++) {
        const struct scenario *scenario = &suite->list[i];

        if (!selected(scenario, options))
            continue;
        printf("%-40s %s%s [%s]\n", scenario->id, scenario->title, scenario->should ? " (should)" : "",
               scenario->proves);
        status = EXIT_CONFORMS;
    }
    return status;
}

static int command_show(const struct suite *suite, const char *id)
{
    const struct scenario *scenario = id ? suite_find(suite, id, false) : NULL;
    struct bytes rules = {0};

    if (!scenario) {
        fprintf(stderr, "provium-conformance: %s: no such case\n", id ? id : "show");
        return EXIT_NOTHING;
    }
    spec_print(&rules, scenario->proves, "");
    printf("%s:%u\n%.*s\n\n%s", scenario->file, scenario->line, (int)scenario->source_len, scenario->source,
           bytes_text(&rules));
    bytes_free(&rules);
    return EXIT_CONFORMS;
}

int main(int argc, char **argv)
{
    struct options options = {.level = "core", .timeout_ms = 5000};
    const char *command = argc > 1 ? argv[1] : "";
    struct suite suite = {0};
    int status = EXIT_USAGE;

    signal(SIGPIPE, SIG_IGN);
    if (argc < 2 || !read_options(&options, argc - 1, argv + 1)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (load(&suite, &options)) {
        if (strcmp(command, "run") == 0)
            status = command_run(&suite, &options);
        else if (strcmp(command, "list") == 0)
            status = command_list(&suite, &options);
        else if (strcmp(command, "show") == 0)
            status = command_show(&suite, optind < argc - 1 ? argv[optind + 1] : NULL);
        else
            fputs(usage, stderr);
    }
    suite_free(&suite);
    return status;
}
