#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What each step is good for: one workload in a booted VM, paused in seven ways; fcpause writes the memory
# file, and beside it Firecracker does. Each snapshot is loaded again: its files are as they were, all its
# memory can be used, its kernel says nothing.

load helpers

# variant NAME, options of pause
variant() {
	boot
	workload
	measure_pause "chain_$1" "${@:2}"
}

BY_FIRECRACKER=(--writer firecracker --no-reclaim --no-drain)
NO=(--no-reclaim --no-drain)

@test "Firecracker alone: a Full snapshot" {
	variant full "${BY_FIRECRACKER[@]}" --no-trim --type full
	local bytes
	bytes=$(tail -n 1 "$FCPAUSE_LIVE_FIGURES" | jq .chain_full.bytes)
	[ "$bytes" = $((512 << 20)) ]
}

@test "Firecracker alone: a Diff" { variant diff "${BY_FIRECRACKER[@]}" --no-trim; }

@test "Firecracker, and trim" { variant trim "${BY_FIRECRACKER[@]}"; }

@test "nothing" { variant nothing "${NO[@]}"; }

@test "reclaim" { variant reclaim "${NO[@]}" --reclaim "${CAPS[@]}"; }

@test "drain" { variant drain "${NO[@]}" --drain --fph-timeout-ms 60000; }

@test "reclaim and drain" { variant all --reclaim "${CAPS[@]}" --drain --fph-timeout-ms 60000; }

@test "fcpause writes less than Firecracker, and the least after a reclaim" {
	jq -se 'add | .chain_nothing.written_bytes as $nothing | .chain_reclaim.written_bytes as $reclaim
		| $nothing < .chain_diff.written_bytes and .chain_diff.written_bytes < .chain_full.written_bytes
		and $reclaim < $nothing
		and .chain_nothing.bytes <= .chain_trim.bytes * 1.1' "$FCPAUSE_LIVE_FIGURES"
}
