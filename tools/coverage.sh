#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Which branches of libwire its own tests and the fuzz corpora take: a table by file.  Run by
# `make coverage`, on a tree that was built with --coverage.
set -eu
B=${B:-build/cov}
cd "$(dirname "$0")/.."
find "$B" -name '*.gcda' -delete
for t in "$B"/tests/wire/test_*; do
    case $t in *.d | *.gcno) ;; *) "$t" --jobs 2 >"$B/coverage.log" 2>&1 || { cat "$B/coverage.log"; exit 1; } ;; esac
done
for t in "$B"/fuzz/replay-{value,reader,message,frame}; do
    "$t" "fuzz/corpus/${t##*-}" >"$B/coverage.log" 2>&1 || { cat "$B/coverage.log"; exit 1; }
done
gcov --json-format --stdout --branch-probabilities "$B"/obj/libwire/*.gcda | tools/coverage.py "$@"
