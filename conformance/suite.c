/* SPDX-License-Identifier: MIT
 *
 * Reads case files: lines into cases, attributes and steps.  What a step means
 * is in steps.c. */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct parser {
    struct suite *suite;
    struct bytes *fault;
    const char *file;
    unsigned line;
    struct scenario *scenario; /* the open one */
    const char **last;         /* what a continuation line goes on with */
};

static bool wrong(const struct parser *parser, const char *text, const char *what)
{
    bytes_print(parser->fault, "%s:%u: %s: %s", parser->file, parser->line, text, what);
    return false;
}

/* The length of a line without its comment and the blanks before that. */
static size_t content_len(const char *line, size_t len)
{
    bool quoted = false;
    size_t end = 0;

    for (size_t i = 0; i < len && (quoted || line[i] != '#'); i++) {
        quoted ^= line[i] == '"';
        if (line[i] != ' ')
            end = i + 1;
    }
    return end;
}

/* Cut the first word off: the rest, without blanks before it. */
static const char *split(char *text)
{
    text += strcspn(text, " ");
    if (*text) {
        *text++ = 0;
        text += strspn(text, " ");
    }
    return text;
}

static bool open_scenario(struct parser *parser, const char *word, const char *id, const char *source)
{
    struct suite *suite = parser->suite;
    bool macro = strcmp(word, "macro") == 0;

    if (*id == 0)
        return wrong(parser, word, "needs a name");
    if (suite_find(suite, id, macro))
        return wrong(parser, id, "is there already");
    suite->list = grow(suite->list, (suite->count + 1) * sizeof(*suite->list));
    parser->scenario = &suite->list[suite->count++];
    *parser->scenario = (struct scenario){.id = id,
                                          .title = "",
                                          .proves = "",
                                          .level = "core",
                                          .arch = "",
                                          .capability = "",
                                          .file = parser->file,
                                          .line = parser->line,
                                          .macro = macro,
                                          .source = source};
    return true;
}

/* names ARCH a=1 b=2 */
static bool read_names(struct parser *parser, const char *text)
{
    struct names *names = &parser->suite->names;
    char *arch = pool_text(&parser->suite->pool, text, strlen(text));
    const char *at = split(arch);

    while (*at) {
        char *end, word[24];
        long number;

        if (!env_word(&at, word, sizeof(word)) || *at != '=')
            return wrong(parser, at, "not NAME=NUMBER");
        number = strtol(at + 1, &end, 0);
        names->list = grow(names->list, (names->count + 1) * sizeof(*names->list));
        names->list[names->count++] = (struct name){arch, pool_text(&parser->suite->pool, word, strlen(word)), number};
        at = end + strspn(end, " ");
    }
    return true;
}

static bool read_head(struct parser *parser, char *text, const char *source)
{
    const char *rest = split(text);

    parser->last = NULL;
    if (strcmp(text, "file") == 0) {
        parser->file = rest;
        parser->line = 0;
        parser->scenario = NULL;
        return true;
    }
    if (strcmp(text, "names") == 0)
        return read_names(parser, rest);
    if (strcmp(text, "case") == 0 || strcmp(text, "macro") == 0)
        return open_scenario(parser, text, rest, source);
    return wrong(parser, text, "not file, names, case or macro");
}

static bool read_attribute(struct parser *parser, const char *word, const char *rest)
{
    struct scenario *scenario = parser->scenario;
    struct {
        const char *word;
        const char **place;
    } attributes[] = {
        {"title", &scenario->title},
        {"proves", &scenario->proves},
        {"level", &scenario->level},
        {"arch", &scenario->arch},
        {"capability", &scenario->capability},
    };

    if (strcmp(word, "should") == 0)
        return scenario->should = true;
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (strcmp(word, attributes[i].word) == 0) {
            *attributes[i].place = rest;
            parser->last = attributes[i].place;
            return true;
        }
    return false;
}

static bool read_step(struct parser *parser, char *text)
{
    struct scenario *scenario = parser->scenario;
    const char *rest = split(text);
    const struct verb *verb = verb_find(text);
    struct step *step;

    if (!scenario)
        return wrong(parser, text, "stands outside a case");
    if (read_attribute(parser, text, rest))
        return true;
    if (!verb)
        return wrong(parser, text, "no such step");
    scenario->steps = grow(scenario->steps, (scenario->count + 1) * sizeof(*scenario->steps));
    step = &scenario->steps[scenario->count++];
    *step = (struct step){verb, text, rest, parser->file, parser->line};
    parser->last = &step->args;
    return true;
}

static bool read_more(struct parser *parser, const char *text)
{
    struct bytes both = {0};

    if (!parser->last)
        return wrong(parser, text, "continues nothing");
    bytes_print(&both, "%s %s", *parser->last, text);
    *parser->last = pool_text(&parser->suite->pool, bytes_text(&both), both.len);
    bytes_free(&both);
    return true;
}

/* The indentation says what a line is: 0 a head, up to 3 a step or an
 * attribute, more a continuation of the line before. */
static bool read_line(struct parser *parser, const char *line, size_t len)
{
    size_t used = content_len(line, len), indent = strspn(line, " ");
    char *text;

    parser->line++;
    if (used == 0)
        return true;
    if (memchr(line, '\t', used))
        return wrong(parser, "tab", "indent with blanks");
    text = pool_text(&parser->suite->pool, line + indent, used - indent);
    if (indent == 0)
        return read_head(parser, text, line);
    if (indent < 4)
        return read_step(parser, text);
    return read_more(parser, text);
}

static bool check_scenario(const struct suite *suite, const struct scenario *scenario, struct bytes *fault)
{
    struct env env = {.names = &suite->names, .checking = true};

    for (size_t i = 0; i < scenario->count; i++) {
        const struct step *step = &scenario->steps[i];
        const char *what = verb_check(step, suite, &env);

        if (what) {
            bytes_print(fault, "%s:%u: %s %s: %s", step->file, step->line, step->word, step->args, what);
            return false;
        }
    }
    return true;
}

/* A case's source goes to the next line without indentation. */
static size_t source_len(const char *source, const char *end)
{
    const char *at = source;

    do {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : end;
    } while (at < end && (*at == ' ' || *at == '\n'));
    while (at > source && at[-1] == '\n')
        at--;
    return (size_t)(at - source);
}

bool suite_read(struct suite *suite, const char *text, size_t len, struct bytes *fault)
{
    struct parser parser = {.suite = suite, .fault = fault, .file = "?"};
    const char *end = text + len;

    for (const char *at = text; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t line_len = (size_t)((stop ? stop : end) - at);

        if (!read_line(&parser, at, line_len))
            return false;
        at += line_len + 1;
    }
    for (size_t i = 0; i < suite->count; i++) {
        suite->list[i].source_len = source_len(suite->list[i].source, end);
        if (!check_scenario(suite, &suite->list[i], fault))
            return false;
    }
    return true;
}

static int is_case_file(const struct dirent *entry)
{
    return fnmatch("*.case", entry->d_name, FNM_PERIOD) == 0;
}

static bool add_file(const char *path, struct bytes *text)
{
    FILE *file = fopen(path, "rb");
    char part[4096];
    size_t len;

    if (!file)
        return false;
    bytes_print(text, "file %s\n", path);
    while ((len = fread(part, 1, sizeof(part), file)) > 0)
        bytes_put(text, part, len);
    if (text->ptr[text->len - 1] != '\n')
        bytes_byte(text, '\n');
    fclose(file);
    return true;
}

bool suite_gather(const char *folder, struct bytes *text, struct bytes *fault)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_case_file, alphasort);
    bool fine = count > 0;

    if (count == 0)
        bytes_print(fault, "%s: no *.case files", folder);
    if (count < 0)
        bytes_print(fault, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        struct bytes path = {0};

        bytes_print(&path, "%s/%s", folder, entries[i]->d_name);
        if (fine && !add_file(bytes_text(&path), text)) {
            bytes_print(fault, "%s: %s", bytes_text(&path), strerror(errno));
            fine = false;
        }
        bytes_free(&path);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return fine;
}

const struct scenario *suite_find(const struct suite *suite, const char *id, bool macro)
{
    for (size_t i = 0; i < suite->count; i++)
        if (suite->list[i].macro == macro && strcmp(suite->list[i].id, id) == 0)
            return &suite->list[i];
    return NULL;
}

void suite_free(struct suite *suite)
{
    for (size_t i = 0; i < suite->count; i++)
        free(suite->list[i].steps);
    free(suite->list);
    free(suite->names.list);
    pool_free(&suite->pool);
    *suite = (struct suite){0};
}
