#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# reclaim:
#  - the script for envd: order, per-step caps by `timeout -s KILL`, a cap below 1 ms means off
#  - the guest's missing `timeout` or `fstrim` is seen; no discard is `unsupported`, no failure (A9)
#  - run as root through /process.Process/Start with Connect-Timeout-Ms
#  - a result per step (ok, exit code, timed out, skipped because the deadline came first,
#    unsupported), host-measured ms, overall status
#  - total timeout: --reclaim-timeout-ms; without it the sum of the caps + 500 ms
#  - on a deadline the steps after it are `skipped`
#  - `--reclaim` without figures means sync 500, drop_caches 200, compact_memory 1000, fstrim 500 ms
#  - run alone it is on; a partial or timed out reclaim exits 4; with --best-effort 0
#  - token by file only

load helpers

# A token file is refused when others can read it.
umask 077

# The machine may be slow: caps that no step comes near, except where the test is about them.
CAPS=sync=20000,drop_caches=20000,compact_memory=20000,fstrim=20000
reclaim() { FCPAUSE_STEP_TIMEOUT_MS=$CAPS fcp reclaim --envd "$SIM_ENVD" --json "$@"; }
# The same with the caps that nobody named.
reclaim_plain() { fcp reclaim --envd "$SIM_ENVD" --json "$@"; }

@test "reclaim: all four steps are ok" {
	vm --fstrim ok
	reclaim
	expect 0
	expect_no_err
	expect_json '.command == "reclaim"' '.status == "ok"' '.ms > 0' \
		'[.steps[].name] == ["sync", "drop_caches", "compact_memory", "fstrim"]' \
		'[.steps[] | .status == "ok" and .exit_code == 0] | all'
}

@test "reclaim: one request, as root, with the caps' sum and 500 ms as its deadline" {
	vm --fstrim ok
	reclaim_plain
	expect_log <<-'E'
	envd POST /process.Process/Start Connect-Timeout-Ms=2700 Authorization=Basic cm9vdDo= Connect-Protocol-Version=1 SCRIPT
	E
}

@test "reclaim: the request is /bin/sh -c with each step under its cap" {
	vm --fstrim ok
	reclaim_plain
	sed -n 's/.* \({"process":.*\)/\1/p' "$SIM_LOG" >"$T/request"
	jq -e '.process.cmd == "/bin/sh" and .process.args[0] == "-c" and .stdin == false' "$T/request"
	jq -r '.process.args[1]' "$T/request" >"$T/script"
	grep -qF 'timeout -s KILL "$cap"' "$T/script"
	diff <(grep '^step [a-z]' "$T/script") - <<-'E'
	step sync sync 0.500 1 sync
	step drop_caches /proc/sys/vm/drop_caches 0.200 1 sh -c 'echo 3 > /proc/sys/vm/drop_caches'
	step compact_memory /proc/sys/vm/compact_memory 1.000 1 sh -c 'echo 1 > /proc/sys/vm/compact_memory'
	step fstrim fstrim 0.500 1 fstrim /
	E
}

@test "reclaim: the guest's caches are gone and its memory is compacted afterwards" {
	vm --fstrim ok --workload 8,4,2
	expect_state '.cache_bytes == 2097152'
	reclaim
	expect 0
	expect_state '.cache_bytes == 0' '.checksum_ok' '.state == "Running"'
	# Whole blocks are free now: before, the free pages were spread over all of the memory.
	fcp balloon-drain --api-sock "$SIM_SOCK" --json
	expect 0
	expect_json '.freed_bytes >= 1048576'
}

@test "reclaim: fstrim fails with an exit code of its own: failed, with the code" {
	vm --fstrim fail
	reclaim
	expect 4
	expect_json '.status == "partial"' '.steps[3].status == "failed"' '.steps[3].exit_code == 1' \
		'.steps[3].reason | contains("1")'
}

@test "reclaim: a guest without fstrim" {
	vm --guest-missing fstrim
	reclaim
	expect 0
	expect_json '.steps[3].status == "unsupported"' '.steps[3].reason | contains("does not have it")' \
		'.steps[3].exit_code == null'
}

@test "reclaim: a guest without timeout runs none of the steps uncapped: exit 3" {
	vm --guest-missing timeout --workload 4,0,2
	reclaim
	expect 3
	expect_json '.status == "unsupported"' \
		'[.steps[] | .status == "unsupported" and (.reason | contains("timeout"))] | all'
	expect_state '.cache_bytes == 2097152'
}

@test "reclaim: a guest without sync: the others run" {
	vm --guest-missing sync --fstrim ok
	reclaim
	expect 0
	expect_json '.steps[0].status == "unsupported"' '[.steps[1:][].status] == ["ok", "ok", "ok"]'
}

@test "reclaim: a timeout that takes whole seconds only gets the caps rounded up" {
	vm --fstrim ok
	guest_program timeout <<-'E'
	#!/bin/sh
	# timeout -s KILL N COMMAND…, as an old busybox has it
	case $3 in *[!0-9]*) echo "timeout: invalid number '$3'" >&2; exit 1 ;; esac
	echo "$3" >>"${0%/bin/timeout}/caps"
	exec /usr/bin/timeout "$@"
	E
	reclaim --step-timeout-ms sync=19001
	expect 0
	diff <(sort -u "$(guest_dir)/caps") - <<-'E'
	1
	20
	E
}

@test "reclaim: a step is killed at its cap, and the next ones run" {
	vm --fstrim ok --step-ms sync=60000
	reclaim --step-timeout-ms sync=100
	expect 4
	expect_json '.status == "partial"' '.steps[0].status == "timeout"' '.steps[0].ms >= 50' \
		'.steps[0].reason | contains("100 ms")' '[.steps[1:][].status] == ["ok", "ok", "ok"]'
	grep -q 'step sync sync 0\.100 1 sync' "$SIM_LOG"
}

@test "reclaim: a step in the middle is killed at its cap" {
	vm --fstrim ok --step-ms compact_memory=60000
	reclaim --step-timeout-ms compact_memory=100
	expect 4
	expect_json '[.steps[].status] == ["ok", "ok", "timeout", "ok"]'
}

@test "reclaim: at the deadline for all, the step that runs is a timeout, those after it are skipped" {
	vm --fstrim ok --step-ms drop_caches=60000
	reclaim --step-timeout-ms drop_caches=50000 --reclaim-timeout-ms 1000
	expect 4
	expect_json '.status == "timeout"' '[.steps[].status] == ["ok", "timeout", "skipped", "skipped"]' \
		'.steps[1].reason | contains("1000 ms")' '.ms >= 1000 and .ms < 20000'
	expect_err timeout
	grep -q 'Connect-Timeout-Ms=1000 ' "$SIM_LOG"
}

@test "reclaim: with --best-effort a timeout is a warning, exit 0" {
	vm --fstrim ok --step-ms sync=60000
	reclaim --step-timeout-ms sync=50000 --reclaim-timeout-ms 200 --best-effort
	expect 0
	expect_json '.status == "timeout"' '.warnings | length == 1'
	expect_err 'warning: '
}

@test "reclaim: --steps gives the order" {
	vm --fstrim ok
	reclaim --steps fstrim,compact_memory,drop_caches,sync
	expect 0
	expect_json '[.steps[].name] == ["fstrim", "compact_memory", "drop_caches", "sync"]'
	jq -r '.process.args[1]' <<<"$(sed -n 's/.* \({"process":.*\)/\1/p' "$SIM_LOG")" >"$T/script"
	diff <(sed -n 's/^step \([a-z_]*\) .*/\1/p' "$T/script") - <<-'E'
	fstrim
	compact_memory
	drop_caches
	sync
	E
}

@test "reclaim: --steps names those that run; only their caps count" {
	vm
	reclaim_plain --steps sync
	expect 0
	expect_json '[.steps[].name] == ["sync"]'
	grep -q 'Connect-Timeout-Ms=1000 ' "$SIM_LOG"
}

@test "reclaim: a cap of 0 turns a step off" {
	vm --fstrim ok
	reclaim_plain --step-timeout-ms sync=0 --step-timeout-ms fstrim=0
	expect_json '[.steps[].name] == ["drop_caches", "compact_memory"]'
	grep -q 'Connect-Timeout-Ms=1700 ' "$SIM_LOG"
	run ! grep -q 'fstrim fstrim' "$SIM_LOG"
}

@test "reclaim: every cap 0: skipped, no request, exit 0" {
	vm
	reclaim --step-timeout-ms sync=0 --step-timeout-ms drop_caches=0 \
		--step-timeout-ms compact_memory=0 --step-timeout-ms fstrim=0
	expect 0
	expect_json '.status == "skipped"' '.steps == []'
	expect_no_requests
}

@test "reclaim: --reclaim-timeout-ms is what is sent, caps or not" {
	vm --fstrim ok
	reclaim --reclaim-timeout-ms 33333
	expect 0
	grep -q 'Connect-Timeout-Ms=33333 ' "$SIM_LOG"
}

@test "reclaim: --reclaim-timeout-ms 0 and --no-reclaim are off: skipped, exit 0" {
	vm
	for off in --reclaim-timeout-ms=0 --no-reclaim; do
		reclaim "$off"
		expect 0
			expect_json '.status == "skipped"' '.reason | contains("command line")'
	done
	expect_no_requests
}

@test "reclaim: the largest figures do not wrap" {
	vm --fstrim ok
	reclaim_plain --step-timeout-ms sync=86400000 --step-timeout-ms fstrim=86400000
	grep -q 'Connect-Timeout-Ms=172801700 ' "$SIM_LOG"
	reclaim --reclaim-timeout-ms 86400000
	expect 0
}

@test "reclaim: as text, a line a step" {
	vm
	FCPAUSE_STEP_TIMEOUT_MS=$CAPS fcp reclaim --envd "$SIM_ENVD"
	expect 0
	expect_no_err
	sed -e 's/ *[0-9.]* ms//' "$T/out" >"$T/text"
	diff "$T/text" - <<-'E'
	reclaim           ok
	  sync            ok
	  drop_caches     ok
	  compact_memory  ok
	  fstrim          unsupported  the guest's disk has no discard
	E
}

@test "reclaim: the socket of Firecracker is not needed" {
	vm --fstrim ok
	reclaim --api-sock /nowhere
	expect 0
}

@test "reclaim: a URL with slashes at its end is the same" {
	vm --fstrim ok
	fcp reclaim --envd "$SIM_ENVD//" --json
	expect_log <<-'E'
	envd POST /process.Process/Start Connect-Timeout-Ms=2700 Authorization=Basic cm9vdDo= Connect-Protocol-Version=1 SCRIPT
	E
}

@test "reclaim: proxies of the environment are not asked" {
	vm --fstrim ok
	http_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1 reclaim
	expect 0
}

@test "reclaim: needs envd's address" {
	fcp reclaim
	expect 2
	expect_err '--envd URL is needed (or FCPAUSE_ENVD)'
	expect_no_out
}

@test "reclaim: envd's address by the environment" {
	vm --fstrim ok
	FCPAUSE_ENVD=$SIM_ENVD fcp reclaim --json
	expect_json '.steps | length == 4'
	expect_json '.settings.envd.origin == "env"'
}

# ---- the token ----

@test "token: the file's first line is sent, and is found nowhere else" {
	vm --fstrim ok --token s3cr3t-T0ken
	echo s3cr3t-T0ken >"$T/token"
	reclaim --envd-token-file "$T/token" --verbose
	expect 0
	grep -q ' X-Access-Token=s3cr3t-T0ken ' "$SIM_LOG"
	run ! grep -r s3cr3t "$T/out" "$T/err"
	expect_json '.settings.envd_token_file.value | endswith("/token")'
}

@test "token: it is not among the arguments of the process" {
	local file
	vm --fstrim ok --token s3cr3t-T0ken --step-ms sync=60000
	echo s3cr3t-T0ken >"$T/token"
	fcp_start reclaim --envd "$SIM_ENVD" --envd-token-file "$T/token" --step-timeout-ms sync=60000
	sim_wait_log 'envd POST'
	# The simulator was told by its own command line, which its guest's first process has from it.
	for file in /proc/[0-9]*/cmdline; do
		! grep -qs 's3cr3[t]' "$file" || [ "$(cat "${file%/*}/comm")" = guest-init ] || echo "$file"
	done >"$T/holders"
	diff "$T/holders" <(echo "/proc/$SIM_PID/cmdline")
	fcp_signal TERM
	fcp_end
}

@test "token: no line break at its end, a CR, and lines behind it" {
	vm --fstrim ok --token s3cr3t
	local text
	for text in 's3cr3t' 's3cr3t\r\n' 's3cr3t\nmore\nand more\n'; do
		printf "$text" >"$T/token"
		reclaim --envd-token-file "$T/token"
		expect 0
	done
}

@test "token: a file that is empty, or begins with an empty line" {
	vm
	local text
	for text in '' '\n' '\r\n' '\ns3cr3t\n'; do
		printf "$text" >"$T/token"
		reclaim --envd-token-file "$T/token"
		expect 1
			expect_json '.status == "failed"' '.error.class == "input"' '.error.message | contains("empty")'
		run ! grep -q s3cr3t "$T/out" "$T/err"
	done
	expect_no_requests
}

@test "token: what cannot be in a header is refused, and not told" {
	vm
	local text
	for text in 's3cr3t and more\n' 's3cr3t\tx\n' '\001s3cr3t\n' 's3cr3t\303\251\n' 's3cr3t\000rest\n'; do
		printf "$text" >"$T/token"
		reclaim --envd-token-file "$T/token"
		expect 1
		expect_json '.error.class == "input"'
		run ! grep -q s3cr3t "$T/out" "$T/err"
	done
	expect_no_requests
}

@test "token: a line that is too long, a missing file, a directory" {
	vm
	head -c 5000 /dev/zero | tr '\0' a >"$T/token"
	reclaim --envd-token-file "$T/token"
	expect 1
	expect_json '.error.message | contains("too long")'
	reclaim --envd-token-file "$T/none"
	expect 1
	expect_json '.error.message | contains("No such file")'
	reclaim --envd-token-file "$T"
	expect 1
	expect_no_requests
}

@test "token: none or a wrong one: the message says what is needed" {
	vm --token s3cr3t
	echo wr0ng >"$T/token"
	for args in '' "--envd-token-file=$T/token"; do
		reclaim $args
		expect 1
			expect_json '.error.class == "server"' '.error.http_status == 401' \
			'.error.message | contains("token")'
		run ! grep -q wr0ng "$T/out" "$T/err"
	done
}

# ---- the flags file gates it, as it gates pause (more in pause_flags.bats) ----

@test "flags: a file in which the flag is off or absent: skipped, exit 0, no request" {
	vm
	for text in '{"flagValues":{"reclaim-on-pause":0}}' '{"flagValues":{}}'; do
		echo "$text" >"$T/flags"
		reclaim --flags "$T/flags"
		expect 0
			expect_json '.status == "skipped"' '.reason | contains("reclaim-on-pause")'
	done
	expect_no_requests
}

@test "flags: a number is the deadline for all" {
	vm --fstrim ok
	echo '{"flagValues":{"reclaim-on-pause":22222}}' >"$T/flags"
	reclaim --flags "$T/flags"
	expect 0
	expect_json '.settings.reclaim_timeout_ms == {"value": 22222, "origin": "flags"}'
	grep -q 'Connect-Timeout-Ms=22222 ' "$SIM_LOG"
}
