/* SPDX-License-Identifier: MIT
 *
 * libwire/registry.c: the tables as data, and the rules that ops.def and errors.def
 * must keep.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../libwire/wire.h"

Test(registry, records_are_found_by_their_whole_name_only)
{
    const struct wire_record_row *row = wire_record_find("call_request");
    cr_assert_not_null(row);
    cr_expect_str_eq(row->name, "call_request");
    cr_expect(row->refuse_unknown);
    cr_expect_eq(row->field_count, 5);
    cr_expect_null(wire_record_find("call_reques"));
    cr_expect_null(wire_record_find("call_request_"));
    cr_expect_null(wire_record_find("call"));
    cr_expect_null(wire_record_find(""));
}

Test(registry, every_record_finds_itself)
{
    const struct wire_record_row *row;
    for (uint32_t nth = 0; (row = wire_record_at(nth)) != NULL; nth++)
        cr_expect_eq(wire_record_find(row->name), row, "%s", row->name);
}

Test(registry, operations_are_found_by_code)
{
    cr_expect_str_eq(wire_op_find(WIRE_OP_hello)->name, "hello");
    cr_expect_str_eq(wire_op_find(WIRE_OP_ping)->name, "ping");
    cr_expect_str_eq(wire_op_find(WIRE_OP_call)->name, "call");
    cr_expect_null(wire_op_find(2));
    cr_expect_null(wire_op_find(UINT32_MAX));
}

/* The numbers of SPEC.md, typed again: they never change. */
Test(registry, codes_are_those_of_the_protocol)
{
    static const struct {
        const char *name;
        uint32_t code;
    } errors[] = {{"malformed", 1}, {"too-large", 2},  {"unknown-op", 3}, {"bad-field", 4}, {"unknown-field", 5},
                  {"limit", 6},     {"no-hello", 7},   {"version", 8},    {"no-worker", 9}, {"worker-replaced", 10},
                  {"busy", 11},     {"no-memory", 12}, {"denied", 13},    {"internal", 14}};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        cr_expect_str_eq(wire_error_name(errors[i].code), errors[i].name);
    cr_expect(WIRE_OP_hello == 0 && WIRE_OP_ping == 1 && WIRE_OP_call == 16 && WIRE_EVENT_worker_ended == 1);
    cr_expect(WIRE_REQUEST == 0 && WIRE_REPLY == 1 && WIRE_ERROR == 2 && WIRE_EVENT == 3 && WIRE_CANCEL == 4);
    cr_expect(WIRE_GOODBYE == 5 && WIRE_ENDED_exited == 1 && WIRE_ENDED_execed == 2 && WIRE_ENDED_killed == 3);
    cr_expect(WIRE_ENDED_stopped == 4 && WIRE_EXECUTED_maybe == 1 && WIRE_EXECUTED_yes == 2);
}

Test(registry, every_code_has_a_text)
{
    for (int status = 0; status <= WIRE_E_MEMORY; status++)
        cr_expect_gt(strlen(wire_status_text((enum wire_status)status)), 0);
    cr_expect_str_eq(wire_status_text((enum wire_status)(WIRE_E_MEMORY + 1)), "unknown status");
    cr_expect_str_eq(wire_status_text((enum wire_status) - 1), "unknown status");
    for (const struct wire_row *row = wire_errors(); row->name != NULL; row++)
        cr_expect_neq(wire_error_text(row->code), wire_error_text(UINT32_MAX));
    cr_expect_str_eq(wire_error_name(999), "unknown");
    cr_expect_gt(strlen(wire_error_text(999)), 0);
}

Test(registry, fields_ascend_below_32_and_lists_name_a_record)
{
    const struct wire_record_row *row;
    for (uint32_t nth = 0; (row = wire_record_at(nth)) != NULL; nth++) {
        for (uint32_t i = 0; i < row->field_count; i++) {
            const struct wire_field_row *f = &row->fields[i];
            cr_expect(i == 0 || f->number > f[-1].number, "%s.%s: out of order", row->name, f->name);
            cr_expect_lt(f->number, 32, "%s.%s", row->name, f->name);
            cr_expect(f->of == NULL || wire_record_find(f->of()->name) == f->of(), "%s.%s", row->name, f->name);
        }
    }
}

Test(registry, every_operation_has_its_two_records_and_every_event_its_one)
{
    char name[64];
    for (const struct wire_row *row = wire_ops(); row->name != NULL; row++) {
        snprintf(name, sizeof name, "%s_request", row->name);
        cr_expect_not_null(wire_record_find(name), "%s", name);
        snprintf(name, sizeof name, "%s_reply", row->name);
        cr_expect_not_null(wire_record_find(name), "%s", name);
    }
    for (const struct wire_row *row = wire_events(); row->name != NULL; row++)
        cr_expect_not_null(wire_record_find(row->name), "%s", row->name);
}

static void expect_unique(const struct wire_row *rows)
{
    for (const struct wire_row *a = rows; a->name != NULL; a++) {
        for (const struct wire_row *b = a + 1; b->name != NULL; b++) {
            cr_expect_neq(a->code, b->code, "%s and %s", a->name, b->name);
            cr_expect_str_neq(a->name, b->name);
        }
    }
}

Test(registry, no_code_and_no_name_is_given_twice)
{
    expect_unique(wire_ops());
    expect_unique(wire_events());
    expect_unique(wire_errors());
    expect_unique(wire_caps());
}

Test(registry, capabilities_are_found_by_their_whole_names)
{
    struct wire_bytes names[] = {{(const uint8_t *)"pointer", 7},
                                 {(const uint8_t *)"pointerss", 9},
                                 {NULL, 0},
                                 {(const uint8_t *)"pointers", 8},
                                 {(const uint8_t *)"POINTERS", 8}};
    for (uint32_t i = 0; i < 5; i++) {
        const struct wire_list one = {&names[i], 1, 1};
        cr_expect_eq(wire_caps_of(&one), i == 3 ? WIRE_CAP_pointers : 0, "%u", i);
    }
    const struct wire_list all = {names, 5, 5};
    cr_expect_eq(wire_caps_of(&all), WIRE_CAP_pointers);
}

/* What is executed refuses fields that nobody knows; everything else ignores them (SPEC [EXT-1], [EXT-2]). */
Test(registry, only_what_is_executed_refuses_unknown_fields)
{
    static const char *const executed[] = {"call_request",         "program_request",    "buffer",
                                           "spec",                 "step",               "move",
                                           "region_alloc_request", "region_read_request", "region_write_request",
                                           "region_free_request"};
    const struct wire_record_row *row;
    for (uint32_t nth = 0; (row = wire_record_at(nth)) != NULL; nth++) {
        bool refuses = false;
        for (size_t i = 0; i < sizeof executed / sizeof executed[0]; i++)
            refuses |= strcmp(row->name, executed[i]) == 0;
        cr_expect_eq(row->refuse_unknown, refuses, "%s", row->name);
    }
}
