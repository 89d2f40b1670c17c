# SPDX-License-Identifier: MIT
#
# For the tests of the command: sourced by each, which ends with `finish`.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
B=$(cd "${B:-build}" && pwd)
provium=$B/provium
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
touch "$dir/out" "$dir/err"
passed=0 failed=0

# check NAME COMMAND...: a test that passes when the command succeeds.
check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "  $name ... ok"
    else
        failed=$((failed + 1))
        echo "  $name ... FAIL: $*"
        sed 's/^/      /' "$dir/out" "$dir/err"
    fi
}

# script NAME: standard input becomes a script in the test's folder.
script() { cat >"$dir/$1"; }

# run STATUS ARGUMENT...: run the command, keep its output in out and err; is that its exit status?
run() {
    local expected=$1 status
    shift
    "$provium" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
    [ "$status" -eq "$expected" ] || { echo "exit status $status, not $expected" >>"$dir/err" && false; }
}

# last LINE: the last line of standard output is exactly that.
last() { [ "$(tail -n 1 "$dir/out")" = "$1" ]; }
says() { grep -qF -- "$1" "$dir/out"; }
complains() { grep -qF -- "$1" "$dir/err"; }
quiet() { [ ! -s "$dir/$1" ]; }

# alive PID: the process is there, and no zombie.
alive() {
    local state
    state=$(grep '^State:' "/proc/$1/status" 2>/dev/null) && [[ $state != *Z* ]]
}

# gone PID...: within ten seconds none of the processes is left.
gone() {
    local pid
    for pid in "$@"; do
        for _ in {1..200}; do
            alive "$pid" || continue 2
            sleep 0.05
        done
        return 1
    done
}

finish() {
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}
