/* SPDX-License-Identifier: MIT
 *
 * QMP against a QEMU that says anything.
 */
#include "../../libprovium/qemu_impl.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct provium_qmp qmp;
static int peer;

static void enter(void)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    peer = fds[1];
    provium_qmp_init(&qmp, fds[0]);
}

static void say(const char *text)
{
    cr_assert_eq(write(peer, text, strlen(text)), (ssize_t)strlen(text));
}

/* The member "n" of the next message; -1 when there is none. */
static long long next(int within_ms)
{
    json_t *message = provium_qmp_next(&qmp, provium_now_ms() + within_ms);
    long long n = message ? json_integer_value(json_object_get(message, "n")) : -1;
    json_decref(message);
    return n;
}

TestSuite(qmp, .init = enter);

Test(qmp, capabilities_are_asked_for_at_once)
{
    char line[128] = "";
    cr_assert_gt(read(peer, line, sizeof line - 1), 0);
    cr_assert_str_eq(line, "{\"execute\": \"qmp_capabilities\", \"id\": \"qmp_capabilities\"}\n");
}

Test(qmp, messages_come_one_by_one_however_they_are_cut)
{
    say("{\"n\": 1}\r\n{\"n\"");
    cr_assert_eq(next(1000), 1);
    cr_assert_eq(next(10), -1);
    say(": 2}\n{\"n\": 3}\n");
    cr_assert_eq(next(1000), 2);
    cr_assert_eq(next(1000), 3);
}

Test(qmp, lines_that_are_no_json_are_dropped)
{
    say("nonsense\n\n{\n[1, 2\n{\"n\": 4}\n");
    cr_assert_eq(next(1000), 4);
}

Test(qmp, a_line_too_long_to_keep_is_dropped_as_a_whole)
{
    char filler[1000];
    memset(filler, ' ', sizeof filler);
    say("{\"n\": 5,");
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(write(peer, filler, sizeof filler), (ssize_t)sizeof filler);
        cr_assert_eq(next(0), -1);
    }
    say("\"m\": 1}\n{\"n\": 6}\n");
    cr_assert_eq(next(1000), 6);
}

Test(qmp, nothing_waits_longer_than_its_deadline)
{
    int64_t start = provium_now_ms();
    cr_assert_eq(next(50), -1);
    cr_assert_null(provium_qmp_ask(&qmp, "query-status", 50));
    cr_assert_lt(provium_now_ms() - start, 500);
}

Test(qmp, an_answer_is_found_among_events)
{
    say("{\"event\": \"X\"}\n{\"id\": \"other\", \"return\": {\"n\": 1}}\n7\n"
        "{\"id\": \"query-status\", \"return\": {\"n\": 2}}\n");
    json_t *answer = provium_qmp_ask(&qmp, "query-status", 1000);
    cr_assert_eq(json_integer_value(json_object_get(answer, "n")), 2);
    json_decref(answer);
}

Test(qmp, a_line_of_the_monitor_is_sent_as_an_argument)
{
    char line[512] = "";
    cr_assert_gt(read(peer, line, sizeof line - 1), 0);
    say("{\"id\": \"human-monitor-command\", \"return\": \"HLT=1\"}\n");
    json_t *answer = provium_qmp_ask_person(&qmp, "info registers", 1000);
    cr_assert_str_eq(json_string_value(answer), "HLT=1");
    json_decref(answer);
    memset(line, 0, sizeof line);
    cr_assert_gt(read(peer, line, sizeof line - 1), 0);
    cr_assert_str_eq(line, "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": "
                           "\"info registers\"}, \"id\": \"human-monitor-command\"}\n");
}

Test(qmp, an_error_is_no_answer)
{
    say("{\"id\": \"quit\", \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n");
    cr_assert_null(provium_qmp_ask(&qmp, "quit", 1000));
}

Test(qmp, a_qemu_that_is_gone_is_noticed_at_once)
{
    close(peer);
    int64_t start = provium_now_ms();
    cr_assert_eq(next(5000), -1);
    cr_assert_not(provium_qmp_send(&qmp, "quit"));
    cr_assert_lt(provium_now_ms() - start, 500);
}

Test(qmp, a_qemu_that_does_not_read_does_not_block)
{
    bool sent = true;
    for (int i = 0; i < 100000 && sent; i++)
        sent = provium_qmp_send(&qmp, "quit");
    cr_assert_not(sent);
}
