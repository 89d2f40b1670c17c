/* SPDX-License-Identifier: MIT
 *
 * The golden messages as C structs, written by hand: the other half of
 * tests/vectors/vectors.py, in the same order.
 */
#include <string.h>

#include "vectors.h"

#define B(text) \
    { \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }
#define LIST(of, count, ...) \
    { \
        (struct wire_##of[]){__VA_ARGS__}, count, count \
    }
#define BUF(has_, len_, data_, dir_) \
    { \
        .has = (has_), .len = (len_), .data = data_, .dir = WIRE_DIR_##dir_ \
    }
#define NONE \
    { \
        NULL, 0 \
    }

#define REQUEST(id, op, generation) \
    .envelope = {WIRE_REQUEST, id, WIRE_OP_##op, 0, generation, NONE}, .record = ANY_##op##_request
#define REPLY(id, op, generation) \
    .envelope = {WIRE_REPLY, id, WIRE_OP_##op, 0, generation, NONE}, .record = ANY_##op##_reply
#define ERROR(id, name, generation) \
    .envelope = {WIRE_ERROR, id, WIRE_ERR_##name, 0, generation, NONE}, .record = ANY_error
#define EVENT(generation) \
    .envelope = {WIRE_EVENT, 0, WIRE_EVENT_worker_ended, 0, generation, NONE}, .record = ANY_worker_ended
#define GOODBYE(name) .envelope = {WIRE_GOODBYE, 0, WIRE_ERR_##name, 0, 0, NONE}, .record = ANY_goodbye

#define BODY(name, ...) .body = {.name = {__VA_ARGS__}}

#define X8 "xxxxxxxx"
#define X64 X8 X8 X8 X8 X8 X8 X8 X8
#define INSTANCE B("\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f")
#define LIMITS \
    .frame_limit = 32 << 20, .depth_limit = 16, .buffer_limit = 64, .spec_limit = 64, .flight_limit = 1, \
    .memory_limit = 1 << 20

#define HAS_DATA WIRE_HAS(buffer, data)
#define ARGS WIRE_HAS(call_request, args)
#define BUFFERS WIRE_HAS(call_request, buffers)
#define SPECS WIRE_HAS(call_request, specs)
#define IN_ARG(target_, arg_) \
    { \
        .has = WIRE_HAS(spec, arg), .target = (target_), .arg = (arg_) \
    }
#define IN_BUFFER(target_, buffer_, offset_) \
    { \
        .has = WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset), .target = (target_), .buffer = (buffer_), \
        .offset = (offset_) \
    }
#define HAS_PLACE WIRE_HAS(spec, buffer) | WIRE_HAS(spec, offset)
#define HAS_PLUS WIRE_HAS(spec, plus)
#define HAS_WIDTH WIRE_HAS(spec, width)
#define HAS_BAD WIRE_HAS(spec, bad)
#define HAS_RET WIRE_HAS(call_reply, ret)
#define HAS_ENDED WIRE_HAS(call_reply, ended) | WIRE_HAS(call_reply, fresh)

#define MOVE(step_, has_, ...) \
    { \
        .step = (step_), .has = (has_), __VA_ARGS__ \
    }
#define M_ARG WIRE_HAS(move, arg)
#define M_BUFFER WIRE_HAS(move, buffer) | WIRE_HAS(move, offset)
#define M_FROM WIRE_HAS(move, from) | WIRE_HAS(move, at) | WIRE_HAS(move, sign)
#define M_PLUS WIRE_HAS(move, plus)
#define M_WIDTH WIRE_HAS(move, width)
#define S_ARGS WIRE_HAS(step, args)
#define S_FAIL WIRE_HAS(step, fail)
#define S_KEEP WIRE_HAS(step, keep)
#define P_REQUEST(name) WIRE_HAS(program_request, name)
#define P_REPLY(name) WIRE_HAS(program_reply, name)
#define P_ENDED P_REPLY(ended) | P_REPLY(fresh) | P_REPLY(step)
#define INTEGERS(count, ...) \
    { \
        (int64_t[]){__VA_ARGS__}, count, count \
    }

static uint8_t ramp[300]; /* 0, 1, 2, ... 255, 0, 1 ...; filled by samples() */
#define RAMP \
    { \
        ramp, sizeof ramp \
    }

static const struct sample rows[] = {
    {"session.hello_request", {REQUEST(1, hello, 0), BODY(hello_request, LIMITS)}},
    {"session.hello_reply",
     {REPLY(1, hello, 1), BODY(hello_reply, LIMITS, .arch = B("x86_64"), .pointer_width = 8, .page_size = 4096,
                               .kernel = B("6.1"), .instance = INSTANCE, .generation = 1)}},
    {"session.call_request", {REQUEST(2, call, 1), BODY(call_request, .nr = 39)}},
    {"session.call_reply", {REPLY(2, call, 1), BODY(call_reply, .has = HAS_RET, .ret = 145)}},

    {"hello_request.full",
     {REQUEST(UINT32_MAX, hello, 0),
      BODY(hello_request, .has = WIRE_HAS(hello_request, name) | WIRE_HAS(hello_request, resume), .version_max = 3,
           .caps =
               LIST(bytes, 4, B("a"), B("grease-7.x"), B(X8 X8 X8 "xxxxxxx"), B("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")),
           .frame_limit = 65536, .depth_limit = 16, .buffer_limit = 8192, .spec_limit = 8192, .flight_limit = 64,
           .memory_limit = 67108864, .name = B("host 0.1"), .resume = B("token"))}},
    {"hello_reply.full",
     {REPLY(UINT32_MAX, hello, 65536),
      BODY(hello_reply, .has = WIRE_HAS(hello_reply, name) | WIRE_HAS(hello_reply, resume),
           .caps = LIST(bytes, 2, B("grease"), B("\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa7")), LIMITS,
           .name = B("provium-agent 0.1.0"), .arch = B("x86_64"), .byte_order = 1, .pointer_width = 4,
           .page_size = 65536, .kernel = B("6.1"), .instance = INSTANCE, .generation = 65536)}},

    {"ping_request.empty", {REQUEST(3, ping, 0)}},
    {"ping_request.data",
     {REQUEST(127, ping, 1), BODY(ping_request, .has = WIRE_HAS(ping_request, data), .data = B("abc"))}},
    {"ping_request.no_bytes", {REQUEST(128, ping, 1), BODY(ping_request, .has = WIRE_HAS(ping_request, data))}},
    {"ping_reply.empty", {REPLY(3, ping, 1)}},
    {"ping_reply.data", {REPLY(255, ping, 1), BODY(ping_reply, .has = WIRE_HAS(ping_reply, data), .data = RAMP)}},

    {"call_request.nr_minus_one", {REQUEST(256, call, 1), BODY(call_request, .nr = -1)}},
    {"call_request.nr_x32", {REQUEST(65535, call, 1), BODY(call_request, .has = ARGS, .nr = 0x40000027)}},
    {"call_request.args_8_bits",
     {REQUEST(5, call, 1), BODY(call_request, .has = ARGS, .nr = 1, .args = {6, {0, 127, 128, 255, -32, -33}})}},
    {"call_request.args_16_bits",
     {REQUEST(5, call, 1),
      BODY(call_request, .has = ARGS, .nr = 1, .args = {6, {256, 65535, -128, -129, -32768, -32769}})}},
    {"call_request.args_32_bits",
     {REQUEST(5, call, 1),
      BODY(call_request, .has = ARGS, .nr = 1,
           .args = {6, {65536, 2147483647, 2147483648, 4294967295, -2147483648LL, -2147483649LL}})}},
    {"call_request.args_64_bits",
     {REQUEST(5, call, 1), BODY(call_request, .has = ARGS, .nr = 1, .args = {3, {4294967296, INT64_MAX, INT64_MIN}})}},
    {"call_request.buffers",
     {REQUEST(65536, call, 7),
      BODY(call_request, .has = ARGS | BUFFERS, .args = {1, {3}},
           .buffers = LIST(buffer, 4, BUF(0, 0, NONE, none), BUF(HAS_DATA, 4, B("\1\2\3\4"), in),
                           BUF(HAS_DATA, 300, RAMP, both), BUF(0, 65536, NONE, out)))}},
    {"call_request.embedded_pointer",
     {REQUEST(6, call, 1),
      BODY(call_request, .has = ARGS | BUFFERS | SPECS, .nr = 1023, .args = {2, {0, 0}},
           .buffers =
               LIST(buffer, 2, BUF(HAS_DATA, 24, B("\x60\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0\0\0\2\0"), both),
                    BUF(HAS_DATA, 20, B("\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10\x11\x12\x13"), in)),
           .specs = LIST(spec, 2, IN_ARG(0, 0), IN_BUFFER(1, 0, 8)))}},
    {"call_request.sixteen_specs",
     {REQUEST(7, call, 1),
      BODY(call_request, .has = BUFFERS | SPECS, .nr = 20, .buffers = LIST(buffer, 1, BUF(0, 256, NONE, none)),
           .specs = LIST(spec, 16, IN_BUFFER(0, 0, 0), IN_BUFFER(0, 0, 16), IN_BUFFER(0, 0, 32), IN_BUFFER(0, 0, 48),
                         IN_BUFFER(0, 0, 64), IN_BUFFER(0, 0, 80), IN_BUFFER(0, 0, 96), IN_BUFFER(0, 0, 112),
                         IN_BUFFER(0, 0, 128), IN_BUFFER(0, 0, 144), IN_BUFFER(0, 0, 160), IN_BUFFER(0, 0, 176),
                         IN_BUFFER(0, 0, 192), IN_BUFFER(0, 0, 208), IN_BUFFER(0, 0, 224), IN_BUFFER(0, 0, 240)))}},

    {"call_request.pointers",
     {REQUEST(7, call, 1),
      BODY(call_request, .has = BUFFERS | SPECS, .nr = 20, .buffers = LIST(buffer, 1, BUF(0, 16, NONE, both)),
           .specs =
               LIST(spec, 4, {.has = WIRE_HAS(spec, arg) | HAS_PLUS, .arg = 1, .plus = 3},
                    {.has = WIRE_HAS(spec, arg) | HAS_PLUS | HAS_BAD, .arg = 2, .plus = -1, .bad = WIRE_BAD_readonly},
                    {.has = HAS_PLACE | HAS_PLUS | HAS_WIDTH, .plus = INT64_MIN, .width = 4},
                    {.has = HAS_PLACE | HAS_WIDTH | HAS_BAD, .offset = 8, .width = 8, .bad = WIRE_BAD_null}))}},

    {"call_request.placement",
     {REQUEST(7, call, 1),
      BODY(call_request, .has = BUFFERS | WIRE_HAS(call_request, want), .nr = 20, .want = WIRE_WANT_all,
           .buffers = LIST(buffer, 3,
                           {.has = HAS_DATA | WIRE_HAS(buffer, guard),
                            .len = 5,
                            .data = B("abc"),
                            .dir = WIRE_DIR_both,
                            .guard = WIRE_GUARD_start},
                           {.has = WIRE_HAS(buffer, align), .len = 5, .align = WIRE_ALIGN_MAX},
                           {.has = WIRE_HAS(buffer, guard) | WIRE_HAS(buffer, align) | WIRE_HAS(buffer, low),
                            .len = 5,
                            .dir = WIRE_DIR_out,
                            .guard = WIRE_GUARD_none,
                            .align = 8,
                            .low = 1}))}},

    {"call_reply.measured",
     {REPLY(8, call, 1),
      BODY(call_reply,
           .has = HAS_RET | WIRE_HAS(call_reply, outs) | WIRE_HAS(call_reply, elapsed_ns) |
                  WIRE_HAS(call_reply, changed) | WIRE_HAS(call_reply, damage),
           .ret = 5, .outs = LIST(bytes, 1, B("abc")), .elapsed_ns = 1500000000,
           .changed = LIST(range, 2, {.len = 1}, {.buffer = 8191, .offset = 65536, .len = UINT32_MAX}))}},
    {"call_reply.damage",
     {REPLY(8, call, 1), BODY(call_reply, .has = HAS_RET | WIRE_HAS(call_reply, damage), .ret = 5,
                              .damage = LIST(range, 2, {.offset = -33, .len = 33}, {.offset = 5, .len = 3}))}},
    {"call_reply.zero", {REPLY(8, call, 1), BODY(call_reply, .has = HAS_RET)}},
    {"call_reply.fault", {REPLY(8, call, 1), BODY(call_reply, .has = HAS_RET, .ret = -14)}},
    {"call_reply.lowest", {REPLY(8, call, 1), BODY(call_reply, .has = HAS_RET, .ret = INT64_MIN)}},
    {"call_reply.outs",
     {REPLY(8, call, 1), BODY(call_reply, .has = HAS_RET | WIRE_HAS(call_reply, outs), .ret = 300,
                              .outs = LIST(bytes, 3, NONE, B("\0\xff"), RAMP))}},
    {"call_reply.exited",
     {REPLY(9, call, 1), BODY(call_reply, .has = HAS_ENDED | WIRE_HAS(call_reply, status), .ended = WIRE_ENDED_exited,
                              .status = 7, .fresh = 2)}},
    {"call_reply.execed",
     {REPLY(9, call, 2),
      BODY(call_reply, .has = HAS_ENDED | WIRE_HAS(call_reply, status), .ended = WIRE_ENDED_execed, .fresh = 3)}},
    {"call_reply.killed",
     {REPLY(9, call, 3), BODY(call_reply, .has = HAS_ENDED | WIRE_HAS(call_reply, signal), .ended = WIRE_ENDED_killed,
                              .signal = 9, .fresh = 4)}},
    {"call_reply.stopped",
     {REPLY(9, call, 4), BODY(call_reply, .has = HAS_ENDED | WIRE_HAS(call_reply, signal), .ended = WIRE_ENDED_stopped,
                              .signal = 19, .fresh = 5)}},

    {"hello_request.programs",
     {REQUEST(1, hello, 0),
      BODY(hello_request, .has = WIRE_HAS(hello_request, step_limit) | WIRE_HAS(hello_request, move_limit),
           .caps = LIST(bytes, 1, B("program")), LIMITS, .step_limit = 8192, .move_limit = 64)}},
    {"hello_reply.programs",
     {REPLY(1, hello, 1),
      BODY(hello_reply, .has = WIRE_HAS(hello_reply, step_limit) | WIRE_HAS(hello_reply, move_limit),
           .caps = LIST(bytes, 1, B("program")), LIMITS, .arch = B("x86_64"), .pointer_width = 8, .page_size = 4096,
           .kernel = B("6.1"), .instance = INSTANCE, .generation = 1, .step_limit = 8192, .move_limit = 64)}},
    {"program_request.smallest", {REQUEST(13, program, 1), BODY(program_request, .steps = LIST(step, 1, {.nr = 39}))}},
    {"program_request.steps",
     {REQUEST(13, program, 1),
      BODY(program_request,
           .has = P_REQUEST(buffers) | P_REQUEST(specs) | P_REQUEST(moves) | P_REQUEST(repeat) | P_REQUEST(results),
           .buffers = LIST(buffer, 2, BUF(HAS_DATA, 2, B("m\0"), in), BUF(0, 8, NONE, out)),
           .specs = LIST(spec, 2, IN_ARG(0, 0),
                         {.has = WIRE_HAS(spec, arg) | WIRE_HAS(spec, step), .target = 1, .arg = 1, .step = 3}),
           .steps = LIST(step, 4, {.has = S_FAIL, .nr = 319, .fail = 5},
                         {.has = S_ARGS | S_FAIL, .nr = 1, .args = {3, {-1, 0, 3}}, .fail = 2},
                         {.has = S_KEEP, .nr = -1},
                         {.has = S_ARGS | S_FAIL | S_KEEP, .args = {3, {0, 0, 8}}, .fail = 4, .keep = 1}),
           .moves = LIST(move, 1, MOVE(1, M_ARG | WIRE_HAS(move, ret), .arg = 0)), .repeat = UINT32_MAX,
           .results = WIRE_RESULTS_kept | WIRE_RESULTS_every_round)}},
    {"program_request.moves",
     {REQUEST(13, program, 1),
      BODY(program_request, .has = P_REQUEST(buffers) | P_REQUEST(moves) | P_REQUEST(results),
           .buffers = LIST(buffer, 1, BUF(0, 16, NONE, both)), .steps = LIST(step, 2, {.nr = 39}, {.nr = 39}),
           .moves =
               LIST(move, 5, MOVE(0, M_ARG | M_FROM | M_WIDTH, .arg = 5, .at = 8, .width = 4, .sign = 1),
                    MOVE(0, M_ARG | WIRE_HAS(move, target) | M_PLUS, .arg = 1, .plus = INT64_MIN),
                    MOVE(1, M_BUFFER | M_WIDTH, .offset = 15, .width = 1),
                    MOVE(1, M_BUFFER | M_WIDTH | WIRE_HAS(move, ret) | M_PLUS, .plus = 127, .width = 8),
                    MOVE(1, M_BUFFER | M_FROM | M_WIDTH, .offset = 2, .width = 2)),
           .results = WIRE_RESULTS_kept)}},
    {"program_reply.rets",
     {REPLY(13, program, 1),
      BODY(program_reply, .has = P_REPLY(rets), .rounds = 1,
           .rets = INTEGERS(20, 0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, INT64_MAX, -1, -32, -33,
                            -128, -129, -32768, -32769, -2147483648LL, -2147483649LL, INT64_MIN))}},
    {"program_reply.nothing", {REPLY(13, program, 1), BODY(program_reply, .rounds = UINT32_MAX)}},
    {"program_reply.skipped",
     {REPLY(13, program, 1),
      BODY(program_reply, .has = P_REPLY(rets) | P_REPLY(skipped) | P_REPLY(outs),
           .rets = INTEGERS(9, 3, -14, 0, 0, 5, 0, 0, 0, 0), .skipped = B("\xec\1"),
           .outs = LIST(bytes, 2, B("ab"), RAMP), .rounds = 3)}},
    {"program_reply.killed",
     {REPLY(13, program, 1),
      BODY(program_reply, .has = P_REPLY(rets) | P_REPLY(skipped) | P_REPLY(signal) | P_ENDED,
           .rets = INTEGERS(2, 1, 0), .skipped = B("\2"), .rounds = 7, .ended = WIRE_ENDED_killed, .signal = 9,
           .fresh = 2, .step = 1)}},
    {"program_reply.exited",
     {REPLY(13, program, 2), BODY(program_reply, .has = P_REPLY(status) | P_ENDED, .rounds = 1,
                                  .ended = WIRE_ENDED_exited, .status = 7, .fresh = 3, .step = 8191)}},
    {"region_alloc_request.smallest", {REQUEST(14, region_alloc, 1), BODY(region_alloc_request, .len = 1)}},
    {"region_alloc_request.full",
     {REQUEST(14, region_alloc, 1),
      BODY(region_alloc_request, .has = WIRE_HAS(region_alloc_request, guard) | WIRE_HAS(region_alloc_request, low),
           .len = UINT32_MAX, .guard = 3, .low = 1)}},
    {"region_alloc_reply",
     {REPLY(14, region_alloc, 1), BODY(region_alloc_reply, .region = 1, .address = 0x7f0000001000)}},
    {"region_alloc_reply.high",
     {REPLY(14, region_alloc, 1), BODY(region_alloc_reply, .region = UINT32_MAX, .address = -4096)}},
    {"region_read_request.region",
     {REQUEST(14, region_read, 1), BODY(region_read_request, .has = WIRE_HAS(region_read_request, region), .region = 1,
                                        .at = 4094, .len = 2)}},
    {"region_read_request.address",
     {REQUEST(14, region_read, 1), BODY(region_read_request, .at = -1, .len = 65536)}},
    {"region_read_reply", {REPLY(14, region_read, 1), BODY(region_read_reply, .data = RAMP)}},
    {"region_read_reply.nothing", {REPLY(14, region_read, 1)}},
    {"region_write_request.region",
     {REQUEST(14, region_write, 1), BODY(region_write_request, .has = WIRE_HAS(region_write_request, region),
                                         .region = 255, .data = RAMP)}},
    {"region_write_request.address",
     {REQUEST(14, region_write, 0), BODY(region_write_request, .at = 0x7f0000001000, .data = B("abc"))}},
    {"region_write_reply", {REPLY(14, region_write, 1), BODY(region_write_reply, .len = 300)}},
    {"region_free_request", {REQUEST(14, region_free, 1), BODY(region_free_request, .region = 256)}},
    {"region_free_reply", {REPLY(14, region_free, 1), BODY(region_free_reply, .len = 65536)}},

    {"error.without_id", {ERROR(0, TOO_LARGE, 0), BODY(error, .text = B("frame over the agreed limit"))}},
    {"error.maybe",
     {ERROR(12, INTERNAL, 1), BODY(error, .text = B("quote \" and \\ and \n"), .executed = WIRE_EXECUTED_maybe)}},
    {"error.yes", {ERROR(12, INTERNAL, 1), BODY(error, .executed = WIRE_EXECUTED_yes)}},
    {"error.long_text",
     {ERROR(12, BAD_FIELD, 1),
      BODY(error, .has = WIRE_HAS(error, path), .text = B(X64 X64 X64 X64), .path = B("specs[2].offset"))}},
#define ARGS_ERROR(name) \
    { \
        ERROR(11, name, 1), BODY(error, .has = WIRE_HAS(error, path), .text = B("no"), .path = B("args")) \
    }
    {"error.malformed", ARGS_ERROR(MALFORMED)},
    {"error.too_large", ARGS_ERROR(TOO_LARGE)},
    {"error.unknown_op", ARGS_ERROR(UNKNOWN_OP)},
    {"error.bad_field", ARGS_ERROR(BAD_FIELD)},
    {"error.unknown_field", ARGS_ERROR(UNKNOWN_FIELD)},
    {"error.limit", ARGS_ERROR(LIMIT)},
    {"error.no_hello", ARGS_ERROR(NO_HELLO)},
    {"error.version", ARGS_ERROR(VERSION)},
    {"error.no_worker", ARGS_ERROR(NO_WORKER)},
    {"error.worker_replaced", ARGS_ERROR(WORKER_REPLACED)},
    {"error.busy", ARGS_ERROR(BUSY)},
    {"error.no_memory", ARGS_ERROR(NO_MEMORY)},
    {"error.denied", ARGS_ERROR(DENIED)},
    {"error.internal", ARGS_ERROR(INTERNAL)},

    {"worker_ended.exited",
     {EVENT(1), BODY(worker_ended, .has = WIRE_HAS(worker_ended, status) | WIRE_HAS(worker_ended, fresh),
                     .ended = WIRE_ENDED_exited, .fresh = 2)}},
    {"worker_ended.killed",
     {EVENT(2), BODY(worker_ended, .has = WIRE_HAS(worker_ended, signal) | WIRE_HAS(worker_ended, fresh),
                     .ended = WIRE_ENDED_killed, .signal = 9, .fresh = 3)}},
    {"cancel", {.envelope = {WIRE_CANCEL, 12, 0, 0, 0, NONE}, .record = ANY_nothing}},
    {"goodbye.planned", {GOODBYE(none), BODY(goodbye, .text = B("done"))}},
    {"goodbye.malformed", {GOODBYE(MALFORMED), BODY(goodbye, .text = B("not the length of a frame"))}},
    {.name = NULL}};

const struct sample *samples(void)
{
    for (size_t i = 0; i < sizeof ramp; i++)
        ramp[i] = (uint8_t)i;
    return rows;
}

const struct sample *sample_find(const char *name)
{
    const struct sample *row = samples();
    while (row->name != NULL && strcmp(row->name, name) != 0)
        row++;
    return row->name != NULL ? row : NULL;
}
