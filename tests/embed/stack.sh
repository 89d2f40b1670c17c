#!/bin/bash
# SPDX-License-Identifier: MIT
# No function of libwire takes more stack than wire(7) states, all that it calls included, at -O2 and at -Os.
set -eu
make -s B="$B" amalgamation
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for opt in -O2 -Os; do
    gcc -std=c11 $opt -fno-stack-protector -fcallgraph-info=su -c "$B/amalgamation/wire.c" -o "$dir/wire.o"
    python3 - "$dir/wire.ci" $opt <<'PY'
import re, sys
own, calls = {}, {}
for line in open(sys.argv[1]):
    node = re.match(r'node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes \(([a-z,]+)', line)
    edge = re.match(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', line)
    if node:
        own[node[1]] = int(node[2]) + 8
        assert node[3] in ("static", "dynamic,bounded"), line  # nothing sized by input
    if edge:
        calls.setdefault(edge[1], set()).add(edge[2])


def deepest(name, above=()):
    """Records of libwire's tables are two deep, so that a function stands at most twice in a chain."""
    if above.count(name) == 2:
        return 0
    return own.get(name, 0) + max((deepest(n, above + (name,)) for n in calls.get(name, ())), default=0)


limits = {"wire_path": 3072, "wire_print": 2300, "wire_decode_call_request": 2300, "wire_decode_hello_reply": 2300,
          "wire_check": 1300, "wire_put_map": 300, "wire_put_time": 300, "wire_get_map": 300, "wire_get_str": 300}
assert limits.keys() <= own.keys()
for name in own:
    if ":" not in name:
        assert deepest(name) <= limits.get(name, 3072), (name, deepest(name))
most = max((n for n in own if ":" not in n), key=deepest)
print(sys.argv[2], *("%s %d" % (n, deepest(n)) for n in limits), "most: " + most)
PY
done
