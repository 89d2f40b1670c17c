#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Install what is missing from Debian, and nothing that is there.
#
#   setup.sh build     what building and running takes
#   setup.sh check     that, and what the tests take
#   setup.sh bench     that, and the peers that the bench measures
set -eu

build='gcc libc6-dev make pkg-config qemu-system-x86 lua5.4 liblua5.4-dev libjansson-dev libmsgpack-dev lz4 xz-utils zstd kmod'
check="$build libcriterion-dev clang g++ cmake python3 qemu-user gcc-aarch64-linux-gnu linux-libc-dev-arm64-cross binutils-s390x-linux-gnu"
bench="$check libmpack-dev libmsgpuck-dev"

case ${1:-build} in
build) wanted=$build ;;
check) wanted=$check ;;
bench) wanted=$bench ;;
*)
    echo "usage: setup.sh [build|check|bench]" >&2
    exit 2
    ;;
esac

missing=
for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as_root=sudo
else
    echo "setup: these Debian packages are missing, and neither root nor sudo is at hand:" >&2
    echo "setup:   apt-get install$missing" >&2
    exit 1
fi

echo "setup: installing from Debian:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -qq update
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
if ! $as_root apt-get -qq install -y --no-install-recommends $missing >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup: apt-get failed; the packages are:$missing" >&2
    exit 1
fi
