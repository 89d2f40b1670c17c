#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The golden messages, written by hand from SPEC.md: `vectors.py write` or `vectors.py check`.

Shares nothing with libwire: numbers, names and the packer are typed here from SPEC.md, so that the
C code and this file can only agree by both being right.  README.md says when the version moves.
"""
import json
import os
import sys

VERSION = 5  # of the vectors: moves when a byte moves

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, "messages.json")
HISTORY = os.path.join(HERE, "history")

# ---- msgpack, shortest forms only (SPEC [ENC-1] to [ENC-4]) ----


def head(first, value, size):
    return bytes([first]) + value.to_bytes(size, "big")


def pack_int(v):
    if v >= 0:
        for limit, tag, size in ((0x80, None, 0), (0x100, 0xCC, 1), (0x10000, 0xCD, 2), (1 << 32, 0xCE, 4),
                                 (1 << 64, 0xCF, 8)):
            if v < limit:
                return bytes([v]) if tag is None else head(tag, v, size)
    if v >= -32:
        return bytes([256 + v])
    for bits, tag in ((8, 0xD0), (16, 0xD1), (32, 0xD2), (64, 0xD3)):
        if v >= -(1 << (bits - 1)):
            return bytes([tag]) + v.to_bytes(bits // 8, "big", signed=True)
    raise ValueError(v)


def pack_count(n, fix, tag16):
    if n < 16:
        return bytes([fix | n])
    return head(tag16, n, 2) if n < 0x10000 else head(tag16 + 1, n, 4)


def pack_len(n, tag8):
    if n < 0x100:
        return head(tag8, n, 1)
    return head(tag8 + 1, n, 2) if n < 0x10000 else head(tag8 + 2, n, 4)


def pack(v):
    if isinstance(v, int):
        return pack_int(v)
    if isinstance(v, bytes):
        return pack_len(len(v), 0xC4) + v
    if isinstance(v, str):
        text = v.encode()
        return (bytes([0xA0 | len(text)]) if len(text) < 32 else pack_len(len(text), 0xD9)) + text
    if isinstance(v, list):
        return pack_count(len(v), 0x90, 0xDC) + b"".join(map(pack, v))
    assert list(v) == sorted(v), "keys ascend"
    return pack_count(len(v), 0x80, 0xDE) + b"".join(pack(k) + pack(x) for k, x in v.items())


# ---- names, for the line that wire_print makes ----

KINDS = ["request", "reply", "error", "event", "cancel", "goodbye"]
OPS = {0: "hello", 1: "ping", 16: "call", 17: "program", 32: "region_alloc", 33: "region_read",
       34: "region_write", 35: "region_free"}
EVENTS = {1: "worker_ended"}
ERRORS = ["ok", "malformed", "too-large", "unknown-op", "bad-field", "unknown-field", "limit", "no-hello", "version",
          "no-worker", "worker-replaced", "busy", "no-memory", "denied", "internal"]

BUFFER = {0: "len", 1: "data", 2: "dir", 3: "guard", 4: "align", 5: "low"}
RANGE = {0: "buffer", 1: "offset", 2: "len"}
SPEC = {0: "target", 1: "arg", 2: "buffer", 3: "offset", 4: "plus", 5: "width", 6: "bad", 12: "step"}
STEP = {0: "nr", 1: "args", 2: "fail", 3: "keep"}
MOVE = {0: "step", 1: "arg", 2: "buffer", 3: "offset", 4: "ret", 5: "from", 6: "at", 7: "target", 8: "plus", 9: "width",
        10: "sign"}
LIMITS = {3: "frame_limit", 4: "depth_limit", 5: "buffer_limit", 6: "spec_limit", 7: "flight_limit",
          8: "memory_limit", 9: "name", 10: "resume"}
FIELDS = {
    "hello_request": {0: "version_min", 1: "version_max", 2: "caps", **LIMITS, 18: "step_limit", 19: "move_limit"},
    "hello_reply": {0: "version", 2: "caps", **LIMITS, 11: "arch", 12: "byte_order", 13: "pointer_width",
                    14: "page_size", 15: "kernel", 16: "instance", 17: "generation", 18: "step_limit", 19: "move_limit"},
    "ping_request": {0: "data"},
    "ping_reply": {0: "data"},
    "region_alloc_request": {0: "len", 1: "guard", 2: "low"},
    "region_alloc_reply": {0: "region", 1: "address"},
    "region_read_request": {0: "region", 1: "at", 2: "len"},
    "region_read_reply": {0: "data"},
    "region_write_request": {0: "region", 1: "at", 2: "data"},
    "region_write_reply": {0: "len"},
    "region_free_request": {0: "region"},
    "region_free_reply": {0: "len"},
    "call_request": {0: "nr", 1: "args", 2: ("buffers", BUFFER), 3: ("specs", SPEC), 4: "want"},
    "call_reply": {0: "ret", 1: "outs", 2: "ended", 3: "status", 4: "signal", 5: "fresh", 6: "elapsed_ns",
                   7: ("changed", RANGE), 8: ("damage", RANGE)},
    "program_request": {0: ("buffers", BUFFER), 1: ("specs", SPEC), 2: ("steps", STEP), 3: ("moves", MOVE), 4: "repeat",
                        5: "results"},
    "program_reply": {0: "rets", 1: "skipped", 2: "outs", 3: "rounds", 4: "ended", 5: "status", 6: "signal", 7: "fresh",
                      8: "step"},
    "error": {0: "text", 1: "path", 2: "executed"},
    "worker_ended": {0: "ended", 1: "status", 2: "signal", 3: "fresh"},
    "goodbye": {0: "text"},
    None: {},
}


def show(v, fields=None):
    if isinstance(v, int):
        return str(v)
    if isinstance(v, bytes):
        return "<%d%s%s%s>" % (len(v), ": " if v else "", v[:32].hex(), "..." if len(v) > 32 else "")
    if isinstance(v, str):
        text = v.encode()
        cut = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else "\\x%02x" % b for b in text[:128])
        return '"%s"%s' % (cut, "..." if len(text) > 128 else "")
    if isinstance(v, list):
        return "[%s]" % " ".join(show(x, fields) for x in v)
    parts = []
    for key, x in v.items():
        name, inner = fields[key] if isinstance(fields[key], tuple) else (fields[key], None)
        parts.append("%s=%s" % (name, show(x, inner)))
    return "{%s}" % " ".join(parts)


def describe(envelope, body):
    kind, _, code = envelope[:3]
    if kind < 2:
        word, record = OPS[code], "%s_%s" % (OPS[code], KINDS[kind])
    elif kind == 3:
        word = record = EVENTS[code]
    elif kind == 4:
        word, record = "?", None
    else:
        word, record = ERRORS[code], KINDS[kind]
    text = "%s %d %s worker=%d generation=%d " % (KINDS[kind], envelope[1], word, envelope[3], envelope[4])
    return record, text + show(body, FIELDS[record])


# ---- the messages ----

RAMP = bytes(i & 255 for i in range(300))
INSTANCE = bytes(range(0x10, 0x20))
OFFER = {0: 0, 1: 0, 2: [], 3: 32 << 20, 4: 16, 5: 64, 6: 64, 7: 1, 8: 1 << 20}
AGREED = {3: 32 << 20, 4: 16, 5: 64, 6: 64, 7: 1, 8: 1 << 20}
PLACE = {11: "x86_64", 12: 0, 13: 8, 14: 4096, 15: "6.1", 16: INSTANCE, 17: 1}

STREAMS = [
    ("sync.host", b"\xf5PROVIUM" + bytes(range(1, 9))),
    ("sync.agent", b"\xf6PROVIUM" + bytes(range(1, 9))),
]

MESSAGES = [
    # the session at the head of SPEC.md
    ("session.hello_request", [0, 1, 0, 0, 0], OFFER),
    ("session.hello_reply", [1, 1, 0, 0, 1], {0: 0, 2: [], **AGREED, **PLACE}),
    ("session.call_request", [0, 2, 16, 0, 1], {0: 39}),
    ("session.call_reply", [1, 2, 16, 0, 1], {0: 145}),

    ("hello_request.full", [0, 4294967295, 0, 0, 0],
     {0: 0, 1: 3, 2: ["a", "grease-7.x", "x" * 31, "y" * 32], 3: 65536, 4: 16, 5: 8192, 6: 8192, 7: 64, 8: 67108864,
      9: "host 0.1", 10: b"token"}),
    ("hello_reply.full", [1, 4294967295, 0, 0, 65536],
     {0: 0, 2: ["grease", "\u00fc\u20ac\U0001f427"], **AGREED, 9: "provium-agent 0.1.0", 10: b"", **PLACE,
      12: 1, 13: 4, 14: 65536, 17: 65536}),

    ("ping_request.empty", [0, 3, 1, 0, 0], {}),
    ("ping_request.data", [0, 127, 1, 0, 1], {0: b"abc"}),
    ("ping_request.no_bytes", [0, 128, 1, 0, 1], {0: b""}),
    ("ping_reply.empty", [1, 3, 1, 0, 1], {}),
    ("ping_reply.data", [1, 255, 1, 0, 1], {0: RAMP}),

    ("call_request.nr_minus_one", [0, 256, 16, 0, 1], {0: -1}),
    ("call_request.nr_x32", [0, 65535, 16, 0, 1], {0: 0x40000027, 1: []}),
    ("call_request.args_8_bits", [0, 5, 16, 0, 1], {0: 1, 1: [0, 127, 128, 255, -32, -33]}),
    ("call_request.args_16_bits", [0, 5, 16, 0, 1], {0: 1, 1: [256, 65535, -128, -129, -32768, -32769]}),
    ("call_request.args_32_bits", [0, 5, 16, 0, 1],
     {0: 1, 1: [65536, 2147483647, 2147483648, 4294967295, -2147483648, -2147483649]}),
    ("call_request.args_64_bits", [0, 5, 16, 0, 1],
     {0: 1, 1: [4294967296, 9223372036854775807, -9223372036854775808]}),
    ("call_request.buffers", [0, 65536, 16, 0, 7],
     {0: 0, 1: [3], 2: [{0: 0, 2: 0}, {0: 4, 1: b"\1\2\3\4", 2: 1}, {0: 300, 1: RAMP, 2: 3}, {0: 65536, 2: 2}]}),
    ("call_request.embedded_pointer", [0, 6, 16, 0, 1],
     {0: 1023, 1: [0, 0],
      2: [{0: 24, 1: bytes.fromhex("6000000003000000" + "00" * 8 + "1400000000000200"), 2: 3},
          {0: 20, 1: bytes(range(20)), 2: 1}],
      3: [{0: 0, 1: 0}, {0: 1, 2: 0, 3: 8}]}),
    ("call_request.sixteen_specs", [0, 7, 16, 0, 1],
     {0: 20, 2: [{0: 256, 2: 0}], 3: [{0: 0, 2: 0, 3: 16 * i} for i in range(16)]}),

    ("call_request.pointers", [0, 7, 16, 0, 1],
     {0: 20, 2: [{0: 16, 2: 3}],
      3: [{0: 0, 1: 1, 4: 3}, {0: 0, 1: 2, 4: -1, 6: 4}, {0: 0, 2: 0, 3: 0, 4: -9223372036854775808, 5: 4},
          {0: 0, 2: 0, 3: 8, 5: 8, 6: 0}]}),

    ("call_request.placement", [0, 7, 16, 0, 1],
     {0: 20, 2: [{0: 5, 1: b"abc", 2: 3, 3: 1}, {0: 5, 2: 0, 4: 1048576}, {0: 5, 2: 2, 3: 3, 4: 8, 5: 1}], 4: 3}),

    ("call_reply.measured", [1, 8, 16, 0, 1],
     {0: 5, 1: [b"abc"], 6: 1500000000, 7: [{0: 0, 1: 0, 2: 1}, {0: 8191, 1: 65536, 2: 4294967295}], 8: []}),
    ("call_reply.damage", [1, 8, 16, 0, 1], {0: 5, 8: [{0: 0, 1: -33, 2: 33}, {0: 0, 1: 5, 2: 3}]}),
    ("call_reply.zero", [1, 8, 16, 0, 1], {0: 0}),
    ("call_reply.fault", [1, 8, 16, 0, 1], {0: -14}),
    ("call_reply.lowest", [1, 8, 16, 0, 1], {0: -9223372036854775808}),
    ("call_reply.outs", [1, 8, 16, 0, 1], {0: 300, 1: [b"", b"\0\xff", RAMP]}),
    ("call_reply.exited", [1, 9, 16, 0, 1], {2: 1, 3: 7, 5: 2}),
    ("call_reply.execed", [1, 9, 16, 0, 2], {2: 2, 3: 0, 5: 3}),
    ("call_reply.killed", [1, 9, 16, 0, 3], {2: 3, 4: 9, 5: 4}),
    ("call_reply.stopped", [1, 9, 16, 0, 4], {2: 4, 4: 19, 5: 5}),

    ("hello_request.programs", [0, 1, 0, 0, 0], {**OFFER, 2: ["program"], 18: 8192, 19: 64}),
    ("hello_reply.programs", [1, 1, 0, 0, 1], {0: 0, 2: ["program"], **AGREED, **PLACE, 18: 8192, 19: 64}),
    ("program_request.smallest", [0, 13, 17, 0, 1], {2: [{0: 39}]}),
    ("program_request.steps", [0, 13, 17, 0, 1],
     {0: [{0: 2, 1: b"m\0", 2: 1}, {0: 8, 2: 2}], 1: [{0: 0, 1: 0}, {0: 1, 1: 1, 12: 3}],
      2: [{0: 319, 2: 5}, {0: 1, 1: [-1, 0, 3], 2: 2}, {0: -1, 3: 0}, {0: 0, 1: [0, 0, 8], 2: 4, 3: 1}],
      3: [{0: 1, 1: 0, 4: 0}], 4: 4294967295, 5: 3}),
    ("program_request.moves", [0, 13, 17, 0, 1],
     {0: [{0: 16, 2: 3}], 2: [{0: 39}, {0: 39}],
      3: [{0: 0, 1: 5, 5: 0, 6: 8, 9: 4, 10: 1}, {0: 0, 1: 1, 7: 0, 8: -9223372036854775808},
          {0: 1, 2: 0, 3: 15, 9: 1}, {0: 1, 2: 0, 3: 0, 4: 0, 8: 127, 9: 8},
          {0: 1, 2: 0, 3: 2, 5: 0, 6: 0, 9: 2, 10: 0}], 5: 1}),
    ("program_reply.rets", [1, 13, 17, 0, 1],
     {0: [0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, 9223372036854775807, -1, -32, -33, -128, -129,
          -32768, -32769, -2147483648, -2147483649, -9223372036854775808], 3: 1}),
    ("program_reply.nothing", [1, 13, 17, 0, 1], {3: 4294967295}),
    ("program_reply.skipped", [1, 13, 17, 0, 1], {0: [3, -14, 0, 0, 5, 0, 0, 0, 0], 1: b"\xec\1", 2: [b"ab", RAMP], 3: 3}),
    ("program_reply.killed", [1, 13, 17, 0, 1], {0: [1, 0], 1: b"\2", 3: 7, 4: 3, 6: 9, 7: 2, 8: 1}),
    ("program_reply.exited", [1, 13, 17, 0, 2], {3: 1, 4: 1, 5: 7, 7: 3, 8: 8191}),
    ("region_alloc_request.smallest", [0, 14, 32, 0, 1], {0: 1}),
    ("region_alloc_request.full", [0, 14, 32, 0, 1], {0: 4294967295, 1: 3, 2: 1}),
    ("region_alloc_reply", [1, 14, 32, 0, 1], {0: 1, 1: 0x7f0000001000}),
    ("region_alloc_reply.high", [1, 14, 32, 0, 1], {0: 4294967295, 1: -4096}),
    ("region_read_request.region", [0, 14, 33, 0, 1], {0: 1, 1: 4094, 2: 2}),
    ("region_read_request.address", [0, 14, 33, 0, 1], {1: -1, 2: 65536}),
    ("region_read_reply", [1, 14, 33, 0, 1], {0: RAMP}),
    ("region_read_reply.nothing", [1, 14, 33, 0, 1], {0: b""}),
    ("region_write_request.region", [0, 14, 34, 0, 1], {0: 255, 1: 0, 2: RAMP}),
    ("region_write_request.address", [0, 14, 34, 0, 0], {1: 0x7f0000001000, 2: b"abc"}),
    ("region_write_reply", [1, 14, 34, 0, 1], {0: 300}),
    ("region_free_request", [0, 14, 35, 0, 1], {0: 256}),
    ("region_free_reply", [1, 14, 35, 0, 1], {0: 65536}),

    ("error.without_id", [2, 0, 2, 0, 0], {0: "frame over the agreed limit", 2: 0}),
    ("error.maybe", [2, 12, 14, 0, 1], {0: "quote \" and \\ and \n", 2: 1}),
    ("error.yes", [2, 12, 14, 0, 1], {0: "", 2: 2}),
    ("error.long_text", [2, 12, 4, 0, 1], {0: "x" * 256, 1: "specs[2].offset", 2: 0}),
] + [
    ("error.%s" % name.replace("-", "_"), [2, 11, code, 0, 1], {0: "no", 1: "args", 2: 0})
    for code, name in enumerate(ERRORS) if code > 0
] + [
    ("worker_ended.exited", [3, 0, 1, 0, 1], {0: 1, 1: 0, 3: 2}),
    ("worker_ended.killed", [3, 0, 1, 0, 2], {0: 3, 2: 9, 3: 3}),
    ("cancel", [4, 12, 0, 0, 0], {}),
    ("goodbye.planned", [5, 0, 0, 0, 0], {0: "done"}),
    ("goodbye.malformed", [5, 0, 1, 0, 0], {0: "not the length of a frame"}),
]

# ---- the file ----


def digest(entries):
    """FNV-1a, 64 bits, over every name and its bytes: what `history` keeps for each version."""
    h = 0xCBF29CE484222325
    for name, data in entries:
        for b in name.encode() + data:
            h = (h ^ b) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return "%016x" % h


def build():
    entries, messages = list(STREAMS), []
    for name, envelope, body in MESSAGES:
        record, text = describe(envelope, body)
        data = bytes([0x96]) + b"".join(map(pack_int, envelope)) + pack(body)
        frame = len(data).to_bytes(4, "big") + data
        entries.append((name, frame))
        messages.append({"name": name, "record": record or "", "frame": frame.hex(), "text": text})
    streams = [{"name": name, "bytes": data.hex()} for name, data in STREAMS]
    whole = {"version": VERSION, "digest": digest(entries), "streams": streams, "messages": messages}
    return whole


def known_digest(version):
    with open(HISTORY) as f:
        rows = dict(line.split() for line in f if not line.startswith("#"))
    return rows.get(str(version))


def write_seeds():
    """fuzz/corpus: the golden messages in the shape that each target reads."""
    entries = [(name, bytes([0x96]) + b"".join(map(pack_int, envelope)), pack(body)) for name, envelope, body in MESSAGES]
    names = list(FIELDS)
    records = names[:12] + ["buffer", "spec"] + names[12:13] + ["range"] + names[13:14] + ["step", "move"] + names[14:-1]  # in the order of ops.def
    files = {"reader": {}, "message": {}, "frame": {}, "agent": {}}
    stream = STREAMS[0][1]
    for (name, head_, body), message in zip(entries, MESSAGES):
        frame = len(head_ + body).to_bytes(4, "big") + head_ + body
        record = describe(message[1], message[2])[0]
        files["reader"][name] = body
        files["message"][name] = head_ + body
        if record:
            files["message"]["record." + name] = bytes([records.index(record)]) + body
        if len(stream) < 400:
            stream += frame
        if message[1][0] in (0, 4, 5):
            files["agent"][name] = frame
    files["frame"]["session"] = b"\xff\x07" + stream
    files["frame"]["two_sessions"] = b"\x20\x03" + b"garbage\xf5\xf5PRO" + STREAMS[0][1] + frame + STREAMS[0][1] + frame
    files["frame"]["oversize"] = b"\x04\x05" + STREAMS[0][1] + b"\0\0\0\x40" + bytes(64) + b"\0\0\0\1\xc0"
    files["frame"]["broken"] = b"\x40\x02" + STREAMS[0][1] + bytes(4) + frame + STREAMS[0][1] + frame
    for target, seeds in files.items():
        folder = os.path.join(HERE, "..", "..", "fuzz", "corpus", target)
        os.makedirs(folder, exist_ok=True)
        for name, data in seeds.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)


def main(what):
    whole = build()
    text = json.dumps(whole, indent=1) + "\n"
    if known_digest(VERSION) != whole["digest"]:
        sys.exit("vectors: the bytes of version %d moved: set VERSION to another and add its row to history:\n%d %s"
                 % (VERSION, VERSION, whole["digest"]))
    if what == "write":
        with open(FILE, "w") as f:
            f.write(text)
        write_seeds()
    elif what == "check":
        with open(FILE) as f:
            if f.read() != text:
                sys.exit("vectors: messages.json is not what vectors.py makes")
    else:
        sys.exit("usage: vectors.py write|check")
    print("vectors: version %d, %d messages" % (VERSION, len(MESSAGES)))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
