#!/bin/bash
# SPDX-License-Identifier: MIT
# set-up: nothing to do is silent; without root and sudo the missing packages are named.
set -eu
fake=$(mktemp -d)
trap 'rm -rf "$fake"' EXIT
[ -z "$(tools/setup.sh check)" ]

printf '#!/bin/sh\nfor last; do :; done\n[ "$last" = lz4 ] || echo installed\n' >"$fake/dpkg-query"
printf '#!/bin/sh\necho 1000\n' >"$fake/id"
printf '#!/bin/sh\nexit 1\n' >"$fake/sudo"
printf '#!/bin/sh\necho apt-get was called; exit 9\n' >"$fake/apt-get"
chmod +x "$fake"/*
if said=$(PATH="$fake:$PATH" tools/setup.sh build 2>&1); then
    echo "succeeded without the right to install"
    exit 1
fi
case $said in
*apt-get\ was\ called*) exit 1 ;;
*'apt-get install lz4') ;;
*) echo "said: $said"; exit 1 ;;
esac
tools/setup.sh nonsense 2>/dev/null && exit 1
[ "$?" = 2 ]
