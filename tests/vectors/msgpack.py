#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Values of msgpack in every form that it allows: `msgpack.py write` or `msgpack.py check`.

Written from the format's public specification (github.com/msgpack/msgpack, spec.md); shares
nothing with libwire.  README.md says what the file holds.
"""
import json
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, "msgpack.json")


def be(value, size):
    return (value % (1 << 8 * size)).to_bytes(size, "big")


def heads(n, fix, fix_max, tags):
    """Every head that can say the count or length n, the shortest first."""
    forms = [bytes([fix | n])] if n <= fix_max else []
    return forms + [bytes([tag]) + be(n, size) for tag, size in tags if n < 1 << 8 * size]


# ---- forms of each type, the shortest first ----


def int_forms(n):
    forms = [be(n, 1)] if -32 <= n <= 127 else []
    unsigned = [(0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)]
    signed = [(0xD0, 1), (0xD1, 2), (0xD2, 4), (0xD3, 8)]
    if n >= 0:
        forms += [bytes([tag]) + be(n, size) for tag, size in unsigned if n < 1 << 8 * size]
    return forms + [bytes([tag]) + be(n, size) for tag, size in signed if -(1 << 8 * size - 1) <= n < 1 << 8 * size - 1]


def str_heads(n):
    return heads(n, 0xA0, 31, [(0xD9, 1), (0xDA, 2), (0xDB, 4)])


def bin_heads(n):
    return heads(n, 0, -1, [(0xC4, 1), (0xC5, 2), (0xC6, 4)])


def array_heads(n):
    return heads(n, 0x90, 15, [(0xDC, 2), (0xDD, 4)])


def map_heads(n):
    return heads(n, 0x80, 15, [(0xDE, 2), (0xDF, 4)])


def ext_heads(kind, n):
    fixed = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}
    forms = [bytes([fixed[n]])] if n in fixed else []
    return [h + be(kind, 1) for h in forms + heads(n, 0, -1, [(0xC7, 1), (0xC8, 2), (0xC9, 4)])]


def time_forms(seconds, nanoseconds):
    data = []
    if nanoseconds == 0 and 0 <= seconds < 1 << 32:
        data.append(be(seconds, 4))
    if 0 <= seconds < 1 << 34:
        data.append(be(nanoseconds << 34 | seconds, 8))
    data.append(be(nanoseconds, 4) + be(seconds, 8))
    return [head + d for d in data for head in ext_heads(-1, len(d))]


# ---- the file's notation of bytes: hex, a byte that repeats as aa*1000 ----


def note(data):
    parts, plain, i = [], "", 0
    while i < len(data):
        run = 1
        while i + run < len(data) and data[i + run] == data[i]:
            run += 1
        if run > 16:
            parts += [plain] if plain else []
            parts.append("%02x*%d" % (data[i], run))
            plain = ""
        else:
            plain += data[i:i + run].hex()
        i += run
    return " ".join(parts + ([plain] if plain else []))


def row(name, value, forms):
    return {"name": name, "value": value, "canonical": note(forms[0]), "others": [note(f) for f in forms[1:]]}


# ---- the rows ----


def simple_rows():
    yield row("nil", {"type": "nil"}, [b"\xc0"])
    yield row("false", {"type": "bool", "value": False}, [b"\xc2"])
    yield row("true", {"type": "bool", "value": True}, [b"\xc3"])


def int_rows():
    borders = [0, 1, 5, 6, 7, 8, 15, 16, 31, 32]
    positive = sorted({b for n in borders + [63] for b in ((1 << n) - 1, 1 << n, (1 << n) + 1)})
    negative = [-1, -2, -31, -32, -33] + [-(1 << n) - d for n in (7, 15, 31) for d in (-1, 0, 1)]
    for n in positive + [(1 << 64) - 2, (1 << 64) - 1] + negative + [-(1 << 63) + 1, -(1 << 63)]:
        yield row("int %d" % n, {"type": "int", "value": str(n)}, int_forms(n))


def float_rows():
    f32 = ["00000000", "80000000", "3f800000", "bf800000", "3fc00000", "00000001", "807fffff", "00800000", "7f7fffff",
           "ff7fffff", "7f800000", "ff800000", "7fc00000", "ffc00000", "7fc12345", "7f800001", "ffffffff"]
    f64 = ["0000000000000000", "8000000000000000", "3ff0000000000000", "bff0000000000000", "3fb999999999999a",
           "0000000000000001", "800fffffffffffff", "0010000000000000", "7fefffffffffffff", "ffefffffffffffff",
           "7ff0000000000000", "fff0000000000000", "7ff8000000000000", "fff8000000000000", "7ff8000000012345",
           "7ff0000000000001", "ffffffffffffffff", "4340000000000000", "43e0000000000000"]
    for kind, tag, code, all_bits in (("f32", b"\xca", ">f", f32), ("f64", b"\xcb", ">d", f64)):
        for bits in all_bits:
            data = bytes.fromhex(bits)
            about = "%r" % struct.unpack(code, data)[0]
            yield row("%s %s" % (kind, bits), {"type": kind, "bits": bits, "about": about}, [tag + data])


def bytes_rows():
    texts = [text.encode() for text in ("", "a", "\0", "\u00fc\u20ac\U0001f427", "\u07ff\u0800\ud7ff\ue000\uffff")]
    texts.append("\U00010000\U0010ffff".encode())
    texts += [b"a" * n for n in (30, 31, 32, 33, 254, 255, 256, 257, 65534, 65535, 65536, 65537)]
    blobs = [b"", b"\0", b"\xff\xfe"] + [b"\xa5" * n for n in (31, 32, 254, 255, 256, 257, 65534, 65535, 65536, 65537)]
    for data in texts:
        yield row("str %d" % len(data), {"type": "str", "bytes": note(data)}, [h + data for h in str_heads(len(data))])
    for data in blobs:
        yield row("bin %d" % len(data), {"type": "bin", "bytes": note(data)}, [h + data for h in bin_heads(len(data))])


def ext_rows():
    for n in list(range(0, 10)) + [15, 16, 17, 31, 32, 255, 256, 65535, 65536]:
        yield row("ext %d" % n, {"type": "ext", "kind": 5, "bytes": note(b"\x5a" * n)},
                  [h + b"\x5a" * n for h in ext_heads(5, n)])
    for kind in (-128, -2, 0, 127):
        yield row("ext of type %d" % kind, {"type": "ext", "kind": kind, "bytes": "01"},
                  [h + b"\1" for h in ext_heads(kind, 1)])


def time_rows():
    seconds = [0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 34) - 1, 1 << 34, (1 << 63) - 1,
               -1, -(1 << 31), -(1 << 34), -(1 << 63)]
    for s in seconds:
        for ns in (0, 1, 999999999):
            yield row("time %d.%09d" % (s, ns), {"type": "time", "seconds": str(s), "nanoseconds": ns},
                      time_forms(s, ns))


def container_rows():
    nil = {"type": "nil"}
    for n in (0, 1, 14, 15, 16, 17, 65534, 65535, 65536, 65537):
        yield row("array %d" % n, {"type": "array", "count": n, "each": nil}, [h + b"\xc0" * n for h in array_heads(n)])
    keys = [(0, b"\x00"), (127, b"\x7f")]
    for n in (0, 1, 2):
        value = {"type": "map", "entries": [[{"type": "int", "value": str(k)}, nil] for k, _ in keys[:n]]}
        yield row("map %d" % n, value, [h + b"".join(k + b"\xc0" for _, k in keys[:n]) for h in map_heads(n)])
    for n in (15, 16, 17):
        value = {"type": "map", "entries": [[{"type": "int", "value": str(k)}, nil] for k in range(n)]}
        yield row("map %d" % n, value, [h + b"".join(bytes([k]) + b"\xc0" for k in range(n)) for h in map_heads(n)])
    inner = {"type": "map", "entries": [[{"type": "str", "bytes": "61"}, {"type": "array", "count": 2, "each": nil}]]}
    yield row("nested", {"type": "array", "count": 2, "each": inner},
              [h + b"\x81\xa1\x61\x92\xc0\xc0" * 2 for h in array_heads(2)])


def refused():
    rows = [("c1", "E_RESERVED", 0), ("91c1", "E_RESERVED", 1), ("", "E_SHORT", 0), ("dd ff*4", "E_SHORT", 0),
            ("df ff*4", "E_SHORT", 0), ("c6 ff*4", "E_SHORT", 0), ("db ff*4", "E_SHORT", 0), ("c9 ff*5", "E_SHORT", 0),
            ("c0c0", "E_TRAILING", 1), ("9000", "E_TRAILING", 1), ("91*16 90", "E_DEPTH", 16)]
    return [{"bytes": data, "status": status, "at": at} for data, status, at in rows]


def build():
    makers = (simple_rows, int_rows, float_rows, bytes_rows, ext_rows, time_rows, container_rows)
    rows = [r for maker in makers for r in maker()]
    return {"values": rows, "refused": refused()}


def expand(text):
    """The bytes of a notation."""
    words = (word.split("*") for word in text.split())
    return b"".join(bytes.fromhex(word[0]) * int(word[1] if len(word) > 1 else 1) for word in words)


def write_seeds(values):
    """fuzz/corpus/value: of each type all short values in one array, in the shortest and in the other forms."""
    folder = os.path.join(HERE, "..", "..", "fuzz", "corpus", "value")
    os.makedirs(folder, exist_ok=True)
    for pick, kind in enumerate(("int", "f32", "f64", "str", "bin", "ext", "time", "array", "map")):
        rows = [r for r in values if r["value"]["type"] == kind]
        others = [form for r in rows for form in r["others"]]
        for name, forms in (("shortest", [r["canonical"] for r in rows]), ("others", others)):
            short = [data for data in map(expand, forms) if len(data) <= 64]
            if short:
                with open(os.path.join(folder, "%s.%s" % (kind, name)), "wb") as f:
                    f.write(bytes([pick]) + array_heads(len(short))[0] + b"".join(short))


def main(what):
    whole = build()
    text = json.dumps(whole, indent=1) + "\n"
    if what == "write":
        with open(FILE, "w") as f:
            f.write(text)
        write_seeds(whole["values"])
    elif what == "check":
        with open(FILE) as f:
            if f.read() != text:
                sys.exit("msgpack: msgpack.json is not what msgpack.py makes")
    else:
        sys.exit("usage: msgpack.py write|check")
    forms = sum(1 + len(r["others"]) for r in whole["values"])
    print("msgpack: %d values in %d forms" % (len(whole["values"]), forms))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
