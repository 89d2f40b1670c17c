#!/bin/bash
# SPDX-License-Identifier: MIT
#
# libwire on machines of other widths and byte orders: the golden messages and the generic layer, without
# a libc, under qemu-user; and natively under the sanitizers.  cross.sh [i386] [s390x] [native]
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
warn='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Werror'
bare='-ffreestanding -nostdinc -fno-stack-protector -fno-pie -fno-pic -static -nostdlib'
sources="tests/cross/*.c tests/support/any.c tests/support/samples.c libwire/*.c"

python3 - >"$dir/vectors.inc" <<'PY'
import json
for v in json.load(open("tests/vectors/messages.json"))["messages"]:
    frame = "".join("\\%03o" % b for b in bytes.fromhex(v["frame"]))
    print('{%s, %s, %s, "%s", %d},' % (*(json.dumps(v[k]) for k in ("name", "record", "text")), frame, len(v["frame"]) // 2))
PY

[ $# -gt 0 ] || set -- i386 s390x native
for m; do
    include="-isystem tests/cross/include -I$dir -isystem" # the compiler's own headers
    # shellcheck disable=SC2086
    case $m in
    i386)
        gcc -m32 -std=c11 -O2 $warn $bare $include "$(gcc -print-file-name=include)" $sources -o "$dir/i386"
        qemu-i386 "$dir/i386" ;;
    s390x)
        clang --target=s390x-linux-gnu -std=c11 -O2 $warn $bare $include "$(clang -print-resource-dir)/include" $sources -o "$dir/s390x"
        qemu-s390x "$dir/s390x" ;;
    native)
        gcc -std=c11 -O1 -g $warn -fsanitize=address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE -I"$dir" $sources -o "$dir/native"
        "$dir/native" ;;
    esac | sed "s/^/$m: /" | tee -a "$dir/said"
done
awk '{ p += $2; f += $4 } END { print p " passed, " f " failed"; exit p == 0 }' <(grep ' passed, 0 failed$' "$dir/said")
