#!/bin/bash
# SPDX-License-Identifier: MIT
# Every WIRE_WITHOUT_x builds without warnings, works, and is smaller; a program links what it uses. wire(7) states the sizes.
set -eu
make -s B="$B" amalgamation
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$B"/amalgamation/wire.[ch] "$B/libwire.a" docs/man/wire.7 "$dir"
cd "$dir"
small='-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Os -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables'

# text FILE: bytes of code and constants
text() { size "$1" | awk 'NR == 2 { print $1 + $2 }'; }

# build NAME FLAG...
build() {
    local name=$1
    shift
    # shellcheck disable=SC2086
    gcc $small -ffunction-sections -fdata-sections "$@" -c wire.c -o "$name.o"
    echo '#include "wire.h"' | g++ -x c++ -std=c++17 -Wall -Wextra -Werror "$@" -I. -fsyntax-only -
    printf '%-24s %6d bytes\n' "$name" "$(text "$name.o")"
}

# stated WORDS OBJECT: wire(7) is right about its size, give or take 1.5 KB
stated() {
    local kb
    kb=$(sed -nE "s/^\.It $1 Ta ([0-9]+) KB Ta.*/\1/p" wire.7)
    awk -v said="$kb" -v is="$(text "$2")" 'BEGIN { d = said * 1000 - is; exit d < -1500 || d > 1500 }' ||
        { echo "wire(7) says $kb KB of $2: $(text "$2")"; exit 1; }
}

build everything
stated nothing everything.o
for group in hello ping program call regions names; do
    build "without $group" -DWIRE_WITHOUT_$group
    [ "$(text "without $group.o")" -lt "$(text everything.o)" ]
    stated WIRE_WITHOUT_$group "without $group.o"
done
build 'ping alone' -DWIRE_WITHOUT_hello -DWIRE_WITHOUT_regions -DWIRE_WITHOUT_call -DWIRE_WITHOUT_names
build 'no operation, no names' -DWIRE_WITHOUT_hello -DWIRE_WITHOUT_regions -DWIRE_WITHOUT_ping -DWIRE_WITHOUT_call -DWIRE_WITHOUT_names
stated 'all of them' 'no operation, no names.o'

cat >ping.c <<'C'
#include "wire.h"
int main(void)
{
    uint8_t buf[64];
    struct wire_writer w;
    struct wire_envelope e;
    struct wire_ping_request ping = {.has = 1, .data = {(const uint8_t *)"abc", 3}}, back;
    size_t at;
    wire_writer_init(&w, buf, sizeof buf);
    wire_begin(&w, &(struct wire_envelope){.kind = WIRE_REQUEST, .id = 1, .code = WIRE_OP_ping});
    wire_put_ping_request(&w, &ping);
    if (wire_end(&w) || wire_get_envelope(buf + 4, w.len - 4, &e, &at))
        return 1;
    return wire_decode_ping_request(e.body, &back, &at) || back.data.len != 3;
}
C
gcc -std=c11 -Wall -Werror -DWIRE_WITHOUT_hello -DWIRE_WITHOUT_regions -DWIRE_WITHOUT_call -DWIRE_WITHOUT_names ping.c 'ping alone.o' -o ping
./ping

# what values and nothing else take of the library, by the linker's doing
cat >values.c <<'C'
#include "wire.h"
int values(uint8_t *buf, size_t len);
int values(uint8_t *buf, size_t len)
{
    struct wire_writer w;
    struct wire_reader r;
    struct wire_bytes text = {(const uint8_t *)"text", 4};
    wire_writer_init(&w, buf, len);
    wire_put_map(&w, 1);
    wire_put_str(&w, text);
    wire_put_uint(&w, 300);
    wire_reader_init(&r, buf, w.len);
    wire_get_map(&r);
    wire_get_str(&r, &text);
    return wire_get_uint(&r, 400) == 300 && wire_reader_end(&r) == WIRE_OK && wire_writer_end(&w) == WIRE_OK;
}
C
cat >mem.c <<'C'
#include <stddef.h>
void *memcpy(void *a, const void *b, size_t len) { return len ? a : (void *)b; }
void *memmove(void *a, const void *b, size_t len) { return len ? a : (void *)b; }
void *memset(void *a, int b, size_t len) { return len ? a : (void *)(size_t)b; }
int memcmp(const void *a, const void *b, size_t len) { return a == b && len; }
int bcmp(const void *a, const void *b, size_t len) { return a == b && len; }
C
# shellcheck disable=SC2086
gcc $small -c values.c mem.c
# taken NAME OBJECT: the size of a program of values.c and OBJECT, without values.c
taken() {
    gcc -nostdlib -static -no-pie -Wl,-e,values,--gc-sections,--build-id=none -o program values.o mem.o "$2"
    taken=$(($(text program) - $(text values.o)))
    printf '%-24s %6d bytes\n' "$1" "$taken"
}
taken 'values alone, -Os' everything.o
[ "$taken" -lt 4096 ]
taken 'values alone, libwire.a' libwire.a
[ "$taken" -lt "$(($(size -t libwire.a | awk 'END { print $1 }') / 3))" ]
