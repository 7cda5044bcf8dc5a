#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# When something fails:
#  - resumes when creation fails (unless it was paused before)
#  - on failure a full-length partial file stays behind: fcpause leaves none, temporary or not
#  - its own long deadline; on SIGINT/SIGTERM the VM is put back
#  - exit 5: the VM was left in another state than asked; the message holds the command for it

load helpers

snapshot() { fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --json "$@"; }
snapshot_start() {
	fcp_start snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --json "$@"
}

# Nothing was asked of the VM but its state.
untouched() { run ! grep -qE '^(PUT|PATCH)' "$SIM_LOG"; }

# It failed with this class, the VM is put back, and no file is there.
put_back() {
	expect 1 &&
		expect_json '.status == "failed"' ".error.class == \"$1\"" '.created == false' \
			'.vm_state == "Running"' &&
		expect_state '.state == "Running"' '.checksum_ok' && expect_no_files
}

CREATE='PUT /snapshot/create {"snapshot_type":"Diff","snapshot_path":"T/snap.fcpause-tmp","mem_file_path":"T/mem.fcpause-tmp"}'

@test "the creation fails: resumed, Firecracker's words, no file" {
	vm --fault 'PUT /snapshot/create status=400,{"fault_message":"Create snapshot error: so it is"}'
	snapshot
	put_back server
	expect_json '.error.message | contains("so it is")' '.error.http_status == 400' '.paused_ms > 0'
	expect_err 'so it is'
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	$CREATE
	PATCH /vm {"state":"Resumed"}
	E
}

@test "the creation fails, and the VM was paused before: it stays paused" {
	vm --fault 'PUT /snapshot/create status=500'
	sim_patch /vm '{"state":"Paused"}'
	: >"$SIM_LOG"
	snapshot
	expect 1
	expect_json '.vm_state == "Paused"' '.error.class == "server"'
	expect_state '.state == "Paused"'
	expect_no_files
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	$CREATE
	E
}

@test "the creation fails with --force: the old files stay byte for byte" {
	vm --fault 'PUT /snapshot/create status=500'
	echo old-snap >snap
	echo old-mem >mem
	snapshot --force
	expect 1
	[ "$(cat snap mem)" = "$(printf 'old-snap\nold-mem')" ]
	expect_no_temporary
	expect_state '.state == "Running"'
}

@test "no space for the memory file: resumed, no partial file" {
	vm --space-limit "$T=8000000"
	snapshot --type full
	put_back server
	expect_json '.error.message | contains("No space left on device")'
}

@test "the directory is not there, or is none: exit 1 before the VM is touched" {
	vm
	echo file >file
	local path
	for path in none/x file/x; do
		fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path $path --mem-file-path mem --json
		expect 1
		expect_json '.error.class == "io"' ".error.message | contains(\"${path%/*}: \")"
		fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path $path --json
		expect 1
	done
	untouched
}

@test "Firecracker cannot write there: resumed, its own words" {
	vm
	mkdir dir
	# Here for us, gone for Firecracker: what a jailed one sees.
	sim_put /sim/fault '{"fault":"PUT /snapshot/create status=400,{\"fault_message\":\"Create snapshot error: Cannot perform open on the snapshot backing file: No such file or directory (os error 2)\"}"}'
	snapshot
	put_back server
	expect_json '.error.message | contains("No such file or directory")'
}

@test "the same path twice, also written otherwise: exit 2" {
	vm
	ln -s . here
	local other
	for other in same ./same here/same "$T/same"; do
		fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path same --mem-file-path "$other" --json
		expect 2
		expect_json '.error.class == "usage"' '.error.message | contains("the same")'
	done
	untouched
}

@test "a path that names no file: exit 2" {
	vm
	mkdir dir
	local path
	for path in dir/ . .. dir/.. /; do
		fcp snapshot --api-sock "$SIM_SOCK" --snapshot-path "$path" --mem-file-path mem --json
		expect 2
		expect_json '.error.class == "usage"'
	done
	untouched
}

@test "a target that is not a regular file is refused, with --force too" {
	vm
	mkdir snap
	snapshot --force
	expect 1
	expect_json '.error.message | contains("not a regular file")'
	rmdir snap
	ln -s elsewhere mem
	snapshot --force
	expect 1
	rm mem
	mkfifo mem
	snapshot --force
	expect 1
	untouched
}

@test "the creation hangs until --snapshot-timeout-ms: resumed, exit 1" {
	vm --fault 'PUT /snapshot/create hang'
	snapshot --snapshot-timeout-ms 200
	put_back timeout
	expect_json '.ms >= 200 and .ms < 15000'
}

@test "the creation takes longer than --snapshot-timeout-ms: resumed when Firecracker is through, no file" {
	vm --snapshot-ms 700
	snapshot --snapshot-timeout-ms 100 --timeout-ms 100
	put_back timeout
	sim_wait_clock '^snapshot-end'
	expect_no_files
}

@test "the pause's answer is lost: it may be paused, so it is resumed" {
	vm --fault 'PATCH /vm lost@1'
	snapshot
	put_back protocol
	expect_log <<-'E'
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	PATCH /vm {"state":"Resumed"}
	E
}

@test "the pause's answer comes too late: resumed" {
	vm --fault 'PATCH /vm slow=60000@1'
	snapshot --timeout-ms 100
	put_back timeout
}

@test "the pause is done, and a proxy answers 504: resumed" {
	vm --fault 'PATCH /vm answer=504@1'
	snapshot
	put_back server
}

@test "the answer to a resume is lost, and one answer may take all the time there is: it is tried again" {
	vm --fault 'PATCH /vm hang@2'
	snapshot --resume --timeout-ms 30000
	expect 0
	expect_json '.vm_state == "Running"'
	expect_state '.state == "Running"'
}

@test "the pause is refused: nothing to undo" {
	vm --fault 'PATCH /vm status=400'
	snapshot
	expect 1
	expect_json '.vm_state == "Running"' '.error.class == "server"'
	expect_log <<-'E'
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	E
	expect_no_files
}

@test "the creation's answer is lost: not created twice; resumed, no file" {
	vm --fault 'PUT /snapshot/create lost'
	snapshot
	put_back protocol
	expect_log <<-E
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	$CREATE
	PATCH /vm {"state":"Resumed"}
	E
}

@test "it is said to be created, but nothing was written: resumed, exit 1, no empty files" {
	vm --fault 'PUT /snapshot/create status=204'
	snapshot
	expect 1
	expect_json '.status == "failed"' '.created == false' '.vm_state == "Running"'
	expect_state '.state == "Running"'
	expect_no_files
}

@test "the machine's size is not told: exit 1 before the pause" {
	local kind
	for kind in status=500 garbage 'status=200,{"vcpu_count":1}'; do
		SIM_NAME=n${kind//[^a-z]/} vm --fault "GET /machine-config $kind"
		snapshot
		expect 1
		expect_state '.state == "Running"'
		run ! grep -q PATCH "$SIM_LOG"
	done
}

@test "Firecracker dies while it creates: exit 5, in time, with the reason, no file" {
	vm --fault 'PUT /snapshot/create die'
	snapshot
	expect 5
	expect_json '.status == "failed"' '.error.class == "left"' '.vm_state == "unknown"' '.ms < 10000' \
		'.error.message | startswith("Firecracker has ended, and the VM with it") and contains("before: PUT /snapshot/create")'
	expect_no_files
}

@test "Firecracker dies after it wrote, before it answered: exit 5, no file" {
	vm --fault 'PUT /snapshot/create die-after'
	snapshot
	expect 5
	expect_no_files
}

# Its supervisor reaps it late, and removes the socket.
@test "R6: Firecracker is killed while it creates and its socket is removed: exit 5 at once, with the reason" {
	vm --fault 'PUT /snapshot/create hang'
	snapshot_start
	sim_wait_log '^PUT /snapshot/create'
	rm "$SIM_SOCK"
	kill -KILL "$SIM_PID"
	fcp_end
	expect 5
	expect_json '.error.class == "left"' '.vm_state == "unknown"' '.ms < 10000' \
		'.error.message | startswith("Firecracker has ended, and the VM with it") and (contains("by hand") | not)'
	expect_no_files
}

@test "R6: only the socket is removed: exit 5 in time, which says so" {
	vm --fault 'PUT /snapshot/create hang'
	snapshot_start --snapshot-timeout-ms 1000
	sim_wait_log '^PUT /snapshot/create'
	rm "$SIM_SOCK"
	fcp_end
	expect 5
	expect_json '.error.class == "left"' '.ms < 20000' \
		".error.message | contains(\"was removed, but the process behind it ($SIM_PID) still runs\")"
}

@test "Firecracker dies when it is asked to pause: exit 5" {
	vm --fault 'PATCH /vm die@1'
	snapshot
	expect 5
	expect_json '.error.class == "left"'
	expect_no_files
}

@test "the resume fails: exit 5, with the command that does it" {
	vm --fault 'PUT /snapshot/create status=500' --fault 'PATCH /vm status=500@2+'
	snapshot
	expect 5
	expect_json '.error.class == "left"' '.vm_state == "Paused"' '.created == false'
	expect_err "fcpause resume --api-sock $SIM_SOCK"
	expect_json ".error.message | contains(\"fcpause resume --api-sock $SIM_SOCK\")"
	expect_no_files
}

@test "the command to resume is whole, however long the socket's path and the reason are" {
	SIM_NAME=$(printf 'n%.0s' {1..45}) vm --fault 'PATCH /vm status=500@2+' --fault \
		"PUT /snapshot/create status=400,{\"fault_message\":\"$(printf 'reason %.0s' {1..60})\"}"
	snapshot
	expect 5
	expect_err "fcpause resume --api-sock $SIM_SOCK"
	expect_json ".error.message | contains(\"fcpause resume --api-sock $SIM_SOCK\")"
	expect_err 'reason reason'
}

@test "A4: the VM stays paused: its true state, how long it stands still, the cause, and that the snapshot is good" {
	vm --fault 'PATCH /vm status=500,{"fault_message":"cannot_resume"}@2+'
	snapshot --resume
	expect 5
	expect_json '.error.class == "left"' '.vm_state == "Paused"' '.paused_ms >= 4000' '.created == true' \
		'.error.message | contains("cannot_resume") and contains("the snapshot is good") and (contains("in time") | not)'
	expect_err "fcpause resume --api-sock $SIM_SOCK"
	[ -s snap ] && [ -s mem ]
}

@test "A4: no answer to a resume arrives, and the VM runs all the same: nothing is left" {
	vm --fault 'PUT /snapshot/create status=500' --fault 'PATCH /vm lost@2+'
	snapshot
	expect 1
	expect_json '.error.class == "server"' '.vm_state == "Running"'
}

@test "A3: the command that is offered can be pasted, with a quote in the path, and works" {
	vm --fault 'PUT /snapshot/create status=500' --fault 'PATCH /vm status=500@2+'
	mkdir "o'dir 1"
	ln -s "$SIM_SOCK" "o'dir 1/sock"
	fcp snapshot --api-sock "o'dir 1/sock" --snapshot-path snap --mem-file-path mem --json
	expect 5
	sim_delete /sim/fault
	local command
	command=$(jq -r '.error.message | capture("by hand: (?<c>fcpause resume .*) \\(").c' out)
	mkdir bin
	ln -s "$FCPAUSE" bin/fcpause
	PATH=$PWD/bin:$PATH bash -c "$command"
	[[ $(sim_get /) == *Running* ]]
}

@test "the resume is tried until it is taken" {
	vm --fault 'PUT /snapshot/create status=500' --fault 'PATCH /vm status=500@2' \
		--fault 'PATCH /vm reset@3'
	snapshot
	put_back server
}

@test "--resume fails after success: exit 5, and the files stay, whole" {
	vm --fault 'PATCH /vm die@2'
	snapshot --resume
	expect 5
	expect_json '.error.class == "left"' '.created == true' '.status == "failed"'
	[ "$(length mem)" -eq 16777216 ]
	[ -s snap ]
	expect_no_temporary
}

@test "a signal before the pause: nothing was touched" {
	vm --fault 'GET /machine-config hang'
	snapshot_start --timeout-ms 30000
	sim_wait_log 'GET /machine-config'
	fcp_signal INT
	fcp_end
	put_back interrupted
	run ! grep -q PATCH "$SIM_LOG"
}

@test "a signal while the pause's answer is waited for: resumed" {
	vm --fault 'PATCH /vm slow=60000@1'
	snapshot_start --timeout-ms 30000
	sim_wait_clock '^paused'
	fcp_signal TERM
	fcp_end
	put_back interrupted
}

@test "a signal during the creation: resumed, no file" {
	local signal
	for signal in INT TERM; do
		SIM_NAME=$signal vm --snapshot-ms 500
		snapshot_start
		sim_wait_clock '^snapshot-begin'
		fcp_signal $signal
		fcp_end
		put_back interrupted
		expect_err interrupted
	done
}

@test "a second signal does not keep it from resuming" {
	vm --snapshot-ms 500
	snapshot_start
	sim_wait_clock '^snapshot-begin'
	fcp_signal INT
	sim_wait_log 'Resumed'
	fcp_signal INT
	fcp_signal TERM
	fcp_end
	put_back interrupted
}

@test "a signal during the creation of a VM that was paused before: it stays paused, no file" {
	local round
	vm --snapshot-ms 1000
	sim_patch /vm '{"state":"Paused"}'
	# Firecracker goes on writing for a while.
	for round in 1 2 3; do
		: >"$SIM_LOG"
		: >"$SIM_CLOCK"
		snapshot_start
		sim_wait_log 'PUT /snapshot/create'
		fcp_signal INT
		fcp_end
		expect 1
		expect_json '.error.class == "interrupted"' '.vm_state == "Paused"'
		sim_wait_clock '^snapshot-end'
		expect_no_files
	done
	expect_state '.state == "Paused"'
}

@test "--best-effort forgives a failure, never an interruption or a VM left behind" {
	vm --fault 'PUT /snapshot/create status=500@1' --fault 'PUT /snapshot/create hang@2' \
		--fault 'PUT /snapshot/create die@3'
	snapshot --best-effort
	expect 0
	expect_json '.status == "failed"' '.warnings | length == 1'
	: >"$SIM_LOG"
	snapshot_start --best-effort
	sim_wait_log 'PUT /snapshot/create'
	fcp_signal INT
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"'
	expect_state '.state == "Running"'
	snapshot --best-effort
	expect 5
}

@test "nobody at the socket: exit 1, class connect, no file" {
	fcp snapshot --api-sock "$T/none" --snapshot-path snap --mem-file-path mem --json
	expect 1
	expect_json '.error.class == "connect"' '.vm_state == "unknown"'
	expect_no_files
}
