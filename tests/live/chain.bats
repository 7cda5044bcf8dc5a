#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What each step is good for: one workload in a booted VM, paused in six ways; beside it what
# Firecracker does by itself. Each snapshot is loaded again: its files are as they were, all its
# memory can be used, its kernel says nothing.

load helpers

# variant NAME, options of pause
variant() {
	boot
	workload
	measure_pause "chain_$1" "${@:2}"
}

NO=(--no-reclaim --no-drain --no-trim)

@test "Firecracker alone: a Full snapshot" {
	variant full "${NO[@]}" --type full
	local bytes
	bytes=$(tail -n 1 "$FCPAUSE_LIVE_FIGURES" | jq .chain_full.bytes)
	[ "$bytes" = $((512 << 20)) ]
}

@test "nothing" { variant nothing "${NO[@]}"; }

@test "reclaim" { variant reclaim "${NO[@]}" --reclaim "${CAPS[@]}"; }

@test "drain" { variant drain "${NO[@]}" --drain --fph-timeout-ms 60000; }

@test "reclaim and drain" {
	variant reclaim_drain "${NO[@]}" --reclaim "${CAPS[@]}" --drain --fph-timeout-ms 60000
}

@test "trim" { variant trim --no-reclaim --no-drain; }

@test "reclaim, drain and trim" {
	variant all --reclaim "${CAPS[@]}" --drain --fph-timeout-ms 60000
}

@test "drain and trim make the memory file smaller, all together smallest" {
	jq -se 'add | .chain_nothing.bytes as $nothing | .chain_all.bytes as $all
		| $nothing < .chain_full.bytes and .chain_trim.bytes < $nothing
		and .chain_reclaim_drain.bytes < $nothing
		and ([.chain_reclaim, .chain_drain, .chain_reclaim_drain, .chain_trim | .bytes >= $all] | all)' \
		"$FCPAUSE_LIVE_FIGURES"
}
