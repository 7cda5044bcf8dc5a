#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Nothing is remembered between runs, booted and resumed VMs are
# alike: a VM loaded from a snapshot that `fcpause pause` wrote is paused again. host_cmd is 1 from
# before; the drain runs, or is stopped at its ceiling; it is never a no-op.

load helpers

pause() {
	fcp pause --api-sock "$SIM_SOCK" --drain --find zero --json \
		--snapshot-path "snap$1" --mem-file-path "mem$1" "${@:2}"
}

# paused_and_loaded [OPTION…]: a VM that was paused into snap1, mem1, loaded in a simulator of its own.
paused_and_loaded() {
	SIM_NAME=first vm --workload 8,4,2
	pause 1 --fph-timeout-ms 20000
	expect 0
	expect_json '.status == "ok"' '.steps[1].host_cmd == 1'
	SIM_NAME=second sim_start --memory 16 "$@"
	sim_put /metrics "{\"metrics_path\":\"$T/metrics\"}"
	sim_load "$T/snap1" "$T/mem1"
	: >"$SIM_LOG"
}

@test "the run on the resumed VM is done: ok, after a run of its own" {
	paused_and_loaded --resumed-hinting-ms 80
	expect_state '.state == "Running"' '.host_cmd == 1' '.checksum_ok'
	pause 2 --fph-timeout-ms 20000
	expect 0
	expect_json '.status == "ok"' '.steps[1].status == "ok"' '.steps[1].ms >= 80' '.steps[1].polls >= 2' \
		'.steps[1].stopped == false' '.vm_state == "Paused"'
	grep -q '^hinting-start' "$SIM_CLOCK"
	grep -q '^hinting-done' "$SIM_CLOCK"
}

@test "the run on the resumed VM is not done: stopped at the ceiling, the pause is good" {
	paused_and_loaded
	pause 2 --fph-timeout-ms 150
	expect 0
	expect_json '.status == "partial"' '.steps[1].status == "timeout"' '.steps[1].stopped' \
		'.steps[2].created' '.vm_state == "Paused"'
	expect_log <<-'E'
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /
	GET /balloon
	PATCH /balloon/hinting/start {"acknowledge_on_stop":true}
	GET /balloon/hinting/status
	PATCH /balloon/hinting/stop
	GET /
	GET /machine-config
	GET /hotplug/memory
	GET /balloon/hinting/status
	PATCH /vm {"state":"Paused"}
	PUT /snapshot/create {"snapshot_type":"Full","snapshot_path":"T/snap2.fcpause-tmp","mem_file_path":"T/mem2.fcpause-tmp"}
	E
	expect_state '.hinting_running == false' '.checksum_ok'
}

@test "balloon-drain alone on the resumed VM: stopped, the guest has its pages back" {
	paused_and_loaded
	fcp balloon-drain --api-sock "$SIM_SOCK" --fph-timeout-ms 100 --json
	expect 4
	expect_json '.status == "timeout"' '.stopped'
	sim_wait_clock '^pages-returned'
	expect_state '.pages_out_bytes == 0' '.state == "Running"' '.checksum_ok'
}

@test "a flag does not drain a VM that was restored from a file: skipped, with the reason" {
	paused_and_loaded
	echo '{"flagValues":{"free-page-hinting":1000}}' >flags.json
	fcp pause --api-sock "$SIM_SOCK" --flags flags.json --find zero --json \
		--snapshot-path snap2 --mem-file-path mem2 --strict
	expect 0
	expect_json '.status == "ok"' '.steps[1].status == "skipped"' \
		'.steps[1].reason | contains("restored from a memory file")'
	fcp balloon-drain --api-sock "$SIM_SOCK" --flags flags.json --json
	expect 1 # paused now
	sim_patch /vm '{"state":"Resumed"}'
	fcp balloon-drain --api-sock "$SIM_SOCK" --flags flags.json --json
	expect 0
	expect_json '.status == "skipped"' '.reason | contains("restored")' '.host_cmd == null'
	run ! grep -q hinting/start "$SIM_LOG"
}

@test "the command line and the environment drain it all the same" {
	paused_and_loaded --resumed-hinting-ms 10
	echo '{"flagValues":{"free-page-hinting":9000}}' >flags.json
	fcp balloon-drain --api-sock "$SIM_SOCK" --flags flags.json --drain --json
	expect 0
	expect_json '.status == "ok"' '.host_cmd == 1'
	FCPAUSE_DRAIN=on fcp balloon-drain --api-sock "$SIM_SOCK" --flags flags.json --json
	expect_json '.status == "ok"' '.host_cmd == 1'
	fcp balloon-drain --api-sock "$SIM_SOCK" --flags flags.json --fph-timeout-ms 9000 --json
	expect_json '.status == "ok"' '.host_cmd == 1'
	[ "$(grep -c '^PATCH /balloon/hinting/start' "$SIM_LOG")" -eq 3 ]
}

@test "what a run on a restored VM gave back is what the process shrank by" {
	paused_and_loaded --resumed-hinting-ms 10
	fcp balloon-drain --api-sock "$SIM_SOCK" --metrics-path metrics --json
	expect 0
	expect_json '.freed_source == "rss"'
}

@test "a flag drains a VM that was booted" {
	vm
	echo '{"flagValues":{"free-page-hinting":9000}}' >flags.json
	fcp balloon-drain --api-sock "$SIM_SOCK" --flags flags.json --json
	expect 0
	expect_json '.status == "ok"' '.host_cmd == 1'
}

@test "over before the first poll, on a resumed VM" {
	paused_and_loaded --resumed-hinting-ms 0
	pause 2 --fph-timeout-ms 20000
	expect 0
	expect_json '.steps[1].status == "ok"'
	[ "$(grep -c '^PATCH /balloon/hinting/start' "$SIM_LOG")" -eq 1 ]
	grep -q '^hinting-done' "$SIM_CLOCK"
}

@test "the memory file that it was resumed from is not touched by the second pause" {
	paused_and_loaded
	cp --sparse=never mem1 mem1.copy
	pause 1 --force --fph-timeout-ms 100
	expect 1
	expect_json '.error.class == "busy"'
	pause 2 --fph-timeout-ms 100
	expect 0
	cmp mem1 mem1.copy
	rm mem1.copy
}

@test "the memory is in part its file, in part anonymous, after the drain: no Diff is taken for complete" {
	paused_and_loaded
	pause 2 --fph-timeout-ms 150 --resume
	expect 0
	expect_json '.steps[2] | .type == "Full" or .layer'
}

@test "and with the file out of the page cache, where mincore does not see it: nothing is lost" {
	paused_and_loaded
	sync mem1
	dd if=mem1 iflag=nocache count=0 status=none
	pause 2 --fph-timeout-ms 150
	expect 0
	SIM_NAME=third sim_start --memory 16
	sim_load "$T/snap2" "$T/mem2"
	expect_state '.checksum_ok' '.used_bytes > 4000000'
}

@test "a third time: what the second pause wrote can be loaded, and the guest has all it had" {
	paused_and_loaded --resumed-hinting-ms 20
	pause 2 --fph-timeout-ms 20000
	expect 0
	SIM_NAME=third sim_start --memory 16 --resumed-hinting-ms 20
	sim_load "$T/snap2" "$T/mem2"
	expect_state '.checksum_ok' '.state == "Running"' '.used_bytes > 4000000'
	pause 3 --fph-timeout-ms 20000
	expect 0
	expect_json '.steps[1].status == "ok"'
}

@test "loaded and not resumed: paused already, so no drain is begun, and it stays paused" {
	SIM_NAME=first vm
	pause 1
	SIM_NAME=second sim_start --memory 16
	sim_put /snapshot/load "{\"snapshot_path\":\"$T/snap1\",\"mem_backend\":{\"backend_type\":\"File\",\"backend_path\":\"$T/mem1\"}}"
	pause 2
	expect 0
	expect_json '.steps[1].status == "skipped"' '.vm_state == "Paused"'
	run ! grep -q hinting/start "$SIM_LOG"
}
