#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# D7, R2: memory that is plugged in. The memory file has boot memory and all that can be plugged in.

load helpers

# plug_vm PLUGGED ARGS…: 16 MiB at boot, a device of 256 MiB, PLUGGED of them plugged in.
plug_vm() {
	local plugged=$1
	shift
	sim_start --no-envd --memory 16 "$@"
	sim_put /machine-config '{"vcpu_count":1,"mem_size_mib":16}'
	sim_put /hotplug/memory '{"total_size_mib":256,"block_size_mib":2,"slot_size_mib":128}'
	sim_put /sim/boot '{}'
	[ "$plugged" = 0 ] || sim_patch /hotplug/memory "{\"requested_size_mib\":$plugged}"
}

snapshot() { fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --json "$@"; }

load_pair() {
	SIM_NAME=b sim_start --no-envd --memory 16
	sim_load "$T/snap" "$T/mem"
	[ "$(sim_state checksum_ok)" = true ]
}

@test "D7: nothing plugged in: Full and Diff have its place, an unplugged tail costs nothing" {
	plug_vm 0
	snapshot --resume --type full
	expect 0
	[ "$(length mem)" -eq $((272 << 20)) ]
	[ "$(allocated mem)" -le $((17 << 20)) ]
	snapshot --force
	expect 0
	expect_json '.type == "Diff"' '.layer == false'
	[ "$(length mem)" -eq $((272 << 20)) ]
	load_pair
}

@test "D7: memory is plugged in and used: the snapshot has it, and a VM that was restored goes on" {
	plug_vm 130
	sim_put /sim/workload '{"fill_mib":60,"free_mib":0,"cache_mib":0}'
	snapshot
	expect 0
	expect_json '.type == "Diff"' '.layer == false'
	load_pair
	[ "$(sim_get /hotplug/memory | jq .plugged_size_mib)" -eq 130 ]
	# Restored from the file: private mappings of it, PROT_NONE where nothing is plugged in.
	fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap2 --mem-file-path mem2 --json
	expect 0
	expect_json '.type == "Full"' '.type_reason | contains("backed by a file")'
	[ "$(length mem2)" -eq $((272 << 20)) ]
}

@test "D7: a Firecracker without such a device, or without the request, is asked once and believed" {
	vm --no-envd
	snapshot --resume
	expect 0
	expect_json '.type == "Diff"'
	sim_put /sim/fault '{"fault":"GET /hotplug/memory status=400,{\"fault_message\":\"Invalid request method and/or path: GET hotplug.\"}"}'
	snapshot --resume --force
	expect 0
	expect_json '.type == "Diff"'
	[ "$(grep -c 'GET /hotplug/memory' "$SIM_LOG")" -eq 2 ]
}

@test "D7: an answer without sizes: nothing is paused" {
	vm --no-envd
	sim_put /sim/fault '{"fault":"GET /hotplug/memory status=200,{\"total_size_mib\":128,\"plugged_size_mib\":256}"}'
	snapshot
	expect 1
	expect_json '.error.class == "protocol"'
	expect_state '.state == "Running"'
	expect_no_files
}

@test "D7: a Diff of a Firecracker before 1.15 with such a device: auto is Full, asked for it is refused" {
	plug_vm 0
	sim_put /sim/fault '{"fault":"GET / status=200,{\"state\":\"Running\",\"vmm_version\":\"1.14.4\"}"}'
	snapshot --resume
	expect 0
	expect_json '.type == "Full"' '.type_reason | contains("older than 1.15")'
	sim_put /sim/fault '{"fault":"GET / status=200,{\"state\":\"Running\",\"vmm_version\":\"1.14.4\"}"}'
	snapshot --force --type diff
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("more than one memory slot")'
	expect_state '.state == "Running"'
}

@test "D7: what is free is found in both parts of a paused VM's live memory, by its own sizes" {
	! ldd "$(sim_bin)" | grep -q libasan || skip "a sanitizer's own memory in the simulator hides the guest's"
	guest_file guest
	sim_start --no-envd --memory 32 --memory-content "$T/guest"
	sim_put /machine-config '{"vcpu_count":1,"mem_size_mib":32}'
	sim_put /hotplug/memory '{"total_size_mib":128}'
	sim_put /sim/boot '{}'
	sim_patch /vm '{"state":"Paused"}'
	fcp madvise-ranges --api-sock "$SIM_SOCK" --pid "$SIM_PID" --list --json
	expect 0
	expect_json '.mem_file.logical_bytes == 167772160' '.free_bytes > 0'
	jq -r '.list[] | "\(.[0]) \(.[1]) \(.[2])"' out >live
	fcp madvise-ranges --mem-file-path guest --find free --list
	diff live <(grep -v '^#' out)
}

@test "D7: pause never takes a snapshot that is refused for a good one" {
	plug_vm 0
	sim_put /sim/fault '{"fault":"GET / status=200,{\"state\":\"Running\",\"vmm_version\":\"1.14.4\"}"}'
	sim_put /sim/fault '{"fault":"GET / status=200,{\"state\":\"Running\",\"vmm_version\":\"1.14.4\"}"}'
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --json --type diff
	[ "$status" -eq 3 ] || [ "$status" -eq 1 ] || _show 'a refused snapshot passed'
	expect_json '.status != "ok"'
	expect_state '.state == "Running"'
	expect_no_files
}
