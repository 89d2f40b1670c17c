#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Prove the arrows of docs/architecture.md: who may include whom, that libwire needs
# nothing but the mem* family, and that libwire-value alone knows msgpack-c.  Prints one line a fault; exits 1 if there is any.
set -u
B=${B:-build}
faults=0

# refuse WHAT PATTERN FOLDER...: no file there may include what matches.
refuse() {
    what=$1 pattern=$2
    shift 2
    found=$(grep -rnE --include='*.[chS]' "#include [\"<](\.\./)*($pattern)" "$@" 2>/dev/null)
    [ -z "$found" ] && return
    printf '%s:\n%s\n' "$what" "$found"
    faults=1
}

refuse 'libwire includes another part' '(agent|libprovium|bindings|conformance)/|provium\.h|agent\.h' libwire
refuse 'libprovium includes the agent' 'agent/|agent\.h' libprovium
refuse 'the agent includes the host' 'libprovium/|provium\.h' agent
refuse 'conformance includes host or agent' '(agent|libprovium)/|provium\.h|agent\.h' conformance
refuse 'an _impl.h outside its folder' '.*_impl\.h' bindings conformance examples bench libwire/value
refuse 'msgpack-c outside libwire-value' 'msgpack' libwire/*.[ch] libprovium agent bindings conformance
refuse 'libwire does more than bytes' '(stdio|stdlib|unistd|errno|time)\.h' libwire

# needs LIBRARY PATTERN: its undefined symbols all match.
needs() {
    undefined=$(nm -u "$B/$1.a" 2>/dev/null | sed -n 's/^ *U //p' | sort -u |
        grep -vE "^(wire_.*|mem(cpy|move|set|cmp)|bcmp${2:+|$2}|__(asan|ubsan|stack_chk).*|_GLOBAL_OFFSET_TABLE_)$")
    if [ -n "$undefined" ]; then
        printf '%s needs more than it may:\n%s\n' "$1" "$undefined"
        faults=1
    fi
    if [ "$(nm -u "$B/$1.a" 2>/dev/null | wc -l)" -eq 0 ]; then
        echo "no $B/$1.a to look at"
        faults=1
    fi
}

needs libwire
needs libwire-value 'strlen|malloc|free|msgpack_[a-z_]+'
exit $faults
