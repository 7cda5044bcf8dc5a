#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# snapshot and pause on the real Firecracker where it writes the memory file itself: which type, what goes
# wrong, checkpoints. (writer.bats: where fcpause does.)

load helpers
eval "helpers_$(declare -f setup)"

setup() {
	helpers_setup
	export FCPAUSE_WRITER=firecracker
}

snapshot() { fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$T/s.snap" --mem-file-path "$T/s.mem" "$@"; }

@test "a booted VM without dirty tracking: a Diff, and it is complete" {
	boot
	workload
	snapshot
	expect 0
	expect_json '.type == "Diff"' '.layer == false' '.vm_state == "Paused"' '.paused_ms > 0'
	figure snapshot_diff '{ms, paused_ms, bytes: $bytes}' --argjson bytes "$(on_disk "$T/s.mem")"
	[ "$(on_disk "$T/s.mem")" -lt $((400 << 20)) ]
	mv "$T"/s.* "$DIR"
}

@test "the same as a Full" {
	api PATCH /vm '{"state":"Resumed"}'
	snapshot --type full
	expect 0
	expect_json '.type == "Full"'
	figure snapshot_full '{ms, paused_ms, bytes: $bytes}' --argjson bytes "$(on_disk "$T/s.mem")"
}

@test "no directory: refused before the guest is paused" {
	api PATCH /vm '{"state":"Resumed"}'
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$T/none/s.snap" --mem-file-path "$T/s.mem"
	expect 1
	expect_json '.error.message | contains("none")'
	vm_is Running
	[ ! -e "$T/s.mem" ]
}

@test "no room: the VM runs on, nothing is left" {
	mkdir "$T/small"
	mount -t tmpfs -o size=64m tmpfs "$T/small"
	fcp snapshot --json --type full --api-sock "$SOCK" --snapshot-path "$T/small/s.snap" --mem-file-path "$T/small/s.mem"
	local left
	left=$(ls -A "$T/small")
	umount "$T/small"
	expect 1
	expect_json '.vm_state == "Running"' '.error.message | test("room|space")'
	[ -z "$left" ]
	vm_is Running
}

# What another takes meanwhile is met by Firecracker itself.
@test "no room, met by Firecracker half-way: the VM is resumed, nothing is left" {
	mkdir "$T/small"
	mount -t tmpfs -o size=700m tmpfs "$T/small"
	fcp_start snapshot --json --type full --api-sock "$SOCK" --snapshot-path "$T/small/s.snap" --mem-file-path "$T/small/s.mem"
	writing() { [ "$(du -sm "$T/small" | cut -f1)" -gt 5 ]; }
	within 120 writing
	head -c 400000000 /dev/zero >"$T/small/other" || true
	fcp_end
	local left
	left=$(ls -A "$T/small")
	umount "$T/small"
	expect 1
	expect_json '.vm_state == "Running"'
	[ "$left" = other ]
	vm_is Running
	same_sums
}

@test "resumed: a Full, since the memory is a file's; its input is left alone" {
	sync
	local before
	before=$(md5sum <"$DIR/s.mem")
	restore "$DIR/s.snap" "$DIR/s.mem"
	guest 'dd if=/dev/urandom of=/tmp/more bs=1M count=20 2>/dev/null'
	snapshot
	expect 0
	expect_json '.type == "Full"'
	figure snapshot_resumed '{ms, paused_ms}'
	[ "$(md5sum <"$DIR/s.mem")" = "$before" ]
	fcp madvise-ranges --json --mem-file-path "$DIR/s.mem" --find free,zero
	expect 1
	expect_json '.error.message | contains("firecracker")'
}

@test "dirty tracking: a Full first; then a Diff is a layer, which is not mistaken for a whole file" {
	boot --track
	workload
	snapshot --resume
	expect 0
	expect_json '.type == "Full"' '.vm_state == "Running"'
	guest 'dd if=/dev/urandom of=/tmp/more bs=1M count=20 2>/dev/null'
	fcp snapshot --json --api-sock "$SOCK" --type diff --snapshot-path "$T/d.snap" --mem-file-path "$T/d.mem"
	expect 0
	expect_json '.type == "Diff"' '.layer'
	local bytes
	bytes=$(on_disk "$T/d.mem")
	figure snapshot_layer '{ms, paused_ms, bytes: $bytes}' --argjson bytes "$bytes"
	[ "$bytes" -gt $((20 << 20)) ]
	[ "$bytes" -lt $((256 << 20)) ]
	stop_vm
	fcp madvise-ranges --json --mem-file-path "$T/d.mem" --find zero
	expect 3
	[ "$(on_disk "$T/d.mem")" = "$bytes" ]
}

@test "five checkpoints of a running VM, each loaded again" {
	boot
	workload
	local i
	for i in 1 2 3 4 5; do
		guest "echo $i >/tmp/round"
		fcp pause --resume --json --api-sock "$SOCK" --envd "$ENVD" --reclaim "${CAPS[@]}" --steps drop_caches \
			--snapshot-path "$T/$i.snap" --mem-file-path "$T/$i.mem"
		expect 0
		expect_json '.vm_state == "Running"'
		figure "checkpoint_$i" '{ms, paused_ms, type: .steps[2].type, bytes: .steps[3].mem_file.allocated_bytes}'
	done
	for i in 1 2 3 4 5; do
		restore "$T/$i.snap" "$T/$i.mem"
		[ "$(guest 'cat /tmp/round')" = "$i" ]
		same_sums
	done
	uses_all_its_memory
	kernel_is_quiet
}
