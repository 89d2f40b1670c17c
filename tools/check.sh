#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Run the tests: check.sh [fast] [vm] [deep] [code].  A suite is one command; its count is read from
# its own closing line.  The last line is the sum: N passed, N failed.
set -u
B=${B:-build}
export B
cd "$(dirname "$0")/.." || exit 2
logs=$B/check
mkdir -p "$logs"
passed=0 failed=0 skipped=0
out=

# report NAME PASSED FAILED SKIPPED SECONDS
report() {
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
    printf '  %-34s %5d passed %4d failed %4d skipped %6ss\n' "$@"
}

# What a suite's output says of itself, as "passed failed skipped"; nothing if it says nothing.
counts() {
    sed -E 's/\x1b\[[0-9;]*m//g' "$1" | sed -nE \
        -e 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 0\4/p' \
        -e 's/.*Tested: [0-9]+ \| Passing: ([0-9]+) \| Failing: ([0-9]+) \| Crashing: ([0-9]+).*/\1 \2+\3 0/p' | tail -n 1
}

# suite NAME COMMAND...: run it; without a count of its own it is one test.
suite() {
    local name=$1 p f s start=$SECONDS status
    shift
    out=$logs/$(echo "$name" | tr -c 'a-zA-Z0-9\n' _).log
    "$@" >"$out" 2>&1 </dev/null
    status=$?
    read -r p f s <<<"$(counts "$out")"
    if [ -z "${p:-}" ]; then
        p=$((status == 0)) f=$((status != 0)) s=0
    fi
    f=$((f)) s=$((10#$s))
    [ "$status" -ne 0 ] && [ "$f" -eq 0 ] && f=1
    report "$name" "$p" "$f" "$s" $((SECONDS - start))
    if [ "$f" -gt 0 ]; then
        sed 's/^/    | /' "$out" | tail -n 40
    fi
}

same_spec() {
    make -s B="$B" "$B/specgen" && "$B/specgen" SPEC.md | diff SPEC.md - && echo "SPEC.md agrees with ops.def"
}

nothing_to_do() {
    [ "$(make B="$B" all 2>&1 | grep -vcE '^make(\[[0-9]+\])?: ')" = 0 ]
}

# What a tree of its own flags can run: the code, not the tools around it.
code() {
    for t in "$B"/tests/{wire,provium,agent}/test_*; do
        case $t in *.d) ;; *) suite "${t#"$B"/tests/}" "$t" --jobs 2 ;; esac
    done
    for t in "$B"/fuzz/replay-*; do
        case $t in *.d) ;; *) suite "fuzz corpus: ${t##*-}" "$t" "fuzz/corpus/${t##*-}" ;; esac
    done
    for t in tests/lua/*.lua; do
        suite "${t#tests/}" "$B/provium" run "$t"
    done
    suite 'conformance: agent' "$B/provium-conformance" run --strict --level survival \
        --exec "$B/provium-agent --execute-here"
}

fast() {
    suite 'arrows' tools/check-arrows.sh
    suite 'SPEC.md tables' same_spec
    suite 'golden messages' python3 tests/vectors/vectors.py check
    suite 'msgpack vectors' python3 tests/vectors/msgpack.py check
    suite 'a rebuild does nothing' nothing_to_do
    code
    for t in tests/tools/*.sh; do
        suite "${t#tests/}" bash "$t"
    done
}

vm() {
    for t in "$B"/tests/vm/test_*; do
        case $t in *.d) ;; *) suite "${t#"$B"/tests/}" "$t" --jobs 1 ;; esac
    done
    for t in tests/vm/*.lua; do
        suite "${t#tests/}" "$B/provium" run "$t"
    done
    for t in examples/*.lua; do
        suite "$t" "$B/provium" run "$t"
    done
    for t in tests/cli/*.sh; do
        suite "${t#tests/}" bash "$t"
    done
}

# The same tests under ASan and UBSan; a leak or an undefined shift is a failure.
sanitized() {
    make -s -j"$(nproc)" B="$B/san" SAN=1 check-build >/dev/null && B=$B/san ASAN_OPTIONS=detect_leaks=1 tools/check.sh code
}

# The other compiler, with the same warnings as errors.
other_compiler() {
    make -s -j"$(nproc)" B="$B/clang" CC=clang all
}

deep() {
    for t in tests/conformance/*.sh tests/embed/*.sh; do
        suite "${t#tests/}" bash "$t"
    done
    suite 'conformance: Python agent' "$B/provium-conformance" run --exec 'python3 examples/agents/python/agent.py --execute-here'
    suite 'clang, warnings as errors' other_compiler
    suite 'fast tests, ASan and UBSan' sanitized
}

shopt -s nullglob
for part in "${@:-fast}"; do
    case $part in
    fast | vm | deep | code) echo "$part:" && $part ;;
    *)
        echo "usage: check.sh [fast] [vm] [deep] [code]" >&2
        exit 2
        ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
