#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the program tells: exit statuses, the last line, known failures, reports.
#
#   cli.sh [PROGRAM]            default: build/provium-conformance
here=$(dirname "$0")
suite=${1:-$here/../../build/provium-conformance}
agent="$(python3 -c 'import sys; print(sys.executable)') -S $here/../../examples/agents/python/agent.py --execute-here"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect STATUS TEXT ARGS...: the exit status, and an extended regex that some line of the output matches.
expect() {
    status=$1 text=$2
    shift 2
    "$suite" "$@" >"$work/out" 2>&1
    got=$?
    if [ $got -ne "$status" ] || ! { [ -z "$text" ] || grep -qE -e "$text" "$work/out"; }; then
        echo "FAIL: $*: exit status $got, expected $status and a line like: $text"
        cat "$work/out"
        failures=$((failures + 1))
    fi
}

case_file() { # NAME: a folder with the shared macros and one file from stdin
    mkdir -p "$work/$1"
    cp "$here/../../conformance/cases/shared.case" "$work/$1"
    cat >"$work/$1/one.case"
}

case_file wrong <<'END'
case one/wrong
  title A ping is not a reply to hello
  proves PING-1
  do open
  frame 96 00 02 01 00 00 80
  reply 2 hello {0: 5}
END
case_file should <<'END'
case one/should
  title What need not be
  proves PING-1
  should
  do open
  silence 50
  end
END
case_file crash <<'END'
case one/crash
  title The agent kills itself
  proves PING-1
  do open
  frame 96 00 02 10 00 00  81 00 %getpid
  reply 2 call {0: $pid=1..}
  frame 96 00 03 10 00 00  82 00 %kill 01 92 $pid 0b
  reply 3 call {0: 0}
END
case_file syntax <<'END'
case one/syntax
  title A pattern without an end
  reply 2 ping {0: 5
END
printf 'one/wrong   # we know\n' >"$work/known"
printf '*   # everything\n' >"$work/stale"

expect 2 '^usage:' nonsense
expect 2 '^usage:' run
expect 2 'unrecognized|^usage:' run --nonsense
expect 2 'one.case:3: reply 2 ping' run --exec "$agent" --cases "$work/syntax"
expect 2 'No such file' run --exec "$agent" --cases "$work/nothing"
expect 3 'no hello from .*/bin/false' run --exec /bin/false
expect 3 'exit status 127' run --exec "$work/no-such-agent"
expect 4 '^0 passed, 0 failed$' run --exec "$agent" --filter 'no/such/case'
expect 4 '^0 passed, 0 failed, 1 skipped$' run --exec "$agent" --filter executor/ended/exit
expect 0 '^1 passed, 0 failed$' run --exec "$agent" --filter ping/empty
expect 0 'H>  00 00 00 07 96 00 02 01 00 00 80$' run --exec "$agent" --filter ping/empty -v
expect 1 '^0 passed, 1 failed$' run --exec "$agent" --cases "$work/wrong"
expect 1 'PING-1: The reply carries the same data' run --exec "$agent" --cases "$work/wrong"
expect 1 'expected +\[1, 2, %hello, 0, \$gen, \{0: 5\}\]' run --exec "$agent" --cases "$work/wrong"
expect 1 'one.case:6: reply 2 hello' run --exec "$agent" --cases "$work/wrong"
expect 1 "again +provium-conformance run --exec .* --filter 'one/wrong' -v" run --exec "$agent" --cases "$work/wrong"
expect 4 '^0 passed, 0 failed, 1 skipped$' run --exec "$agent" --cases "$work/wrong" --known "$work/known"
expect 1 '^STALE ping/empty$' run --exec "$agent" --filter ping/empty --known "$work/stale"
expect 4 '^WARN  one/should$' run --exec "$agent" --cases "$work/should" --timeout 300
expect 1 '^FAIL  one/should$' run --exec "$agent" --cases "$work/should" --timeout 300 --strict
expect 1 'the agent was killed by signal 11' run --exec "$agent" --cases "$work/crash"
expect 0 '^call/plain ' list
expect 4 '' list --filter nothing
expect 0 '^CALL-3: A buffer ends' show call/guard/kernel-reads
expect 4 'no such case' show call/nothing
expect 0 '^1 passed' run --exec "$agent" --filter ping/empty --json "$work/json"
python3 - "$work/json" <<'END' || failures=$((failures + 1))
import json, sys
report = json.load(open(sys.argv[1]))
assert report["schema"] == 1 and report["passed"] == 1 and report["cases"][0]["id"] == "ping/empty", report
END

[ $failures -eq 0 ] && echo "the program tells what it should"
