#!/bin/bash
# SPDX-License-Identifier: MIT
# The examples of libwire compile against what `make install` puts somewhere, and print what they should.
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make -s B="$B" install DESTDIR="$root" PREFIX=/usr >/dev/null
at=$root/usr
export LD_LIBRARY_PATH=$at/lib
cd "$at/share/doc/provium/examples/wire"
for name in encode decode stream own_ops value; do
    library=libwire$(case $name in value) echo -value ;; esac)
    # shellcheck disable=SC2046
    gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I. $name.c \
        $(PKG_CONFIG_LIBDIR=$at/lib/pkgconfig pkg-config --define-variable=prefix="$at" --cflags --libs "$library") -o "$root/$name"
    [ "$(wc -l <$name.c)" -lt 80 ]
done
cd "$root"

./encode >bytes 2>size
[ "$(cat size)" = "$(stat -c %s bytes) bytes" ]
diff - <(./decode <bytes) <<'TEXT'
map of 4
"name"
"roof"
"at"
ext -1 of 8 bytes
"celsius"
array of 2
21.5
22.25
"raw"
bin of 4 bytes
TEXT
python3 - <<'PY'
import struct
t = 1700000000 | 500000000 << 34
want = b"\x84\xa4name\xa4roof\xa2at\xd7\xff" + struct.pack(">Q", t) + b"\xa7celsius\x92" \
    + struct.pack(">BdBd", 0xcb, 21.5, 0xcb, 22.25) + b"\xa3raw\xc4\x04\xde\xad\xbe\xef"
assert open("bytes", "rb").read() == want
PY
if head -c 30 bytes | ./decode 2>said; then exit 1; fi
grep -qx 'decode: byte 24: the bytes end inside a value' said

[ "$(./value cellar <bytes 2>&1 >sorted)" = 'was roof' ]
python3 - <<'PY'
was, now = open("bytes", "rb").read(), open("sorted", "rb").read()
at, celsius, raw = was.index(b"\xa2at"), was.index(b"\xa7celsius"), was.index(b"\xa3raw")
assert now == was[:1] + was[at:celsius] + was[raw:] + b"\xa4name\xa6cellar" + was[celsius:raw]
PY
if head -c 30 bytes | ./value 2>said; then exit 1; fi
grep -qx 'value: byte 24: the bytes end inside a value' said

diff - <(./stream) <<'TEXT'
1: 5 bytes, no error
2: 100000 bytes, no error
no error
TEXT

diff - <(./own_ops) <<'TEXT'
32 bytes, as wire_size said: 32
{name="triangle" corners=[{x=0 y=0} {x=300 y=0} {x=0 y=-7}] closed=true}
triangle has 3 corners, the last at 0, -7; opacity is not given
byte 29, "corners[2].y": value of another type
TEXT
