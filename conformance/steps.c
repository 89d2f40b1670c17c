/* SPDX-License-Identifier: MIT
 *
 * The verbs of the case language.  Knows how a frame is sent; what comes back
 * is judged in expect.c. */
#include "steps.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "hex.h"
#include "pattern.h"

struct verb {
    const char *word;
    const char *(*check)(const struct step *step, const struct suite *suite, const struct env *env);
    bool (*run)(struct run *run, const struct step *step);
};

/* ---- sending ---- */

static bool send_bytes(struct run *run, const struct step *step, const struct bytes *bytes, size_t head)
{
    enum peer_state state = peer_write(&run->peer, bytes->ptr, bytes->len, run->timeout_ms);

    note(run, "H>", bytes, head);
    if (state == PEER_OK)
        return true;
    if (state == PEER_SILENT)
        return fail(run, step, "the agent does not read what it is sent");
    fail(run, step, NULL);
    peer_autopsy(&run->peer, &run->failure);
    bytes_byte(&run->failure, '\n');
    return false;
}

static const char *check_hex(const struct step *step, const struct suite *suite, const struct env *env)
{
    struct bytes bytes = {0};
    const char *fault = hex_read(&bytes, step->args, env);

    (void)suite;
    if (!fault && bytes.len == 0)
        fault = "needs bytes";
    bytes_free(&bytes);
    return fault;
}

static bool run_raw(struct run *run, const struct step *step)
{
    struct bytes bytes = {0};
    bool fine = !hex_read(&bytes, step->args, &run->env) && send_bytes(run, step, &bytes, 0);

    bytes_free(&bytes);
    return fine;
}

static bool run_frame(struct run *run, const struct step *step)
{
    struct bytes bytes = {0};
    const char *fault;
    bool fine;

    bytes_put(&bytes, "\0\0\0", 4);
    fault = hex_read(&bytes, step->args, &run->env);
    for (unsigned i = 0; i < 4; i++)
        bytes.ptr[i] = (uint8_t)((bytes.len - 4) >> (24 - 8 * i));
    fine = fault ? fail(run, step, fault) : send_bytes(run, step, &bytes, 4);
    bytes_free(&bytes);
    return fine;
}

static bool run_slow(struct run *run, const struct step *step)
{
    struct bytes bytes = {0};
    const char *fault = hex_read(&bytes, step->args, &run->env);
    bool fine = fault ? fail(run, step, fault) : true;

    for (size_t i = 0; fine && i < bytes.len; i++) {
        struct bytes one = {bytes.ptr + i, 1, 0};

        fine = send_bytes(run, step, &one, 0);
        poll(NULL, 0, 2);
    }
    bytes_free(&bytes);
    return fine;
}

static bool run_close(struct run *run, const struct step *step)
{
    (void)step;
    peer_close_input(&run->peer);
    return true;
}

/* ---- expecting ---- */

static const char *check_expect(const struct step *step, const struct suite *suite, const struct env *env)
{
    (void)suite;
    return pattern_check(step->args, env);
}

static bool run_expect(struct run *run, const struct step *step)
{
    return expect_frame(run, step, step->args);
}

/* The shorthands: the words of the arguments become a pattern. */
static void pattern_of(struct bytes *out, const struct step *step, const struct env *env)
{
    const char *first = step->args, *second = first + strcspn(first, " "), *third;
    const char *generation = env_capture(env, "gen") ? "$gen" : "*";
    int first_len = (int)(second - first), second_len;

    second += strspn(second, " ");
    second_len = (int)strcspn(second, " ");
    third = second + second_len + strspn(second + second_len, " ");
    if (strcmp(step->word, "goodbye") == 0)
        bytes_print(out, "[5, 0, %%%s, *, *, {0: str}]", first);
    if (strcmp(step->word, "reply") == 0)
        bytes_print(out, "[1, %.*s, %%%.*s, 0, %s, %s]", first_len, first, second_len, second, generation, third);
    if (strcmp(step->word, "refused") != 0)
        return;
    bytes_print(out, "[2, %.*s, %%%.*s, 0, 0 | %s, {0: str, 2: 0", first_len, first, second_len, second, generation);
    for (const char *sign = ", 1: \""; *third; sign = " | \"") {
        int len = (int)strcspn(third, "|");

        bytes_print(out, "%s%.*s\"", sign, len, third);
        third += len + (third[len] == '|');
    }
    bytes_print(out, "}]");
}

static const char *check_short(const struct step *step, const struct suite *suite, const struct env *env)
{
    struct bytes pattern = {0};
    const char *fault;

    (void)suite;
    pattern_of(&pattern, step, env);
    fault = pattern_check(bytes_text(&pattern), env);
    bytes_free(&pattern);
    return fault;
}

static bool run_short(struct run *run, const struct step *step)
{
    struct bytes pattern = {0};
    bool fine;

    pattern_of(&pattern, step, &run->env);
    fine = expect_frame(run, step, bytes_text(&pattern));
    bytes_free(&pattern);
    return fine;
}

/* PATTERN ; PATTERN as two texts. */
static bool halves(const struct step *step, struct bytes *first, struct bytes *second)
{
    const char *middle = strchr(step->args, ';');

    if (!middle)
        return false;
    bytes_put(first, step->args, (size_t)(middle - step->args));
    bytes_print(second, "%s", middle + 1);
    return true;
}

static const char *check_pair(const struct step *step, const struct suite *suite, const struct env *env)
{
    struct bytes first = {0}, second = {0};
    const char *fault = "needs a ; between two patterns";

    (void)suite;
    if (halves(step, &first, &second)) {
        fault = pattern_check(bytes_text(&first), env);
        fault = fault ? fault : pattern_check(bytes_text(&second), env);
    }
    bytes_free(&first);
    bytes_free(&second);
    return fault;
}

static bool run_pair(struct run *run, const struct step *step)
{
    struct bytes first = {0}, second = {0};
    bool fine = halves(step, &first, &second) && expect_pair(run, step, bytes_text(&first), bytes_text(&second));

    bytes_free(&first);
    bytes_free(&second);
    return fine;
}

static bool run_bytes(struct run *run, const struct step *step)
{
    struct bytes bytes = {0};
    bool fine = !hex_read(&bytes, step->args, &run->env) && expect_bytes(run, step, &bytes);

    bytes_free(&bytes);
    return fine;
}

/* A sync with this nonce: the agent echoes it, or has closed the channel. */
static bool run_renew(struct run *run, const struct step *step)
{
    struct bytes sync = {0};
    bool fine = true;

    bytes_put(&sync, "\xf5PROVIUM", 8);
    hex_read(&sync, step->args, &run->env);
    note(run, "H>", &sync, 0);
    if (peer_write(&run->peer, sync.ptr, sync.len, run->timeout_ms) == PEER_SILENT)
        fine = fail(run, step, "the agent does not read what it is sent");
    if (fine && peer_need(&run->peer, 1, run->timeout_ms) == PEER_ENDED) {
        run->over = true;
    } else if (fine) {
        sync.ptr[0] = 0xf6;
        fine = expect_bytes(run, step, &sync);
    }
    bytes_free(&sync);
    return fine;
}

/* ---- time and order ---- */

static const char *check_ms(const struct step *step, const struct suite *suite, const struct env *env)
{
    char *end;
    long ms = strtol(step->args, &end, 10);

    (void)suite;
    (void)env;
    return end == step->args || *end || ms < 1 || ms > 60000 ? "needs milliseconds" : NULL;
}

static bool run_pause(struct run *run, const struct step *step)
{
    (void)run;
    poll(NULL, 0, atoi(step->args));
    return true;
}

static bool run_silence(struct run *run, const struct step *step)
{
    return expect_silence(run, step, atoi(step->args));
}

static const char *check_none(const struct step *step, const struct suite *suite, const struct env *env)
{
    (void)suite;
    (void)env;
    return *step->args ? "takes nothing" : NULL;
}

static bool run_restart(struct run *run, const struct step *step)
{
    peer_stop(&run->peer);
    run->heard = false;
    if (peer_start(&run->peer, run->command, run->scenario->id))
        return true;
    return fail(run, step, "no process could be started");
}

static const char *check_do(const struct step *step, const struct suite *suite, const struct env *env)
{
    const struct scenario *macro = suite_find(suite, step->args, true);

    (void)env;
    if (!macro)
        return "there is no such macro";
    for (size_t i = 0; i < macro->count; i++)
        if (strcmp(macro->steps[i].word, "do") == 0)
            return "a macro has no macros";
    return NULL;
}

static bool run_do(struct run *run, const struct step *step)
{
    const struct scenario *macro = suite_find(run->suite, step->args, true);

    for (size_t i = 0; i < macro->count; i++)
        if (!verb_run(run, &macro->steps[i])) {
            bytes_print(&run->failure, "in \"do %s\" of %s:%u\n", step->args, step->file, step->line);
            return false;
        }
    return true;
}

static const struct verb verbs[] = {
    {"raw", check_hex, run_raw},       {"frame", check_hex, run_frame},     {"slow", check_hex, run_slow},
    {"close", check_none, run_close},  {"bytes", check_hex, run_bytes},     {"expect", check_expect, run_expect},
    {"reply", check_short, run_short}, {"refused", check_short, run_short}, {"goodbye", check_short, run_short},
    {"pair", check_pair, run_pair},    {"silence", check_ms, run_silence},  {"end", check_none, expect_end},
    {"renew", check_hex, run_renew},   {"pause", check_ms, run_pause},      {"restart", check_none, run_restart},
    {"do", check_do, run_do},
};

const struct verb *verb_find(const char *word)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(verbs[i].word, word) == 0)
            return &verbs[i];
    return NULL;
}

const char *verb_check(const struct step *step, const struct suite *suite, const struct env *env)
{
    return step->verb->check(step, suite, env);
}

bool verb_run(struct run *run, const struct step *step)
{
    return step->verb->run(run, step);
}
