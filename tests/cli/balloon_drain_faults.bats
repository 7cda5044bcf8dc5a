#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The run is stopped on SIGINT/SIGTERM and on any error after the start; a run that
# could not be stopped is exit 5. Exit codes, JSON on failure.

load helpers

drain() { fcp balloon-drain --api-sock "$SIM_SOCK" --json "$@"; }

# The run was stopped, and the guest has what it handed out.
stopped() {
	expect_json '.stopped == true' &&
		[ "$(grep -c '^PATCH /balloon/hinting/stop' "$SIM_LOG")" -eq 1 ] &&
		expect_state '.hinting_running == false' '.host_cmd == 1' '.checksum_ok' '.state == "Running"' &&
		sim_wait_clock '^hinting-stop' || _show 'the run was not stopped'
}

# never_ends FAULT: a VM whose run goes on, with that fault of the third status request.
never_ends() { vm --hinting-ms -1 --fault "GET /balloon/hinting/status $1@3"; }

@test "a status request fails mid-run: stopped, exit 1" {
	never_ends status=500
	drain --fph-timeout-ms 20000
	expect 1
	expect_json '.status == "failed"' '.error.class == "server"' '.error.http_status == 500' '.polls == 2'
	stopped
	expect_log <<-'E'
	GET /
	GET /balloon
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	GET /balloon/hinting/status
	PATCH /balloon/hinting/stop
	E
}

@test "a status request hangs mid-run: stopped, exit 1" {
	never_ends hang
	drain --fph-timeout-ms 20000 --timeout-ms 100
	expect 1
	expect_json '.error.class == "timeout"' '.ms < 15000'
	stopped
}

@test "an answer is cut mid-run: stopped, exit 1" {
	never_ends truncate
	drain --fph-timeout-ms 20000
	expect 1
	expect_json '.error.class == "protocol"'
	stopped
}

@test "an answer is garbage or too long mid-run: stopped, exit 1" {
	local kind
	for kind in garbage huge=2000000; do
		SIM_NAME=${kind%%=*} never_ends "$kind"
		drain --fph-timeout-ms 20000
		expect 1
		expect_json '.error.class == "protocol"'
		stopped
	done
}

@test "the connection is reset for each status request: stopped, exit 1" {
	local kind
	for kind in reset lost; do
		SIM_NAME=$kind vm --hinting-ms -1 --fault "GET /balloon/hinting/status $kind"
		drain --fph-timeout-ms 20000
		expect 1
		expect_json '.error.class == "protocol"'
		stopped
	done
}

@test "an answer without host_cmd, or with one that is no number: stopped, exit 1" {
	local body
	local n=0
	for body in '{}' '{"host_cmd":"1"}' '{"host_cmd":null,"guest_cmd":1}' '[1]' '1'; do
		SIM_NAME=n$((++n)) never_ends "status=200,$body"
		drain --fph-timeout-ms 20000
		expect 1
		expect_json '.error.class == "protocol"'
		stopped
	done
}

@test "the run vanishes (host_cmd 0): stopped, exit 1" {
	never_ends 'status=200,{"host_cmd":0,"guest_cmd":null}'
	drain --fph-timeout-ms 20000
	expect 1
	expect_json '.error.class == "state"'
	stopped
}

@test "the start is refused: nothing to stop, exit 1" {
	vm --fault 'PATCH /balloon/hinting/start status=500'
	drain
	expect 1
	expect_json '.error.class == "server"' '.host_cmd == null'
	expect_log <<-'E'
	GET /
	GET /balloon
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	E
}

@test "the start's answer is lost: it may have begun, so it is stopped" {
	vm --hinting-ms -1 --fault 'PATCH /balloon/hinting/start lost'
	drain
	expect 1
	expect_json '.error.class == "protocol"'
	stopped
	expect_log <<-'E'
	GET /
	GET /balloon
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	PATCH /balloon/hinting/stop
	E
}

@test "the start's answer comes too late: stopped" {
	vm --hinting-ms -1 --fault 'PATCH /balloon/hinting/start slow=60000'
	drain --timeout-ms 100 --fph-timeout-ms 20000
	expect 1
	expect_json '.error.class == "timeout"'
	stopped
	# The ceiling cuts it as well.
	: >"$SIM_LOG"
	drain --fph-timeout-ms 100 --timeout-ms 20000
	[ "$status" -eq 1 ] || [ "$status" -eq 4 ]
	stopped
}

@test "a stop that fails once is tried again" {
	vm --hinting-ms -1 --fault 'PATCH /balloon/hinting/stop status=500@1'
	drain --fph-timeout-ms 50
	expect 4
	expect_json '.status == "timeout"' '.stopped'
	expect_state '.hinting_running == false'
}

@test "A3: the stop fails: exit 5, class left, --best-effort or not" {
	vm --hinting-ms -1 --fault 'PATCH /balloon/hinting/stop status=500'
	drain --fph-timeout-ms 50 --best-effort
	expect 5
	expect_json '.status == "failed"' '.error.class == "left"' '.stopped == false' \
		'.error.message | contains("could not be stopped") and contains("simulated fault") and (contains("in time") | not)'
	expect_err 'could not be stopped'
	expect_err "by hand: fcpause balloon-drain --stop --api-sock $SIM_SOCK ("
}

@test "the stop hangs: exit 5, in time" {
	vm --hinting-ms -1 --fault 'PATCH /balloon/hinting/stop hang'
	drain --fph-timeout-ms 50 --timeout-ms 100
	expect 5
	expect_json '.error.class == "left"' '.ms < 10000'
}

@test "SIGINT and SIGTERM mid-run: stopped, exit 1, class interrupted" {
	local signal
	for signal in INT TERM HUP; do
		SIM_NAME=$signal vm --hinting-ms -1
		fcp_start balloon-drain --api-sock "$SIM_SOCK" --json --fph-timeout-ms 30000
		sim_wait_log 'GET /balloon/hinting/status'
		fcp_signal $signal
		fcp_end
		expect 1
		expect_json '.status == "failed"' '.error.class == "interrupted"' '.ms < 20000'
		expect_err 'interrupted'
		stopped
	done
}

@test "a signal while the answer to the start is waited for: stopped" {
	vm --hinting-ms -1 --fault 'PATCH /balloon/hinting/start slow=60000'
	fcp_start balloon-drain --api-sock "$SIM_SOCK" --json --fph-timeout-ms 30000 --timeout-ms 30000
	sim_wait_log 'PATCH /balloon/hinting/start'
	fcp_signal TERM
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"'
	stopped
}

@test "a signal before the start: nothing was begun, nothing is stopped" {
	vm --fault 'GET /balloon hang'
	fcp_start balloon-drain --api-sock "$SIM_SOCK" --json --timeout-ms 30000
	sim_wait_log '^GET /balloon$'
	fcp_signal INT
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"'
	expect_log <<-'E'
	GET /
	GET /balloon
	E
}

@test "an interruption is no success for --best-effort: the chain must not go on" {
	vm --hinting-ms -1
	fcp_start balloon-drain --api-sock "$SIM_SOCK" --json --fph-timeout-ms 30000 --best-effort
	sim_wait_log 'GET /balloon/hinting/status'
	fcp_signal INT
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"'
}

@test "a signal that was ignored at the start stays ignored (nohup)" {
	vm --hinting-ms -1
	(
		trap '' HUP
		exec "$FCPAUSE" balloon-drain --api-sock "$SIM_SOCK" --json --fph-timeout-ms 500 3>&-
	) >"$T/out" 2>"$T/err" &
	FCP_PID=$!
	sim_wait_log 'GET /balloon/hinting/status'
	fcp_signal HUP
	fcp_end
	expect 4
	expect_json '.status == "timeout"'
}

@test "Firecracker dies mid-run: exit 5, and in time" {
	vm --hinting-ms -1 --fault 'GET /balloon/hinting/status die@3'
	drain --fph-timeout-ms 20000
	expect 5
	expect_json '.error.class == "left"' '.ms < 15000' \
		'.error.message | startswith("Firecracker has ended, and the VM with it")'
}

@test "nobody at the socket, no socket, a path too long for one: exit 1, class connect" {
	vm
	kill -KILL "$SIM_PID"
	wait "$SIM_PID" || true
	drain
	expect 1
	expect_json '.error.class == "connect"' '.error.message | contains("nobody listens")'
	echo text >"$T/file"
	for path in "$T/none" "$T/file" "$T/$(printf 'x%.0s' {1..120})"; do
		fcp balloon-drain --api-sock "$path" --json
		expect 1
		expect_json '.error.class == "connect"'
	done
}

@test "what answers is no Firecracker: exit 1" {
	vm --fault 'GET / status=200,{"hello":"world"}'
	drain
	expect 1
	expect_json '.error.class == "protocol"' '.error.message | contains("Firecracker")'
}
