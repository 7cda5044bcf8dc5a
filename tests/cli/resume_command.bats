#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# resume: a paused VM, what a killed run has left, and a VM from its files.

load writer

resume() { fcp resume --api-sock "$SIM_SOCK" "$@"; }

# Files of a VM with 4 MiB in use, and a Firecracker that was just started.
files() {
	vm --workload 4,2,1
	snap s
	expect 0
	sim_stop
	sim_start "$@"
}

@test "a paused VM runs again; one that runs stays so" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	: >"$SIM_LOG"
	resume --json
	expect 0
	expect_no_err
	expect_json '.command == "resume"' '.status == "ok"' '.vm_state == "Running"' '.resumed' '.loaded == false' \
		'.resume_ms > 0' '.envd_ms == null'
	expect_log <<-'E'
	GET /
	PATCH /vm {"state":"Resumed"}
	GET /
	E
	: >"$SIM_LOG"
	resume
	expect 0
	expect_out 'it runs already'
	run ! grep PATCH "$SIM_LOG"
}

@test "loads a VM from its files, with what is in it, and waits for envd" {
	files
	resume --json --snapshot-path s.snap --mem-file-path s.mem --envd "$SIM_ENVD"
	expect 0
	expect_json '.loaded' '.resumed' '.vm_state == "Running"' '.envd_ms > 0'
	[ "$(sim_state checksum_ok)" = true ]
	grep -q "^PUT /snapshot/load .*\"backend_path\":\"$T/s.mem\".*\"resume_vm\":true" "$SIM_LOG"
	run ! grep track_dirty_pages "$SIM_LOG"
}

@test "--track-dirty-pages is Firecracker's" {
	files
	resume --snapshot-path s.snap --mem-file-path s.mem --track-dirty-pages
	expect 0
	sim_get /machine-config | jq -e .track_dirty_pages
}

@test "files in the environment are those that a pause writes, and not loaded" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	FCPAUSE_SNAPSHOT_PATH=$T/none FCPAUSE_MEM_FILE_PATH=$T/none resume
	expect 0
	expect_state '.state == "Running"'
}

@test "one file without the other: exit 2, and nobody is asked" {
	vm
	for option in snapshot-path mem-file-path; do
		resume --$option "$T/x"
		expect 2
		expect_err 'a VM is loaded from two files'
	done
	expect_no_requests
}

@test "nothing to resume, and no place to load to" {
	sim_start --memory 16 --no-envd
	resume --json
	expect 1
	expect_json '.error.class == "state"' '.vm_state == "Not started"'
	expect_err 'the VM was not started: boot it, or give both files of a snapshot'
	sim_stop
	vm
	snap s --resume
	expect 0
	resume --snapshot-path s.snap --mem-file-path s.mem
	expect 1
	expect_err 'this Firecracker has a VM already, which is Running'
	expect_state '.state == "Running"'
}

# Firecracker ends when it cannot load what it gets.
@test "what is no snapshot is found out before Firecracker gets it" {
	files
	resume --snapshot-path s.mem --mem-file-path s.snap
	expect 1
	expect_err 's.snap: not a memory file'
	head -c 100 s.snap >cut.snap
	resume --snapshot-path cut.snap --mem-file-path s.mem
	expect 1
	expect_err 'cut.snap: the state file is damaged or incomplete'
	resume --snapshot-path s.mem --mem-file-path s.mem
	expect 1
	expect_err 's.mem: '
	resume --snapshot-path s.snap --mem-file-path none
	expect 1
	expect_err 'none: No such file or directory'
	run ! grep -q load "$SIM_LOG"
	resume --snapshot-path s.snap --mem-file-path s.mem
	expect 0
}

@test "a layer is no memory: it is said what to do" {
	files --no-envd
	sim_load "$T/s.snap" "$T/s.mem"
	sim_put /sim/workload '{"fill_mib":1}'
	snap layer --layer
	expect 0
	jq -e '.holes == "base"' "$T/out" || skip 'no extended attributes here'
	sim_stop
	sim_start --no-envd
	resume --snapshot-path layer.snap --mem-file-path layer.mem
	expect 1
	expect_err 'layer.mem is a layer' 
	expect_err 'fcpause merge'
	run ! grep -q load "$SIM_LOG"
}

@test "Firecracker's refusal is passed on" {
	files --fault 'PUT /snapshot/load status=400,{"fault_message":"Load snapshot error: no tap0"}'
	resume --json --snapshot-path s.snap --mem-file-path s.mem
	expect 1
	expect_json '.error.class == "server"' '.error.http_status == 400'
	expect_err 'Firecracker cannot load it, and ends: '
	expect_err 'no tap0'
}

@test "a load whose answer is not waited for: what may become of it, and the option" {
	files --fault 'PUT /snapshot/load hang'
	resume --snapshot-path s.snap --mem-file-path s.mem --load-timeout-ms 200
	expect 1
	expect_err 'within 200 ms; Firecracker may go on with it, and the VM run then (--load-timeout-ms)'
	: >"$SIM_LOG"
	fcp_start resume --api-sock "$SIM_SOCK" --snapshot-path s.snap --mem-file-path s.mem
	sim_wait_log '^PUT /snapshot/load'
	fcp_signal INT
	fcp_end
	expect_err 'PUT /snapshot/load: interrupted; Firecracker may go on with it, and the VM run then'
}

@test "envd that does not answer in time: the VM runs, exit 4" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	resume --json --envd http://127.0.0.1:1 --envd-timeout-ms 200
	expect 4
	expect_json '.status == "timeout"' '.vm_state == "Running"' '.envd_ms == null' \
		'.reason | contains("the VM runs, but envd did not answer in 200 ms")'
	expect_state '.state == "Running"'
}

@test "envd that comes later is waited for; a signal ends the wait" {
	vm --fault 'GET /health status=503@1'
	resume --json --envd "$SIM_ENVD"
	expect 0
	expect_json '.envd_ms >= 20'
	fcp_start resume --api-sock "$SIM_SOCK" --envd http://127.0.0.1:1
	sim_wait_log '^GET /$'
	fcp_signal TERM
	fcp_end
	[ "$status" -ne 0 ]
	expect_state '.state == "Running"'
}

@test "what a run left that was killed with its guard is put right" {
	vm --snapshot-ms 2000
	fcp_start snapshot --writer firecracker --api-sock "$SIM_SOCK" --snapshot-path "$T/s" --mem-file-path "$T/m"
	sim_wait_log '^PUT /snapshot/create'
	local pids
	pids=$(pgrep -P "$FCP_PID")
	# The guard is a child of fcpause, which is a child of timeout.
	kill -KILL $(for pid in $pids; do pgrep -P "$pid"; done) $pids
	wait "$FCP_PID" || true
	FCP_PID=
	resume --json --timeout-ms 10000
	expect 0
	expect_state '.state == "Running"'
	expect_json '[.warnings[] | select(contains("a killed fcpause had left the VM paused: undone"))] | length == 1'
	[ ! -e "$SIM_SOCK.fcpause-lock" ]
}

@test "another run on the VM: exit 6; --wait-lock-ms waits" {
	vm --snapshot-ms 500
	fcp_start snapshot --writer firecracker --api-sock "$SIM_SOCK" --snapshot-path "$T/s" --mem-file-path "$T/m"
	sim_wait_log '^PUT /snapshot/create'
	"$FCPAUSE" resume --api-sock "$SIM_SOCK" >/dev/null 2>"$T/busy" && code=0 || code=$?
	[ "$code" -eq 6 ]
	"$FCPAUSE" resume --api-sock "$SIM_SOCK" --wait-lock-ms 20000 >/dev/null
	fcp_end
	expect 0
	expect_state '.state == "Running"'
}
