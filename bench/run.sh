#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Run the groups of benchmarks, or the one that GROUP names; put their rows together as
# $B/bench.json.  A figure that misses its bar is printed, and is no failure.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
rows=$B/bench/rows
json=$B/bench.json

# The first line of what a command prints, as the inside of a JSON string.
say() { { "$@" 2>&1 || true; } | head -n 1 | tr -d '"\\' | tr '\t' ' '; }

version() { printf '%s    "%s": "%s"' "$comma" "$1" "$2" && comma=',
'; }

versions() {
    comma=
    version provium "$(say "$B/provium" --version)"
    version qemu "$(say qemu-system-x86_64 --version)"
    version guest_kernel "$(say readlink "${XDG_CACHE_HOME:-$HOME/.cache}/provium/kernels/default")"
    version host_kernel "$(say uname -sr)"
    version lua "$(say lua5.4 -v)"
    for package in libmsgpack-dev libmpack-dev libmsgpuck-dev; do
        version "$package" "$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || echo missing)"
    done
}

machine="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1 | tr -d '"\\'), $(nproc) cores, $(uname -m)"
compiler=$(say sh -c "${CC:-gcc} --version")

groups=${GROUP:-$(cd "$B/bench" && ls -d codec call vm 2>/dev/null || true)}
printf 'machine: %s\ncompiler: %s\nversions: {\n%s\n}\n' "$machine" "$compiler" "$(versions)"
mkdir -p "$B/bench"
: >"$rows"
for g in $groups; do
    [ -x "$B/bench/$g" ] || {
        echo "bench: there is no group '$g'" >&2
        exit 2
    }
    "$B/bench/$g" "$B" "$rows.$g"
    cat "$rows.$g" >>"$rows"
done

{
    printf '{\n  "machine": "%s",\n  "compiler": "%s",\n  "versions": {\n%s\n  },\n  "rows": [\n' \
        "$machine" "$compiler" "$(versions)"
    sed 's/^/    /; $!s/$/,/' "$rows"
    printf '  ]\n}\n'
} >"$json"

met=$(grep -c '"met": true' "$rows" || true)
missed=$(grep -c '"met": false' "$rows" || true)
printf '\n%s of %s bars are met (%s)\n' "$met" "$((met + missed))" "$json"
