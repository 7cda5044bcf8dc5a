#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# balloon-drain:
#  - asks GET / (must be Running), GET /balloon (no balloon / not armed: `unsupported`, exit 3)
#  - starts, polls, done when host_cmd is 1 after our start
#  - at the ceiling stops the run and reports `timeout`, exit 4: the guest has its pages back
#  - short runs (over before the first poll), host_cmd 1 before the start, guest_cmd ahead, guest_cmd
#    null, and a run that never ends
#  - nothing is remembered: booted and resumed VMs are alike
#  - bytes freed by Firecracker's metrics or the process's memory (`freed_bytes`, else null)
#  - 1.5 s by default; 0 = off; FCPAUSE_FPH_TIMEOUT_MS; run alone it is on; flags obeyed
#  - success is any 2xx; the race is told in `warnings`

load helpers

drain() { fcp balloon-drain --api-sock "$SIM_SOCK" --json "$@"; }

@test "the run: what is asked, in which order, and what comes out" {
	vm --workload 8,4,0
	drain
	expect 0
	expect_no_err
	expect_json '.command == "balloon-drain"' '.status == "ok"' '.host_cmd == 1' '.polls >= 1' \
		'.stopped == false' '.ms > 0' '.freed_source == "rss"' '.freed_bytes | type == "number"'
	expect_log <<-'E'
	GET /
	GET /balloon
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	GET /balloon/hinting/status
	E
	expect_state '.hinting_running == false' '.checksum_ok' '.state == "Running"'
}

@test "the memory is really given back, and freed_bytes says how much" {
	# 12 MiB in use, all of it freed: whole blocks, with their bytes still in them.
	vm --hinting-ms 20 --workload 12,12,0
	expect_state '.rss_bytes > 12000000'
	drain
	expect 0
	expect_json '.freed_bytes >= 8388608 and .freed_bytes <= 16777216'
	expect_state '.rss_bytes < 6000000' '.checksum_ok'
}

@test "freed_bytes by Firecracker's metrics, of this run only" {
	sim_start --memory 16 --balloon "$BALLOON" --hinting-ms 10
	sim_put /metrics "{\"metrics_path\":\"$T/metrics\"}"
	sim_put /sim/boot '{}'
	drain --metrics-path "$T/metrics"
	expect 0
	expect_json '.freed_source == "metrics"' '.freed_bytes >= 8388608 and .freed_bytes % 4194304 == 0'
	jq -r .freed_bytes "$T/out" >"$T/first"
	drain --metrics-path "$T/metrics"
	expect 0
	expect_json ".freed_bytes == $(<"$T/first")"
	: >"$SIM_LOG"
	drain --metrics-path "$T/metrics"
	expect_log <<-'E'
	GET /
	GET /balloon
	PUT /actions {"action_type":"FlushMetrics"}
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	GET /balloon/hinting/status
	PUT /actions {"action_type":"FlushMetrics"}
	E
}

@test "a metrics file that is not there, or not Firecracker's: the process's memory tells" {
	vm
	drain --metrics-path "$T/none"
	expect 0
	expect_json '.freed_source == "rss"'
	echo '{"nothing":"here"}' >"$T/metrics"
	drain --metrics-path "$T/metrics"
	expect 0
	expect_json '.freed_source == "rss"'
	mkfifo "$T/fifo"
	drain --metrics-path "$T/fifo"
	expect 0
	expect_json '.freed_source == "rss"'
}

@test "memory in a memfd: the run is done, and nothing is claimed to be freed that was not" {
	sim_start --boot --memory 16 --backing memfd --balloon "$BALLOON" --workload 12,12,0
	drain
	expect 0
	expect_json '.status == "ok"' '.host_cmd == 1'
	# MADV_DONTNEED frees nothing of shared memory.
	expect_state '.rss_bytes > 12000000' '.checksum_ok'
}

@test "over before the start is answered" {
	vm --hinting-ms 0
	drain
	expect 0
	expect_json '.status == "ok"' '.host_cmd == 1' '.polls == 1'
}

@test "host_cmd is 1 before the start, from an earlier run" {
	vm --hinting-ms 30
	drain
	expect_state '.host_cmd == 1'
	drain
	expect 0
	# It waited for its own run, the second.
	expect_json '.status == "ok"' '.polls >= 2' '.ms >= 30'
	grep -q '^hinting-done 3 ' "$SIM_CLOCK"
}

@test "guest_cmd ahead of host_cmd" {
	vm --guest-cmd ahead --hinting-ms 30
	drain
	expect 0
	expect_json '.status == "ok"' '.host_cmd == 1' '.ms >= 30'
}

@test "guest_cmd null to the end" {
	vm --guest-cmd null
	drain
	expect 0
	expect_json '.status == "ok"' '.host_cmd == 1' '.guest_cmd == null'
}

@test "guest_cmd equal to host_cmd says only that the guest has begun" {
	vm --guest-ms 0 --hinting-ms 60
	drain
	expect 0
	expect_json '.ms >= 60'
}

@test "never done: stopped at the ceiling, timeout, exit 4, and the guest has its pages back" {
	vm --hinting-ms -1 --workload 12,12,0
	drain --fph-timeout-ms 120
	expect 4
	expect_json '.status == "timeout"' '.stopped == true' '.reason | contains("120 ms")' \
		'.ms >= 120 and .ms < 10000' '.polls >= 2' 'has("error") | not'
	expect_err 'fcpause balloon-drain: timeout: not done within 120 ms, stopped'
	expect_log <<-'E'
	GET /
	GET /balloon
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	GET /balloon/hinting/status
	PATCH /balloon/hinting/stop
	E
	sim_wait_clock '^pages-returned'
	expect_state '.pages_out_bytes == 0' '.hinting_running == false' '.host_cmd == 1' '.checksum_ok'
}

@test "never done, --best-effort: a warning, exit 0" {
	vm --hinting-ms -1
	drain --fph-timeout-ms 60 --best-effort
	expect 0
	expect_json '.status == "timeout"' '[.warnings[] | select(contains("60 ms"))] | length == 1'
	expect_err 'fcpause balloon-drain: warning: timeout: '
}

@test "the ceiling of 1500 ms when nobody names one" {
	vm --hinting-ms -1
	drain
	expect 4
	expect_json '.reason | contains("1500 ms")' '.ms >= 1500 and .ms < 10000' \
		'.settings.fph_timeout_ms == {"value": 1500, "origin": "default"}'
	# From 1 ms up to 20 ms between polls: no fewer than that, and no flood.
	[ "$(grep -c hinting/status "$SIM_LOG")" -ge 20 ]
	[ "$(grep -c hinting/status "$SIM_LOG")" -le 200 ]
}

@test "a ceiling shorter than one answer takes" {
	vm --hinting-ms -1 --fault 'GET /balloon/hinting/status slow=60000'
	drain --fph-timeout-ms 100
	expect 4
	expect_json '.status == "timeout"' '.stopped' '.ms < 10000'
	expect_state '.hinting_running == false'
}

@test "FCPAUSE_FPH_TIMEOUT_MS, and the command line before it" {
	vm --hinting-ms -1
	FCPAUSE_FPH_TIMEOUT_MS=70 drain
	expect 4
	expect_json '.reason | contains("70 ms")' '.settings.fph_timeout_ms == {"value": 70, "origin": "env"}'
	FCPAUSE_FPH_TIMEOUT_MS=70 drain --fph-timeout-ms 90
	expect_json '.reason | contains("90 ms")' '.settings.fph_timeout_ms == {"value": 90, "origin": "cli"}'
}

@test "off by 0 or --no-drain, at the command line and in the environment: skipped, exit 0, no request" {
	vm
	drain --fph-timeout-ms 0
	expect 0
	expect_json '.status == "skipped"' '.reason | contains("command line")'
	drain --no-drain
	expect 0
	expect_json '.status == "skipped"'
	FCPAUSE_FPH_TIMEOUT_MS=0 drain
	expect 0
	expect_json '.status == "skipped"' '.reason | contains("environment")'
	FCPAUSE_DRAIN=off drain
	expect 0
	expect_json '.status == "skipped"'
	expect_no_requests
}

@test "the command line's --drain wins over an environment that is off" {
	vm
	FCPAUSE_DRAIN=0 FCPAUSE_FPH_TIMEOUT_MS=0 drain --drain
	expect 0
	expect_json '.status == "ok"' '.settings.fph_timeout_ms.value == 1500'
}

@test "no balloon: unsupported, exit 3" {
	sim_start --boot --memory 16
	drain
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("no balloon")' '.host_cmd == null'
	expect_err 'no balloon'
	expect_log <<-'E'
	GET /
	GET /balloon
	E
	drain --best-effort
	expect 0
}

@test "a balloon without hinting: unsupported, exit 3" {
	sim_start --boot --memory 16 --balloon '{"amount_mib":0,"deflate_on_oom":false}'
	drain
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("without free page hinting")'
	expect_log <<-'E'
	GET /
	GET /balloon
	E
}

@test "the driver is not up: unsupported, exit 3; later it is" {
	vm --driver-delay-ms -1
	drain
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("driver is not up")'
	sim_put /sim/driver '{"up":true}'
	drain
	expect 0
}

@test "the VM is not started: exit 1, and nothing more is asked" {
	sim_start --memory 16 --balloon "$BALLOON"
	drain
	expect 1
	expect_json '.status == "failed"' '.error.class == "state"' '.error.message | contains("Not started")'
	expect_log <<-'E'
	GET /
	E
}

@test "the VM is paused: a run would never end, so none is started" {
	vm
	sim_patch /vm '{"state":"Paused"}'
	: >"$SIM_LOG"
	drain
	expect 1
	expect_json '.error.class == "state"' '.error.message | contains("Paused")'
	expect_log <<-'E'
	GET /
	E
}

@test "a status of 200 at the start is a success too" {
	# The fault answers in Firecracker's place: the run must have been begun by somebody else.
	vm --hinting-ms 300 --fault 'PATCH /balloon/hinting/start status=200@2'
	sim_patch /balloon/hinting/start
	drain
	expect 0
	expect_json '.status == "ok"'
}

@test "hinting's race is told: in warnings, and on stderr with -v" {
	vm
	drain
	expect_json '.warnings | length == 1' '.warnings[0] | contains("developer preview")'
	expect_no_err
	drain -v
	expect_err 'warning: free page hinting is a developer preview'
	drain --no-drain
	expect_json '.warnings == []'
}

@test "as text: a line, with bytes for people and for programs" {
	vm --workload 12,12,0
	fcp balloon-drain --api-sock "$SIM_SOCK"
	expect 0
	grep -qE '^balloon-drain +ok +[0-9.]+ ms  [0-9.]+ MiB \([0-9]+ bytes\) given back \(by the process.s memory\)$' "$T/out"
	expect_no_err
}

@test "flags: off or absent in the file skips it, exit 0; a number is the ceiling" {
	vm --hinting-ms -1
	for text in '{"flagValues":{}}' '{"flagValues":{"free-page-hinting":0,"reclaim-on-pause":5}}'; do
		echo "$text" >"$T/flags"
		drain --flags "$T/flags"
		expect 0
		expect_json '.status == "skipped"' '.reason | contains("free-page-hinting")'
	done
	expect_no_requests
	echo '{"flagValues":{"free-page-hinting":80}}' >"$T/flags"
	drain --flags "$T/flags"
	expect 4
	expect_json '.reason | contains("80 ms")' '.settings.fph_timeout_ms == {"value": 80, "origin": "flags"}'
}

@test "--stop: a run that was left open is stopped, whatever the flags say; then there is none" {
	vm --hinting-ms -1
	sim_patch /balloon/hinting/start '{"acknowledge_on_stop":true}'
	echo '{"flagValues": {"free-page-hinting": 0}}' >"$T/flags"
	: >"$SIM_LOG"
	drain --stop --flags "$T/flags"
	expect 0
	expect_json '.status == "ok"' '.stopped'
	expect_log <<-'E'
	GET /balloon/hinting/status
	PATCH /balloon/hinting/stop
	E
	drain --stop
	expect 0
	expect_json '.status == "skipped"' '.reason == "no hinting run is open"' '.stopped == false'
}

@test "--stop: in a Paused VM too; without a balloon it is unsupported" {
	vm --hinting-ms -1
	sim_patch /balloon/hinting/start '{"acknowledge_on_stop":true}'
	sim_patch /vm '{"state":"Paused"}'
	drain --stop
	expect 0
	expect_json '.stopped'
	sim_stop
	sim_start --boot --memory 16
	drain --stop
	expect 3
}
