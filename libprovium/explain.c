/* SPDX-License-Identifier: MIT
 *
 * Why a VM does not answer any more, as one sentence: from what QEMU said over QMP, how it
 * ended and what stands on the guest's console.  Changes nothing.
 */
#include "qemu_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    END_MS = 500,          /* from the channel's end to QEMU's: a few milliseconds are usual */
    EVENTS_MS = 100,       /* for events that are on their way */
    STATUS_MS = 300,       /* for an answer of a QEMU that runs */
    CONSOLE_BYTES = 16384, /* of the console that are looked at */
    HALT_BYTES = 512,      /* of them, in which a guest says that it halts */
    TAIL_LINES = 20,
    TAIL_ABOVE = 8,  /* of them, above a panic */
    TAIL_WIDTH = 160 /* bytes of a line */
};

static const char panic_mark[] = "Kernel panic - not syncing: ";
static const char init_mark[] = "Attempted to kill init!"; /* do_exit() of kernel/exit.c */
static const char agent_mark[] = "provium-agent: ";
static const char halt_mark[] = "System halted"; /* kernel_halt() of kernel/reboot.c */

/* What is known of the end. */
struct facts {
    bool ended, stopped, panicked;
    char reason[32];     /* of QMP's SHUTDOWN, or "" */
    char panic[160];     /* the kernel's own words, or "" */
    char agent[200];     /* the last words of an agent whose end is the panic, or "" */
    char status[32];     /* of a stopped QEMU */
    char complaint[512]; /* of QEMU, on stderr */
};

/* ---- text that a guest or QEMU chose ---- */

/* Printable ASCII and newlines stay: what a terminal may take as a command does not. */
static void make_harmless(char *text, size_t len)
{
    char *to = text;
    for (const char *p = text; p < text + len; p++)
        if (*p != '\r')
            *to++ = *p == '\n' || (*p >= ' ' && *p <= '~') ? *p : *p == '\t' ? ' ' : '?';
    *to = 0;
}

/* Copy up to the end of the line, made harmless. */
static void copy_line(char *out, size_t cap, const char *from)
{
    snprintf(out, cap, "%.*s", (int)strcspn(from, "\n"), from);
    make_harmless(out, strlen(out));
}

/* Cut newlines and blanks off the end. */
static void trim(char *text)
{
    for (size_t at = strlen(text); at && (text[at - 1] == '\n' || text[at - 1] == ' '); at--)
        text[at - 1] = 0;
}

/* Where the line begins that stands `count` lines above the one at `at`, or the text. */
static const char *lines_above(const char *text, const char *at, int count)
{
    for (; at > text; at--)
        if (at[-1] == '\n' && count-- == 0)
            break;
    return at;
}

/* The kernel's panic message is the first of its kind: its end repeats it. */
static void find_panic(const struct provium_launch *l, struct facts *f)
{
    char text[CONSOLE_BYTES];
    make_harmless(text, provium_ring_tail(&l->page->console, text, sizeof text));
    char *at = strstr(text, panic_mark);
    if (!at)
        return;
    copy_line(f->panic, sizeof f->panic, at + sizeof panic_mark - 1);
    *at = 0;
    const char *words = strncmp(f->panic, init_mark, sizeof init_mark - 1) == 0 ? strstr(text, agent_mark) : NULL;
    if (words)
        copy_line(f->agent, sizeof f->agent, words + sizeof agent_mark - 1);
}

/* QEMU's first complaint: before it may stand warnings, behind it hints. */
static void find_complaint(const struct provium_launch *l, struct facts *f)
{
    char text[2048];
    make_harmless(text, provium_ring_tail(&l->page->errors, text, sizeof text));
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        copy_line(f->complaint, sizeof f->complaint, line);
        if (*f->complaint && !strstr(f->complaint, "warning:"))
            break;
    }
}

/* ---- facts ---- */

static void take_event(struct facts *f, const json_t *message)
{
    const char *event = json_string_value(json_object_get(message, "event"));
    const char *reason = json_string_value(json_object_get(json_object_get(message, "data"), "reason"));
    if (!event)
        return;
    if (strcmp(event, "SHUTDOWN") == 0)
        copy_line(f->reason, sizeof f->reason, reason ? reason : "");
    else if (strcmp(event, "GUEST_PANICKED") == 0)
        f->panicked = true;
    else if (strcmp(event, "STOP") == 0)
        f->stopped = true;
    else if (strcmp(event, "RESUME") == 0)
        f->stopped = false;
}

static void ask_status(struct provium_qmp *q, struct facts *f)
{
    json_t *answer = provium_qmp_ask(q, "query-status", STATUS_MS);
    const char *status = json_string_value(json_object_get(answer, "status"));
    copy_line(f->status, sizeof f->status, status ? status : "it does not say why");
    json_decref(answer);
}

static void gather(const struct provium_launch *l, struct provium_qmp *q, bool hung_up, struct facts *f)
{
    json_t *message;
    *f = (struct facts){.ended = provium_launch_wait(l, hung_up ? END_MS : 0)};
    int64_t until = provium_now_ms() + EVENTS_MS;
    while ((message = provium_qmp_next(q, until)) != NULL) {
        take_event(f, message);
        json_decref(message);
    }
    if (f->stopped && !f->ended)
        ask_status(q, f);
    find_panic(l, f);
    find_complaint(l, f);
    /* anybody can print these words; they count where they fit the facts */
    if (*f->panic && (!f->ended || strcmp(f->reason, "guest-reset") == 0))
        f->panicked = true;
}

/* Of QEMU's dump of x86 registers. */
static bool waits_for_ever(const char *registers)
{
    enum { INTERRUPTS_ON = 1 << 9 };
    const char *flags = strstr(registers, "FL="); /* RFL, EFL */
    return flags && strstr(registers, "HLT=1") && (strtoul(flags + 3, NULL, 16) & INTERRUPTS_ON) == 0;
}

bool provium_explain_halted(const struct provium_launch *l, struct provium_qmp *q)
{
    char text[HALT_BYTES];
    make_harmless(text, provium_ring_tail(&l->page->console, text, sizeof text));
    if (!strstr(text, halt_mark))
        return false;
    json_t *answer = provium_qmp_ask_person(q, "info registers", STATUS_MS);
    bool halted = json_is_string(answer) && waits_for_ever(json_string_value(answer));
    json_decref(answer);
    return halted;
}

/* ---- the sentence ---- */

static void say_panic(const struct facts *f, const char *caller, struct provium_error *e)
{
    if (*f->agent)
        provium_fail(e, PROVIUM_E_GUEST, 0, "%s: the guest's agent gave up: %s", caller, f->agent);
    else
        provium_fail(e, PROVIUM_E_GUEST, 0, "%s: the guest panicked%s%s", caller, *f->panic ? ": " : "", f->panic);
}

/* True if QEMU told the reason of its end. */
static bool say_reason(const struct facts *f, const char *caller, struct provium_error *e)
{
    static const struct {
        const char *reason;
        enum provium_status code;
        const char *text;
    } rows[] = {
        {"guest-reset", PROVIUM_E_GUEST, "the guest reset"},
        {"guest-shutdown", PROVIUM_E_GUEST, "the guest powered off"},
        {"guest-panic", PROVIUM_E_GUEST, "the guest panicked"},
        {"subsystem-reset", PROVIUM_E_GUEST, "the guest reset a subsystem"},
        /* nobody asks but for this: vm.c, watch */
        {"host-qmp-quit", PROVIUM_E_GUEST, "the guest halted: it was halted, or powered off without ACPI"},
        {"host-signal", PROVIUM_E_QEMU, "QEMU was ended by a signal from outside"},
        {"host-error", PROVIUM_E_QEMU, "QEMU ended after an error of the host"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].reason, f->reason) == 0) {
            provium_fail(e, rows[i].code, 0, "%s: %s", caller, rows[i].text);
            return true;
        }
    return false;
}

static void say_exit(const struct provium_launch *l, const struct facts *f, const char *caller, struct provium_error *e)
{
    int status = l->page->wait_status, failed = l->page->start_errno;
    const char *colon = *f->complaint ? ": " : "";
    if (failed)
        provium_fail(e, PROVIUM_E_QEMU, failed, "%s: QEMU cannot be started: %s", caller, strerror(failed));
    else if (l->page->state != LAUNCH_ENDED)
        provium_fail(e, PROVIUM_E_QEMU, 0, "%s: the process that watches QEMU was killed, and QEMU with it", caller);
    else if (WIFSIGNALED(status))
        provium_fail(e, PROVIUM_E_QEMU, 0, "%s: QEMU was killed by signal %d (%s)%s%s", caller, WTERMSIG(status),
                     strsignal(WTERMSIG(status)), colon, f->complaint);
    else
        provium_fail(e, PROVIUM_E_QEMU, 0, "%s: QEMU ended with status %d%s%s", caller, WEXITSTATUS(status), colon,
                     f->complaint);
}

void provium_explain_end(const struct provium_launch *l, struct provium_qmp *q, const char *caller,
                         struct provium_error *e)
{
    struct facts f;
    gather(l, q, e->code != PROVIUM_E_TIMEOUT, &f);
    if (f.panicked)
        say_panic(&f, caller, e);
    else if (f.ended && !say_reason(&f, caller, e))
        say_exit(l, &f, caller, e);
    else if (f.stopped)
        provium_fail(e, PROVIUM_E_QEMU, 0, "%s: QEMU stopped the guest: %s", caller, f.status);
}

/* Where the tail begins: a panic is followed by a long trace, what led to it stands above. */
static const char *tail_start(const char *text)
{
    const char *last = lines_above(text, text + strlen(text), TAIL_LINES - 1);
    const char *panic = strstr(text, panic_mark);
    const char *above = panic ? lines_above(text, panic, TAIL_ABOVE) : last;
    return above < last ? above : last;
}

static size_t count_lines(const char *from, const char *to)
{
    size_t n = 0;
    for (; from < to; from++)
        n += *from == '\n';
    return n;
}

static void add(struct provium_error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct provium_error *e, const char *fmt, ...)
{
    va_list list;
    size_t len = strlen(e->text);
    va_start(list, fmt);
    vsnprintf(e->text + len, sizeof e->text - len, fmt, list);
    va_end(list);
}

/* Append up to TAIL_LINES lines; returns what is left of them, or NULL. */
static const char *add_lines(struct provium_error *e, const char *line)
{
    for (int i = 0; i < TAIL_LINES && line; i++) {
        size_t len = strcspn(line, "\n");
        bool wide = len > TAIL_WIDTH;
        add(e, "\n| %.*s%s", wide ? TAIL_WIDTH : (int)len, line, wide ? "..." : "");
        line = line[len] ? line + len + 1 : NULL;
    }
    return line;
}

/* A QEMU without a guest has said all that there is to say: quote it, if that is more than its complaint. */
static void add_errors(const struct provium_launch *l, struct provium_error *e)
{
    char text[2048];
    make_harmless(text, provium_ring_tail(&l->page->errors, text, sizeof text));
    trim(text);
    if (strchr(text, '\n'))
        add_lines(e, text);
}

void provium_explain_tail(const struct provium_launch *l, struct provium_error *e)
{
    char text[CONSOLE_BYTES];
    size_t len = provium_ring_tail(&l->page->console, text, sizeof text);
    const char *whole = l->page->console.total > len ? "more than " : "";
    make_harmless(text, len);
    trim(text);
    if (!*text && e->code == PROVIUM_E_QEMU) {
        add_errors(l, e);
        return;
    }
    const char *start = *text ? tail_start(text) : "(the console is empty)";
    size_t above = *text ? count_lines(text, start) : 0;
    if (above)
        add(e, "\n| ... %s%zu earlier lines: vm:console()", whole, above);
    const char *rest = add_lines(e, start);
    if (rest)
        add(e, "\n| ... %zu later lines: vm:console()", count_lines(rest, rest + strlen(rest)) + 1);
}
