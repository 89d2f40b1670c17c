/* SPDX-License-Identifier: MIT
 *
 * What a case may name: %names, which are numbers that a case file gives per
 * architecture, and $captures, which are values that this run received. */
#ifndef CONFORMANCE_ENV_H
#define CONFORMANCE_ENV_H

#include <stdbool.h>

#include "text.h"

struct name {
    const char *arch; /* "*" for all */
    const char *name;
    int64_t number;
};

struct names {
    struct name *list;
    size_t count;
};

struct capture {
    char name[24];
    struct bytes value; /* as msgpack */
};

struct env {
    const struct names *names;
    const char *arch; /* NULL: any, to check a case file */
    bool checking;    /* every capture counts as known */
    struct capture captures[16];
    size_t count;
};

/* A word of letters, digits, '-' and '_' at *at; moves *at behind it. */
bool env_word(const char **at, char *word, size_t cap);
bool env_number(const struct env *env, const char *name, int64_t *number);
const struct bytes *env_capture(const struct env *env, const char *name); /* NULL: unknown */
void env_keep(struct env *env, const char *name, const uint8_t *ptr, size_t len);
void env_free(struct env *env);

#endif
