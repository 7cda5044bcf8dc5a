#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# status: one line and JSON; changes nothing, whatever else goes on.

load writer

vm_status() { fcp status --api-sock "$SIM_SOCK" "$@"; }

@test "a VM that was booted: its state, memory, balloon and process" {
	vm
	vm_status
	expect 0
	expect_no_err
	[ "$(cat "$T/out")" = "Running, 16.0 MiB (anonymous), balloon with hinting armed; Firecracker 1.16.1, process $SIM_PID" ]
	vm_status --json
	expect 0
	expect_json '.command == "status"' '.status == "ok"' '.vm_state == "Running"' '.vmm_version == "1.16.1"' \
		".pid == $SIM_PID" '.memory_bytes == 16777216' '.hotplug_bytes == 0' '.plugged_bytes == 0' \
		'.track_dirty_pages == false' '.backing == "anonymous"' '.backing_reason == null' '.base == null' \
		".balloon == $BALLOON" '.hinting_open == false'
	run ! grep -v '^GET ' "$SIM_LOG"
}

@test "Paused, and not started" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	vm_status
	expect_out 'Paused, 16.0 MiB'
	sim_stop
	sim_start --memory 16 --no-envd
	vm_status --json
	expect 0
	expect_json '.vm_state == "Not started"' '.backing == null' '.backing_reason == "the VM is not started"' \
		'.balloon == null'
	vm_status
	expect_out 'Not started, 16.0 MiB, no balloon'
}

@test "restored: from which file, by the mapping, also when that was renamed" {
	vm
	snap base
	expect 0
	sim_stop
	sim_start --no-envd
	sim_put /snapshot/load "{\"snapshot_path\":\"$T/base.snap\",\"mem_backend\":{\"backend_type\":\"File\",\"backend_path\":\"$T/base.mem\"},\"resume_vm\":true,\"track_dirty_pages\":true}"
	mv base.mem other.mem
	vm_status --json
	expect_json '.backing == "file"' ".base == \"$T/other.mem\"" '.track_dirty_pages'
	vm_status
	expect_out "16.0 MiB restored from $T/other.mem, dirty pages tracked"
}

@test "memory that can be plugged in" {
	sim_start --memory 16 --no-envd
	sim_put /hotplug/memory '{"total_size_mib":256,"block_size_mib":2,"slot_size_mib":128}'
	sim_put /actions '{"action_type":"InstanceStart"}'
	sim_patch /hotplug/memory '{"requested_size_mib":130}'
	vm_status --json
	expect_json '.hotplug_bytes == 268435456' '.memory_bytes == 16777216 + .plugged_bytes'
}

@test "an open hinting run is told" {
	vm --hinting-ms -1
	sim_patch /balloon/hinting/start '{"acknowledge_on_stop":true}'
	vm_status --json
	expect_json '.hinting_open'
	vm_status
	expect_out 'balloon with an open hinting run'
	sim_patch /balloon/hinting/stop ''
	vm_status --json
	expect_json '.hinting_open == false'
}

@test "while another run holds the VM it is answered all the same" {
	vm --snapshot-ms 3000
	fcp_start snapshot --writer firecracker --api-sock "$SIM_SOCK" --snapshot-path "$T/s" --mem-file-path "$T/m"
	sim_wait_log '^PATCH /vm .*Paused'
	"$FCPAUSE" status --timeout-ms 20000 --api-sock "$SIM_SOCK" >"$T/line"
	grep -q '^Paused' "$T/line"
	fcp_end
	expect 0
}

@test "nobody there, and nobody who answers: exit 1, and said" {
	fcp status --api-sock "$T/none"
	expect 1
	expect_no_out
	expect_err 'cannot connect to the socket'
	vm --fault 'GET / hang'
	vm_status --json --timeout-ms 100
	expect 1
	expect_json '.status == "failed"' '.vm_state == "unknown"' '.error.class == "timeout"'
}

@test "--quiet prints the line all the same; --dry-run asks nobody" {
	vm
	vm_status --quiet
	expect 0
	expect_out Running
	: >"$SIM_LOG"
	vm_status --dry-run
	expect 0
	expect_no_requests
}

@test "several sockets: a line each, in order, and the highest exit code" {
	vm
	local first=$SIM_SOCK
	SIM_NAME=b sim_start --boot --memory 32
	sim_patch /vm '{"state":"Paused"}'
	fcp status "$first" "$SIM_SOCK"
	expect 0
	expect_no_err
	[ "$(cut -d';' -f1 "$T/out")" = "$first: Running, 16.0 MiB (anonymous), balloon with hinting armed
$SIM_SOCK: Paused, 32.0 MiB (anonymous), no balloon" ]
	# Options may stand behind them. One that does not answer keeps no other one back, and has no other one's id.
	fcp status "$first" none "$SIM_SOCK" --json
	expect 1
	[ "$(wc -l <"$T/out")" -eq 3 ]
	jq -es --arg a "$first" --arg b "$SIM_SOCK" '
		map(.vm_state) == ["Running", "unknown", "Paused"] and map(.status) == ["ok", "failed", "ok"] and
		map(.settings.api_sock) == [$a, "none", $b | {value: ., origin: "cli"}] and
		.[1].vm_id == null and .[1].vmm_version == null and .[2].vm_id != null and
		all(.settings | has("operands") | not)' "$T/out"
	expect_err 'cannot connect to the socket none'
	# One is as the option.
	fcp status "$first"
	expect 0
	expect_out Running,
	run ! grep -qF "$first: " "$T/out"
	FCPAUSE_API_SOCK=none fcp status "$first"
	expect 0
}

@test "several sockets: a wrong command line is said once" {
	fcp status a b --api-sock c --json
	expect 2
	expect_json '.error.class == "usage"' '.reason == "--api-sock and operands exclude each other"'
	fcp status a '' b
	expect 2
	expect_err "'' is no value of --api-sock"
	expect_no_out
}

@test "several sockets: a signal ends all of it" {
	vm --fault 'GET / hang'
	fcp_start status --timeout-ms 30000 --json "$SIM_SOCK" none
	sim_wait_log '^GET '
	fcp_signal TERM
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"'
}
