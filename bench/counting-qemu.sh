#!/bin/sh
# SPDX-License-Identifier: MIT
# QEMU with the plugin of count_plugin.c: provium_boot.qemu of the VMs whose instructions are counted.
exec qemu-system-x86_64 "$@" -plugin "file=$BENCH_PLUGIN,out=$BENCH_COUNTS"
