#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# snapshot:
#  - pauses (an already paused VM stays so), creates; --resume resumes after success
#  - --type full|diff|auto: auto is a Diff where that is complete, else Full, and says why
#  - an open hinting run is stopped first; room is checked before the pause
#  - both files whole or not at all; targets that are there are replaced only with --force
#  - relative paths are the caller's; the JSON of the step

load helpers

CREATE='PUT /snapshot/create {"snapshot_type":"Diff","snapshot_path":"T/snap.fcpause-tmp","mem_file_path":"T/mem.fcpause-tmp"}'

# Nothing was asked of the VM but its state.
untouched() { run ! grep -qE '^(PUT|PATCH)' "$SIM_LOG"; }

snapshot() { fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --json "$@"; }

@test "a running VM: paused, created, left paused" {
	vm
	snapshot
	expect 0
	expect_no_err
	expect_json '.command == "snapshot"' '.status == "ok"' '.type == "Diff"' '.layer == false' '.created == true' \
		'.vm_state == "Paused"' '.paused_ms > 0' '.ms >= .paused_ms' \
		'.snapshot_path == "snap"' '.mem_file_path == "mem"' 'has("error") | not'
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	$CREATE
	E
	expect_state '.state == "Paused"'
	[ "$(length mem)" -eq 16777216 ]
	[ -s snap ]
	expect_no_temporary
}

@test "what was written can be loaded, and the guest has all it had" {
	vm --workload 8,4,2
	snapshot
	expect 0
	SIM_NAME=b sim_start --memory 16
	sim_load "$T/snap" "$T/mem"
	expect_state '.checksum_ok' '.state == "Running"' '.used_bytes > 0'
}

@test "--resume: the VM runs again, and stood still for the creation only" {
	vm
	snapshot --resume
	expect 0
	expect_json '.status == "ok"' '.vm_state == "Running"' '.created' '.paused_ms > 0'
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	$CREATE
	PATCH /vm {"state":"Resumed"}
	E
	expect_state '.state == "Running"' '.checksum_ok'
	[ -s snap ] && [ -s mem ]
	expect_no_temporary
}

@test "an already paused VM stays so, and is not asked to pause" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	: >"$SIM_LOG"
	snapshot
	expect 0
	expect_json '.vm_state == "Paused"' '.paused_ms == 0'
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	$CREATE
	E
	expect_state '.state == "Paused"'
}

@test "an already paused VM with --resume runs afterwards" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	snapshot --resume
	expect 0
	expect_json '.vm_state == "Running"'
	expect_state '.state == "Running"'
}

@test "--type: full is Full, diff is Diff, auto is a Diff where that is complete, and says why" {
	vm --workload 4,0,0
	snapshot --type auto --resume
	expect 0
	expect_json '.type == "Diff"' '.type_reason | contains("complete")'
	# Sparse: only what the process has.
	[ "$(length mem)" -eq 16777216 ]
	[ "$(allocated mem)" -lt 16777216 ]
	snapshot --type diff --resume --force
	expect 0
	expect_json '.type == "Diff"' '.type_reason == null'
	snapshot --type full --force
	expect 0
	expect_json '.type == "Full"' '.type_reason == null'
	[ "$(allocated mem)" -ge 16777216 ]
	diff <(grep -o '"snapshot_type":"[A-Za-z]*"' "$SIM_LOG") - <<-'E'
	"snapshot_type":"Diff"
	"snapshot_type":"Diff"
	"snapshot_type":"Full"
	E
}

@test "--type auto is Full where a Diff would not be complete: tracked, shared, resumed from a file" {
	sim_start --memory 16
	sim_put /machine-config '{"vcpu_count":1,"mem_size_mib":16,"track_dirty_pages":true}'
	sim_put /sim/boot '{}'
	snapshot
	expect 0
	expect_json '.type == "Full"' '.type_reason | contains("tracked")' '.layer == false'
	SIM_NAME=b sim_start --boot --memory 16 --backing memfd
	snapshot --force
	expect 0
	expect_json '.type == "Full"' '.type_reason | contains("file or shared")'
	SIM_NAME=c sim_start --memory 16
	sim_put /snapshot/load "{\"snapshot_path\":\"$T/snap\",\"mem_backend\":{\"backend_type\":\"File\",\"backend_path\":\"$T/mem\"}}"
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap2 --mem-file-path mem2 --json
	expect 0
	expect_json '.type == "Full"' '.type_reason | contains("backed by a file")'
}

@test "a Diff that was asked for where it is not complete is a layer" {
	sim_start --boot --memory 16 --backing memfd
	snapshot --type diff
	expect 0
	expect_json '.type == "Diff"' '.layer == true'
}

@test "the memory file that a VM was loaded from is not replaced under it" {
	vm
	snapshot
	SIM_NAME=b sim_start --memory 16
	sim_load "$T/snap" "$T/mem"
	cp mem mem.copy
	snapshot --force
	expect 1
	expect_json '.error.class == "busy"' '.error.message | contains("maps it")'
	cmp mem mem.copy
	expect_state '.state == "Running"' '.checksum_ok'
}

@test "an open hinting run is stopped before the pause, and that is said" {
	vm --hinting-ms -1
	sim_patch /balloon/hinting/start '{"acknowledge_on_stop":true}'
	: >"$SIM_LOG"
	snapshot
	expect 0
	expect_json '.hinting_stopped == true'
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /balloon/hinting/stop
	PATCH /vm {"state":"Paused"}
	$CREATE
	E
	expect_state '.hinting_running == false'
}

@test "no balloon, no hinting: nothing to stop" {
	sim_start --boot --memory 16
	snapshot
	expect 0
	expect_json '.hinting_stopped == false'
}

@test "with the metrics file known, Firecracker's own figures of this snapshot" {
	sim_start --memory 16
	sim_put /metrics "{\"metrics_path\":\"$T/metrics\"}"
	sim_put /sim/boot '{}'
	snapshot --metrics-path metrics
	expect 0
	expect_json '.metrics.diff_create_snapshot_us > 0' '.metrics.pause_vm_us > 0' \
		'.metrics.resume_vm_us == 0'
}

@test "a relative path is relative to the caller, not to Firecracker" {
	vm
	mkdir deep
	cd deep
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path ../snap --mem-file-path ./mem --json
	expect 0
	[ -s "$T/snap" ] && [ -s "$T/deep/mem" ]
	grep -qF "\"snapshot_path\":\"$T/snap.fcpause-tmp\",\"mem_file_path\":\"$T/deep/mem.fcpause-tmp\"" "$SIM_LOG"
}

@test "a path through a link to a directory, and names with blanks, quotes and letters beyond ASCII" {
	vm
	mkdir real
	ln -s real 'a "link"'
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path 'a "link"/sn äp' --mem-file-path "a \"link\"/me'm" --json
	expect 0
	expect_json '.snapshot_path == "a \"link\"/sn äp"'
	[ -s 'real/sn äp' ] && [ -s "real/me'm" ]
}

@test "targets that are there are refused, and stay byte for byte" {
	vm
	local file
	for file in snap mem; do
		echo old >$file
		snapshot
		expect 1
		expect_json '.status == "failed"' '.error.class == "input"' \
			".error.message | contains(\"/$file already exists\")"
		[ "$(cat $file)" = old ]
		rm $file
	done
	expect_no_files
	untouched
	expect_state '.state == "Running"'
}

@test "--force replaces both, when the new ones are whole" {
	vm
	echo old >snap
	head -c 20000000 /dev/zero >mem
	snapshot --force
	expect 0
	[ "$(length mem)" -eq 16777216 ]
	state_text snap | jq -e .memory >/dev/null
	expect_no_temporary
}

@test "a Diff with --force is a whole file of its own, not merged into the old one" {
	vm --workload 4,0,0
	head -c 16777216 /dev/urandom >mem
	snapshot --type diff --force
	expect 0
	[ "$(length mem)" -eq 16777216 ]
	[ "$(allocated mem)" -lt 16777216 ]
}

@test "what an earlier run that was killed has left under the temporary names is removed" {
	vm
	echo left >snap.fcpause-tmp
	head -c 99999999 /dev/zero >mem.fcpause-tmp
	snapshot
	expect 0
	[ "$(length mem)" -eq 16777216 ]
	expect_no_temporary
}

@test "the VM is not started: exit 1, and it is not touched" {
	sim_start --memory 16
	snapshot
	expect 1
	expect_json '.error.class == "state"' '.vm_state == "Not started"'
	expect_log <<-'E'
	GET /
	E
	expect_no_files
}

@test "the creation may take long: its deadline is not --timeout-ms" {
	vm --snapshot-ms 400
	snapshot --timeout-ms 100
	expect 0
	expect_json '.paused_ms >= 400'
}

@test "as text: a line" {
	vm
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem
	expect 0
	expect_no_err
	grep -qE '^snapshot +ok +[0-9.]+ ms  Diff: snap, mem; VM Paused, stood still [0-9.]+ ms$' "$T/out"
}

@test "each of socket, snapshot file and memory file is needed" {
	fcp snapshot --snapshot-path s --mem-file-path m
	expect 2
	expect_err '--api-sock PATH is needed'
	fcp snapshot --api-sock s --mem-file-path m
	expect 2
	expect_err '--snapshot-path FILE is needed'
	fcp snapshot --api-sock s --snapshot-path s
	expect 2
	expect_err '--mem-file-path FILE is needed'
}
