#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A Core agent of the Provium protocol (SPEC.md, version 0) in plain Python 3.

It shows how little an agent needs: msgpack, a stream of frames, a check of
what was asked, memory, one system call.  The ids in comments, such as
[CALL-3], are those of SPEC.md.  It executes whatever it is asked to on the
machine that it runs on, hence the flag:

    agent.py --execute-here        protocol on stdin and stdout
"""
import ctypes
import fcntl
import os
import random
import select
import signal
import struct
import sys

# ---------------------------------------------------------------- msgpack --
# Types that Python would blur are kept apart: Text is an undecoded str, Map a
# list of pairs (so that a key given twice can be seen), Ext anything of type ext.


class Text(bytes):
    """A msgpack str: its bytes, checked for UTF-8 only when it is a field that we read."""


class Map(list):
    """A msgpack map: pairs in the order of the wire."""


class Ext(bytes):
    """A msgpack ext value: only ever skipped or refused."""


class Malformed(Exception):
    """The bytes are not one well-formed value of legal depth [ERR-3]."""


class Reader:
    """One msgpack value out of bytes; never deeper than depth [ENC-7], never beyond the end [ENC-8]."""

    SIZED = {  # first byte: (bytes of the length, what to make of the content)
        0xC4: (1, bytes), 0xC5: (2, bytes), 0xC6: (4, bytes),
        0xD9: (1, Text), 0xDA: (2, Text), 0xDB: (4, Text),
        0xC7: (1, Ext), 0xC8: (2, Ext), 0xC9: (4, Ext),
    }
    PLAIN = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
             0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
    WORDS = {0xC0: None, 0xC2: False, 0xC3: True}
    COUNTED = {0xDC: ("array", 2), 0xDD: ("array", 4), 0xDE: ("map", 2), 0xDF: ("map", 4)}

    def __init__(self, data, depth):
        self.data, self.at, self.depth = data, 0, depth

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Malformed("the body ends inside a value")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, width):
        return int.from_bytes(self.take(width), "big")

    def value(self, depth=1):
        first = self.number(1)
        if first < 0x80 or first >= 0xE0:
            return first if first < 0x80 else first - 256
        if first < 0x90:
            return self.map(first & 15, depth)
        if first < 0xA0:
            return self.array(first & 15, depth)
        if first < 0xC0:
            return Text(self.take(first & 31))
        return self.long(first, depth)

    def long(self, first, depth):
        if first in self.WORDS:
            return self.WORDS[first]
        if first in self.PLAIN:
            form = self.PLAIN[first]
            return struct.unpack(form, self.take(struct.calcsize(form)))[0]
        if first in self.SIZED:
            width, make = self.SIZED[first]
            size = self.number(width)
            return make(self.take(size + (make is Ext)))    # the type of an ext is one byte more
        if first in self.COUNTED:
            kind, width = self.COUNTED[first]
            count = self.number(width)
            return self.array(count, depth) if kind == "array" else self.map(count, depth)
        if 0xD4 <= first <= 0xD8:
            return Ext(self.take(1 + (1 << (first - 0xD4))))
        raise Malformed("byte c1 is not msgpack")

    def check(self, elements, depth):
        if depth > self.depth:
            raise Malformed("nested too deeply")
        if elements > len(self.data) - self.at:             # each takes a byte at least
            raise Malformed("more elements than bytes")

    def array(self, count, depth):
        self.check(count, depth)
        return [self.value(depth + 1) for _ in range(count)]

    def map(self, count, depth):
        self.check(2 * count, depth)
        return Map((self.value(depth + 1), self.value(depth + 1)) for _ in range(count))


def sized(size, short, forms):
    """The head of a value: `short` is (first byte, most) or None; forms are (first byte, width)."""
    if short and size <= short[1]:
        return bytes([short[0] | size])
    for first, width in forms:
        if size < 1 << (8 * width):
            return bytes([first]) + size.to_bytes(width, "big")
    raise ValueError("too long")


def pack(value):
    """The shortest form of a value [ENC-2]; a dict's keys are sent in ascending order."""
    if isinstance(value, int):
        if value >= 0:
            return sized(value, (0, 127), ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)))
        if value >= -32:
            return struct.pack(">b", value)
        for first, width in ((0xD0, 1), (0xD1, 2), (0xD2, 4), (0xD3, 8)):
            if value >= -1 << (8 * width - 1):
                return bytes([first]) + value.to_bytes(width, "big", signed=True)
    if isinstance(value, bytes):
        return sized(len(value), None, ((0xC4, 1), (0xC5, 2), (0xC6, 4))) + value
    if isinstance(value, str):
        text = value.encode()
        return sized(len(text), (0xA0, 31), ((0xD9, 1), (0xDA, 2), (0xDB, 4))) + text
    if isinstance(value, list):
        return sized(len(value), (0x90, 15), ((0xDC, 2), (0xDD, 4))) + b"".join(map(pack, value))
    parts = [pack(key) + pack(value[key]) for key in sorted(value)]
    return sized(len(parts), (0x80, 15), ((0xDE, 2), (0xDF, 4))) + b"".join(parts)


# ------------------------------------------------------- errors and records --

MALFORMED, TOO_LARGE, UNKNOWN_OP, BAD_FIELD, UNKNOWN_FIELD, LIMIT, NO_HELLO, VERSION, NO_WORKER, \
    WORKER_REPLACED, BUSY, NO_MEMORY, DENIED, INTERNAL = range(1, 15)


class Refused(Exception):
    """A request that is answered with an error; nothing was executed [ERR-1]."""

    def __init__(self, code, text, path=None):
        super().__init__(text)
        self.code, self.text, self.path = code, text, path


def unsigned(bits):
    def read(value, path):
        if type(value) is not int or not 0 <= value < 1 << bits:    # bool is no integer here
            raise Refused(BAD_FIELD, f"not an unsigned integer of {bits} bits", path)
        return value
    return read


def word(value, path):
    if type(value) is not int:
        raise Refused(BAD_FIELD, "not an integer", path)
    return value & 0xFFFFFFFFFFFFFFFF                               # msgpack has none outside -2^63..2^64-1


def binary(value, path):
    if type(value) is not bytes:
        raise Refused(BAD_FIELD, "not a bin", path)
    return value


def text(value, path):
    try:
        if type(value) is Text:
            return value.decode()
    except UnicodeDecodeError:
        pass
    raise Refused(BAD_FIELD, "not a str of UTF-8", path)


def array_of(read, most=None):
    """A list whose elements `read` takes.  A path inside it has the index: buffers[2]."""
    def read_all(value, path):
        if type(value) is not list:
            raise Refused(BAD_FIELD, "not an array", path)
        if most is not None and len(value) > most:
            raise Refused(BAD_FIELD, f"more than {most} elements", path)
        return [read(item, f"{path}[{index}]") for index, item in enumerate(value)]
    return read_all


def record(fields, strict):
    """A record out of its table {number: (name, reader, required)}: a dict by name.  Unknown
    fields are refused if strict [EXT-1], else ignored [EXT-2]."""
    def read(value, path=""):
        if type(value) is not Map:
            raise Refused(BAD_FIELD, "not a map", path)
        out = {}
        for number, content in value:
            if type(number) is not int or number not in fields:
                if strict:
                    raise Refused(UNKNOWN_FIELD, f"field {number} is not known", path)
                continue
            name, reader, _ = fields[number]
            where = f"{path}.{name}" if path else name
            if name in out:
                raise Refused(BAD_FIELD, "given twice", where)      # [ENC-5]
            out[name] = reader(content, where)
        for name, _, required in fields.values():
            if required and name not in out:
                raise Refused(BAD_FIELD, "missing", f"{path}.{name}" if path else name)
        return out
    return read


U8, U32 = unsigned(8), unsigned(32)

HELLO_REQUEST = record({
    0: ("version_min", U32, True), 1: ("version_max", U32, True), 2: ("caps", array_of(text), True),
    3: ("frame_limit", U32, True), 4: ("depth_limit", U32, True), 5: ("buffer_limit", U32, True),
    6: ("spec_limit", U32, True), 7: ("flight_limit", U32, True), 8: ("memory_limit", U32, True),
    9: ("name", text, False), 18: ("step_limit", U32, False), 19: ("move_limit", U32, False)}, strict=False)
PING_REQUEST = record({0: ("data", binary, False)}, strict=False)
BUFFER = record({0: ("len", U32, True), 1: ("data", binary, False), 2: ("dir", U8, True)}, strict=True)
SPEC = record({0: ("target", U32, True), 1: ("arg", U8, False), 2: ("buffer", U32, False),
               3: ("offset", U32, False), 4: ("plus", word, False), 5: ("width", U8, False),
               6: ("bad", U8, False), 12: ("step", U32, False)}, strict=True)
CALL_REQUEST = record({0: ("nr", word, True), 1: ("args", array_of(word, most=6), False),
                       2: ("buffers", array_of(BUFFER), False), 3: ("specs", array_of(SPEC), False)}, strict=True)

STEP = record({0: ("nr", word, True), 1: ("args", array_of(word, most=6), False), 2: ("fail", U32, False),
               3: ("keep", U8, False)}, strict=True)
MOVE = record({0: ("step", U32, True), 1: ("arg", U8, False), 2: ("buffer", U32, False), 3: ("offset", U32, False),
               4: ("ret", U32, False), 5: ("from", U32, False), 6: ("at", U32, False), 7: ("target", U32, False),
               8: ("plus", word, False), 9: ("width", U8, False), 10: ("sign", U8, False)}, strict=True)
PROGRAM_REQUEST = record({0: ("buffers", array_of(BUFFER), False), 1: ("specs", array_of(SPEC), False),
                          2: ("steps", array_of(STEP), True), 3: ("moves", array_of(MOVE), False),
                          4: ("repeat", U32, False), 5: ("results", U8, False)}, strict=True)

CAPABILITIES = {"pointers", "program"}

# name: (field in hello, guaranteed minimum [LIMIT-1], what this agent offers)
LIMITS = {
    "frame_limit": (3, 65536, 1 << 20), "depth_limit": (4, 16, 16), "buffer_limit": (5, 64, 1024),
    "spec_limit": (6, 64, 4096), "flight_limit": (7, 1, 1), "memory_limit": (8, 65536, 16 << 20)}

# Limits of a capability: may be left out [HELLO-10].  The field in hello's reply, the minimum, what this agent offers.
PROGRAM_LIMITS = {"step_limit": (18, 64, 1024), "move_limit": (19, 64, 1024)}

# ------------------------------------------------------------------ stream --

HOST_WORD = bytes.fromhex("f550524f5649554d")
AGENT_WORD = bytes.fromhex("f650524f5649554d")
PATIENCE_MS = 2000


class Silence(Exception):
    """Two seconds without a byte inside a frame or a sync [STREAM-8]."""


class HangUp(Exception):
    """The host closed its end."""


class Sync(Exception):
    """The host's word stood where a frame may begin [STREAM-6]."""


class Goodbye(Exception):
    """The session is over; hunt for the next one."""


class Channel:
    """Bytes in and out of two descriptors."""

    def __init__(self, source, sink):
        self.source, self.sink, self.pending = source, sink, bytearray()
        self.poll = select.poll()
        self.poll.register(source, select.POLLIN)

    def fill(self, patience_ms):
        if not self.poll.poll(patience_ms):
            self.pending.clear()
            raise Silence
        more = os.read(self.source, 1 << 16)
        if not more:
            raise HangUp
        self.pending += more

    def peek(self, count):
        """The next count bytes, which stay.  Once one is there the rest may not take long."""
        while len(self.pending) < count:
            self.fill(PATIENCE_MS if self.pending else None)
        return bytes(self.pending[:count])

    def take(self, count):
        out = bytearray()
        while len(out) < count:
            if not self.pending:
                self.fill(PATIENCE_MS)
            part = self.pending[:count - len(out)]
            out += part
            del self.pending[:len(part)]
        return bytes(out)

    def skip(self, count):
        while count:
            if not self.pending:
                self.fill(PATIENCE_MS)
            part = min(count, len(self.pending))
            count -= part
            del self.pending[:part]

    def hunt(self):
        """Drop everything up to the host's word; its nonce [STREAM-2]."""
        while True:
            try:
                at = self.pending.find(HOST_WORD)
                if at >= 0:
                    del self.pending[:at + 8]
                    return self.take(8)
                tail = bytes(self.pending[-7:])             # the word may have begun
                while not HOST_WORD.startswith(tail):
                    tail = tail[1:]
                self.pending[:] = tail
                self.fill(PATIENCE_MS if tail else None)
            except Silence:
                pass

    def next(self, limit):
        """The next frame's body, or None for one that was too large and is gone [FRAME-4]."""
        head = self.peek(4)
        size = int.from_bytes(head, "big")
        if head == HOST_WORD[:4] and self.peek(8) == HOST_WORD:
            raise Sync
        if size == 0 or size >= 1 << 31:
            del self.pending[:1]                            # the word may begin at the next byte
            raise Malformed(f"a frame cannot have {size} bytes")
        del self.pending[:4]
        if size > limit:
            self.skip(size)
            return None
        return self.take(size)

    def write(self, data):
        while data:
            data = data[os.write(self.sink, data):]

    def send(self, envelope):
        body = pack(envelope)
        self.write(struct.pack(">I", len(body)) + body)


# ------------------------------------------------- memory and system calls --

libc = ctypes.CDLL(None, use_errno=True)
PAGE = os.sysconf("SC_PAGESIZE")
POINTER_WIDTH = ctypes.sizeof(ctypes.c_void_p)
PROT_NONE, PROT_READ, PROT_WRITE, PROT_EXEC = 0, 1, 2, 4
MAP_PRIVATE_ANONYMOUS = 0x22 if os.uname().machine[:4] != "mips" else 0x802
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
MAP_32BIT = 0x40 if os.uname().machine == "x86_64" else 0
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.syscall.restype = ctypes.c_long
libc.syscall.argtypes = [ctypes.c_long] * 7
MAP_FAILED = ctypes.c_void_p(-1).value


def map_memory(size, protection, flags=0):
    address = libc.mmap(None, size, protection, MAP_PRIVATE_ANONYMOUS | flags, -1, 0)
    if address == MAP_FAILED:
        raise Refused(NO_MEMORY, f"mmap of {size} bytes: {os.strerror(ctypes.get_errno())}")   # [CALL-10]
    return address


class Memory:
    """The buffers of one call.  Each ends where an unreadable page begins [CALL-3], which also
    makes its address a multiple of the lowest set bit of its length; new pages are zero."""

    def __init__(self, buffers):
        self.addresses, spans = [], [-(-buffer["len"] // PAGE) * PAGE for buffer in buffers]
        self.size = sum(spans) + PAGE * len(spans)
        self.base = map_memory(self.size, PROT_READ | PROT_WRITE) if spans else 0
        at = self.base
        for buffer, span in zip(buffers, spans):
            at += span
            self.addresses.append(at - buffer["len"])
            if libc.mprotect(at, PAGE, PROT_NONE) != 0:
                self.free()
                raise Refused(NO_MEMORY, "mprotect of a guard page failed")
            at += PAGE
            data = buffer.get("data", b"")
            ctypes.memmove(self.addresses[-1], data, len(data))

    def free(self):
        if self.size:
            libc.munmap(self.base, self.size)


# Addresses that are no buffer's [PTR-4]: noncanonical and kernel, where the architecture has them.
NULL, UNMAPPED, NONCANONICAL, KERNEL_HALF, READONLY = range(5)
FIXED = {"x86_64": {NONCANONICAL: 1 << 62, KERNEL_HALF: 0xFFFFFFFF81000000},
         "aarch64": {NONCANONICAL: 1 << 54, KERNEL_HALF: 0xFFFF800008000000}}.get(os.uname().machine, {})
FIXED[NULL] = 0


def bad_address(kind, pages={}):
    """Its own pages are mapped when they are first wanted, and stay."""
    if kind in FIXED:
        return FIXED[kind]
    if kind not in pages:
        pages[kind] = map_memory(16 * PAGE, PROT_READ if kind == READONLY else PROT_NONE, MAP_32BIT)
    return pages[kind]


def machine_code(code):
    page = map_memory(PAGE, PROT_READ | PROT_WRITE)
    ctypes.memmove(page, code, len(code))
    libc.mprotect(page, PAGE, PROT_READ | PROT_EXEC)
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, ctypes.c_void_p)(page)


# long call(long nr, const long args[6]) for x86-64: six exact registers, the exact result.
X86_64 = bytes.fromhex(
    "4889f8"        # mov  rax, rdi         the number
    "488b3e"        # mov  rdi, [rsi]
    "488b5610"      # mov  rdx, [rsi+16]
    "4c8b5618"      # mov  r10, [rsi+24]
    "4c8b4620"      # mov  r8,  [rsi+32]
    "4c8b4e28"      # mov  r9,  [rsi+40]
    "488b7608"      # mov  rsi, [rsi+8]     last: it held the array
    "0f05")         # syscall
X86_64_RETURN = bytes.fromhex("c3")
# In the child of a fork the result is 0.  It may share our memory and stack, so it leaves here,
# before it touches either, and never comes near the channel [EXEC-7].
X86_64_CHILD_ENDS = bytes.fromhex(
    "4885c0"        # test rax, rax
    "7509"          # jne  +9
    "31ff"          # xor  edi, edi
    "b83c000000"    # mov  eax, 60          exit
    "0f05")         # syscall


class Kernel:
    """Raw system calls.  libc.syscall() is what other architectures use: it turns -4095 to -1 into
    -1 and errno, which can be undone exactly, since no other result of a system call is -1.  On a
    32-bit system its arguments are 32 bits wide, as the registers are."""

    TWICE = {56, 57, 58, 435}       # clone, fork, vfork, clone3 of x86-64

    def __init__(self):
        self.pid = os.getpid()
        self.exact = os.uname().machine == "x86_64" and POINTER_WIDTH == 8
        if self.exact:
            self.once = machine_code(X86_64 + X86_64_RETURN)
            self.twice = machine_code(X86_64 + X86_64_CHILD_ENDS + X86_64_RETURN)

    def call(self, nr, args):
        if self.exact:
            registers = (ctypes.c_uint64 * 6)(*args)
            return (self.twice if nr in self.TWICE else self.once)(nr, ctypes.addressof(registers))
        bits = 8 * POINTER_WIDTH
        values = [(value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1) for value in [nr] + args]
        ctypes.set_errno(0)
        ret = libc.syscall(*values)
        if os.getpid() != self.pid:
            os._exit(0)                                             # a fork's child
        return -ctypes.get_errno() if ret == -1 else ret


# What would end or damage the machine we run on [CALL-11], by architecture.
DENIED_CALLS = {"x86_64": {169: "reboot", 246: "kexec_load", 320: "kexec_file_load"},
                "aarch64": {142: "reboot", 104: "kexec_load", 294: "kexec_file_load"}}.get(os.uname().machine, {})

# -------------------------------------------------------------- operations --


def check_buffers(buffers, limits):
    if len(buffers) > limits["buffer_limit"]:
        raise Refused(LIMIT, f"more than {limits['buffer_limit']} buffers", "buffers")
    for index, buffer in enumerate(buffers):
        path = f"buffers[{index}]"
        if buffer["dir"] > 3:
            raise Refused(BAD_FIELD, "dir is 0 to 3", path + ".dir")
        if "data" in buffer and not buffer["dir"] & 1:
            raise Refused(BAD_FIELD, "data for a buffer that is not in", path + ".data")
        if len(buffer.get("data", b"")) > buffer["len"]:
            raise Refused(BAD_FIELD, "data is longer than the buffer", path + ".data")
    if sum(buffer["len"] for buffer in buffers) > limits["memory_limit"]:
        raise Refused(LIMIT, "more memory than agreed", "buffers")
    returned = [buffer["len"] for buffer in buffers if buffer["dir"] & 2]
    if sum(returned) + 16 * len(returned) + 64 > limits["frame_limit"]:
        raise Refused(LIMIT, "the reply would not fit into a frame", "buffers")


def check_capabilities(specs, in_use):
    for index, spec in enumerate(specs):
        if "pointers" not in in_use and not {"plus", "width", "bad"}.isdisjoint(spec):          # [PTR-1]
            raise Refused(UNKNOWN_FIELD, "the capability pointers is not in use", f"specs[{index}]")


def check_specs(specs, buffers, limits):
    if len(specs) > limits["spec_limit"]:
        raise Refused(LIMIT, f"more than {limits['spec_limit']} specs", "specs")
    for index, spec in enumerate(specs):
        path = f"specs[{index}]"
        if "bad" in spec:
            if spec["bad"] not in FIXED and spec["bad"] not in (UNMAPPED, READONLY):
                raise Refused(BAD_FIELD, "no such address here", path + ".bad")
            if spec["target"] != 0:
                raise Refused(BAD_FIELD, "0 where the address is no buffer's", path + ".target")
        elif spec["target"] >= len(buffers):
            raise Refused(BAD_FIELD, "no buffer of that index", path + ".target")
        if ("arg" in spec) == ("buffer" in spec) or ("offset" in spec) != ("buffer" in spec):
            raise Refused(BAD_FIELD, "a spec has either arg or buffer and offset", path)
        if spec.get("arg", 0) > 5:
            raise Refused(BAD_FIELD, "arg is 0 to 5", path + ".arg")
        if spec.get("width", 8) not in (4, 8) or "width" in spec and "arg" in spec:
            raise Refused(BAD_FIELD, "a width is 4 or 8, and an argument has none", path + ".width")
        if "buffer" in spec:
            if spec["buffer"] >= len(buffers):
                raise Refused(BAD_FIELD, "no buffer of that index", path + ".buffer")
            if spec["offset"] + spec.get("width", POINTER_WIDTH) > buffers[spec["buffer"]]["len"]:
                raise Refused(BAD_FIELD, "the pointer would stand beyond the buffer", path + ".offset")


def check_no_steps(specs):
    for index, spec in enumerate(specs):
        if "step" in spec:                                          # [PROG-2]
            raise Refused(UNKNOWN_FIELD, "a call has no steps", f"specs[{index}]")


def check_program(request, limits):
    """[PROG-12], [PROG-13]; buffers and specs are checked as a call's."""
    buffers, specs, steps, moves = (request.get(name, []) for name in ("buffers", "specs", "steps", "moves"))
    for name, items in (("steps", steps), ("moves", moves)):
        if len(items) > limits[name[:-1] + "_limit"]:
            raise Refused(LIMIT, f"more {name} than agreed", name)
    if not steps:
        raise Refused(BAD_FIELD, "a program has at least one step", "steps")
    for index, spec in enumerate(specs):
        if "step" in spec and ("arg" not in spec or spec["step"] >= len(steps)):
            raise Refused(BAD_FIELD, "no such step, or no argument", f"specs[{index}].step")
    for index, step in enumerate(steps):
        if "fail" in step and not index < step["fail"] <= len(steps) + 1:
            raise Refused(BAD_FIELD, "neither a later step nor an end", f"steps[{index}].fail")
        if step.get("keep", 0) > 1:
            raise Refused(BAD_FIELD, "0 or 1", f"steps[{index}].keep")
        if step["nr"] in DENIED_CALLS:
            raise Refused(DENIED, f"{DENIED_CALLS[step['nr']]} is refused outside a guest", f"steps[{index}].nr")
    before = 0
    for index, move in enumerate(moves):
        check_move(move, f"moves[{index}]", before, buffers, len(steps))
        before = move["step"]
    if request.get("repeat", 1) == 0:
        raise Refused(BAD_FIELD, "at least one round", "repeat")
    results = request.get("results", 0)
    if results > 3:
        raise Refused(BAD_FIELD, "0 to 3", "results")
    kept = sum(step.get("keep", 0) for step in steps) if results & 1 else len(steps)
    values = kept * (request.get("repeat", 1) if results & 2 else 1)
    outs = [buffer["len"] + 16 for buffer in buffers if buffer["dir"] & 2]
    if 64 + sum(outs) + 10 * values > limits["frame_limit"]:
        raise Refused(LIMIT, "the reply would not fit into a frame", "results")


def check_move(move, path, before, buffers, steps):
    def check_bytes(buffer, offset):
        if move[buffer] >= len(buffers):
            raise Refused(BAD_FIELD, "no buffer of that index", f"{path}.{buffer}")
        if move[offset] + move["width"] > buffers[move[buffer]]["len"]:
            raise Refused(BAD_FIELD, "beyond the buffer", f"{path}.{offset}")

    has = set(move)
    if not before <= move["step"] < steps:
        raise Refused(BAD_FIELD, "no such step, or an earlier one than the move before has", path + ".step")
    if ("width" in has) != bool(has & {"buffer", "from"}) or move.get("width", 8) not in (1, 2, 4, 8):
        raise Refused(BAD_FIELD, "bytes in a buffer have a width of 1, 2, 4 or 8", path + ".width")
    if "sign" in has and ("from" not in has or move["sign"] > 1):
        raise Refused(BAD_FIELD, "0 or 1, for bytes of a buffer", path + ".sign")
    if has & {"arg", "buffer", "offset"} not in ({"arg"}, {"buffer", "offset"}):
        raise Refused(BAD_FIELD, "a place is either arg or buffer and offset", path)
    if has & {"ret", "target", "from", "at"} not in (set(), {"ret"}, {"target"}, {"from", "at"}):
        raise Refused(BAD_FIELD, "a value is one of ret, target, from and at", path)
    if move.get("arg", 0) > 5:
        raise Refused(BAD_FIELD, "arg is 0 to 5", path + ".arg")
    if "ret" in has and move["ret"] >= move["step"]:
        raise Refused(BAD_FIELD, "not an earlier step", path + ".ret")
    if "target" in has and move["target"] >= len(buffers):
        raise Refused(BAD_FIELD, "no buffer of that index", path + ".target")
    if "buffer" in has:
        check_bytes("buffer", "offset")
    if "from" in has:
        check_bytes("from", "at")


class Program:
    """A program that was checked, and its memory."""

    def __init__(self, kernel, request, memory):
        self.kernel, self.memory, self.steps = kernel, memory, request["steps"]
        self.args = [(step.get("args", []) + [0] * 6)[:6] for step in self.steps]
        self.moves = [[] for _ in self.steps]
        for move in request.get("moves", []):
            self.moves[move["step"]].append(move)

    def value(self, move, rets):
        """[PROG-5]"""
        value = 0
        if "ret" in move:
            value = rets[move["ret"]]
        elif "from" in move:
            data = ctypes.string_at(self.memory.addresses[move["from"]] + move["at"], move["width"])
            value = int.from_bytes(data, sys.byteorder, signed=move.get("sign", 0) == 1)
        elif "target" in move:
            value = self.memory.addresses[move["target"]]
        return (value + move.get("plus", 0)) % (1 << 64)

    def move(self, move, rets):
        """[PROG-4], [PROG-6]"""
        value = self.value(move, rets)
        if "arg" in move:
            self.args[move["step"]][move["arg"]] = value
        else:
            low = (value % (1 << 8 * move["width"])).to_bytes(move["width"], sys.byteorder)
            ctypes.memmove(self.memory.addresses[move["buffer"]] + move["offset"], low, move["width"])

    def round(self):
        """What each step returned, None where it was skipped; whether another round may follow [PROG-7]."""
        rets, executed, index = [-1] * len(self.steps), set(), 0    # [PROG-9]
        while index < len(self.steps):
            for move in self.moves[index]:
                self.move(move, rets)
            rets[index] = self.kernel.call(self.steps[index]["nr"], self.args[index])
            executed.add(index)
            failed = -4095 <= rets[index] <= -1
            index = self.steps[index].get("fail", index + 1) if failed else index + 1
        return [rets[i] if i in executed else None for i in range(len(self.steps))], index <= len(self.steps)


class Agent:
    """Sessions on one channel, one executor: this process."""

    GENERATION = 1

    def __init__(self, channel):
        self.channel, self.kernel, self.instance = channel, Kernel(), os.urandom(16)     # [HELLO-6]
        self.start()

    def start(self):
        """A new session: nothing of an earlier one is left."""
        self.greeted, self.in_use = False, set()
        self.limits = {name: minimum for name, (_, minimum, _) in LIMITS.items()}

    def run(self):
        while True:
            nonce = self.channel.hunt()
            self.channel.write(AGENT_WORD + nonce)                  # [STREAM-3]
            self.start()
            try:
                while True:
                    self.serve(self.channel.next(self.limits["frame_limit"]))
            except Malformed as fault:                              # out of step [FRAME-5]
                self.channel.send([5, 0, MALFORMED, 0, 0, {0: str(fault)}])
            except (Silence, Sync, Goodbye):
                pass

    def serve(self, body):
        """One frame: at most one answer [ENV-9]."""
        if body is None:
            self.refuse(0, 0, 0, Refused(TOO_LARGE, "the frame is over the agreed limit"))
            return
        reader = Reader(body, self.limits["depth_limit"])
        try:
            envelope = reader.value()
            if reader.at != len(body):
                raise Malformed("bytes behind the value")           # [FRAME-2]
            self.check_envelope(envelope)
        except Malformed as fault:
            self.refuse(self.find_id(body), 0, 0, Refused(MALFORMED, str(fault)))
            return
        kind, request_id, op, worker, generation, fields = envelope
        if kind == 5:
            raise Goodbye                                           # [ENV-7]
        if kind == 0:
            try:
                self.channel.send([1, request_id, op, 0, self.GENERATION, self.request(op, worker, generation, fields)])
            except Refused as refusal:
                self.refuse(request_id, 0, self.GENERATION, refusal)
        # kind 4: a cancel is ignored, as ENV-6 allows: here nothing is ever waiting.

    @staticmethod
    def check_envelope(envelope):
        """[ENV-8]"""
        if type(envelope) is not list or len(envelope) != 6:
            raise Malformed("an envelope is an array of six")
        if any(type(number) is not int or not 0 <= number < 1 << 32 for number in envelope[:5]):
            raise Malformed("the first five elements of an envelope are unsigned integers of 32 bits")
        if type(envelope[5]) is not Map:
            raise Malformed("the sixth element of an envelope is a map")
        if envelope[0] not in (0, 4, 5):
            raise Malformed(f"kind {envelope[0]} is not one that a host sends")
        if envelope[0] == 0 and envelope[1] == 0:
            raise Malformed("a request's id is not 0")

    @staticmethod
    def find_id(body):
        """The id of what is no envelope, if its first two elements can be read [ENV-8], else 0."""
        try:
            heads = {0xDC: 3, 0xDD: 5}
            reader = Reader(body, 1)
            reader.at = heads.get(body[0], 1)
            if body[0] not in heads and not 0x92 <= body[0] <= 0x9F:
                return 0
            kind, request_id = reader.value(), reader.value()
        except Malformed:
            return 0
        both = all(type(number) is int and 0 <= number < 1 << 32 for number in (kind, request_id))
        return request_id if both else 0

    def refuse(self, request_id, worker, generation, refusal):
        body = {0: refusal.text, 2: 0}
        if refusal.path:
            body[1] = refusal.path
        self.channel.send([2, request_id, refusal.code, worker, generation, body])

    def request(self, op, worker, generation, fields):
        """The reply's body; the checks stand in the order of ERR-2."""
        if not self.greeted and op != 0:
            raise Refused(NO_HELLO, "the first request is hello")
        if self.greeted and op == 0:
            raise Refused(MALFORMED, "hello was said before")       # [HELLO-7]
        if worker != 0:
            raise Refused(NO_WORKER, f"there is no worker {worker}")
        if generation not in (0, self.GENERATION):
            raise Refused(WORKER_REPLACED, f"the generation is {self.GENERATION}")
        operations = {0: self.hello, 1: self.ping, 16: self.call}
        if "program" in self.in_use:                                # [PROG-1]
            operations[17] = self.program
        if op not in operations:
            raise Refused(UNKNOWN_OP, f"there is no operation {op}")
        return operations[op](fields)

    def hello(self, fields):
        request = HELLO_REQUEST(fields)
        if not request["version_min"] == 0 <= request["version_max"]:
            raise Refused(VERSION, "this agent speaks version 0 only")
        for name, (_, minimum, _) in LIMITS.items():
            if request[name] < minimum:
                raise Refused(BAD_FIELD, f"at least {minimum} is guaranteed", name)
        self.limits = {name: min(request[name], ours) for name, (_, _, ours) in LIMITS.items()}
        for name, (_, minimum, ours) in PROGRAM_LIMITS.items():
            if request.get(name, minimum) < minimum:
                raise Refused(BAD_FIELD, f"at least {minimum} is guaranteed", name)
            self.limits[name] = min(request.get(name, minimum), ours)
        self.greeted, self.in_use = True, CAPABILITIES.intersection(request["caps"])             # [HELLO-4]
        grease = random.randrange(1000, 10000)                      # something that nobody knows
        fields = {**LIMITS, **(PROGRAM_LIMITS if "program" in self.in_use else {})}
        reply = {fields[name][0]: self.limits[name] for name in fields}
        reply.update({0: 0, 2: sorted(CAPABILITIES) + [f"x-grease-{grease}"], 9: "provium example agent in python", 11: os.uname().machine,
                      12: 0 if sys.byteorder == "little" else 1, 13: POINTER_WIDTH, 14: PAGE, 15: os.uname().release,
                      16: self.instance, 17: self.GENERATION, grease: [True, {}]})
        return reply

    def ping(self, fields):
        request = PING_REQUEST(fields)
        if len(request.get("data", b"")) > 1024:
            raise Refused(BAD_FIELD, "at most 1024 bytes", "data")
        return {0: request["data"]} if "data" in request else {}

    def call(self, fields):
        request = CALL_REQUEST(fields)
        buffers, specs = request.get("buffers", []), request.get("specs", [])
        check_buffers(buffers, self.limits)
        check_capabilities(specs, self.in_use)
        check_specs(specs, buffers, self.limits)
        check_no_steps(specs)
        args = request.get("args", [])
        args += [0] * (6 - len(args))
        if request["nr"] in DENIED_CALLS:
            raise Refused(DENIED, f"{DENIED_CALLS[request['nr']]} is refused outside a guest")
        memory = Memory(buffers)                                    # [CALL-2]
        try:
            for spec in specs:                                      # [CALL-4]: in order, the later wins
                address = bad_address(spec["bad"]) if "bad" in spec else memory.addresses[spec["target"]]
                address = (address + spec.get("plus", 0)) % (1 << 64)                           # [PTR-2]
                if "arg" in spec:
                    args[spec["arg"]] = address
                else:
                    width = spec.get("width", POINTER_WIDTH)                                    # [PTR-3]
                    ctypes.memmove(memory.addresses[spec["buffer"]] + spec["offset"],
                                   (address % (1 << 8 * width)).to_bytes(width, sys.byteorder), width)
            reply = {0: self.kernel.call(request["nr"], args)}
            outs = [ctypes.string_at(address, buffer["len"])
                    for buffer, address in zip(buffers, memory.addresses) if buffer["dir"] & 2]
            if outs:
                reply[1] = outs
            return reply
        finally:
            memory.free()

    def program(self, fields):
        request = PROGRAM_REQUEST(fields)
        buffers, specs = request.get("buffers", []), request.get("specs", [])
        check_buffers(buffers, self.limits)
        check_capabilities(specs, self.in_use)
        check_specs(specs, buffers, self.limits)
        check_program(request, self.limits)
        memory = Memory(buffers)
        try:
            program = Program(self.kernel, request, memory)
            for spec in specs:                                      # [PROG-2]
                address = bad_address(spec["bad"]) if "bad" in spec else memory.addresses[spec["target"]]
                address = (address + spec.get("plus", 0)) % (1 << 64)
                if "arg" in spec:
                    program.args[spec.get("step", 0)][spec["arg"]] = address
                else:
                    width = spec.get("width", POINTER_WIDTH)
                    ctypes.memmove(memory.addresses[spec["buffer"]] + spec["offset"],
                                   (address % (1 << 8 * width)).to_bytes(width, sys.byteorder), width)
            return self.run_program(program, request, memory)
        finally:
            memory.free()

    @staticmethod
    def run_program(program, request, memory):
        """[PROG-8], [PROG-10], [PROG-11]"""
        results, values, rounds = request.get("results", 0), [], 0
        for _ in range(request.get("repeat", 1)):
            rets, more = program.round()
            rounds += 1
            if not results & 2:
                values = []
            values += [ret for ret, step in zip(rets, request["steps"]) if step.get("keep", 0) or not results & 1]
            if not more:
                break
        reply = {3: rounds}
        if values:
            reply[0] = [0 if value is None else value for value in values]
        if None in values:
            bits = sum(1 << i for i, value in enumerate(values) if value is None)
            reply[1] = bits.to_bytes((len(values) + 7) // 8, "little")
        outs = [ctypes.string_at(address, buffer["len"])
                for buffer, address in zip(request.get("buffers", []), memory.addresses) if buffer["dir"] & 2]
        if outs:
            reply[2] = outs
        return reply


def main():
    if sys.argv[1:] != ["--execute-here"]:
        sys.exit("usage: agent.py --execute-here\nIt executes any system call that it is asked to, on this machine.")
    # The channel moves away from 0 and 1, so that a host's calls see 3 as the lowest free descriptor [EXEC-8].
    source, sink = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200) for fd in (0, 1))
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1):
        os.dup2(null, fd)
    os.close(null)
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):  # as Python found them
        signal.signal(number, signal.SIG_DFL)
    try:
        Agent(Channel(source, sink)).run()
    except HangUp:
        pass                                                        # [STREAM-10]


if __name__ == "__main__":
    main()
