/* SPDX-License-Identifier: MIT
 *
 * Runs a case from a fresh agent to its end.  What the steps do is in steps.c. */
#include "run.h"

#include <string.h>

#include "steps.h"

static void after_the_steps(struct run *run)
{
    int by = peer_stop(&run->peer);

    if (by != 0 && run->failure.len == 0)
        bytes_print(&run->failure, "after the last step the agent was killed by signal %d (%s)\n", by, strsignal(by));
}

bool run_scenario(struct run *run, const struct scenario *scenario, const char *arch)
{
    run->scenario = scenario;
    run->env.names = &run->suite->names;
    run->env.arch = arch;
    run->started_ms = now_ms();
    if (!peer_start(&run->peer, run->command, scenario->id)) {
        bytes_print(&run->failure, "no process could be started\n");
        return false;
    }
    for (size_t i = 0; i < scenario->count && !run->over; i++)
        if (!verb_run(run, &scenario->steps[i]))
            break;
    after_the_steps(run);
    return run->failure.len == 0;
}

void run_free(struct run *run)
{
    env_free(&run->env);
    bytes_free(&run->transcript);
    bytes_free(&run->failure);
}

static bool text_lacks_name(const char *text, const struct env *env, struct bytes *out)
{
    char word[24];
    int64_t number;

    while ((text = strchr(text, '%'))) {
        text++;
        if (env_word(&text, word, sizeof(word)) && !env_number(env, word, &number)) {
            bytes_print(out, "%s", word);
            return true;
        }
    }
    return false;
}

bool run_lacks_name(const struct suite *suite, const struct scenario *scenario, const char *arch, struct bytes *out)
{
    struct env env = {.names = &suite->names, .arch = arch};

    for (size_t i = 0; i < scenario->count; i++) {
        const struct step *step = &scenario->steps[i];
        const struct scenario *macro = strcmp(step->word, "do") == 0 ? suite_find(suite, step->args, true) : NULL;

        if (text_lacks_name(step->args, &env, out) || (macro && run_lacks_name(suite, macro, arch, out)))
            return true;
    }
    return false;
}
