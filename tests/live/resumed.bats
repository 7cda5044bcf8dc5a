#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The resume-build flow: a VM restored from a snapshot works, and is paused again. What each step is
# good for there, and what it costs.

load helpers

# What a build does: memory and disk that are used, and not any more.
build() {
	guest 'dd if=/dev/zero of=/root/object bs=1M count=50; sync; rm /root/object
		dd if=/dev/zero of=/tmp/big bs=1M count=150; rm /tmp/big' >/dev/null 2>&1
}

@test "the snapshot to begin with" {
	boot
	workload
	fcp pause --json --api-sock "$SOCK" --envd "$ENVD" --reclaim "${CAPS[@]}" \
		--snapshot-path "$DIR/s.snap" --mem-file-path "$DIR/s.mem"
	expect 0
	cp --sparse=always "$DIR/disk" "$DIR/disk.saved"
	stop_vm
}

# variant NAME, options of pause
variant() {
	stop_vm
	cp --sparse=always "$DIR/disk.saved" "$DIR/disk"
	restore "$DIR/s.snap" "$DIR/s.mem"
	build
	measure_pause "resumed_$1" --use build "${@:2}"
}

@test "nothing" { variant nothing --no-reclaim --no-drain --no-trim; }

@test "trim" { variant trim --no-reclaim --no-drain; }

@test "reclaim and trim" { variant reclaim_trim --no-drain --reclaim "${CAPS[@]}"; }

@test "drain and trim, ceiling 1.5 s" { variant drain_trim --no-reclaim --drain; }

@test "drain and trim, with all the time it wants" {
	variant long_drain_trim --no-reclaim --drain --fph-timeout-ms 120000
}

@test "reclaim, drain and trim, with all the time they want" {
	variant all --reclaim "${CAPS[@]}" --drain --fph-timeout-ms 120000
}

@test "the snapshot that they came from is as it was" {
	stop_vm
	cp --sparse=always "$DIR/disk.saved" "$DIR/disk"
	is_whole "$DIR/s.snap" "$DIR/s.mem"
}
