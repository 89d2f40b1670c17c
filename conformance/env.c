/* SPDX-License-Identifier: MIT
 *
 * Look-up of names and captures.  Knows nothing of where they stand. */
#include "env.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool env_word(const char **at, char *word, size_t cap)
{
    size_t len = 0;

    while (isalnum((unsigned char)**at) || **at == '-' || **at == '_') {
        if (len + 1 >= cap)
            return false;
        word[len++] = *(*at)++;
    }
    word[len] = 0;
    return len > 0;
}

bool env_number(const struct env *env, const char *name, int64_t *number)
{
    for (size_t i = 0; i < env->names->count; i++) {
        const struct name *known = &env->names->list[i];

        if (strcmp(known->name, name) != 0)
            continue;
        if (!env->arch || strcmp(known->arch, "*") == 0 || strcmp(known->arch, env->arch) == 0) {
            *number = known->number;
            return true;
        }
    }
    return false;
}

static struct capture *find(const struct env *env, const char *name)
{
    for (size_t i = 0; i < env->count; i++)
        if (strcmp(env->captures[i].name, name) == 0)
            return (struct capture *)&env->captures[i];
    return NULL;
}

const struct bytes *env_capture(const struct env *env, const char *name)
{
    static const struct bytes nothing = {(uint8_t *)"", 1, 0};
    const struct capture *capture = find(env, name);

    if (env->checking)
        return &nothing;
    return capture ? &capture->value : NULL;
}

void env_keep(struct env *env, const char *name, const uint8_t *ptr, size_t len)
{
    struct capture *capture = find(env, name);

    if (!capture) {
        if (env->count == sizeof(env->captures) / sizeof(env->captures[0]))
            return;
        capture = &env->captures[env->count++];
        snprintf(capture->name, sizeof(capture->name), "%s", name);
    }
    bytes_free(&capture->value);
    bytes_put(&capture->value, ptr, len);
}

void env_free(struct env *env)
{
    while (env->count > 0)
        bytes_free(&env->captures[--env->count].value);
}
