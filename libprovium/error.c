/* SPDX-License-Identifier: MIT
 *
 * Errors and the clock.
 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "provium_impl.h"

enum provium_status provium_fail(struct provium_error *e, enum provium_status code, int sys_errno, const char *fmt, ...)
{
    va_list list;
    e->code = code;
    e->sys_errno = sys_errno;
    va_start(list, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, list);
    va_end(list);
    return code;
}

int64_t provium_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *provium_status_text(enum provium_status status)
{
    static const char *const texts[] = {
#define PROVIUM_STATUS(name, text) text,
#include "status.def"
    };
    return (size_t)status < sizeof texts / sizeof texts[0] ? texts[status] : "unknown status";
}

const char *provium_version(void)
{
    return PROVIUM_VERSION_TEXT;
}
