/* SPDX-License-Identifier: MIT
 *
 * QMP, QEMU's control protocol: a JSON object a line.  Knows lines, commands and answers; does not
 * know what any of them means.  Whatever QEMU sends is bounded by the line buffer and a deadline.
 */
#include "qemu_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { COMMAND_MAX = 256 }; /* bytes of a command */

void provium_qmp_init(struct provium_qmp *q, int fd)
{
    q->fd = fd;
    q->skipping = false;
    q->len = 0;
    provium_qmp_send(q, "qmp_capabilities");
}

/* arguments: a member of the command's object, with a comma behind it, or "". */
static bool send_command(struct provium_qmp *q, const char *command, const char *arguments)
{
    char line[COMMAND_MAX];
    int n = snprintf(line, sizeof line, "{\"execute\": \"%s\", %s\"id\": \"%s\"}\n", command, arguments, command);
    /* all or nothing: a socket that does not take a line is not read any more */
    return n < COMMAND_MAX && send(q->fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == n;
}

bool provium_qmp_send(struct provium_qmp *q, const char *command)
{
    return send_command(q, command, "");
}

/* Cut the first line off the buffer and parse it.  NULL: it was no JSON, or the end of an overlong one. */
static json_t *take_line(struct provium_qmp *q, const char *newline)
{
    size_t len = (size_t)(newline - q->line) + 1;
    json_t *message = q->skipping ? NULL : json_loadb(q->line, len, 0, NULL);
    q->skipping = false;
    q->len -= len;
    memmove(q->line, q->line + len, q->len);
    return message;
}

/* Wait for more bytes and append them; false at the deadline and at the end. */
static bool fill(struct provium_qmp *q, int64_t deadline_ms)
{
    struct pollfd pfd = {.fd = q->fd, .events = POLLIN};
    if (q->len == sizeof q->line) {
        q->skipping = true;
        q->len = 0;
    }
    int64_t left;
    while ((left = deadline_ms - provium_now_ms()) >= 0) {
        ssize_t n = recv(q->fd, q->line + q->len, sizeof q->line - q->len, MSG_DONTWAIT);
        if (n > 0) {
            q->len += (size_t)n;
            return true;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return false;
        if (left == 0 || (poll(&pfd, 1, (int)left) < 0 && errno != EINTR))
            return false;
    }
    return false;
}

json_t *provium_qmp_next(struct provium_qmp *q, int64_t deadline_ms)
{
    do {
        const char *newline;
        while ((newline = memchr(q->line, '\n', q->len)) != NULL) {
            json_t *message = take_line(q, newline);
            if (message)
                return message;
        }
    } while (fill(q, deadline_ms));
    return NULL;
}

/* What a command that was sent returned. */
static json_t *take_answer(struct provium_qmp *q, const char *command, unsigned timeout_ms)
{
    int64_t deadline = provium_now_ms() + timeout_ms;
    json_t *message;
    while ((message = provium_qmp_next(q, deadline)) != NULL) {
        const char *id = json_string_value(json_object_get(message, "id"));
        json_t *answer = json_incref(json_object_get(message, "return"));
        bool ours = id && strcmp(id, command) == 0;
        json_decref(message);
        if (ours)
            return answer;
        json_decref(answer);
    }
    return NULL;
}

json_t *provium_qmp_ask(struct provium_qmp *q, const char *command, unsigned timeout_ms)
{
    return provium_qmp_send(q, command) ? take_answer(q, command, timeout_ms) : NULL;
}

json_t *provium_qmp_ask_person(struct provium_qmp *q, const char *line, unsigned timeout_ms)
{
    static const char command[] = "human-monitor-command";
    char arguments[COMMAND_MAX];
    snprintf(arguments, sizeof arguments, "\"arguments\": {\"command-line\": \"%s\"}, ", line);
    return send_command(q, command, arguments) ? take_answer(q, command, timeout_ms) : NULL;
}
