#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# When envd or the guest does not do its part:
#  - a stream that ends without an `end` event and a clean end-of-stream is a failure, never a success
#  - errors come as HTTP 200 with an end-of-stream frame that holds error.code
#  - at the deadline the stream ends with deadline_exceeded: the steps after it are skipped
#  - output of the guest is bounded and never trusted
#  - exit codes: 1 failed; JSON on failure too, with class and message

load helpers

# The machine may be slow: caps that no step comes near.
CAPS=sync=20000,drop_caches=20000,compact_memory=20000,fstrim=20000
reclaim() { FCPAUSE_STEP_TIMEOUT_MS=$CAPS fcp reclaim --envd "$SIM_ENVD" --json "$@"; }

# vm_with FAULT: envd answers the start of a process so.
vm_with() { vm --fstrim ok --fault "POST /process.Process/Start $1"; }

# failed CLASS TEXT: it failed so, no step is called ok that nobody heard of, and JSON says it all.
failed() {
	expect 1 &&
		expect_json '.status == "failed"' ".error.class == \"$1\"" \
			".error.message | contains(\"$2\")" '.reason | length > 0' &&
		expect_err 'fcpause reclaim: failed: '
}

@test "the stream ends without an end event" {
	vm_with no-end
	reclaim
	failed protocol 'without saying how the command ended'
}

@test "the stream ends without an end-of-stream" {
	vm_with no-eos
	reclaim
	failed protocol 'ended before'
}

@test "the stream is cut within its last frames" {
	vm_with cut
	reclaim
	failed protocol ''
}

@test "more output than is allowed" {
	vm_with flood=3000000
	reclaim
	failed protocol 'longer than'
	expect_json '[.steps[].status] == ["failed", "skipped", "skipped", "skipped"]'
}

@test "much output without a line break, that swallows the first line: no success" {
	vm_with flood=100000
	reclaim
	failed protocol "before its work did"
	expect_json '[.steps[].status] == ["failed", "skipped", "skipped", "skipped"]'
}

@test "an error frame: unauthenticated" {
	vm_with error=unauthenticated
	reclaim
	failed server 'unauthenticated: simulated fault'
}

@test "an error frame: deadline_exceeded is a timeout, exit 4" {
	vm_with error=deadline_exceeded
	reclaim
	expect 4
	expect_json '.status == "timeout"' 'has("error") | not'
}

@test "envd does not answer" {
	vm_with hang
	reclaim --reclaim-timeout-ms 200
	expect 4
	expect_json '.status == "timeout"' '.ms >= 200 and .ms < 5000' \
		'.reason == "envd did not begin within 200 ms (is the guest up?)"' \
		'[.steps[].status] == ["skipped", "skipped", "skipped", "skipped"]'
}

@test "envd says that it began, and no more" {
	vm_with hang-after-start
	reclaim --reclaim-timeout-ms 200
	expect 4
	expect_json '.status == "timeout"' \
		'[.steps[].status] == ["timeout", "skipped", "skipped", "skipped"]'
}

@test "envd resets the connection" {
	vm_with reset
	reclaim
	failed protocol ''
	expect_json '[.steps[].status] == ["skipped", "skipped", "skipped", "skipped"]'
}

@test "envd does the work and its answer is lost" {
	vm_with lost
	reclaim
	failed protocol ''
}

@test "envd answers with HTML" {
	vm_with garbage
	reclaim
	failed protocol ''
}

@test "envd announces a message of a gigabyte" {
	# The first five bytes of a body of x: flags x, length 0x78787878.
	vm_with huge=100000
	reclaim
	failed protocol 'longer than'
}

@test "envd answers with another status" {
	for code in 404 415 500 503; do
		SIM_NAME=s$code vm_with "status=$code"
		reclaim
		failed server "$code"
		expect_json ".error.http_status == $code"
	done
}

@test "envd answers with a status of success that is none of Connect's" {
	vm_with status=204
	reclaim
	failed server 204
}

@test "envd answers late, but in time" {
	vm_with slow=150
	reclaim
	expect 0
	expect_json '.status == "ok"' '.ms >= 150'
}

@test "envd is down" {
	vm --no-envd
	# A port where nobody listens: one that was just given back.
	SIM_NAME=gone sim_start --memory 16
	local envd=$SIM_ENVD
	kill -TERM "$SIM_PID" && wait "$SIM_PID"
	fcp reclaim --envd "$envd" --json
	failed connect 'cannot connect'
	expect_json '.error.errno == 111'
}

@test "envd's address is none" {
	for url in http:// http://127.0.0.1:99999 ftp://127.0.0.1:1 'http://[::bad' nonsense://x /a/path; do
		fcp reclaim --envd "$url" --json
		[ "$status" -eq 1 ] || [ "$status" -eq 2 ] || _show "$url"
			expect_json '.error.class | IN("connect", "usage", "protocol")'
	done
}

@test "the VM is paused: envd does not answer, the deadline ends it" {
	vm --fstrim ok
	sim_patch /vm '{"state":"Paused"}'
	reclaim --reclaim-timeout-ms 200
	expect 4
	expect_json '.status == "timeout"'
}

@test "the guest dies while it works" {
	vm --fstrim ok --step-ms sync=60000
	fcp_start reclaim --envd "$SIM_ENVD" --json --step-timeout-ms sync=60000
	sim_wait_log 'envd POST'
	kill -KILL "$SIM_PID"
	fcp_end
	failed protocol ''
}

@test "SIGTERM and SIGINT end it: exit 1, class interrupted" {
	vm --fstrim ok --step-ms sync=60000
	for signal in TERM INT; do
		: >"$SIM_LOG"
		fcp_start reclaim --envd "$SIM_ENVD" --json --step-timeout-ms sync=60000
		sim_wait_log 'envd POST'
		fcp_signal $signal
		fcp_end
		failed interrupted interrupted
	done
}

@test "an interruption is no success for --best-effort either: the chain must not go on" {
	vm --fstrim ok --step-ms sync=60000
	fcp_start reclaim --envd "$SIM_ENVD" --json --step-timeout-ms sync=60000 --best-effort
	sim_wait_log 'envd POST'
	fcp_signal INT
	fcp_end
	expect 1
	expect_json '.error.class == "interrupted"'
}

@test "with --best-effort a failure is a warning, exit 0, and still said in JSON" {
	vm_with reset
	reclaim --best-effort
	expect 0
	expect_json '.status == "failed"' '.error.class == "protocol"' '.warnings | length == 1'
	expect_err 'fcpause reclaim: warning: failed: '
}

# ---- what the guest says ----

@test "guest: lines like ours, of steps that are not due, of none, with figures that are none" {
	vm
	guest_program timeout <<-'E'
	#!/bin/sh
	printf 'fcpause fstrim 0\nfcpause nothing 0\nfcpause sync\nfcpause sync 0 0\nfcpause sync 999\n'
	printf 'fcpause sync -1\nfcpause sync 1e1\nfcpause sync 0x\nFCPAUSE sync 0\n fcpause\n'
	exec /usr/bin/timeout "$@"
	E
	reclaim
	expect 0
	expect_json '[.steps[].status] == ["ok", "ok", "ok", "unsupported"]'
}

@test "guest: a step said twice counts once" {
	vm --fstrim ok
	guest_program timeout <<-'E'
	#!/bin/sh
	# Ahead of its step, when the shell only tries out whether there is a timeout.
	[ "$4" != true ] || printf 'fcpause timeout fractions\nfcpause sync 3\nfcpause sync 0\n'
	exec /usr/bin/timeout "$@"
	E
	reclaim --steps sync,fstrim
	expect 4
	expect_json '.steps[0].status == "failed"' '.steps[0].exit_code == 3' '.steps[1].status == "ok"'
}

@test "guest: binary output, NUL bytes, escape sequences: nothing of it comes out" {
	vm
	guest_program timeout <<-'E'
	#!/bin/sh
	printf 'fcpause sync 0\000\n\033[2Jevil\n\377\376\n'
	head -c 4096 /dev/urandom | tr '\n' x
	echo
	exec /usr/bin/timeout "$@"
	E
	reclaim
	expect 0
	expect_json '[.steps[1:][].status] == ["ok", "ok", "unsupported"]'
	run ! grep -q -a -e evil -e "$(printf '\033')" "$T/out" "$T/err"
}

@test "guest: what a program of a step prints is passed over" {
	vm
	guest_program sync <<-'E'
	#!/bin/sh
	printf 'fcpause sync 0\nfcpause drop_caches 0\nfcpause compact_memory 0\nfcpause fstrim 0\n'
	printf 'fcpause sync 0\nfcpause drop_caches 0\nfcpause compact_memory 0\nfcpause fstrim 0\n' >&2
	exit 9
	E
	reclaim
	expect 4
	expect_json '.steps[0].exit_code == 9' '.steps[3].status == "unsupported"'
}

@test "guest: fstrim floods its stderr, which is read to know why it failed" {
	vm
	guest_program fstrim <<-'E'
	#!/bin/sh
	yes fcpause fstrim 0 | head -c 2000000 >&2
	echo 'fcpause fstrim 0' >&2
	exit 1
	E
	reclaim
	expect 4
	expect_json '.steps[3].status == "failed"' '.steps[3].exit_code == 1'
}

@test "guest: a program that ends by itself with the code of a kill is no timeout" {
	vm --fstrim ok
	guest_program sync <<-'E'
	#!/bin/sh
	exit 137
	E
	reclaim
	expect 4
	expect_json '.steps[0].status == "failed"' '.steps[0].exit_code == 137'
}

@test "guest: a program that is there but cannot run" {
	vm --fstrim ok
	guest_program fstrim <<-'E'
	#!/nowhere/sh
	E
	reclaim
	expect 0
	expect_json '.steps[3].status != "ok"' '[.steps[:3][].status] == ["ok", "ok", "ok"]'
}

@test "guest: a timeout that does not work is none" {
	vm
	guest_program timeout <<-'E'
	#!/bin/sh
	exit 1
	E
	reclaim
	expect 3
	expect_json '[.steps[].status == "unsupported"] | all'
}

@test "guest: the shell is killed before its work is done" {
	vm --fstrim ok
	guest_program sync <<-'E'
	#!/bin/sh
	# All of the guest but its first process and this one.
	kill -KILL -1
	E
	reclaim
	failed protocol "before its work did"
	expect_json '[.steps[].status] == ["failed", "skipped", "skipped", "skipped"]'
}

@test "envd was never reached: no step failed" {
	SIM_ENVD=http://127.0.0.1:1 SIM_LOG=/dev/null
	reclaim
	expect 1
	expect_json '.error.class == "connect"' '[.steps[].status] | unique == ["skipped"]' \
		'[.steps[].reason] | unique | .[0] | contains("cannot connect")'
}
