#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Is the conformance suite itself right?  A good agent passes all of it, and
# each mutant of that agent fails in the cases that were written against its
# fault.  A mutant is a sed script for agent.py; its first line names cases.
#
#   selftest.sh [PROGRAM]              default: build/provium-conformance
#   ALL=1 selftest.sh                  every case that a mutant names, not the first only
#   selftest.sh PROGRAM MUTANT.sed     one mutant, with what the suite said
here=$(dirname "$0")
suite=${1:-$here/../../build/provium-conformance}
agent=$here/../../examples/agents/python/agent.py
python=${PYTHON:-$(python3 -c 'import sys; print(sys.executable)')} # the interpreter itself, not what looks for it
export PYTHON="$python"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

good() {
    "$suite" run --strict --exec "$python -S $agent --execute-here" --filter "$1" >"$work/good" 2>&1 && return
    cat "$work/good"
    echo "FAIL: the good agent does not pass $1"
    return 1
}

# The named case fails; "open" says that no session opens at all.
caught() {
    case=$1 expected=1
    [ "$case" = open ] && case=ping/empty expected=3
    "$suite" run --strict --timeout 3000 --exec "$python -S $work/agent.py --execute-here" --filter "$case" \
        >"$work/out" 2>&1
    [ $? -eq $expected ] && return
    cat "$work/out"
    echo "FAIL: $script: not caught by $1"
    return 1
}

mutant() {
    script=$1
    sed -f "$script" "$agent" >"$work/agent.py"
    if cmp -s "$work/agent.py" "$agent"; then
        echo "FAIL: $script changes nothing"
        return 1
    fi
    for case in $(sed -n '1s/^# caught by: //p' "$script"); do
        caught "$case" || return 1
        [ -n "$ALL" ] || break
    done
}

if [ -n "$2" ]; then
    case $2 in
    *.sed) mutant "$2" ;;
    *) good "$2" ;;
    esac
    exit
fi
# Half of the time of "stream" is waiting, so three things at once suit two processors.
{ echo 'stream/*' && ls "$here"/mutants/*.sed && printf '%s\n' '[a-d]*' '[ef]*' '[g-r]*' 's[!t]*' '[t-z]*'; } |
    xargs -P 3 -n 1 "$0" "$suite" || exit 1
echo "the good agent passes, $(ls "$here"/mutants/*.sed | wc -l) mutants are caught"
