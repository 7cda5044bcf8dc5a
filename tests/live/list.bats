#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# On the real Firecracker: what is listed of a Paused VM's memory is what its memory file
# holds, as Firecracker writes it.

load helpers

MIB=1048576

live() { fcp madvise-ranges --api-sock "$SOCK" --pid "$FC_PID" --list --find "$@"; }
ranges() { grep -v '^#' "$T/out" >"$1"; }

# as_in_file FIND: the list of the VM, in $T/live, and that of the whole file beside it, compared with the base.
as_in_file() {
	fcp madvise-ranges --mem-file-path "$DIR/full.mem" --base "$DIR/a.mem" --holes zero --list --find "$1"
	expect 0
	ranges "$T/file"
	[ -s "$T/live.$1" ]
	diff "$T/live.$1" "$T/file"
}

@test "restored, after work: each page is listed as what the memory file holds, and a layer stores what has changed" {
	local find changed
	boot
	workload
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$DIR/a.snap" --mem-file-path "$DIR/a.mem"
	expect 0
	stop_vm
	restore "$DIR/a.snap" "$DIR/a.mem"
	guest 'dd if=/dev/urandom of=/tmp/more bs=1M count=5; dd if=/dev/zero of=/tmp/big bs=1M count=100; rm /tmp/big' 2>/dev/null
	api PATCH /vm '{"state":"Paused"}'
	for find in free,zero,base,changed base,changed changed; do
		live $find
		expect 0
		ranges "$T/live.$find"
	done
	live free,zero,base,changed --json
	expect_json '([.list[] | .[1]] | add) == .mem_file.logical_bytes' ".free_bytes > 100 * $MIB" \
		'.base_file.path | endswith("/a.mem")' '[.guest.gates[].state] | all(. == "passed")'
	figure list_all '{ms, free_bytes, zero_bytes, base_bytes, changed_bytes, ranges: (.list | length)}'
	live free,changed --json
	expect_json ".changed_bytes >= 5 * $MIB and .changed_bytes < 60 * $MIB"
	figure list_changed '{ms, free_bytes, changed_bytes, ranges: (.list | length)}'
	changed=$(jq .changed_bytes "$T/out")
	live free,changed --align 2M --json
	expect_json ".changed_bytes == $changed" '.list | all(.[0] % 2097152 == 0 and .[1] % 2097152 == 0)'
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$DIR/l.snap" --mem-file-path "$DIR/l.mem" --layer --verify
	expect 0
	# The devices go on between the two: a page or two may have been written since.
	expect_json ".memory.written_bytes + .memory.dropped_bytes - $changed | . <= 65536 and . >= -65536"
	fcp inspect --mem-file-path "$DIR/l.mem" --base "$DIR/a.mem" --holes base --json
	expect 0
	expect_json ".layer_bytes - $changed | . <= 65536 and . >= -65536"
	rm "$DIR"/l.*
	fcp snapshot --api-sock "$SOCK" --snapshot-path "$DIR/full.snap" --mem-file-path "$DIR/full.mem" --type full --writer firecracker
	expect 0
	for find in free,zero,base,changed base,changed changed; do as_in_file $find; done
}
