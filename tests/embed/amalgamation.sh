#!/bin/bash
# SPDX-License-Identifier: MIT
# build/amalgamation: wire.h and wire.c compile alone, need nothing but mem*, and live twice in one program under two prefixes.
set -eu
make -s B="$B" amalgamation
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/provium"
cp "$B"/amalgamation/wire*.[ch] "$dir/provium"
cp examples/wire/own_ops.c examples/wire/shapes.def "$dir"
cd "$dir"
warn='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'

# two files and no other
mv provium/wire_ops.h .
echo '#include "wire.h"' >provium/include.cc
for cc in gcc clang; do
    # shellcheck disable=SC2086
    {
        $cc -std=c11 $warn -O2 -c provium/wire.c -o alone.o
        $cc -std=c11 $warn -Os -ffreestanding -fno-stack-protector -nostdlib -c provium/wire.c -o free.o
        $cc -std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only provium/include.cc
    }
done
mv wire_ops.h provium

# freestanding: it links with these five and nothing else
cat >mem.c <<'C'
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t len) { for (size_t i = 0; i < len; i++) ((char *)to)[i] = ((const char *)from)[i]; return to; }
void *memmove(void *to, const void *from, size_t len) { return memcpy(to, from, len); }
void *memset(void *p, int byte, size_t len) { for (size_t i = 0; i < len; i++) ((char *)p)[i] = (char)byte; return p; }
int memcmp(const void *a, const void *b, size_t len) { return *(const char *)a - *(const char *)b + (int)len; }
int bcmp(const void *a, const void *b, size_t len) { return memcmp(a, b, len); }
C
gcc -std=c11 -O1 -ffreestanding -fno-stack-protector -c mem.c
gcc -nostdlib -static -Wl,-e,wire_print -o free free.o mem.o

# two copies, each with a table of its own, whose functions stay in their file
sed -i '0,/^#define WIRE_OPS_FILE/s//#define WIRE_OPS_API static __attribute__((unused))\n&/' own_ops.c
for p in one_ two_; do
    gcc -std=c11 -O2 -DWIRE_SYMBOL_PREFIX=$p -c provium/wire.c -o ${p}wire.o
    # shellcheck disable=SC2086
    gcc -std=c11 $warn -O2 -I. -DWIRE_SYMBOL_PREFIX=$p -Dmain=${p}main -c own_ops.c -o ${p}own.o
    nm -g --defined-only ${p}wire.o | awk '{ print $3 }' | sort >${p}names
done
if grep -v '^one_wire_' one_names; then exit 1; fi
diff <(nm -g --defined-only alone.o | awk '{ print $3 }' | sort) <(sed 's/^one_//' one_names)
[ "$(wc -l <one_names)" -gt 100 ]
echo 'int one_main(void); int two_main(void); int main(void) { return one_main() || two_main(); }' >both.c
gcc -o both both.c one_*.o two_*.o
gcc -std=c11 -O2 -I. own_ops.c provium/wire.c -o single
./single >once
cat once once | diff - <(./both)
grep -q '^byte 29, "corners\[2\].y": value of another type$' once
