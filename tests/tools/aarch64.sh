#!/bin/bash
# SPDX-License-Identifier: MIT
# The aarch64 agent says hello and answers under qemu-user.
exec "$B/provium-conformance" run --filter 'hello/*' --exec "qemu-aarch64 $B/provium-agent-aarch64 --execute-here"
