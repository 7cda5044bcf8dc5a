#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# balloon-drain on the real Firecracker and a real guest: done, stopped, refused; on a VM that was
# booted, and on one that was resumed from a snapshot.

load helpers

DRAIN='{status, ms, host_cmd, stopped, freed_bytes}'

# The guest has at least so much memory to itself.
has_free() { [ "$(free_mib)" -ge "$1" ]; }

drain() { fcp balloon-drain --json --api-sock "$SOCK" --metrics-path "$DIR/metrics" "$@"; }

@test "before boot: refused, nothing started" {
	configure
	api PUT /balloon "$BALLOON"
	drain
	expect 1
	expect_json '.status == "failed"'
}

@test "the driver is not up yet: not supported, with the reason" {
	boot --no-wait
	drain
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("driver")'
}

@test "booted: the run is done, and the guest has its memory back" {
	within 240 envd_up
	workload
	local free
	free=$(free_mib)
	drain --fph-timeout-ms 60000
	expect 0
	expect_json '.status == "ok"' '.host_cmd == 1' '.stopped == false' '.freed_bytes > 50000000'
	figure drain_booted "$DRAIN"
	within 60 has_free $((free * 9 / 10))
}

@test "booted, a second run: done again, from an id that was 1" {
	api GET /balloon/hinting/status | jq -e '.host_cmd == 1'
	drain --fph-timeout-ms 60000
	expect 0
	expect_json '.status == "ok"' '.host_cmd == 1'
}

@test "booted, a tiny ceiling: stopped, and the guest has its memory back" {
	local free
	free=$(free_mib)
	drain --fph-timeout-ms 1
	expect 4
	expect_json '.status == "timeout"' '.stopped'
	figure drain_booted_tiny_ceiling "$DRAIN"
	within 60 has_free $((free * 9 / 10))
	same_sums
}

@test "paused: refused, since the run would never end" {
	api PATCH /vm '{"state":"Paused"}'
	drain
	expect 1
	api PATCH /vm '{"state":"Resumed"}'
}

@test "resumed: a run at its ceiling is stopped, and the guest has its memory back" {
	fcp snapshot --json --api-sock "$SOCK" --snapshot-path "$DIR/s.snap" --mem-file-path "$DIR/s.mem"
	expect 0
	restore "$DIR/s.snap" "$DIR/s.mem"
	local free
	free=$(free_mib)
	drain
	[ "$status" -eq 4 ] || [ "$status" -eq 0 ]
	expect_json '.host_cmd != null' '.polls > 0'
	figure drain_resumed_default_ceiling "$DRAIN"
	api GET /balloon/hinting/status | jq -e '.host_cmd < 2'
	within 120 has_free $((free * 9 / 10))
	same_sums
}

@test "resumed, with all the time it wants: the run is done" {
	drain --fph-timeout-ms 120000
	expect 0
	expect_json '.status == "ok"' '.host_cmd == 1'
	figure drain_resumed_second "$DRAIN"
	restore "$DIR/s.snap" "$DIR/s.mem"
	drain --fph-timeout-ms 120000
	expect 0
	figure drain_resumed "$DRAIN"
	same_sums
}

@test "resumed: all memory can be used afterwards, the kernel says nothing" {
	uses_all_its_memory
	same_sums
	kernel_is_quiet
}

@test "hinting not armed: not supported, with the reason" {
	boot --no-wait --balloon '{"amount_mib":0,"deflate_on_oom":false,"free_page_hinting":false,"free_page_reporting":false}'
	drain
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("hinting")'
}

@test "no balloon: not supported, with the reason" {
	boot --no-wait --no-balloon
	drain
	expect 3
	expect_json '.status == "unsupported"' '.reason | contains("balloon")'
}
