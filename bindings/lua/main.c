/* SPDX-License-Identifier: MIT
 *
 * The `provium` command: its arguments, a Lua state for each script, the exit status.
 * What a test is and how it is reported is provium/runner.lua's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lualib.h>

#include "lprovium.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNAVAILABLE = 3 };

static const char usage[] = "usage: provium run [-v] [--trace[=FILE]] FILE... [-- ARGUMENT...]\n"
                            "       provium help | version\n"
                            "\n"
                            "run executes each FILE, a Lua script, and counts its tests.\n"
                            "  -v             times, and why a test marked as todo fails\n"
                            "  --trace[=FILE] every system call, on standard error or in FILE\n"
                            "\n"
                            "The last line is the count. The exit status is 0 when nothing failed, 1 when a test\n"
                            "failed, 2 for a wrong command line, 3 when a VM could not be had.\n"
                            "docs/tutorial.md shows how to begin, docs/lua.md lists every call.\n";

/* ---- the embedded Lua sources ---- */

#define LUA_SOURCE(module, symbol, file) extern const char provium_lua_##symbol##_start[], provium_lua_##symbol##_end[];
#include "sources.def"

struct source {
    const char *module, *chunk;
    const char *start, *end;
};

static const struct source sources[] = {
#define LUA_SOURCE(module, symbol, file) {module, "=" file, provium_lua_##symbol##_start, provium_lua_##symbol##_end},
#include "sources.def"
};

/* The loader of a source that require() calls: its upvalue is the source. */
static int load_source(lua_State *L)
{
    const struct source *s = lua_touserdata(L, lua_upvalueindex(1));
    if (luaL_loadbufferx(L, s->start, (size_t)(s->end - s->start), s->chunk, "t") != LUA_OK)
        return lua_error(L);
    lua_pushstring(L, s->module);
    lua_call(L, 1, 1);
    return 1;
}

static void preload(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, luaopen_provium_core);
    lua_setfield(L, -2, "provium.core");
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)&sources[i]);
        lua_pushcclosure(L, load_source, 1);
        lua_setfield(L, -2, sources[i].module);
    }
    lua_pop(L, 1);
}

/* ---- counts ---- */

enum count { PASSED, FAILED, SKIPPED, UNAVAILABLE, COUNTS };

static const char *const count_names[COUNTS] = {"passed", "failed", "skipped", "unavailable"};

struct run {
    bool verbose;
    const char *trace; /* where to: NULL is nowhere, "" is standard error */
    int file_count, arg_count;
    char **files, **args;
    int at; /* the file that runs */
    lua_Integer counts[COUNTS];
};

static void push_counts(lua_State *L, const struct run *run)
{
    lua_createtable(L, 0, COUNTS + 1);
    for (int i = 0; i < COUNTS; i++) {
        lua_pushinteger(L, run->counts[i]);
        lua_setfield(L, -2, count_names[i]);
    }
    lua_pushboolean(L, run->verbose);
    lua_setfield(L, -2, "verbose");
    if (run->trace != NULL && *run->trace != '\0')
        lua_pushstring(L, run->trace);
    else
        lua_pushboolean(L, run->trace != NULL);
    lua_setfield(L, -2, "trace");
}

static void read_counts(lua_State *L, int at, struct run *run)
{
    for (int i = 0; i < COUNTS; i++) {
        lua_getfield(L, at, count_names[i]);
        run->counts[i] = lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
}

/* Print the last line; returns the exit status. */
static int summarize(const struct run *run)
{
    const lua_Integer *n = run->counts;
    printf("%lld passed, %lld failed", (long long)n[PASSED], (long long)n[FAILED]);
    if (n[SKIPPED] > 0)
        printf(", %lld skipped", (long long)n[SKIPPED]);
    printf("\n");
    fflush(stdout);
    if (n[UNAVAILABLE] > 0)
        return EXIT_UNAVAILABLE;
    return n[FAILED] > 0 ? EXIT_FAILED : EXIT_SUCCESS;
}

/* finish(counts), for a script that calls os.exit(): files that were not reached did not pass. */
static int finish(lua_State *L)
{
    struct run *run = lua_touserdata(L, lua_upvalueindex(1));
    read_counts(L, 1, run);
    for (int i = run->at + 1; i < run->file_count; i++) {
        printf("%s\n  not run: an earlier script called os.exit()\n", run->files[i]);
        run->counts[FAILED]++;
    }
    lua_pushinteger(L, summarize(run));
    return 1;
}

/* ---- running ---- */

static int traceback(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

/* Protected: run(file, args, counts, finish) of provium/runner.lua; leaves the counts. */
static int run_protected(lua_State *L)
{
    struct run *run = lua_touserdata(L, 1);
    luaL_openlibs(L);
    preload(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "provium.runner");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "run");
    lua_pushstring(L, run->files[run->at]);
    lua_createtable(L, run->arg_count, 1);
    for (int i = 0; i < run->arg_count; i++) {
        lua_pushstring(L, run->args[i]);
        lua_rawseti(L, -2, i + 1);
    }
    push_counts(L, run);
    lua_pushvalue(L, -1);
    lua_insert(L, 2);
    lua_pushlightuserdata(L, run);
    lua_pushcclosure(L, finish, 1);
    lua_call(L, 4, 0);
    read_counts(L, 2, run);
    return 0;
}

/* Run one file in a fresh state.  Closing the state ends every VM of it. */
static void run_file(struct run *run)
{
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        fprintf(stderr, "provium: out of memory\n");
        run->counts[FAILED]++;
        return;
    }
    lua_pushcfunction(L, traceback);
    lua_pushcfunction(L, run_protected);
    lua_pushlightuserdata(L, run);
    if (lua_pcall(L, 1, 0, 1) != LUA_OK) {
        fprintf(stderr, "provium: %s\n", lua_tostring(L, -1));
        run->counts[FAILED]++;
    }
    lua_close(L);
}

/* ---- the command line ---- */

static bool is_readable(const char *path)
{
    struct stat st;
    int failed = stat(path, &st) != 0 || access(path, R_OK) != 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (failed)
        fprintf(stderr, "provium: cannot read %s: %s\n", path, strerror(failed));
    return failed == 0;
}

/* What is wrong and, in the same line, what to do. */
static int usage_error(const char *fault, const char *what, const char *hint)
{
    fprintf(stderr, "provium: %s%s; %s\n", fault, what, hint);
    return EXIT_USAGE;
}

/* A script in the place of the command is the likeliest mistake. */
static int no_such_command(const char *word)
{
    size_t len = strlen(word);
    if (access(word, F_OK) != 0 && (len < 4 || strcmp(word + len - 4, ".lua") != 0))
        return usage_error("no such command: ", word, "`provium help` lists them");
    fprintf(stderr, "provium: no such command: %s; to run that script: provium run %s\n", word, word);
    return EXIT_USAGE;
}

/* Each file's state appends to it. */
static bool clear_trace(const char *path)
{
    FILE *file = path == NULL || *path == '\0' ? NULL : fopen(path, "w");
    int failed = file == NULL && path != NULL && *path != '\0' ? errno : 0;
    if (file != NULL && fclose(file) != 0)
        failed = errno;
    if (failed)
        fprintf(stderr, "provium: cannot write %s: %s\n", path, strerror(failed));
    return failed == 0;
}

/* Move one word of "[OPTION] FILE..." to where it belongs; false if it is an unknown option. */
static bool take_word(struct run *run, char *word)
{
    if (strcmp(word, "-v") == 0)
        run->verbose = true;
    else if (strcmp(word, "--trace") == 0)
        run->trace = "";
    else if (strncmp(word, "--trace=", 8) == 0 && word[8] != '\0')
        run->trace = word + 8;
    else if (word[0] == '-')
        return false;
    else
        run->files[run->file_count++] = word;
    return true;
}

/* Split "[OPTION] FILE... [-- ARGUMENT...]": the files move to the front of argv, options may stand anywhere. */
static int parse_run(struct run *run, int argc, char **argv)
{
    int i = 0;
    run->files = argv;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!take_word(run, argv[i]))
            return usage_error("run: no such option: ", argv[i],
                               "there are -v and --trace; arguments of the script follow --");
    if (i < argc) {
        run->args = argv + i + 1;
        run->arg_count = argc - i - 1;
    }
    return run->file_count > 0 ? EXIT_SUCCESS : usage_error("run: no file given", "", "provium run FILE...");
}

static int run_command(int argc, char **argv)
{
    struct run run = {0};
    int status = parse_run(&run, argc, argv);
    for (int i = 0; i < run.file_count && status == EXIT_SUCCESS; i++)
        status = is_readable(run.files[i]) ? EXIT_SUCCESS : EXIT_USAGE;
    if (status == EXIT_SUCCESS && !clear_trace(run.trace))
        status = EXIT_USAGE;
    if (status != EXIT_SUCCESS)
        return status;
    for (run.at = 0; run.at < run.file_count; run.at++)
        run_file(&run);
    return summarize(&run);
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv)
{
    const char *command = argc < 2 ? "" : argv[1];
    bool runs = strcmp(command, "run") == 0;
    if (argc < 2 || (runs && argc < 3)) {
        fprintf(stderr, "provium: a %s is missing\nusage: provium run FILE...; `provium help` says more\n",
                runs ? "file" : "command");
        return EXIT_USAGE;
    }
    if (strcmp(command, "--version") == 0 || strcmp(command, "version") == 0) {
        printf("%s\n", provium_version());
        return EXIT_SUCCESS;
    }
    if (strcmp(command, "help") == 0 || is_help(command) || (runs && is_help(argv[2]))) {
        printf("%s", usage);
        return EXIT_SUCCESS;
    }
    return runs ? run_command(argc - 2, argv + 2) : no_such_command(command);
}
