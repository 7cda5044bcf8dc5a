#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is asked of Firecracker and envd, shown (-vv, --trace), and how messages are written: as JSON
# (--log-format json), and with priorities for the journal.

load helpers

# The requests of a trace, "SERVER METHOD PATH" a line.
requests_of() { sed -nE 's/^(<7>)?fcpause [a-z-]+: [0-9TZ.:-]+ (firecracker|envd) ([A-Z]+) ([^ :]+).*/\2 \3 \4/p' "$1"; }

# The same of the simulator's own log.
requests_made() { awk '{ if ($1 == "envd") print "envd", $2, $3; else print "firecracker", $1, $2 }' "$SIM_LOG"; }

pause() { fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem "$@"; }

@test "-vv shows each request that was made, in order, with status, time and bytes" {
	vm
	pause -vv --reclaim --envd "$SIM_ENVD" --drain
	expect 0
	requests_of err >traced
	requests_made >made
	[ "$(wc -l <made)" -gt 8 ]
	diff made traced
	grep -qE 'firecracker PATCH /vm \{"state":"Paused"\}: 204, [0-9]+\.[0-9] ms, 18 bytes sent, 0 received$' err
	# -v shows none of them.
	rm snap mem
	pause -v
	expect 0
	[ -z "$(requests_of err)" ]
}

@test "-vv shows what was decided and found, a line each; a trace in a file is of requests only" {
	vm
	pause -vv --trace trace.txt --reclaim --envd "$SIM_ENVD" --steps sync,fstrim --drain
	expect 0
	said='^fcpause pause: [0-9TZ.:-]+'
	grep -qE "$said reclaim: sync: ok after [0-9.]+ ms\$" err || _show 'no step'
	grep -qE "$said reclaim: fstrim: unsupported after [0-9.]+ ms: the guest's disk has no discard\$" err ||
		grep -qE "$said reclaim: fstrim: ok after [0-9.]+ ms\$" err || _show 'no second step'
	grep -qE "$said balloon-drain: host_cmd 1, guest_cmd [0-9-]+ after [0-9]+ polls\$" err || _show 'no drain'
	grep -qE "$said snapshot: (Full|Diff) of the VM to $T/mem, which Firecracker writes: ." err || _show 'no type'
	run ! grep -qE ' (reclaim|balloon-drain|snapshot): ' trace.txt
	# Each of them is an object too, and -v shows none of them.
	rm snap mem
	pause -vv --log-format json
	expect 0
	jq -es 'any(.level == "debug" and .step == "snapshot" and (.message | startswith("Full of the VM") or
		startswith("Diff of the VM")))' err || _show 'no object'
	rm snap mem
	pause -v
	expect 0
	run ! grep -qE "$said" err
}

@test "--trace appends to a file that is its owner's only; the standard error has none of it" {
	umask 022
	vm
	fcp status --api-sock "$SIM_SOCK" --trace trace.txt
	expect 0
	expect_no_err
	[ "$(stat -c %a trace.txt)" = 600 ]
	FCPAUSE_TRACE=trace.txt fcp status --api-sock "$SIM_SOCK"
	requests_of trace.txt >traced
	requests_made | diff - traced
}

@test "secrets are not in it: envd's token, and what the guest is asked to run" {
	vm --token T0P-s3cr3t
	(umask 077 && echo T0P-s3cr3t >token)
	fcp exec --envd "$SIM_ENVD" --envd-token-file token -vv --trace trace.txt -- sh -c 'echo hush-hush >/dev/null'
	expect 0
	grep -q 'envd POST /process.Process/Start: 200' trace.txt
	grep -q 'envd POST /process.Process/Start: 200' err
	run ! grep -qE 'T0P-s3cr3t|X-Access-Token|Authorization' trace.txt err
	run ! grep -q hush-hush trace.txt # but among the operands of the plan
}

@test "a request without an answer is there, with the reason" {
	sim_start --boot --fault 'GET /machine-config hang'
	fcp status --api-sock "$SIM_SOCK" --timeout-ms 200 -vv
	expect 1
	grep -qE 'firecracker GET /machine-config: no answer, [0-9.]+ ms, .*: GET /machine-config: ' err || _show no
}

@test "--log-format json: each line on the standard error is an object" {
	vm
	fcp status --api-sock none.sock --log-format json
	expect 1
	jq -e '.level == "error" and .command == "status" and (.message | contains("none.sock")) and
		(.time | test("^[0-9-]+T[0-9:]+\\.[0-9]{3}Z$"))' err
	pause --log-format json -vv --type full --drain
	expect 0
	jq -es 'all(has("time") and has("level") and has("message"))' err
	jq -es 'map(select(.server)) | length > 5 and all(.level == "debug" and (.http_status | type) == "number" and
		(.ms | type) == "number" and has("body") and has("sent_bytes") and has("received_bytes"))' err
	jq -es 'map(select(.path == "/vm")) | .[0].body == "{\"state\":\"Paused\"}"' err
	jq -es 'map(select(.level == "info")) | length > 10' err # the plan
	jq -es 'any(.level == "warning" and (.message | contains("developer preview")))' err
	# A trace in a file is written alike.
	fcp status --api-sock "$SIM_SOCK" --log-format json --trace trace.json
	jq -es 'length > 2 and all(.server == "firecracker" and .command == "status")' trace.json
}

@test "errors before the command was read are JSON lines too when the format is known" {
	fcp status --log-format json
	expect 2
	jq -e '.level == "error" and (.message | contains("--api-sock"))' err
	fcp status --log-format yaml
	expect 2
	expect_err "unknown value 'yaml' (text, json)"
}

@test "a trace that cannot be written is an error before anything is asked" {
	vm
	fcp pause --api-sock "$SIM_SOCK" --snapshot-path snap --mem-file-path mem --trace none/trace.txt --json
	expect 1
	expect_json '.status == "failed"' '.error.class == "io"' '.reason | contains("--trace none/trace.txt: No such file")'
	expect_no_requests
	expect_no_files
}

@test "where the standard error is the journal, lines begin with their priority" {
	vm
	: >err
	# The stream of a file that the shell opens to write stays the same inode.
	export JOURNAL_STREAM
	JOURNAL_STREAM=$(stat -c %d:%i err)
	fcp status --api-sock none.sock
	expect 1
	grep -q '^<3>fcpause status: ' err
	pause -vv --drain --type full
	expect 0
	grep -q '^<4>fcpause pause: warning: ' err
	grep -q '^<6>1\. reclaim' err
	[ "$(requests_of err | wc -l)" -gt 5 ]
	run ! grep -vE '^<[3467]>' err
	# One that was redirected is not the journal any more.
	JOURNAL_STREAM=1:1 fcp status --api-sock none.sock
	grep -q '^fcpause status: ' err
}
