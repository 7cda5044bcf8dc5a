#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An orchestrator that writes the memory of the real Firecracker's VM itself (scripts/examples/go-export): what it
# would have copied, and what it copies when it asks fcpause first.

load helpers

MIB=1048576

# export_memory FIGURE OUT: sets WITHOUT and COPIED, the two figures that it prints, and keeps them.
export_memory() {
	run "$FCPAUSE_LIVE_EXPORT" -fcpause "$FCPAUSE" -api-sock "$SOCK" -pid "$FC_PID" -out "$2"
	echo "$output"
	[ "$status" -eq 0 ]
	WITHOUT=$(awk '/ bytes would have been copied/ {print $1}' <<<"$output")
	COPIED=$(awk '/ bytes would have been copied/ {print $7}' <<<"$output")
	jq -n --argjson without "$WITHOUT" --argjson copied "$COPIED" '{$without, $copied}' >"$T/out"
	figure "$1" '{without, copied}'
}

# is_the_memory FILE: but for free pages it is what Firecracker writes of the Paused VM. The devices go on between
# the two: some pages may have been written since.
is_the_memory() {
	fcp snapshot --api-sock "$SOCK" --snapshot-path "$DIR/full.snap" --mem-file-path "$DIR/full.mem" --type full \
		--writer firecracker --force
	expect 0
	free_alike "$DIR/full.mem" "$1"
	[ "$(stat -c %s "$1")" = "$(stat -c %s "$DIR/full.mem")" ]
	[ "$(cmp -l "$DIR/full.mem" "$1" | awk '{p = int(($1 - 1) / 4096); if (p != last || NR == 1) n++; last = p} END {print n + 0}')" -le 16 ]
}

@test "a booted VM's memory, exported: neither what is free nor zeros is copied" {
	[ -n "${FCPAUSE_LIVE_EXPORT:-}" ] || skip 'needs go, 1.20 or later'
	boot
	workload
	guest 'dd if=/dev/urandom of=/tmp/big bs=1M count=100; rm /tmp/big' 2>/dev/null
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$DIR/a.snap" --mem-file-path "$DIR/a.mem"
	expect 0
	export_memory export_booted "$DIR/out.mem"
	[ $((WITHOUT - COPIED)) -gt $((80 * MIB)) ]
	is_the_memory "$DIR/out.mem"
	rm "$DIR"/out.mem "$DIR"/full.*
}

@test "a restored VM's memory, exported: what has changed and is in use; over the base it is the VM's memory" {
	[ -n "${FCPAUSE_LIVE_EXPORT:-}" ] || skip 'needs go, 1.20 or later'
	stop_vm
	restore "$DIR/a.snap" "$DIR/a.mem"
	guest 'dd if=/dev/urandom of=/tmp/more bs=1M count=5; dd if=/dev/urandom of=/tmp/big bs=1M count=100; rm /tmp/big' 2>/dev/null
	api PATCH /vm '{"state":"Paused"}'
	export_memory export_restored "$DIR/layer.mem"
	[ "$COPIED" -ge $((5 * MIB)) ]
	[ $((WITHOUT - COPIED)) -gt $((80 * MIB)) ]
	fcp merge --base "$DIR/a.mem" --layer "$DIR/layer.mem" --out "$DIR/whole.mem" --any-base
	expect 0
	is_the_memory "$DIR/whole.mem"
}
