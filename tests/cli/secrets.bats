#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Issue 11, point 10 (R12): passwords and tokens are shown nowhere, and token files that others can
# read are refused.

load helpers

# hides WORD: it is neither on stdout nor on stderr.
hides() { run ! grep -q -- "$1" "$T/out" "$T/err"; }

@test "R12: a URL with a user or a password is refused before anything is done, and not shown" {
	vm
	local url option
	for url in http://bob:s3cret@127.0.0.1:49983 http://s3cret@127.0.0.1 bob:s3cret@127.0.0.1:49983 \
		http://bob:s3/cr3t@127.0.0.1 'http://127.0.0.1:1/?x=s3cret@y' https://bob:s3cret@h http:bob:s3cret@h; do
		for option in '' --json -v -n '--json -n'; do
			fcp pause --api-sock "$SIM_SOCK" --reclaim --envd "$url" --snapshot-path snap --mem-file-path mem $option
			expect 2
			expect_err 'contains a user or a password'
			hides s3c
			hides cr3t
		done
		FCPAUSE_ENVD=$url fcp exec --json -- true
		expect 125
		expect_json '.error.class == "usage"' '.error.message | startswith("FCPAUSE_ENVD: ")'
		hides s3c
	done
	expect_no_requests
	expect_no_files
}

@test "R12: a password in what is given elsewhere is masked in messages, settings and the plan" {
	fcp madvise-ranges --mem-file-path http://bob:s3cret@host/x --json
	expect 1
	hides s3cret
	expect_json '.settings.mem_file_path.value == "http://***@host/x"'
	fcp exec --envd http://127.0.0.1:1 -n --script 'curl http://bob:s3cret@host' -- ftp://u:s3cret@h
	expect 0
	hides s3cret
	expect_out 'curl http://***@host'
	fcp exec --envd http://127.0.0.1:1 -n --json -- curl ftp://u:s3cret@h
	expect_json '.settings.operands.value == ["curl", "ftp://***@h"]'
	fcp pause http://bob:s3cret@host
	expect 2
	hides s3cret
	fcp http://bob:s3cret@host
	hides s3cret
}

@test "R12: a URL that cannot be used is a wrong option, before anything is done" {
	vm
	local url
	for url in https://127.0.0.1:1 ftp://x http:// http:///path http://127.0.0.1:99999 http://127.0.0.1:0 \
		http://127.0.0.1: http://127.0.0.1:x 'http://[::1' 'http://a b' 'http://h/?q' 'http://h/#f' unix:///x /a/path; do
		fcp pause --api-sock "$SIM_SOCK" --reclaim --envd "$url" --snapshot-path snap --mem-file-path mem --json
		expect 2
		expect_json '.error.class == "usage"' '.error.message | startswith("--envd: ")'
	done
	for url in https://127.0.0.1:1 http://127.0.0.1:99999; do
		fcp exec --envd "$url" -- true
		expect_err 49983
	done
	expect_no_requests
	expect_no_files
}

@test "R12: nobody listens at a URL without a port: envd's is named" {
	fcp exec --envd http://127.0.0.9 -- true
	[ "$status" -eq 125 ]
	expect_err 'envd: cannot connect to http://127.0.0.9: '
	expect_err "envd's is 49983"
}

@test "R12: a token file that others can read or write, or that is another user's, is refused" {
	vm --token s3cr3t
	echo s3cr3t >token
	local mode
	for mode in 644 640 604 620 602 610; do
		chmod $mode token
		fcp exec --envd "$SIM_ENVD" --envd-token-file token --json -- true
		expect 125
		expect_json '.error.class == "input"' '.error.message | contains("chmod 600")'
		hides s3cr3t
		fcp reclaim --envd "$SIM_ENVD" --envd-token-file token --json
		expect 1
		expect_json '.error.class == "input"'
	done
	expect_no_requests
	for mode in 600 400; do
		chmod $mode token
		fcp exec --envd "$SIM_ENVD" --envd-token-file token -- true
		expect 0
	done
	[ "$(id -u)" -eq 0 ] || skip 'only root can give a file away'
	chown 65534 token
	fcp exec --envd "$SIM_ENVD" --envd-token-file token -- true
	expect 125
	expect_err 'another user (65534)'
}

@test "R12: a token by a FIFO, or by the shell's <(...), late and in pieces" {
	vm --token s3cr3t
	mkfifo fifo
	{ printf s3c; sim_get /sim/state >/dev/null; printf 'r3t\nmore\n'; } >fifo &
	fcp exec --envd "$SIM_ENVD" --envd-token-file fifo -- echo in
	expect 0
	expect_out in
	wait $! || true
	fcp exec --envd "$SIM_ENVD" --envd-token-file <(echo s3cr3t) -- echo in
	expect 0
	expect_out in
	fcp exec --envd "$SIM_ENVD" --envd-token-file /dev/stdin -- echo in < <(printf s3cr3t)
	expect 0
}

@test "R12: a FIFO that nobody writes to is waited for until a signal" {
	vm --token s3cr3t
	mkfifo fifo
	: >err
	fcp_start exec --envd "$SIM_ENVD" --envd-token-file fifo -v -- true
	# The plan is printed right before.
	_sim_wait_file "$T/err" envd-token-file
	fcp_signal TERM
	fcp_end
	expect 125
	expect_err interrupted
}

@test "R12: a command that is killed at its deadline is killed with a token that was read once" {
	vm --token s3cr3t
	fcp exec --envd "$SIM_ENVD" --envd-token-file <(echo s3cr3t) --exec-timeout-ms 500 -- sleep 30
	expect 125
	expect_err 'the command was killed'
}
