#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a pause freezes in the guest, by the real envd: the workload stands still, the disk is consistent
# without a replay of its journal, and both go on once the restored guest is thawed.

load helpers

LIMITS=(--freeze-timeout-ms 1m --collapse-timeout-ms 2m --fs-freeze-timeout-ms 1m)

teardown_file() { stop_vm; }

ticks() { guest 'wc -c </run/ticks'; }
more_ticks_than() { [ "$(ticks)" -gt "$1" ]; }

@test "a checkpoint: frozen for the pause, and thawed as soon as the VM runs" {
	local before
	boot
	workload
	guest 'while :; do printf x >>/run/ticks; usleep 100000; done >/dev/null 2>&1 </dev/null &'
	within 60 more_ticks_than 0
	fcp pause --json --freeze --fs-freeze --resume "${LIMITS[@]}" --api-sock "$SOCK" --envd "$ENVD" \
		--snapshot-path "$DIR/c.snap" --mem-file-path "$DIR/c.mem"
	expect 0
	expect_json '.quiesce | [.freeze, .fs_freeze, .fs_thaw, .unfreeze] | map(.status) | unique == ["ok"]' \
		'.quiesce.freeze.frozen >= 1' '.quiesce.kept == false' '.vm_state == "Running"'
	before=$(ticks)
	within 60 more_ticks_than "$before"
	guest 'echo written >/root/written; sync'
	rm "$DIR"/c.*
}

@test "paused: the disk is clean; restored and thawed the guest goes on where it stood" {
	local before
	fcp pause --json --freeze --collapse --fs-freeze --reclaim "${LIMITS[@]}" "${CAPS[@]}" --api-sock "$SOCK" \
		--envd "$ENVD" --snapshot-path "$DIR/s.snap" --mem-file-path "$DIR/s.mem"
	expect 0
	expect_json '.quiesce | [.freeze, .collapse, .fs_freeze] | map(.status) | unique == ["ok"]' '.quiesce.kept' \
		'.vm_state == "Paused"'
	stop_vm
	e2fsck -fn "$DIR/disk"
	restore "$DIR/s.snap" "$DIR/s.mem"
	fcp resume --json --thaw --api-sock "$SOCK" --envd "$ENVD"
	expect 0
	expect_json '.thawed'
	same_sums
	before=$(ticks)
	within 60 more_ticks_than "$before"
	[ "$(guest 'echo again >>/root/written; cat /root/written')" = $'written\nagain' ]
	kernel_is_quiet
	stop_vm
}
