#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each rule of SPEC.md is proved by a case or excluded with a reason, and no
# case names a rule that is not there.
top=$(dirname "$0")/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

report() { # FILE TEXT: each line of the file is a fault
    [ -s "$1" ] || return
    sed "s|\$|: $2|" "$1"
    status=1
}

grep -oE '^(- |[0-9]+\. |\| )\[[A-Z]+-[0-9]+\]' "$top/SPEC.md" | grep -oE '[A-Z]+-[0-9]+' | sort >"$work/all"
sort -u "$work/all" >"$work/rules"
sed -n 's/^  proves //p' "$top"/conformance/cases/*.case | tr -s ' ' '\n' | sort -u >"$work/proved"
sed -n 's/^\([A-Z]*-[0-9]*\) .*/\1/p' "$top/conformance/excluded.txt" | sort >"$work/excluded"
grep -hv -e '^#' "$top/conformance/excluded.txt" | grep -vE '^[A-Z]+-[0-9]+ +[^ ]' >"$work/no_reason"
grep -h '^case ' "$top"/conformance/cases/*.case | wc -l >"$work/cases"
grep -h '^  proves [A-Z]' "$top"/conformance/cases/*.case | wc -l >"$work/proofs"

uniq -d "$work/all" >"$work/twice"
report "$work/twice" "this id is given to two rules of SPEC.md"
sort -u "$work/proved" "$work/excluded" | comm -23 "$work/rules" - >"$work/open"
report "$work/open" "no case proves this rule, and conformance/excluded.txt does not list it"
comm -13 "$work/rules" "$work/proved" >"$work/unknown"
report "$work/unknown" "a case names this rule, but SPEC.md has none of that id"
comm -13 "$work/rules" "$work/excluded" >"$work/gone"
report "$work/gone" "conformance/excluded.txt lists this rule, but SPEC.md has none of that id"
comm -12 "$work/proved" "$work/excluded" >"$work/both"
report "$work/both" "a case proves this rule: take it off conformance/excluded.txt"
report "$work/no_reason" "a line of conformance/excluded.txt without an id and a reason"
if ! cmp -s "$work/cases" "$work/proofs"; then
    echo "a case names no rule"
    status=1
fi
[ $status -eq 0 ] || exit 1
echo "$(wc -l <"$work/rules") rules: $(wc -l <"$work/proved") proved by $(cat "$work/cases") cases," \
    "$(wc -l <"$work/excluded") excluded"
