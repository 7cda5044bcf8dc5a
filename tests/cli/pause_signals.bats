#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# On SIGINT/SIGTERM mid-way the VM is put back (hinting stopped, resumed) and exit
# says so: 1, class interrupted, with what was reached. After the snapshot nothing fails it any more:
# a signal during the release leaves a good snapshot, exit 4.

load helpers

pause_start() {
	fcp_start pause --api-sock "$SIM_SOCK" --envd "$SIM_ENVD" --snapshot-path snap --mem-file-path mem \
		--find zero --json "$@"
}

# interrupted STATUSES: exit 1, the steps came out so, the VM runs as before, and no file is there.
interrupted() {
	expect 1 &&
		expect_json '.status == "failed"' '.error.class == "interrupted"' '.vm_state == "Running"' \
			"[.steps[].status] == $1" '.ms < 20000' &&
		expect_err interrupted &&
		expect_state '.state == "Running"' '.hinting_running == false' '.checksum_ok' && expect_no_files
}

@test "during reclaim" {
	local signal
	for signal in INT TERM; do
		SIM_NAME=$signal vm --step-ms sync=60000
		pause_start --reclaim --drain --step-timeout-ms sync=60000
		sim_wait_log 'envd POST'
		fcp_signal $signal
		fcp_end
		interrupted '["failed", "skipped", "skipped", "skipped"]'
		expect_log <<-'E'
		GET /
		GET /machine-config
		GET /hotplug/memory
		envd POST /process.Process/Start Connect-Timeout-Ms=62200 Authorization=Basic cm9vdDo= Connect-Protocol-Version=1 SCRIPT
		E
	done
}

@test "during the drain: the run is stopped" {
	local signal
	for signal in INT TERM HUP; do
		SIM_NAME=$signal vm --hinting-ms -1
		pause_start --drain --fph-timeout-ms 60000
		sim_wait_log 'GET /balloon/hinting/status'
		fcp_signal $signal
		fcp_end
		interrupted '["skipped", "failed", "skipped", "skipped"]'
		expect_log <<-'E'
		GET /
		GET /machine-config
		GET /hotplug/memory
		GET /
		GET /balloon
		PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
		GET /balloon/hinting/status
		PATCH /balloon/hinting/stop
		E
	done
}

@test "during the creation: resumed" {
	local signal
	for signal in INT TERM; do
		SIM_NAME=$signal vm --snapshot-ms 500
		pause_start
		sim_wait_clock '^snapshot-begin'
		fcp_signal $signal
		fcp_end
		interrupted '["skipped", "skipped", "failed", "skipped"]'
		sim_log | tail -n 1 | grep -qF 'PATCH /vm {"state":"Resumed"}'
	done
}

@test "during the creation of a VM that was paused before: it stays paused" {
	vm --snapshot-ms 500
	sim_patch /vm '{"state":"Paused"}'
	pause_start
	sim_wait_clock '^snapshot-begin'
	fcp_signal TERM
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"' '.vm_state == "Paused"'
	expect_state '.state == "Paused"'
	sim_wait_clock '^snapshot-end'
	expect_no_files
}

@test "before anything was done" {
	vm --fault 'GET / hang'
	pause_start --reclaim --timeout-ms 30000
	sim_wait_log '^GET /$'
	fcp_signal INT
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"' '[.steps[].status] | unique == ["skipped"]'
	expect_log <<-'E'
	GET /
	E
}

@test "the signal comes again and again: the VM is put back all the same" {
	vm --snapshot-ms 600
	pause_start
	sim_wait_clock '^snapshot-begin'
	fcp_signal INT
	fcp_signal TERM
	sim_wait_log 'Resumed'
	fcp_signal INT
	fcp_end
	interrupted '["skipped", "skipped", "failed", "skipped"]'
}

# until_err TEXT: while fcpause runs.
until_err() {
	local end=$((SECONDS + SIM_DEADLINE_S))
	until grep -qF -- "$1" "$T/err"; do
		[ $SECONDS -lt $end ] || _show "stderr does not hold: $1" || return
	done
}

@test "A6: a signal during the creation says at once what is waited for, and the next one shortly" {
	vm --snapshot-ms 2000
	pause_start
	sim_wait_clock '^snapshot-begin'
	fcp_signal INT
	until_err 'fcpause pause: interrupted; Firecracker is still writing the snapshot and cannot be stopped; the VM is resumed when it has finished'
	# timeout passes on one only.
	kill -INT "$(pgrep -P "$FCP_PID")"
	until_err 'fcpause pause: interrupted again; still waiting'
	fcp_end
	interrupted '["skipped", "skipped", "failed", "skipped"]'
}

@test "A6: a VM that was paused before is not said to be resumed; nothing is said with --quiet" {
	vm --snapshot-ms 1500
	sim_patch /vm '{"state":"Paused"}'
	pause_start
	sim_wait_clock '^snapshot-begin'
	fcp_signal TERM
	until_err 'cannot be stopped'
	fcp_end
	expect 1
	run ! grep -q 'is resumed' "$T/err"
	sim_wait_clock '^snapshot-end'
	pause_start -q
	sim_wait_log 'PUT /snapshot/create.*'
	local end=$((SECONDS + SIM_DEADLINE_S))
	until [ "$(grep -c '^PUT /snapshot/create' "$SIM_LOG")" -eq 2 ]; do [ $SECONDS -lt $end ]; done
	fcp_signal TERM
	fcp_end
	run ! grep -q 'cannot be stopped' "$T/err"
}

@test "SIGTSTP does not stop it while the VM is held" {
	vm --snapshot-ms 500
	pause_start
	sim_wait_clock '^snapshot-begin'
	kill -TSTP "$(pgrep -P "$FCP_PID")"
	fcp_end
	expect 0
	expect_state '.state == "Paused"'
}

@test "during the release: the snapshot is good, the VM paused, exit 4" {
	# So much to look through takes a while.
	sim_start --boot --memory 384 --balloon "$BALLOON"
	pause_start --type full
	sim_wait_clock '^snapshot-end'
	until [ -e mem ] || ! kill -0 "$FCP_PID" 2>/dev/null; do :; done
	fcp_signal TERM
	fcp_end
	expect 4
	expect_json '.status == "partial"' '.vm_state == "Paused"' '.steps[2].status == "ok"' \
		'.steps[3].status == "failed"' '.steps[3].reason | contains("interrupted")'
	[ "$(length mem)" -eq $((384 << 20)) ]
	rm -f mem
}

@test "--best-effort does not forgive an interruption" {
	vm --snapshot-ms 500
	pause_start --best-effort
	sim_wait_clock '^snapshot-begin'
	fcp_signal INT
	fcp_end
	expect 1
}
