#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# madvise-ranges --pid: the free pages of a paused VM's live memory. The simulator
# holds the memory of the made-up Linux guest of tests/unit/guest_fixture.

load helpers

# A VM whose memory is that guest's.
guest_vm() {
	! ldd "$(sim_bin)" | grep -q libasan || skip "a sanitizer's own memory in the simulator hides the guest's"
	guest_file guest
	sim_start --boot --no-envd --memory 32 --memory-content "$T/guest" "$@"
}

process() { fcp madvise-ranges --api-sock "$SIM_SOCK" --pid "$SIM_PID" --json "$@"; }

@test "a memfd: what is free is released in it, and reads as zeros; all else is as it was" {
	guest_vm --backing memfd
	sim_patch /vm '{"state":"Paused"}'
	fcp madvise-ranges --mem-file-path guest --find free --list
	expect 0
	grep -v '^#' out >ranges
	[ -s ranges ]
	process --find free
	expect 0
	expect_json '.status == "ok"' '.free_bytes > 0' '.released_bytes == .free_bytes' \
		'.guest.release == "6.1.0-fixture"' '[.guest.gates[].state] | all(. == "passed")' \
		'.mem_file.logical_bytes == 33554432' '.mem_file.allocated_bytes < .mem_file.allocated_before_bytes'
	fcp snapshot --api-sock "$SIM_SOCK" --type full --snapshot-path snap --mem-file-path mem
	expect 0
	while read -r start length _; do
		dd if=/dev/zero of=guest bs=4096 seek=$((start / 4096)) count=$((length / 4096)) conv=notrunc 2>/dev/null
	done <ranges
	cmp guest mem
}

@test "what is listed of the live memory is what is found in the memory file" {
	guest_vm --backing memfd
	sim_patch /vm '{"state":"Paused"}'
	process --list
	expect 0
	jq -r '.list[] | "\(.[0]) \(.[1]) \(.[2])"' out >live
	fcp madvise-ranges --mem-file-path guest --find free --list
	diff live <(grep -v '^#' out)
}

@test "private memory is found, not released: exit 3, with what to do instead" {
	guest_vm
	sim_patch /vm '{"state":"Paused"}'
	process -n
	expect 0
	expect_json '.free_bytes > 0' '.released_bytes == 0'
	process
	expect 3
	expect_json '.status == "unsupported"' '.released_bytes == 0' \
		'.reason | contains("private") and contains("balloon") and contains("memory file")'
	fcp snapshot --api-sock "$SIM_SOCK" --type full --snapshot-path snap --mem-file-path mem
	cmp guest mem
}

@test "a Running VM is not read; nor is a process that is not behind the socket" {
	guest_vm --backing memfd
	process
	expect 1
	expect_json '.error.class == "state"' '.reason | contains("Running")'
	sim_patch /vm '{"state":"Paused"}'
	fcp madvise-ranges --api-sock "$SIM_SOCK" --pid $$ --json
	expect 2
	expect_json '.error.class == "usage"' ".reason | contains(\"$SIM_PID\")"
}

@test "without the right to trace the process: exit 3, and it says so" {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || skip 'needs root and setpriv'
	guest_vm --backing memfd
	sim_patch /vm '{"state":"Paused"}'
	chmod -R a+rwX "$T"
	status=0
	setpriv --reuid 65534 --regid 65534 --clear-groups "$FCPAUSE" madvise-ranges --api-sock "$SIM_SOCK" \
		--pid "$SIM_PID" --json >"$T/out" 2>"$T/err" || status=$?
	[ "$status" -ne 127 ] && [ "$status" -ne 126 ] || skip 'another user cannot reach the binary'
	if grep -q 'cannot connect' "$T/err"; then skip 'another user cannot reach the socket'; fi
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("trace")'
}

@test "it goes with no file, no ranges, no holes, and needs the socket" {
	guest_vm
	fcp madvise-ranges --pid "$SIM_PID" --json
	expect 2
	expect_err api-sock
	process --mem-file-path guest
	expect 2
	process --find zero
	expect 2
}

@test "F4: memory that a page-fault handler fills in: no missing page is touched, nothing hangs; exit 3" {
	guest_vm
	sim_patch /vm '{"state":"Paused"}'
	fcp snapshot --api-sock "$SIM_SOCK" --type full --snapshot-path snap --mem-file-path mem
	expect 0
	"$(sim_bin)" --uffd-handler "$T/uffd.sock" --mem-file-path "$T/mem" 3>&- 4>&- &
	HANDLER=$!
	until [ -S "$T/uffd.sock" ]; do kill -0 "$HANDLER" || return 1; done
	SIM_NAME=b sim_start --no-envd --memory 32
	sim_put /snapshot/load "{\"snapshot_path\":\"$T/snap\",\"mem_backend\":{\"backend_type\":\"Uffd\",\"backend_path\":\"$T/uffd.sock\"}}" ||
		{ kill "$HANDLER"; skip 'no userfaultfd'; }
	# The handler stands still: a page that is touched would never come.
	kill -STOP "$HANDLER"
	process --find free -n
	kill -CONT "$HANDLER"
	sim_stop
	wait "$HANDLER" || true
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("userfaultfd")'
}
