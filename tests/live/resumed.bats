#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The resume-build flow: a VM restored from a snapshot works, and is paused again. What each step is
# good for there, and what it costs; and what Firecracker's writing costs there.

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

# variant [--track] NAME, options of pause
variant() {
	local track=
	[ "$1" != --track ] || { track=$1; shift; }
	stop_vm
	cp --sparse=always "$DIR/disk.saved" "$DIR/disk"
	# On tmpfs a hole that is read through a mapping takes room from then on.
	cp --sparse=always "$DIR/s.mem" "$DIR/r.mem"
	restore $track "$DIR/s.snap" "$DIR/r.mem"
	build
	measure_pause "resumed_$1" --use build "${@:2}"
}

BY_FIRECRACKER=(--writer firecracker --no-reclaim --no-drain)

@test "Firecracker alone: a Full snapshot" { variant full "${BY_FIRECRACKER[@]}" --no-trim --type full; }

@test "Firecracker, and trim" { variant trim "${BY_FIRECRACKER[@]}" --type full; }

@test "Firecracker alone: a Diff of what is resident, which is a layer" {
	variant diff "${BY_FIRECRACKER[@]}" --no-trim --type diff
}

@test "Firecracker alone: a Diff with dirty tracking, which is a layer" {
	variant --track tracked "${BY_FIRECRACKER[@]}" --no-trim --type diff
}

@test "nothing" { variant nothing --no-reclaim --no-drain; }

@test "reclaim" { variant reclaim --no-drain --reclaim "${CAPS[@]}"; }

@test "drain, ceiling 1.5 s" { variant drain --no-reclaim --drain; }

@test "reclaim and drain, with all the time they want" {
	variant all --reclaim "${CAPS[@]}" --drain --fph-timeout-ms 120000
}

@test "the snapshot that they came from is as it was" {
	stop_vm
	cp --sparse=always "$DIR/disk.saved" "$DIR/disk"
	is_whole "$DIR/s.snap" "$DIR/s.mem"
}
